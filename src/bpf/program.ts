import type { ProgramSpec } from '../spec/spec.ts'
import { objectInfo, readName } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { readU64, writeU64, allocate, release } from '../sys/memory.ts'
import { loadProgram } from './program-load.ts'
import type { LoadContext } from './program-load.ts'

/** What the kernel says of a program. */
export interface ProgramInfo {
  id: number
  name: string
  type: number
  /** Bytes of machine code; 0 if the JIT is off. */
  jitedBytes: number
  /** Bytes of instructions after the kernel's rewriting. */
  translatedBytes: number
  /** Instructions the verifier walked, all paths counted (5.16; before 0). */
  verifiedInstructions: number
  mapIds: number[]
  /** Nanoseconds since boot. */
  loadedAt: number
}

/** Run statistics. Time and count advance only while statistics are enabled (enableStats, 5.8). */
export interface ProgramStats {
  runTimeNs: number
  runCount: number
  /** Runs skipped because the program was already running on that CPU (5.12): events not seen. */
  recursionMisses: number
}

/** `struct bpf_prog_info` up to attach_btf_id; older kernels fill what they know. */
const infoSize = 232

/** A program accepted by the kernel. Not closed by the garbage collector: call close(). */
export class Program {
  readonly spec: ProgramSpec
  readonly #descriptor: Descriptor
  #info: ProgramInfo | undefined

  private constructor(spec: ProgramSpec, descriptor: Descriptor) {
    this.spec = spec
    this.#descriptor = descriptor
  }

  /**
   * Relocates the program for this kernel and loads it.
   * @throws VerifierError (rejected), PolicyError (not permitted), TargetError (the hook does not exist here),
   * SysError, or what relocation throws
   */
  static load(spec: ProgramSpec, context: LoadContext): Program {
    return new Program(spec, new Descriptor('program', spec.name, loadProgram(spec, context)))
  }

  get name(): string {
    return this.spec.name
  }

  /** @throws ClosedError after close() */
  get fd(): number {
    return this.#descriptor.fd
  }

  get closed(): boolean {
    return this.#descriptor.closed
  }

  info(): ProgramInfo {
    this.#info ??= programInfo(this.fd)
    return this.#info
  }

  /** One system call; cheap enough for every second. */
  stats(): ProgramStats {
    return objectInfo(this.fd, infoSize, ({ u32 }) => ({
      runTimeNs: readU64(u32, 192), runCount: readU64(u32, 200), recursionMisses: readU64(u32, 208),
    }))
  }

  /** The kernel keeps the program while a link holds it. */
  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** `struct bpf_prog_info` of a descriptor. */
export function programInfo(fd: number): ProgramInfo {
  const mapCount = objectInfo(fd, infoSize, ({ u32 }) => u32[13]!)
  const ids = allocate(Math.max(4, mapCount * 4))
  try {
    return objectInfo(fd, infoSize, ({ u32, u8 }) => ({
      type: u32[0]!, id: u32[1]!, jitedBytes: u32[4]!, translatedBytes: u32[5]!,
      loadedAt: readU64(u32, 40), name: readName(u8, 64), verifiedInstructions: u32[54]!,
      mapIds: [...ids.u32.subarray(0, Math.min(mapCount, u32[13]!))],
    }), (info) => {
      info.u32[13] = mapCount
      writeU64(info.u32, 56, ids.address)
    })
  } finally {
    release(ids)
  }
}
