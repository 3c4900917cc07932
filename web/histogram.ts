/** Base-2 histograms as the snapshot has them: bucket i counts values in [2^i, 2^(i+1)), bucket 0 also 0. */

/** Lower bound of a bucket. */
export function lower(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** bucket
}

/** The sum of many. */
export function merged(all: readonly (readonly number[])[]): number[] {
  const sum: number[] = []
  for (const buckets of all) {
    for (let index = 0; index < buckets.length; index++) sum[index] = (sum[index] ?? 0) + buckets[index]!
  }
  return sum
}

export function total(buckets: readonly number[]): number {
  return buckets.reduce((sum, count) => sum + count, 0)
}

/**
 * The value below which `share` (0 to 1) of the counted ones lie, interpolated inside its bucket as the agent does
 * (src/agent/histogram.ts); null when nothing was counted.
 */
export function percentile(buckets: readonly number[], share: number): number | null {
  const wanted = share * total(buckets)
  if (wanted === 0) return null
  let below = 0
  for (let index = 0; index < buckets.length; index++) {
    const here = buckets[index]!
    if (here > 0 && below + here >= wanted) return lower(index) + (2 ** (index + 1) - lower(index)) * ((wanted - below) / here)
    below += here
  }
  return 2 ** buckets.length
}

/** First and last bucket that count anything; null when none does. */
export function extent(all: Iterable<readonly number[]>): { first: number; last: number } | null {
  let [first, last] = [Infinity, -Infinity]
  for (const buckets of all) {
    for (let index = 0; index < buckets.length; index++) {
      if (buckets[index]! <= 0) continue
      first = Math.min(first, index)
      last = Math.max(last, index)
    }
  }
  return last < 0 ? null : { first, last }
}
