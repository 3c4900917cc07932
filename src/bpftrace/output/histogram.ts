import type { Type } from '../types/type.ts'

/** A bucket with its ends: `min` included, `max` not; an end that is open is null. */
export interface Bucket { min: bigint | null; max: bigint | null; count: bigint }

/** From the first used bucket to the last one, the empty ones between them too. */
export function bucketsOf(counts: ReadonlyMap<number, bigint>, type: Type & { kind: 'aggregate' }): Bucket[] {
  const used = [...counts].filter(([, count]) => count > 0n).map(([bucket]) => bucket)
  if (used.length === 0) return []
  const [first, last] = [Math.min(...used), Math.max(...used)]
  const list: Bucket[] = []
  for (let bucket = first; bucket <= last; bucket++) {
    const [min, max] = type.fn === 'hist' ? logarithmic(bucket, Number(type.options[0] ?? 0n)) : linear(
      bucket, type.options as [bigint, bigint, bigint],
    )
    list.push({ min, max, count: counts.get(bucket) ?? 0n })
  }
  return list
}

/** Ends of bucket n with 2^bits buckets a power of two. */
function logarithmic(bucket: number, bits: number): [bigint | null, bigint | null] {
  if (bucket === 0) return [null, 0n]
  const number = BigInt(bucket - 1)
  const each = 1n << BigInt(bits)
  if (number < each) return [number, number + 1n]
  const row = number >> BigInt(bits)
  const at = number & (each - 1n)
  const shift = row - 1n
  return [(each + at) << shift, (each + at + 1n) << shift]
}

function linear(bucket: number, [least, most, step]: [bigint, bigint, bigint]): [bigint | null, bigint | null] {
  if (bucket === 0) return [null, least]
  const min = least + BigInt(bucket - 1) * step
  if (BigInt(bucket) > (most - least) / step) return [most, null]
  return [min, min + step]
}

const widest = 52

/** A row a bucket: its ends, its count, and a bar. */
export function drawHistogram(buckets: readonly Bucket[], divisor: bigint, linearLabels: boolean): string[] {
  const most = buckets.reduce((all, { count }) => (count > all ? count : all), 0n)
  return buckets.map(({ min, max, count }) => {
    const length = most === 0n ? 0 : Math.floor(Number(count) * widest / Number(most))
    return `${label(min, max, linearLabels).padEnd(16)}${String(count / divisor).padStart(8)} |${'@'.repeat(length).padEnd(widest)}|`
  })
}

function label(min: bigint | null, max: bigint | null, linearLabels: boolean): string {
  const name = short
  if (min === null) return `(..., ${name(max!)})`
  if (max === null) return `[${name(min)}, ...)`
  if (!linearLabels && max === min + 1n) return `[${name(min)}]`
  return `[${name(min)}, ${name(max)})`
}

/** Powers of 1024 with a letter. */
function short(value: bigint): string {
  for (const [power, letter] of [[60n, 'E'], [50n, 'P'], [40n, 'T'], [30n, 'G'], [20n, 'M'], [10n, 'K']] as const) {
    if (value !== 0n && value >= 1n << power && value % (1n << power) === 0n) return `${value >> power}${letter}`
  }
  return String(value)
}
