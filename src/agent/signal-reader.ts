import type { RawEntries } from '../bpf/map-batch.ts'
import type { CounterGroupSignal, CounterSignal, HistogramSignal } from '../signals/signal.ts'
import { decoder, recordView } from '../spec/codec.ts'
import { Meter, type MeterRow } from './meter.ts'
import type { ReadableMap } from './readable-map.ts'

/** A signal that the kernel adds up by labels. */
export type AggregateSignal = CounterSignal | CounterGroupSignal | HistogramSignal

/** An entry that nothing added to for so long is deleted from the kernel's map. */
const idleMs = 5 * 60_000
/** The entry of a cgroup that is gone is kept this long, so that its last figures are read. */
const goneMs = 10_000

/**
 * Reads one aggregated signal from its map. The cells of a row: the value of a counter, the counters
 * of a group in their order, or the sum and then the buckets of a histogram.
 */
export class SignalReader<K = any> {
  readonly signal: AggregateSignal
  readonly map: ReadableMap
  private readonly meter: Meter<K>
  private rows: Iterable<MeterRow<K>> = []

  constructor(signal: AggregateSignal, map: ReadableMap) {
    const { keySize, valueSize, cpus } = map.layout
    if (valueSize % 8 !== 0) throw new TypeError(`signal '${signal.name}': a value of ${valueSize} bytes is no row of 64-bit cells`)
    const { labels } = signal
    const decode = labels === null ? () => null : decoder(labels)
    this.signal = signal
    this.map = map
    this.meter = new Meter<K>({
      keySize, cells: valueSize / 8, cpus, decodeKey: (raw) => decode(recordView(raw.buffer as ArrayBuffer), 0) as K,
    })
  }

  /** Entries in the map at the last reading. */
  get size(): number { return this.meter.size }

  /** The map as it is now, for read(); holds until the next one. */
  fetch(): RawEntries {
    return this.map.readRaw()
  }

  /** What was counted since the last reading. `now` in milliseconds of any clock. Rows hold until the next reading. */
  read(now: number, reading: RawEntries = this.fetch()): Iterable<MeterRow<K>> {
    return this.rows = this.meter.update(reading, now)
  }

  /** Deletes idle entries, so that the map has room for others. @returns how many */
  sweep(now: number, isGone: (key: K) => boolean): number {
    if (this.signal.labels === null) return 0
    const idle = [...this.rows].filter((row) => {
      const quiet = now - row.changedAt
      return quiet > idleMs || (quiet > goneMs && isGone(row.key))
    })
    if (idle.length === 0) return 0
    const keys = Buffer.concat(idle.map((row) => row.rawKey))
    const deleted = this.map.deleteBatch(keys, idle.length)
    for (const row of idle) this.meter.forget(row)
    return deleted
  }
}
