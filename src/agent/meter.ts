/**
 * Turns readings of cumulative per-CPU map entries into what was counted between two readings.
 *
 * An entry is a row of 64-bit cells: one for a counter, the sum and the buckets for a histogram.
 * The kernel keeps one row a CPU; they are added up here without an object for each.
 */
export interface MapReading {
  /** Number of entries. */
  count: number
  /** `count` keys of equal size. */
  keys: Uint8Array
  /** `count` values; a per-CPU value is one row for each possible CPU, one after the other. */
  values: Uint8Array
}

export interface MeterRow<K> {
  readonly key: K
  /** The bytes of the key, for deleting the entry. */
  readonly rawKey: Uint8Array
  /** What the last reading added; not valid beyond the next one. */
  readonly delta: Float64Array
  /** Sum of all deltas. */
  readonly total: Float64Array
  /** Whether the last reading added anything. */
  changed: boolean
  /** Clock of the last reading that did. */
  changedAt: number
}

interface State<K> extends MeterRow<K> { last: Float64Array; reading: number }

export interface MeterOptions<K> {
  keySize: number
  /** Cells in a row. */
  cells: number
  /** Rows in an entry: the possible CPUs for a per-CPU map, else 1. */
  cpus: number
  decodeKey: (raw: Uint8Array) => K
}

const ENDIAN_IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export class Meter<K> {
  private readonly options: MeterOptions<K>
  private readonly rows = new Map<string, State<K>>()
  private readonly scratch: Float64Array
  private readings = 0

  constructor(options: MeterOptions<K>) {
    this.options = options
    this.scratch = new Float64Array(options.cells)
  }

  /** Entries known at the last reading. */
  get size(): number { return this.rows.size }

  /**
   * Takes a reading made at `now` (any clock). A first sight of an entry counts from 0, since all entries begin
   * after the agent did; a value that went back means that the entry was deleted and made anew, so it counts from 0 too.
   */
  update(reading: MapReading, now: number): Iterable<MeterRow<K>> {
    const { keySize, cells, cpus } = this.options
    const words = wordsOf(reading.values, reading.count * cells * cpus)
    const keys = Buffer.from(reading.keys.buffer, reading.keys.byteOffset, reading.count * keySize)
    this.readings++
    for (let entry = 0; entry < reading.count; entry++) {
      sumRows(words, entry * cells * cpus * 2, cells, cpus, this.scratch)
      const name = keys.toString('latin1', entry * keySize, (entry + 1) * keySize)
      const row = this.rows.get(name) ?? this.begin(name, keys.subarray(entry * keySize, (entry + 1) * keySize), now)
      row.reading = this.readings
      advance(row, this.scratch)
      if (row.changed) row.changedAt = now
    }
    for (const [name, row] of this.rows) if (row.reading !== this.readings) this.rows.delete(name)
    return this.rows.values()
  }

  /** Forgets an entry that was deleted from the map. */
  forget(row: MeterRow<K>): void {
    this.rows.delete(Buffer.from(row.rawKey).toString('latin1'))
  }

  private begin(name: string, raw: Uint8Array, now: number): State<K> {
    const { cells, decodeKey } = this.options
    const rawKey = Uint8Array.from(raw)
    const row: State<K> = {
      key: decodeKey(rawKey), rawKey, changed: false, changedAt: now, reading: 0,
      delta: new Float64Array(cells), total: new Float64Array(cells), last: new Float64Array(cells),
    }
    this.rows.set(name, row)
    return row
  }
}

function wordsOf(values: Uint8Array, cells: number): Uint32Array {
  if (!ENDIAN_IS_LITTLE) throw new Error('skep reads map values on little-endian machines only')
  if (values.byteLength < cells * 8) throw new RangeError(`meter: ${cells} cells need ${cells * 8} bytes, the reading has ${values.byteLength}`)
  if (values.byteOffset % 4 === 0) return new Uint32Array(values.buffer, values.byteOffset, cells * 2)
  return new Uint32Array(values.slice(0, cells * 8).buffer)
}

function sumRows(words: Uint32Array, start: number, cells: number, cpus: number, into: Float64Array): void {
  into.fill(0)
  let word = start
  for (let cpu = 0; cpu < cpus; cpu++) {
    for (let cell = 0; cell < cells; cell++, word += 2) into[cell]! += words[word]! + words[word + 1]! * 0x1_0000_0000
  }
}

function advance(row: State<unknown>, now: Float64Array): void {
  const { last, delta, total } = row
  let reset = false
  for (let cell = 0; cell < now.length; cell++) if (now[cell]! < last[cell]!) reset = true
  row.changed = false
  for (let cell = 0; cell < now.length; cell++) {
    const difference = reset ? now[cell]! : now[cell]! - last[cell]!
    delta[cell] = difference
    total[cell]! += difference
    last[cell] = now[cell]!
    if (difference !== 0) row.changed = true
  }
}
