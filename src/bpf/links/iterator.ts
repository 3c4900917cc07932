import { read, readSync } from 'node:fs'
import { AttachType } from '../../spec/spec.ts'
import type { AttachTarget } from '../../spec/spec.ts'
import { allocate, release } from '../../sys/memory.ts'
import { command } from '../command.ts'
import { Descriptor } from '../descriptor.ts'
import { Link, targetName } from '../link.ts'
import { createLink, linkError } from '../link-create.ts'
import type { BpfMap } from '../map.ts'
import type { Program } from '../program.ts'

/** What an iterator goes through, where it does not go through everything. */
export interface IteratorSubject {
  /** For bpf_map_elem and bpf_sk_storage_map. */
  map?: BpfMap
  /** For task, task_file and task_vma (6.1): one thread; all threads of one process. */
  thread?: number
  process?: number
  /** For cgroup (6.1): the directory, and in what order: itself, down before or after its children, or up. */
  cgroup?: { fd: number }
  order?: 'self' | 'descendantsFirstSelf' | 'descendantsLastSelf' | 'ancestors'
}

const orders = { self: 1, descendantsFirstSelf: 2, descendantsLastSelf: 3, ancestors: 4 } as const
const infoBytes = 16

/** Makes an iterator program ready; openIterator runs it. Kernel 5.8. */
export function attachIterator(
  program: Program, subject: IteratorSubject = {}, target: AttachTarget = program.spec.attach,
): Link {
  const place = targetName(target)
  const info = allocate(infoBytes)
  try {
    const { map, thread, process, cgroup, order } = subject
    if (map !== undefined) info.u32[0] = map.fd
    else if (cgroup !== undefined) info.u32.set([orders[order ?? 'descendantsFirstSelf'], cgroup.fd])
    else info.u32.set([thread ?? 0, process ?? 0, 0])
    const used = map !== undefined || cgroup !== undefined || thread !== undefined || process !== undefined
    const fd = createLink({
      place, fd: program.fd, attachType: AttachType.trace_iter, size: 32,
      fill(attr) {
        if (!used) return
        attr.u64(16, info.address)
        attr.u32(24, infoBytes)
      },
    })
    return new Link(target, 'link', new Descriptor('link', place, fd))
  } finally {
    release(info)
  }
}

/** One run of an iterator: what its program writes, in pieces. Reading runs the program; nothing is read twice. */
export class IteratorRun {
  readonly #descriptor: Descriptor
  readonly #buffer = new Uint8Array(64 * 1024)

  /** @throws SysError */
  constructor(link: Link) {
    const fd = command('BPF_ITER_CREATE', 8, (attr) => attr.u32(0, link.fd))
    if (fd < 0) throw linkError('BPF_ITER_CREATE', fd, link.place)
    this.#descriptor = new Descriptor('iterator', link.place, fd)
  }

  /**
   * The next piece; undefined at the end. A program that found nothing to write for long makes the kernel pause: then it goes
   * on.
   */
  read(): Uint8Array | undefined {
    for (;;) {
      try {
        const count = readSync(this.#descriptor.fd, this.#buffer, 0, this.#buffer.length, null)
        return count === 0 ? undefined : this.#buffer.slice(0, count)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      }
    }
  }

  /** All that is left, as text. */
  text(): string {
    const decode = new TextDecoder()
    let text = ''
    for (let piece; (piece = this.read()) !== undefined;) text += decode.decode(piece, { stream: true })
    return text + decode.decode()
  }

  /** Piece by piece, read off the main thread. Closes the run when it ends or is left. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for (;;) {
        const count = await this.#readSoon()
        if (count === 0) return
        if (count > 0) yield this.#buffer.slice(0, count)
      }
    } finally {
      this.close()
    }
  }

  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Bytes read; -1: try again. */
  #readSoon(): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#descriptor.fd, this.#buffer, 0, this.#buffer.length, null, (error, count) => {
        if (error === null) resolve(count)
        else if (error.code === 'EAGAIN') resolve(-1)
        else reject(error)
      })
    })
  }
}

/** Runs an iterator once: what it writes, as text. */
export function iterate(link: Link): string {
  const run = new IteratorRun(link)
  try {
    return run.text()
  } finally {
    run.close()
  }
}

