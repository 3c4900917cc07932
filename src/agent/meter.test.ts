import { describe, expect, test } from 'vitest'
import { Meter, type MapReading } from './meter.ts'

/** Entries as the kernel lays them out: a u32 key, then for each CPU its row of u64 cells. */
function reading(entries: [key: number, rows: (number | bigint)[][]][], pad = 0): MapReading {
  const keys = new Uint8Array(new Uint32Array(entries.map(([key]) => key)).buffer)
  const cells = new BigUint64Array(entries.flatMap(([, rows]) => rows.flat().map(BigInt)))
  const values = new Uint8Array(pad + cells.byteLength)
  values.set(new Uint8Array(cells.buffer), pad)
  return { count: entries.length, keys, values: values.subarray(pad) }
}
const meter = (cells: number, cpus: number) =>
  new Meter<number>({ keySize: 4, cells, cpus, decodeKey: (raw) => new DataView(raw.buffer).getUint32(0, true) })
const deltas = (rows: Iterable<{ key: number; delta: Float64Array }>) => [...rows].map((row) => [row.key, ...row.delta])

describe('Meter', () => {
  test('adds up CPUs and gives what came between two readings', () => {
    const m = meter(2, 3)
    expect(deltas(m.update(reading([[7, [[1, 10], [2, 20], [3, 30]]]]), 0))).toEqual([[7, 6, 60]])
    expect(deltas(m.update(reading([[7, [[1, 10], [5, 20], [3, 31]]]]), 1))).toEqual([[7, 3, 1]])
  })

  test('64-bit cells are exact to 2^53', () => {
    const m = meter(1, 1)
    m.update(reading([[1, [[2n ** 52n]]]]), 0)
    expect(deltas(m.update(reading([[1, [[2n ** 52n + 1n]]]]), 1))).toEqual([[1, 1]])
  })

  test('an entry that went back was made anew; its total goes on', () => {
    const m = meter(2, 1)
    m.update(reading([[1, [[100, 5]]]]), 0)
    const [row] = [...m.update(reading([[1, [[3, 6]]]]), 1)]
    expect([...row!.delta]).toEqual([3, 6])
    expect([...row!.total]).toEqual([103, 11])
  })

  test('an entry that is gone leaves no row and begins from 0 when it comes back', () => {
    const m = meter(1, 1)
    m.update(reading([[1, [[5]]], [2, [[9]]]]), 0)
    expect(deltas(m.update(reading([[2, [[9]]]]), 1))).toEqual([[2, 0]])
    expect(m.size).toBe(1)
    expect(deltas(m.update(reading([[1, [[7]]], [2, [[9]]]]), 2))).toEqual([[2, 0], [1, 7]])
  })

  test('says since when an entry is idle', () => {
    const m = meter(1, 1)
    m.update(reading([[1, [[5]]]]), 10)
    m.update(reading([[1, [[6]]]]), 20)
    const [row] = [...m.update(reading([[1, [[6]]]]), 30)]
    expect([row!.changed, row!.changedAt]).toEqual([false, 20])
    m.forget(row!)
    expect(m.size).toBe(0)
  })

  test('reads values at any alignment, and refuses short ones', () => {
    expect(deltas(meter(1, 2).update(reading([[1, [[5], [6]]]], 3), 0))).toEqual([[1, 11]])
    expect(() => meter(4, 2).update(reading([[1, [[5], [6]]]]), 0)).toThrow(/8 cells need 64 bytes/)
  })
})
