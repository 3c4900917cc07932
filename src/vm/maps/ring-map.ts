import { VmFault } from '../fault.ts'
import { BASE, FIRST, hexadecimal, READ, SHADOWED, WRITE, type Memory, type Region } from '../memory.ts'
import { Errno, MapModel, type MapShape } from './map-model.ts'

/** A record that the reader gets. */
export interface RingRecord {
  bytes: Uint8Array
  /** Bytes that the program never wrote: in the kernel they would show what was there before. */
  unwritten: number
}

interface Pending { region: Region | null; size: number; state: 'busy' | 'ready' | 'discarded'; record: RingRecord | null }

/** Bytes before each record, and what lengths are rounded up to. */
const HEADER = 8

/** ringbuf (5.8): records in the order of their reservation; one that is not yet submitted holds back those after it. */
export class RingMap extends MapModel {
  readonly #pending: Pending[] = []
  readonly #byRegion = new Map<number, Pending>()
  #bytes = 0
  /** Wake-ups that submits asked for: forced, or because the reader had caught up. */
  wakeUps = 0

  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory, 1, false)
  }

  /** The record's region, or null when there is no room. */
  room(size: number): Region | null {
    const whole = Math.ceil(size / 8) * 8 + HEADER
    if (size > 0x3fff_ffff || whole > this.shape.maxEntries || this.#bytes + whole > this.shape.maxEntries) return null
    const region = this.memory.add({
      kind: 'ring-record', name: `a record of ring '${this.shape.name}'`, size, flags: READ | WRITE | SHADOWED,
    })
    const pending: Pending = { region, size: whole, state: 'busy', record: null }
    this.#pending.push(pending)
    this.#byRegion.set(region.id, pending)
    this.#bytes += whole
    return region
  }

  /** Hands a record over. @throws VmFault when it is no record of a ring, or was handed over before */
  finish(low: number, high: number, submit: boolean, flags: number): void {
    const pending = this.#byRegion.get(high - FIRST)
    if (pending === undefined || low !== BASE) throw notARecord(low, high)
    const region = pending.region!
    if (submit) {
      const start = this.memory.start(region)
      const size = this.memory.size(region)
      let unwritten = 0
      for (let at = start; at < start + size; at++) if (this.memory.shadow[at] !== 1) unwritten++
      pending.record = { bytes: this.memory.u8.slice(start, start + size), unwritten }
    }
    this.#wake(flags, pending)
    pending.state = submit ? 'ready' : 'discarded'
    pending.region = null
    this.#byRegion.delete(region.id)
    this.memory.release(region)
  }

  holds(high: number): boolean {
    return this.#byRegion.has(high - FIRST)
  }

  /** A whole record at once (ringbuf_output). */
  output(bytes: Uint8Array, flags: number): number {
    const whole = Math.ceil(bytes.length / 8) * 8 + HEADER
    if (this.#bytes + whole > this.shape.maxEntries) return Errno.EAGAIN
    const pending: Pending = { region: null, size: whole, state: 'ready', record: { bytes, unwritten: 0 } }
    this.#pending.push(pending)
    this.#wake(flags, pending)
    this.#bytes += whole
    return 0
  }

  /** BPF_RB_NO_WAKEUP is 1, BPF_RB_FORCE_WAKEUP 2; otherwise a reader is woken that had read all before this record. */
  #wake(flags: number, pending: Pending): void {
    if ((flags & 2) !== 0 || ((flags & 1) === 0 && this.#pending[0] === pending)) this.wakeUps++
  }

  /** ringbuf_query: 0 waiting bytes, 1 size, 2 consumer position, 3 producer position. */
  query(what: number): number {
    switch (what) {
      case 0: return this.#bytes
      case 1: return this.shape.maxEntries
      case 2: return this.#consumed
      case 3: return this.#consumed + this.#bytes
      default: return 0
    }
  }

  #consumed = 0

  /** Takes what the reader would get now. */
  take(): RingRecord[] {
    const records: RingRecord[] = []
    while (this.#pending.length > 0 && this.#pending[0]!.state !== 'busy') {
      const { size, state, record } = this.#pending.shift()!
      this.#bytes -= size
      this.#consumed += size
      if (state === 'ready') records.push(record!)
    }
    return records
  }

  /** Reservations that a fault left behind are dropped with it. */
  override settle(): void {
    for (const pending of this.#byRegion.values()) {
      this.memory.release(pending.region!)
      pending.region = null
      pending.state = 'discarded'
    }
    this.#byRegion.clear()
  }

  override lookup(): number { return -1 }
  override update(): number { return Errno.EINVAL }
  override remove(): number { return Errno.EINVAL }
  override *entries(): Generator<{ key: Uint8Array; slot: number }> { /* No keys. */ }
}

export function notARecord(low: number, high: number): VmFault {
  return new VmFault(
    'not-a-record', `${hexadecimal(low, high)} is no reserved record: it was never reserved, or already handed over`,
  )
}
