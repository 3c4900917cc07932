import { describe, expect, test } from 'vitest'
import { bucketOf, merge, percentile, subtract, summarise, trim } from './histogram.ts'

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
}
function values(next: () => number): number[] {
  return Array.from({ length: 1 + Math.floor(next() * 200) }, () => Math.floor(2 ** (next() * 40)) - 1)
}
function count(all: readonly number[]): number[] {
  const buckets: number[] = Array.from({ length: 64 }, () => 0)
  for (const value of all) buckets[bucketOf(value)]!++
  return buckets
}
const seeds = Array.from({ length: 200 }, (_, index) => index + 1)

describe('bucketOf', () => {
  test('bounds', () => {
    expect([0, 1, 2, 3, 4, 7, 8, 1023, 1024].map(bucketOf)).toEqual([0, 0, 1, 1, 2, 2, 3, 9, 10])
  })
  test('each power of two begins a bucket, up to 2^52', () => {
    for (let power = 1; power <= 52; power++) {
      expect(bucketOf(2 ** power)).toBe(power)
      expect(bucketOf(2 ** power - 1)).toBe(power - 1)
    }
  })
  test('huge values end in the last bucket', () => expect(bucketOf(2 ** 70)).toBe(63))
})

describe('percentile', () => {
  test('nothing counted', () => {
    expect(percentile([], 0.5)).toBe(null)
    expect(percentile([0, 0], 0.5)).toBe(null)
  })
  test('goes linearly through a bucket', () => {
    expect(percentile([0, 0, 0, 4], 0.5)).toBe(12)
    expect(percentile([0, 0, 0, 4], 1)).toBe(16)
    expect(percentile([2, 0, 0, 2], 0.5)).toBe(2)
    expect(percentile([2, 0, 0, 2], 0.75)).toBe(12)
  })
  test('is in the bucket of the true value, grows with the share (200 seeds)', () => {
    for (const seed of seeds) {
      const all = values(random(seed)).sort((a, b) => a - b)
      const buckets = count(all)
      let before = 0
      for (const share of [0.01, 0.1, 0.5, 0.9, 0.99, 1]) {
        const got = percentile(buckets, share)!
        const bucket = bucketOf(all[Math.max(0, Math.ceil(share * all.length) - 1)]!)
        expect(got, `seed ${seed}, share ${share}`).toBeGreaterThanOrEqual(bucket === 0 ? 0 : 2 ** bucket)
        expect(got, `seed ${seed}, share ${share}`).toBeLessThanOrEqual(2 ** (bucket + 1))
        expect(got).toBeGreaterThanOrEqual(before)
        before = got
      }
    }
  })
})

describe('merge, subtract, trim', () => {
  test('counting together is merging (200 seeds)', () => {
    for (const seed of seeds) {
      const next = random(seed)
      const [a, b] = [values(next), values(next)]
      expect(merge(count(a), count(b))).toEqual(count([...a, ...b]))
    }
  })
  test('subtracting undoes merging (200 seeds)', () => {
    for (const seed of seeds) {
      const next = random(seed)
      const [a, b] = [values(next), values(next)]
      expect(subtract(merge(count(a), count(b)), count(a))).toEqual(count(b))
    }
  })
  test('a reset counts all that is there now', () => expect(subtract([1, 2], [5, 1])).toEqual([1, 2]))
  test('lengths may differ', () => {
    expect(merge([1], [1, 2])).toEqual([2, 2])
    expect(subtract([1, 2], [1])).toEqual([0, 2])
  })
  test('trim cuts only the end', () => {
    expect(trim([0, 1, 0, 2, 0, 0])).toEqual([0, 1, 0, 2])
    expect(trim([0, 0])).toEqual([])
  })
})

test('summarise', () => {
  expect(summarise([1, 0, 3, 0], 17)).toEqual({ buckets: [1, 0, 3], count: 4, sum: 17, p50: 4 + 4 / 3, p90: expect.closeTo(7.4667, 3), p99: expect.closeTo(7.9467, 3) })
  expect(summarise([], 0)).toEqual({ buckets: [], count: 0, sum: 0, p50: null, p90: null, p99: null })
})
