/**
 * 64-bit integers as two signed 32-bit halves, low and high: no BigInt where instructions run. What does not fit one
 * returned number leaves its upper half in `upper[0]`.
 */
export const upper = new Int32Array(1)

/** High 32 bits of the product of two unsigned 32-bit numbers. */
export function multiplyHigh(a: number, b: number): number {
  const [al, ah, bl, bh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  // Both sums stay below 2^32.
  const middle = ah * bl + (Math.imul(al, bl) >>> 16)
  const cross = al * bh + (middle & 0xffff)
  return (Math.imul(ah, bh) + (middle >>> 16) + (cross >>> 16)) | 0
}

/** Low half of the 64-bit product. */
export function multiply(al: number, ah: number, bl: number, bh: number): number {
  upper[0] = (multiplyHigh(al, bl) + Math.imul(al, bh) + Math.imul(ah, bl)) | 0
  return Math.imul(al, bl)
}

const exact = 0x20_0000
const wide = new BigUint64Array(3)
const words = new Int32Array(wide.buffer)

/** Unsigned division: x / 0 is 0. */
export function divide(al: number, ah: number, bl: number, bh: number): number {
  if ((bl | bh) === 0) return upper[0] = 0
  if ((ah | bh) === 0) {
    upper[0] = 0
    return ((al >>> 0) / (bl >>> 0)) | 0
  }
  if (ah >>> 0 < exact && bh >>> 0 < exact) {
    const quotient = Math.floor(((ah >>> 0) * 0x1_0000_0000 + (al >>> 0)) / ((bh >>> 0) * 0x1_0000_0000 + (bl >>> 0)))
    upper[0] = quotient / 0x1_0000_0000
    return quotient | 0
  }
  put(al, ah, bl, bh)
  wide[2] = wide[0]! / wide[1]!
  upper[0] = words[5]!
  return words[4]!
}

/** Unsigned remainder: x % 0 is x. */
export function remainder(al: number, ah: number, bl: number, bh: number): number {
  if ((bl | bh) === 0) {
    upper[0] = ah
    return al
  }
  if ((ah | bh) === 0) {
    upper[0] = 0
    return ((al >>> 0) % (bl >>> 0)) | 0
  }
  if (ah >>> 0 < exact && bh >>> 0 < exact) {
    const rest = ((ah >>> 0) * 0x1_0000_0000 + (al >>> 0)) % ((bh >>> 0) * 0x1_0000_0000 + (bl >>> 0))
    upper[0] = rest / 0x1_0000_0000
    return rest | 0
  }
  put(al, ah, bl, bh)
  wide[2] = wide[0]! % wide[1]!
  upper[0] = words[5]!
  return words[4]!
}

function put(al: number, ah: number, bl: number, bh: number): void {
  words[0] = al
  words[1] = ah
  words[2] = bl
  words[3] = bh
}

function negateUpper(low: number, high: number): number {
  return (~high + (low === 0 ? 1 : 0)) | 0
}

/** Signed division, towards zero: the least number / -1 is itself. */
export function divideSigned(al: number, ah: number, bl: number, bh: number): number {
  const low = divide(
    ah < 0 ? -al | 0 : al, ah < 0 ? negateUpper(al, ah) : ah, bh < 0 ? -bl | 0 : bl, bh < 0 ? negateUpper(bl, bh) : bh,
  )
  return ah < 0 === bh < 0 ? low : negated(low)
}

/** Signed remainder: it has the sign of the dividend. */
export function remainderSigned(al: number, ah: number, bl: number, bh: number): number {
  const low = remainder(
    ah < 0 ? -al | 0 : al, ah < 0 ? negateUpper(al, ah) : ah, bh < 0 ? -bl | 0 : bl, bh < 0 ? negateUpper(bl, bh) : bh,
  )
  return ah < 0 ? negated(low) : low
}

function negated(low: number): number {
  upper[0] = negateUpper(low, upper[0]!)
  return -low | 0
}

/** 32-bit division of the low halves. */
export function divide32(a: number, b: number): number {
  return b === 0 ? 0 : ((a >>> 0) / (b >>> 0)) | 0
}
export function remainder32(a: number, b: number): number {
  return b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0
}
export function divideSigned32(a: number, b: number): number {
  return b === 0 ? 0 : (a / b) | 0
}
export function remainderSigned32(a: number, b: number): number {
  return b === 0 ? a : (a % b) | 0
}

/** Low half of a left shift by 0 to 63. */
export function shiftLeft(low: number, high: number, count: number): number {
  if (count >= 32) {
    upper[0] = low << (count - 32)
    return 0
  }
  upper[0] = count === 0 ? high : high << count | low >>> (32 - count)
  return low << count
}

export function shiftRight(low: number, high: number, count: number): number {
  if (count >= 32) {
    upper[0] = 0
    return high >>> (count - 32) | 0
  }
  upper[0] = high >>> count
  return count === 0 ? low : low >>> count | high << (32 - count)
}

export function shiftSigned(low: number, high: number, count: number): number {
  if (count >= 32) {
    upper[0] = high >> 31
    return high >> (count - 32)
  }
  upper[0] = high >> count
  return count === 0 ? low : low >>> count | high << (32 - count)
}

export function swap16(low: number): number {
  return (low & 0xff) << 8 | low >>> 8 & 0xff
}
export function swap32(low: number): number {
  return low << 24 | (low & 0xff00) << 8 | low >>> 8 & 0xff00 | low >>> 24
}

/** Both halves as one unsigned 64-bit number. */
export function toBigInt(low: number, high: number): bigint {
  return BigInt(high >>> 0) << 32n | BigInt(low >>> 0)
}
/** Both halves as a number: exact below 2^53. */
export function toNumber(low: number, high: number): number {
  return (high >>> 0) * 0x1_0000_0000 + (low >>> 0)
}
export function lowOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value))
}
export function highOf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n))
}
