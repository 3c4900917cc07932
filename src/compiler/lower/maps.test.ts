import { describe, expect, test } from 'vitest'
import { array, bool, chars, i32, struct, u16, u32, u64, u8 } from '../../spec/schema.ts'
import { assign, local, log2, max, min, networkOrder16 } from '../language/intrinsics.ts'
import { arrayMap, hash, lruHash, percpuArray, percpuHash, ringbuf } from '../language/maps.ts'
import { raw_tp } from '../language/programs.ts'
import { agreed, compute, decode, disagreements, entriesOf } from '../testing/agree.ts'

const counts = hash(u32, u64, { name: 'counts', maxEntries: 3 })
const words = (...pairs: [number | bigint, number | bigint][]) => pairs.map((pair) => pair.map(BigInt))

describe('maps of numbers', () => {
  test('set, get, delete', () => {
    const out = hash(u32, u64, { name: 'out' })
    const program = raw_tp('two_u32', (key, value) => {
      'use bpf'
      const known = counts.get(key)
      if (known === undefined) counts.set(key, value)
      else if (known === 9) counts.delete(key)
      else out.set(key, known + value)
    })
    const outcome = agreed({ counts, out, program }, words([1, 5], [1, 6], [2, 9], [2, 1], [3, 4]))
    expect(entriesOf(outcome, 'counts', u64, u32)).toEqual([[1, 5], [3, 4]])
    expect(entriesOf(outcome, 'out', u64, u32)).toEqual([[1, 11]])
  })

  test('add: inserts, adds, and says false when the map is full', () => {
    const refused = percpuArray(u64, { name: 'refused' })
    const program = raw_tp('two_u32', (key, value) => {
      'use bpf'
      if (!counts.add(key, value)) refused.add(0, 1)
    })
    const outcome = agreed({ counts, refused, program }, words([1, 5], [2, 5], [1, 5], [3, 1], [4, 1], [5, 1]))
    expect(entriesOf(outcome, 'counts', u64, u32)).toEqual([[1, 10], [2, 5], [3, 1]])
    expect(entriesOf(outcome, 'refused', u64, u32)).toEqual([[0, 2]])
  })

  test('set says false when the map is full', () => {
    const out = hash(u32, bool, { name: 'out' })
    const program = raw_tp('two_u32', (key) => {
      'use bpf'
      out.set(key, counts.set(key, 1))
    })
    const outcome = agreed({ counts, out, program }, words([1, 0], [2, 0], [3, 0], [4, 0]))
    expect(entriesOf(outcome, 'out', bool, u32)).toEqual([[1, true], [2, true], [3, true], [4, false]])
  })

  test('?? gives what is missing a value, and 0 is not missing', () => {
    const out = hash(u32, u64, { name: 'out' })
    const program = raw_tp('two_u32', (key) => {
      'use bpf'
      out.set(key, counts.get(key) ?? 7)
    })
    const outcome = agreed({ counts, out, program }, words([1, 0], [2, 0]), { before: { counts: [[1, 0]] } })
    expect(entriesOf(outcome, 'out', u64, u32)).toEqual([[1, 0], [2, 7]])
  })

  test('?. of a look-up gives a number or nothing', () => {
    const plain = hash(u32, struct({ value: u64, more: struct({ level: i32 }) }), { name: 'plain' })
    const out = hash(u32, i32, { name: 'out' })
    const program = raw_tp('two_u32', (key) => {
      'use bpf'
      out.set(key, plain.get(key)?.more.level ?? -1)
      const value = plain.get(key)?.value
      if (value === undefined) out.set(key + 100, 5)
      else out.set(key + 100, value)
    })
    const outcome = agreed({ plain, out, program }, words([1, 0], [2, 0]), { before: { plain: [[1, { value: 7, more: { level: -9 } }]] } })
    expect(entriesOf(outcome, 'out', i32, u32)).toEqual([[1, -9], [2, -1], [101, 7], [102, 5]])
  })

  test('a look-up taken apart is looked up once', () => {
    const plain = hash(u32, struct({ a: u64, b: u64 }), { name: 'plain' })
    const out = arrayMap(u64, { name: 'out' })
    const program = raw_tp('two_u32', (key) => {
      'use bpf'
      const entry = plain.get(key)
      if (entry === undefined) return
      const { a, b } = entry
      out.set(0, a * 10 + b)
    })
    const outcome = agreed({ plain, out, program }, words([1, 0]), { before: { plain: [[1, { a: 4, b: 2 }]] } })
    expect(entriesOf(outcome, 'out', u64, u32)).toEqual([[0, 42]])
  })

  test('a look-up is true when it found a number that is not 0', () => {
    const out = hash(u32, u64, { name: 'out' })
    const program = raw_tp('two_u32', (key) => {
      'use bpf'
      const found = counts.get(key)
      if (found) out.set(key, found)
    })
    const outcome = agreed({ counts, out, program }, words([1, 0], [2, 0], [3, 0]), { before: { counts: [[1, 0], [2, 8]] } })
    expect(entriesOf(outcome, 'out', u64, u32)).toEqual([[2, 8]])
  })

  test('a number that was read stays as it was when the entry changes', () => {
    const program = raw_tp('two_u32', (key, value) => {
      'use bpf'
      const before = counts.get(key)
      if (before === undefined) return
      counts.set(key, value)
      counts.set(2, before)
    })
    const outcome = agreed({ counts, program }, words([1, 6]), { before: { counts: [[1, 5]] } })
    expect(entriesOf(outcome, 'counts', u64, u32)).toEqual([[1, 6], [2, 5]])
  })

  test('signed values, LRU maps', () => {
    const levels = lruHash(u8, i32, { name: 'levels', maxEntries: 16 })
    const program = raw_tp('two_s32', (key, value) => {
      'use bpf'
      const level = levels.get(key)
      if (level !== undefined && level < 0) levels.set(key, level - value)
      else levels.set(key, value)
    })
    const outcome = agreed({ levels, program }, words([3, -4], [3, 10], [4, 1]))
    expect(entriesOf(outcome, 'levels', i32, u8)).toEqual([[3, -14], [4, 1]])
  })
})

describe('maps of structs', () => {
  const stats = struct({ count: u64, last: u32, first: bool, marks: array(u16, 3) }, 'stats')
  const byKey = percpuHash(struct({ id: u64, kind: u8 }, 'key'), stats, { name: 'byKey' })

  test('getOrInsert, edited in place; keys of object literals have zeroed padding', () => {
    const program = raw_tp('two_u64', (id, amount) => {
      'use bpf'
      const entry = byKey.getOrInsert({ id, kind: 3 })
      if (entry === undefined) return
      if (entry.count === 0) entry.first = true
      else entry.first = false
      entry.count += amount
      entry.last = amount
      entry.marks[1] = entry.count
      entry.marks[2] += 2
    })
    const outcome = agreed({ byKey, program }, words([1, 5], [1, 6], [2, 0x1_0000_0001n]))
    expect(outcome.maps['byKey']!.map(([key]) => key)).toEqual(['01000000000000000300000000000000', '02000000000000000300000000000000'])
    expect(outcome.maps['byKey']!.map(([, value]) => decode(stats, value))).toEqual([
      { count: 11, last: 6, first: false, marks: [0, 11, 4] },
      { count: 0x1_0000_0001, last: 1, first: true, marks: [0, 1, 2] },
    ])
  })

  test('a large value is zeroed from a template', () => {
    const table = struct({ sum: u64, buckets: array(u64, 40) }, 'table')
    const tables = percpuHash(u32, table, { name: 'tables' })
    const program = raw_tp('two_u64', (key, amount) => {
      'use bpf'
      const entry = tables.getOrInsert(key)
      if (entry === undefined) return
      entry.sum += amount
      entry.buckets[min(log2(amount), 39)] += 1
    })
    const outcome = agreed({ tables, program }, words([1, 5], [1, 4], [1, 1n << 50n]))
    const expected = { sum: 9 + 2 ** 50, buckets: Array.from({ length: 40 }, (_, bucket) => (bucket === 2 ? 2 : bucket === 39 ? 1 : 0)) }
    expect(entriesOf(outcome, 'tables', table, u32)).toEqual([[1, expected]])
  })

  test('structs of structs: stored, copied, as keys, as values', () => {
    const owner = struct({ pid: u32, name: chars(16) }, 'owner')
    const connection = struct({ since: u64, owner }, 'connection')
    const open = hash(u64, connection, { name: 'open' })
    const byOwner = hash(owner, u64, { name: 'byOwner' })
    const program = raw_tp('two_u64', (id, pid) => {
      'use bpf'
      const known = open.get(id)
      if (known === undefined) {
        open.set(id, { since: 1, owner: local(owner, { pid, name: 'server' }) })
        return
      }
      byOwner.set(known.owner, known.owner.pid)
      const copy = local(owner, { pid: 7, name: '' })
      assign(copy, known.owner)
      known.owner.pid = 1
      byOwner.set(copy, known.owner.pid)
    })
    const outcome = agreed({ open, byOwner, program }, words([1, 42], [1, 0]))
    expect(entriesOf(outcome, 'open', connection, u64)).toEqual([[1, { since: 1, owner: { pid: 1, name: 'server' } }]])
    expect(entriesOf(outcome, 'byOwner', u64, owner)).toEqual([[{ pid: 42, name: 'server' }, 1]])
  })

  test('narrowing: early return, &&, nested, undefined on the left', () => {
    const plain = hash(u32, struct({ value: u64 }), { name: 'plain' })
    const out = arrayMap(u64, { name: 'out', maxEntries: 4 })
    const program = raw_tp('two_u32', (key) => {
      'use bpf'
      const entry = plain.get(key)
      if (entry !== undefined && entry.value > 3) out.set(0, entry.value)
      if (undefined !== entry) {
        if (entry.value === 4) out.set(1, entry.value)
      }
      if (entry === undefined || entry.value === 0) {
        out.set(2, key)
        return
      }
      out.set(3, entry.value + 1)
    })
    const outcome = agreed({ plain, out, program }, words([1, 0]), { before: { plain: [[1, { value: 4 }]] } })
    expect(entriesOf(outcome, 'out', u64, u32).map(([, value]) => value)).toEqual([4, 4, 0, 5])
    const missing = agreed({ plain, out, program }, words([2, 0]), { before: { plain: [[1, { value: 4 }]] } })
    expect(entriesOf(missing, 'out', u64, u32).map(([, value]) => value)).toEqual([0, 0, 2, 0])
  })
})

describe('ring records', () => {
  const record = struct({ id: u32, kind: u8, name: chars(8), at: u64 }, 'record')
  const ring = ringbuf({ name: 'ring', bytes: 4096 })

  test('reserved, filled, submitted or discarded', () => {
    const program = raw_tp('two_u64', (id, at) => {
      'use bpf'
      const slot = ring.reserve(record)
      if (slot === undefined) return
      assign(slot, { id, kind: 2, name: 'abc', at })
      if (slot.id === 2) ring.discard(slot)
      else ring.submit(slot, 0)
    })
    const outcome = agreed({ ring, program }, words([1, 10], [2, 20], [3, 30]))
    expect(outcome.rings['ring']!.map((bytes) => decode(record, bytes))).toEqual([
      { id: 1, kind: 2, name: 'abc', at: 10 }, { id: 3, kind: 2, name: 'abc', at: 30 },
    ])
  })

  test('a full ring gives undefined', () => {
    const lost = arrayMap(u64, { name: 'lost' })
    const big = struct({ bytes: array(u64, 200) }, 'big')
    const program = raw_tp('two_u64', (id) => {
      'use bpf'
      const slot = ring.reserve(big)
      if (slot === undefined) {
        lost.add(0, 1)
        return
      }
      slot.bytes[0] = id
      ring.discard(slot)
    })
    const outcome = agreed({ ring, lost, program }, words([1, 0], [2, 0], [3, 0], [4, 0]))
    expect(entriesOf(outcome, 'lost', u64, u32)).toEqual([[0, 2]])
  })
})

describe('intrinsics', () => {
  test('log2, min, max, networkOrder16 are their JavaScript twins', () => {
    const numbers: [number, number][] = [[0, 1], [1, 0], [2, 3], [1023, 1024], [2 ** 31, 5], [2 ** 40 + 1, 2 ** 52]]
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return log2(a) * 100 + log2(b) }, numbers)).toEqual([])
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return min(a, b) * 2 + max(a, b) }, numbers)).toEqual([])
    expect(disagreements('two_s64', (a, b) => { 'use bpf'; return min(a, b) * 2 + max(a, -3) }, [[-5, 4], [3, -9]])).toEqual([])
    expect(disagreements('two_u16', (a, b) => { 'use bpf'; return networkOrder16(a) + networkOrder16(b) }, [[0x1234, 0xff00], [80, 443]])).toEqual([])
    expect(compute('two_u64', (a, _b) => { 'use bpf'; return log2(a) }, -1n, 0)).toBe(63n)
  })
})

describe('functions', () => {
  function scaled(value: number, unit: number): number {
    'use bpf'
    if (unit === 0) return 0
    return value * unit
  }
  function clamp(value: number, limits: { low: number; high: number }): number {
    'use bpf'
    const { low, high } = limits
    return value < low ? low : value > high ? high : value
  }
  const limits = { low: 3, high: 300 }
  const bump = (counter: { count: number }, by: number): void => {
    'use bpf'
    counter.count += by
  }

  test('inlined, with early returns, captured constants and object literals', () => {
    const numbers: [number, number][] = [[2, 0], [3, 5], [20, 30]]
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return scaled(a, b) + scaled(b, 3) }, numbers)).toEqual([])
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return clamp(a * b, limits) }, numbers)).toEqual([])
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return clamp(a, { low: b, high: limits.high }) }, numbers)).toEqual([])
  })

  test('default parameters, parameters taken apart, parameters left out', () => {
    function weighted({ low, high }: { low: number; high: number }, by = high - low, more?: number): number {
      'use bpf'
      return (low + high) * by + (more === undefined ? 1 : more)
    }
    const numbers: [number, number][] = [[2, 0], [3, 5], [20, 30]]
    expect(disagreements('two_s64', (a, b) => { 'use bpf'; return weighted({ low: a, high: b }) + weighted(limits, 2) * 3 + weighted({ low: b, high: 4 }, a, b) }, numbers)).toEqual([])
  })

  test('change what they are given in place', () => {
    const counters = percpuArray(struct({ count: u64 }), { name: 'counters' })
    const program = raw_tp('two_u64', (a, b) => {
      'use bpf'
      const counter = counters.get(0)
      if (counter === undefined) return
      bump(counter, a)
      bump(counter, b)
    })
    const outcome = agreed({ counters, program }, words([1, 2], [3, 4]))
    expect(entriesOf(outcome, 'counters', struct({ count: u64 }), u32)).toEqual([[0, { count: 10 }]])
  })
})
