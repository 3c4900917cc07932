import { recordView } from '../../spec/codec.ts'
import type { RecordView } from '../../spec/codec.ts'
import { pageSize } from '../../sys/machine.ts'
import { Mapping } from '../../sys/mapping.ts'
import { recordClosed, recordOpened } from '../ledger.ts'
import type { BpfMap } from '../map.ts'
import { MapSpecError } from '../map-layout.ts'

const busyBit = 0x8000_0000
const discardBit = 0x4000_0000
const headerBytes = 8

/**
 * Sends records to programs, which take them by bpf_user_ringbuf_drain. Kernel 6.1. One producer: records are reserved,
 * written and submitted in one go, so that no half-written one can stop the programs.
 */
export class UserRing {
  readonly map: BpfMap
  readonly #size: number
  readonly #consumerPage: Mapping
  readonly #producerPages: Mapping
  readonly #consumer: BigUint64Array
  readonly #producer: BigUint64Array
  readonly #view: RecordView
  readonly #close: () => void

  constructor(map: BpfMap) {
    if (map.spec.type !== 'userRingbuf') throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not a user ring buffer`)
    const page = pageSize()
    this.map = map
    this.#size = map.spec.maxEntries
    this.#consumerPage = Mapping.open(map.fd, { length: page })
    try {
      // The data pages lie there twice, so that a record that wraps around is in one piece.
      this.#producerPages = Mapping.open(map.fd, { length: page + 2 * this.#size, offset: page, write: true })
    } catch (error) {
      this.#consumerPage.close()
      throw error
    }
    this.#consumer = new BigUint64Array(this.#consumerPage.buffer, 0, 1)
    this.#producer = new BigUint64Array(this.#producerPages.buffer, 0, 1)
    this.#view = recordView(this.#producerPages.buffer, page)
    const entry = recordOpened('mapping', map.spec.name)
    this.#close = () => {
      if (this.#producerPages.closed) return
      this.#producerPages.close()
      this.#consumerPage.close()
      recordClosed(entry)
      map.forgetBeforeClose(this.#close)
    }
    map.beforeClose(this.#close)
  }

  /** Bytes that programs have not taken yet, headers included. */
  get waitingBytes(): number {
    return Number(Atomics.load(this.#producer, 0) - Atomics.load(this.#consumer, 0))
  }

  /**
   * Sends a record of `length` bytes, which `write` puts at `offset` of `view`; they hold what was there before.
   * @returns false if the ring is full
   */
  send(length: number, write: (view: RecordView, offset: number) => void): boolean {
    const step = Math.ceil((length + headerBytes) / 8) * 8
    if (!Number.isInteger(length) || length < 0 || step > this.#size) {
      throw new RangeError(`a record of ${length} bytes does not fit a ring of ${this.#size} ('${this.map.spec.name}')`)
    }
    const position = Number(Atomics.load(this.#producer, 0))
    if (this.#size - this.waitingBytes < step) return false
    const place = position % this.#size
    const { i32 } = this.#view
    let written = false
    // The header says busy until the record is complete; the position may then be seen by a program on another CPU.
    Atomics.store(i32, place >> 2, (length | busyBit) | 0)
    i32[(place >> 2) + 1] = 0
    Atomics.store(this.#producer, 0, BigInt(position + step))
    try {
      write(this.#view, place + headerBytes)
      written = true
    } finally {
      Atomics.store(i32, place >> 2, written ? length : length | discardBit)
    }
    return true
  }

  /** Sends bytes. @returns false if the ring is full */
  sendBytes(bytes: Uint8Array): boolean {
    return this.send(bytes.length, (view, offset) => view.u8.set(bytes, offset))
  }

  close(): void {
    this.#close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
