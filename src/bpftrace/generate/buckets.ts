import type { Value } from '../../compiler/ir/ir.ts'
import type { ProgramWriter } from './program-writer.ts'

/**
 * Bucket of a logarithmic histogram with 2^bits buckets a power of two: 0 for negative numbers, then one for each
 * value below 2^bits, then by the highest bits.
 */
export function bucketOf(p: ProgramWriter, value: Value, bits: number): Value {
  const { f } = p
  return f.choose('slt', value, f.number(0), () => f.number(0), () => (
    f.choose('lt', value, f.number(1 << bits), () => f.binary('add', value, f.number(1)), () => {
      const log = log2(p, value)
      const shift = f.binary('sub', log, f.number(bits))
      const top = f.binary('and', f.binary('shr', value, shift), f.number((1 << bits) - 1))
      const row = f.binary('shl', f.binary('add', shift, f.number(1)), f.number(bits))
      return f.binary('add', f.binary('add', row, top), f.number(1))
    })))
}

/** The number of the highest bit, by halving. */
function log2(p: ProgramWriter, value: Value): Value {
  const { f } = p
  let rest = value
  let sum = f.number(0)
  for (const step of [32, 16, 8, 4, 2, 1]) {
    const big = f.compare('ge', rest, f.number(1n << BigInt(step)))
    const by = f.binary('mul', big, f.number(step))
    rest = f.binary('shr', rest, by)
    sum = f.binary('add', sum, by)
  }
  return sum
}

/** Bucket of a linear histogram: 0 below, then the steps, then one above. */
export function linearBucket(p: ProgramWriter, value: Value, least: bigint, most: bigint, step: bigint): Value {
  const { f } = p
  return f.choose('slt', value, f.number(least), () => f.number(0), () => (
    f.choose('sgt', value, f.number(most), () => f.number((most - least) / step + 1n), () => (
      f.binary('add', f.binary('div', f.binary('sub', value, f.number(least)), f.number(step)), f.number(1))))))
}
