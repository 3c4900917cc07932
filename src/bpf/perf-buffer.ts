import { recordView } from '../spec/codec.ts'
import type { RecordView } from '../spec/codec.ts'
import { pageSize } from '../sys/machine.ts'
import { Mapping } from '../sys/mapping.ts'
import { writeU64 } from '../sys/memory.ts'
import type { Descriptor } from './descriptor.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { OpenObject } from './ledger.ts'
import { openPerfEvent } from './links/perf-open.ts'
import type { RecordHandler } from './ring-buffer.ts'

const PERF_TYPE_SOFTWARE = 1
const PERF_COUNT_SW_BPF_OUTPUT = 10
const PERF_SAMPLE_RAW = 1 << 10
const PERF_RECORD_LOST = 2
const PERF_RECORD_SAMPLE = 9
/** In `struct perf_event_mmap_page`. */
const dataHead = 1024
const dataTail = 1032

/** The records that programs on one CPU send through a perf event array. */
export class PerfBuffer {
  readonly cpu: number
  /** Records that found no room, as far as was read. */
  lost = 0
  readonly #event: Descriptor
  readonly #mapping: Mapping
  readonly #entry: OpenObject
  readonly #size: number
  readonly #view: RecordView
  readonly #head: BigInt64Array
  readonly #tail: BigInt64Array
  /** A record that wraps around is put together here. */
  #scratch: RecordView | undefined
  #closed = false

  /** @param pages a power of two; @param wakeUp records after which the reader is woken */
  constructor(cpu: number, pages: number, wakeUp: number) {
    if (!Number.isInteger(Math.log2(pages))) throw new RangeError(`a perf buffer has a power of two of pages, not ${pages}`)
    this.cpu = cpu
    this.#event = openPerfEvent(`output of CPU ${cpu}`, { pid: -1, cpu }, ({ u32 }) => {
      u32[0] = PERF_TYPE_SOFTWARE
      writeU64(u32, 8, PERF_COUNT_SW_BPF_OUTPUT)
      writeU64(u32, 16, 1)
      writeU64(u32, 24, PERF_SAMPLE_RAW)
      u32[12] = wakeUp
    })
    const page = pageSize()
    this.#size = pages * page
    try {
      this.#mapping = Mapping.open(this.#event.fd, { length: page + this.#size, write: true })
    } catch (error) {
      this.#event.close()
      throw error
    }
    this.#entry = recordOpened('mapping', `output of CPU ${cpu}`)
    this.#head = new BigInt64Array(this.#mapping.buffer, dataHead, 1)
    this.#tail = new BigInt64Array(this.#mapping.buffer, dataTail, 1)
    this.#view = recordView(this.#mapping.buffer, page)
  }

  get fd(): number {
    return this.#event.fd
  }

  /** Bytes waiting, headers included. */
  get waitingBytes(): number {
    return this.#closed ? 0 : Number(Atomics.load(this.#head, 0) - Atomics.load(this.#tail, 0))
  }

  /** Hands out what is there now. If the handler throws, its record counts as read. */
  drain(handler: RecordHandler): number {
    const end = Number(Atomics.load(this.#head, 0))
    let position = Number(Atomics.load(this.#tail, 0))
    let records = 0
    try {
      while (position < end && !this.#closed) {
        const place = position % this.#size
        // Headers are of 8 bytes and lie on multiples of 8: they never wrap.
        const type = this.#view.u32[place >> 2]!
        const bytes = this.#view.u16[(place >> 1) + 3]!
        const { view, offset } = place + bytes <= this.#size ? { view: this.#view, offset: place } : this.#unwrap(place, bytes)
        position += bytes
        if (type === PERF_RECORD_LOST) {
          this.lost += view.u32[(offset >> 2) + 4]!
        } else if (type === PERF_RECORD_SAMPLE) {
          records++
          handler(view, offset + 12, view.u32[(offset >> 2) + 2]!, this.cpu)
        }
      }
    } finally {
      // The kernel may write there from now on.
      if (!this.#closed) Atomics.store(this.#tail, 0, BigInt(position))
    }
    return records
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#mapping.close()
    recordClosed(this.#entry)
    this.#event.close()
  }

  #unwrap(place: number, bytes: number): { view: RecordView; offset: number } {
    this.#scratch ??= recordView(new ArrayBuffer(65_536))
    const first = this.#size - place
    this.#scratch.u8.set(this.#view.u8.subarray(place, this.#size))
    this.#scratch.u8.set(this.#view.u8.subarray(0, bytes - first), first)
    return { view: this.#scratch, offset: 0 }
  }
}
