import { recordView } from '../spec/codec.ts'
import type { RecordView } from '../spec/codec.ts'
import { pageSize } from '../sys/machine.ts'
import { Mapping } from '../sys/mapping.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { OpenObject } from './ledger.ts'
import type { BpfMap } from './map.ts'
import { MapSpecError } from './map-layout.ts'

/** Gets one record: `length` bytes at `offset` of `view`, valid until it returns. `ring` is the map's index. */
export type RecordHandler = (view: RecordView, offset: number, length: number, ring: number) => void

const discardBit = 0x4000_0000
const lengthMask = 0x3fff_ffff
/** Records a lease; the kernel gets their space back together. */
const leaseRecords = 256

/**
 * The user side of one ring buffer map (Documentation/bpf/ringbuf.rst). The data pages are mapped twice in a row,
 * so that a record which wraps around is still in one piece.
 */
export class RingBuffer {
  readonly map: BpfMap
  /** All records lie in here. */
  readonly view: RecordView
  /** Where the records of the present lease start in `view`, and their bytes. */
  readonly offsets = new Uint32Array(leaseRecords)
  readonly lengths = new Uint32Array(leaseRecords)
  /** The lease ended at a record that its producer is still writing. */
  busy = false
  /** Records that producers took back. */
  discarded = 0
  readonly #ends = new Float64Array(leaseRecords)
  readonly #size: number
  readonly #consumerPage: Mapping
  readonly #dataPages: Mapping
  readonly #entry: OpenObject
  readonly #consumer: BigInt64Array
  readonly #producer: BigInt64Array
  #position: number
  #leasedTo: number
  #count = 0
  #closed = false

  constructor(map: BpfMap) {
    if (map.spec.type !== 'ringbuf') throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not a ring buffer`)
    const page = pageSize()
    this.map = map
    this.#size = map.spec.maxEntries
    this.#consumerPage = Mapping.open(map.fd, { length: page, write: true })
    try {
      this.#dataPages = Mapping.open(map.fd, { length: page + 2 * this.#size, offset: page })
    } catch (error) {
      this.#consumerPage.close()
      throw error
    }
    this.#entry = recordOpened('mapping', map.spec.name)
    this.#consumer = new BigInt64Array(this.#consumerPage.buffer, 0, 1)
    this.#producer = new BigInt64Array(this.#dataPages.buffer, 0, 1)
    this.view = recordView(this.#dataPages.buffer, page)
    this.#position = this.#leasedTo = Number(Atomics.load(this.#consumer, 0))
  }

  /** Bytes waiting, record headers included. */
  get waitingBytes(): number {
    return this.#closed ? 0 : Number(Atomics.load(this.#producer, 0)) - this.#position
  }

  /** Finds the next finished records, at most 256, and returns how many. They stay valid until release(). */
  lease(): number {
    const { i32 } = this.view
    const mask = this.#size - 1
    const end = Number(Atomics.load(this.#producer, 0))
    let position = this.#position
    // Positions outgrow 32 bits; the place in the ring does not.
    let place = position % this.#size
    let count = 0
    this.busy = false
    while (position < end && count < leaseRecords) {
      // Atomic: the record's bytes must not be read before its header says that they are complete.
      const header = Atomics.load(i32, place >> 2)
      if (header < 0) {
        this.busy = true
        break
      }
      const length = header & lengthMask
      const step = (length + 15) & ~7
      position += step
      if ((header & discardBit) === 0) {
        this.offsets[count] = place + 8
        this.lengths[count] = length
        this.#ends[count] = position
        count++
      } else {
        this.discarded++
      }
      place = (place + step) & mask
    }
    this.#leasedTo = position
    this.#count = count
    return count
  }

  /** Gives the space of the first `count` leased records back to the producers; all by default. */
  release(count = this.#count): void {
    if (this.#closed) return
    const position = count >= this.#count ? this.#leasedTo : count === 0 ? this.#position : this.#ends[count - 1]!
    this.#count = 0
    if (position === this.#position) return
    this.#position = this.#leasedTo = position
    // One 64-bit store: a torn one would look to the kernel like a full ring.
    Atomics.store(this.#consumer, 0, BigInt(position))
  }

  /** Hands out what is finished, up to about `budget` bytes. If the handler throws, its record counts as read. */
  drain(handler: RecordHandler, ring: number, budget: number): number {
    let records = 0
    const stop = this.#position + budget
    while (this.#position < stop && !this.#closed) {
      const count = this.lease()
      let index = 0
      try {
        while (index < count && !this.#closed) {
          const offset = this.offsets[index]!
          const length = this.lengths[index++]!
          handler(this.view, offset, length, ring)
        }
      } finally {
        this.release(index)
      }
      records += count
      if (count < leaseRecords) break
    }
    return records
  }

  close(): void {
    this.#closed = true
    this.#dataPages.close()
    this.#consumerPage.close()
    recordClosed(this.#entry)
  }
}
