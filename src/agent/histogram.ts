import type { Histogram } from './snapshot.ts'

/**
 * Base-2 histograms: bucket i counts values in [2^i, 2^(i+1)), bucket 0 also counts 0.
 * Counts are numbers, exact to 2^53.
 */
export const bucketLimit = 64

/** The bucket of a value ≥ 0. */
export function bucketOf(value: number): number {
  if (value < 2) return 0
  let bucket = Math.min(Math.floor(Math.log2(value)), bucketLimit - 1)
  // log2 rounds near powers of two.
  if (2 ** bucket > value) bucket--
  else if (bucket < bucketLimit - 1 && 2 ** (bucket + 1) <= value) bucket++
  return bucket
}

/** Adds `from` to `into`, in place. */
export function merge(into: number[], from: ArrayLike<number>): number[] {
  for (let index = 0; index < from.length; index++) into[index] = (into[index] ?? 0) + from[index]!
  return into
}

/** What was counted between two cumulative readings; a reading that went back anywhere was reset, so all of `now` is new. */
export function subtract(now: ArrayLike<number>, before: ArrayLike<number>): number[] {
  const delta: number[] = []
  for (let index = 0; index < Math.max(now.length, before.length); index++) {
    const difference = (now[index] ?? 0) - (before[index] ?? 0)
    if (difference < 0) return Array.from(now)
    delta.push(difference)
  }
  return delta
}

/** A copy without trailing zeros. */
export function trim(buckets: ArrayLike<number>): number[] {
  let length = buckets.length
  while (length > 0 && buckets[length - 1] === 0) length--
  return Array.from(buckets).slice(0, length)
}

/**
 * The value below which `share` (0–1) of the counted values lie, or null when there are none.
 * Rule: find the first bucket at which the running count reaches share × count, and go linearly
 * from its lower to its upper bound by the part of its count that is needed. The true value is in
 * the same bucket, so the answer is at most a factor of two off.
 */
export function percentile(buckets: ArrayLike<number>, share: number): number | null {
  let count = 0
  for (let index = 0; index < buckets.length; index++) count += buckets[index]!
  if (count === 0) return null
  const wanted = Math.min(Math.max(share, 0), 1) * count
  let below = 0
  let last = 0
  for (let index = 0; index < buckets.length; index++) {
    const here = buckets[index]!
    if (here === 0) continue
    last = index
    if (below + here >= wanted) return low(index) + (2 ** (index + 1) - low(index)) * ((wanted - below) / here)
    below += here
  }
  return 2 ** (last + 1)
}

const low = (bucket: number) => bucket === 0 ? 0 : 2 ** bucket

/** What the snapshot shows of the counts of one tick. `sum` is that of the values. */
export function summarise(buckets: ArrayLike<number>, sum: number): Histogram {
  const trimmed = trim(buckets)
  return {
    buckets: trimmed,
    count: trimmed.reduce((total, here) => total + here, 0),
    sum,
    p50: percentile(trimmed, 0.5),
    p90: percentile(trimmed, 0.9),
    p99: percentile(trimmed, 0.99),
  }
}
