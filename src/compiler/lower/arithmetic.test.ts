import { describe, expect, test } from 'vitest'
import { u16 as halfWord, u8 as byte } from '../../spec/schema.ts'
import { arrayMap } from '../language/maps.ts'
import { raw_tp } from '../language/programs.ts'
import { agreed, compute, disagreements } from '../testing/agree.ts'
import { kernelRuns } from '../testing/engines.ts'

type u8 = number
type u64 = number
type i8 = number
type i32 = number

/** Every result is the same as IR before and after the passes, as bytecode v1 … v4 and in the running kernel. */
const where = kernelRuns ? '' : ' (not in the kernel: no raw tracepoints)'

const small: [number, number][] = [[0, 0], [1, 2], [7, 3], [200, 100], [255, 255], [13, 1]]
const signed: [number, number][] = [[0, 1], [-1, 5], [7, -3], [-8, -2], [1000, -999], [-1, -1]]

describe(`as in JavaScript, where that is exact${where}`, () => {
  test('addition, subtraction, multiplication', () => {
    expect(disagreements('two_u32', (a, b) => { 'use bpf'; return a + b * 3 }, small)).toEqual([])
    expect(disagreements('two_s32', (a, b) => { 'use bpf'; return a - b }, signed)).toEqual([])
    expect(disagreements('two_s64', (a, b) => { 'use bpf'; return a * b - 1 }, signed)).toEqual([])
    expect(disagreements('mixed_s32_s64', (a, b) => { 'use bpf'; return a + b }, signed)).toEqual([])
    expect(disagreements('two_u8', (a, b) => { 'use bpf'; return a + b }, small)).toEqual([])
    expect(disagreements('two_s8', (a, b) => { 'use bpf'; return a * b }, [[-100, 2], [100, 100], [-128, -128]])).toEqual([])
  })

  test('bits', () => {
    expect(disagreements('two_s32', (a, b) => { 'use bpf'; return (a & b) | (a ^ 5) }, signed)).toEqual([])
    expect(disagreements('two_s32', (a, _b) => { 'use bpf'; return ~a }, signed)).toEqual([])
    expect(disagreements('two_s32', (a, _b) => { 'use bpf'; return (a << 3) >> 1 }, signed)).toEqual([])
    expect(disagreements('two_u32', (a, b) => { 'use bpf'; return (a >>> 2) + (b >> 1) }, small)).toEqual([])
  })

  test('division and remainder of unsigned numbers, when they are whole', () => {
    expect(disagreements('two_u32', (a, b) => { 'use bpf'; return (a * b) / 4 }, [[4, 8], [100, 2], [16, 16]])).toEqual([])
    expect(disagreements('two_u64', (a, b) => { 'use bpf'; return a % b }, [[17, 5], [4, 8], [0, 3]])).toEqual([])
  })

  test('comparisons of each width and sign', () => {
    for (const hook of ['two_s8', 'two_s16', 'two_s32', 'two_s64']) {
      expect(disagreements(hook, (a, b) => { 'use bpf'; return (a < b ? 1 : 0) + (a <= b ? 2 : 0) + (a > b ? 4 : 0) + (a >= b ? 8 : 0) }, signed.slice(0, 4))).toEqual([])
      expect(disagreements(hook, (a, b) => { 'use bpf'; return (a === b ? 1 : 0) + (a !== b ? 2 : 0) }, [[-1, -1], [-1, 1]])).toEqual([])
    }
    for (const hook of ['two_u8', 'two_u16', 'two_u32', 'two_u64']) {
      expect(disagreements(hook, (a, b) => { 'use bpf'; return (a < b ? 1 : 0) + (a <= b ? 2 : 0) + (a > b ? 4 : 0) + (a >= b ? 8 : 0) }, small)).toEqual([])
    }
    expect(disagreements('mixed_s32_s64', (a, b) => { 'use bpf'; return a < b }, signed)).toEqual([])
  })

  test('conditions: &&, ||, !, nested, as values', () => {
    expect(disagreements('two_s32', (a, b) => { 'use bpf'; return (a > 0 && b > 0) || a === -1 ? 1 : 2 }, signed)).toEqual([])
    expect(disagreements('two_s32', (a, b) => { 'use bpf'; return !(a > 0 && !(b < 0)) ? a : b }, signed)).toEqual([])
    expect(disagreements('two_s32', (a, b) => { 'use bpf'; const both = a > 0 && b > 0; return both ? 3 : 4 }, signed)).toEqual([])
    expect(disagreements('two_s32', (a, b) => { 'use bpf'; return a < b || b === 5 }, signed)).toEqual([])
  })

  test('variables: compound assignment, ++ and --, branches that assign', () => {
    expect(disagreements('two_s64', (a, b) => {
      'use bpf'
      let x = a
      x += b
      x *= 2
      x -= 3
      x |= 1
      x ^= 6
      x <<= 1
      x++
      if (x > 10) x = x - 10
      else if (x < 0) {
        let y = x
        y--
        x = y
      }
      return x
    }, signed)).toEqual([])
    expect(disagreements('two_u64', (a, b) => {
      'use bpf'
      let most = a
      let least = 0
      if (b > most) {
        least = most
        most = b
      } else least = b
      return most * 1000 + least
    }, small)).toEqual([])
  })

  test('conditional expressions that meet with different types', () => {
    expect(disagreements('mixed_s32_u32', (a, b) => { 'use bpf'; return a < 0 ? a : b }, [[-5, 4_000_000_000], [5, 4_000_000_000]])).toEqual([])
    expect(disagreements('mixed_s8_u32', (a, b) => { 'use bpf'; return b > 10 ? b : a > 0 ? a : -a }, [[-5, 11], [5, 9], [-7, 2]])).toEqual([])
  })
})

describe(`as in C, where JavaScript differs${where}`, () => {
  test('32 bits wrap', () => {
    expect(compute('two_u32', (a, b) => { 'use bpf'; return a + b }, 0xffff_ffff, 2)).toBe(1n)
    expect(compute('two_u32', (a, b) => { 'use bpf'; return a - b }, 1, 2)).toBe(0xffff_ffffn)
    expect(compute('two_u32', (a, b) => { 'use bpf'; return a * b }, 0x1_0001, 0x1_0001)).toBe(0x2_0001n)
    expect(compute('two_s32', (a, b) => { 'use bpf'; return a + b }, 0x7fff_ffff, 1)).toBe(-0x8000_0000n)
    expect(compute('two_s32', (a, b) => { 'use bpf'; return -a - b }, -0x8000_0000, 0)).toBe(-0x8000_0000n)
    expect(compute('two_s32', (a, b) => { 'use bpf'; return a * b }, 0x1_0000, 0x8000)).toBe(-0x8000_0000n)
    expect(compute('two_s32', (a, _b) => { 'use bpf'; let x = a; x += 1; return x > 0 ? 1 : 2 }, 0x7fff_ffff, 0)).toBe(2n)
  })

  test('64 bits wrap', () => {
    expect(compute('two_u64', (a, b) => { 'use bpf'; return a + b }, -1n, 2)).toBe(1n)
    expect(compute('two_s64', (a, b) => { 'use bpf'; return a - b }, -0x8000_0000_0000_0000n, 1)).toBe(0x7fff_ffff_ffff_ffffn)
  })

  test('division cuts off; by zero it gives 0, and the remainder the left side', () => {
    expect(compute('two_u64', (a, b) => { 'use bpf'; return a / b }, 7, 2)).toBe(3n)
    expect(compute('two_u64', (a, b) => { 'use bpf'; return a / b }, 7, 0)).toBe(0n)
    expect(compute('two_u64', (a, b) => { 'use bpf'; return a % b }, 7, 0)).toBe(7n)
    expect(compute('two_u32', (a, b) => { 'use bpf'; return a / b }, 0xffff_ffff, 16)).toBe(0x0fff_ffffn)
    expect(compute('two_u64', (a, _b) => { 'use bpf'; return a / 1000 }, -1n, 0)).toBe(0xffff_ffff_ffff_ffffn / 1000n)
  })

  test('signed division cuts off towards zero, the remainder has the sign of the left side', () => {
    for (const [a, b] of [[7, 2], [-7, 2], [7, -2], [-7, -2], [-6, 3], [0, -5], [-9, 1], [5, 0], [-5, 0]] as const) {
      const [quotient, rest] = b === 0 ? [0n, BigInt(a)] : [BigInt(a) / BigInt(b), BigInt(a) % BigInt(b)]
      for (const hook of ['two_s32', 'two_s64', 'two_s8']) {
        expect({ a, b, quotient: compute(hook, (a, b) => { 'use bpf'; return a / b }, a, b) }).toEqual({ a, b, quotient })
        expect({ a, b, rest: compute(hook, (a, b) => { 'use bpf'; return a % b }, a, b) }).toEqual({ a, b, rest })
      }
    }
    expect(compute('two_s64', (a, _b) => { 'use bpf'; return a / 1000 - a / -8 }, -12_345, 0)).toBe(-12n - 1543n)
    expect(compute('two_s64', (a, b) => { 'use bpf'; return a / b }, -1n << 63n, 3)).toBe((-1n << 63n) / 3n)
    expect(compute('two_s32', (a, b) => { 'use bpf'; return a / b }, -0x8000_0000, -1)).toBe(-0x8000_0000n)
    expect(compute('two_s32', (a, b) => { 'use bpf'; return a / b }, -7, 2, { isas: [4], features: { signedDivision: true }, contexts: () => [[-7n, 2n]] })).toBe(-3n)
  })

  test('shifts: of 64 bits, of signs, by a variable', () => {
    expect(compute('two_u64', (a, b) => { 'use bpf'; return a << b }, 1, 40)).toBe(1n << 40n)
    expect(compute('two_s64', (a, b) => { 'use bpf'; return a >> b }, -1024, 3)).toBe(-128n)
    expect(compute('two_s32', (a, b) => { 'use bpf'; return a >> b }, -1024, 3)).toBe(-128n)
    expect(compute('two_s32', (a, _b) => { 'use bpf'; return a << 31 }, 1, 0)).toBe(-0x8000_0000n)
    expect(compute('two_s64', (a, _b) => { 'use bpf'; return a >>> 60 }, -1, 0)).toBe(15n)
  })

  test('signed and unsigned: the unsigned one wins at the same width, the wider one otherwise', () => {
    expect(compute('mixed_s32_u32', (a, b) => { 'use bpf'; return a < b ? 1 : 0 }, -1, 1)).toBe(0n)
    expect(compute('mixed_s32_s64', (a, b) => { 'use bpf'; return a < b ? 1 : 0 }, -1, 1)).toBe(1n)
    expect(compute('mixed_u32_s64', (a, b) => { 'use bpf'; return a + b }, 0xffff_ffff, -1)).toBe(0xffff_fffen)
    expect(compute('mixed_u8_s64', (a, b) => { 'use bpf'; return a * b }, 255, -2)).toBe(-510n)
  })

  test('a literal takes the type of the other side, or a wider one that holds it', () => {
    expect(compute('two_u32', (a, _b) => { 'use bpf'; return a + 1 }, 0xffff_ffff, 0)).toBe(0n)
    expect(compute('two_u32', (a, _b) => { 'use bpf'; return a + 0x1_0000_0000 }, 0xffff_ffff, 0)).toBe(0x1_ffff_ffffn)
    expect(compute('two_s32', (a, _b) => { 'use bpf'; return a < 3_000_000_000 ? 1 : 0 }, 0x7fff_ffff, 0)).toBe(1n)
    expect(compute('two_u64', (a, _b) => { 'use bpf'; return a & 0xffff_ffff_0000_0000n }, -1n, 0)).toBe(-0x1_0000_0000n)
  })

  test('arguments narrower than their word ignore what stands above', () => {
    expect(compute('two_u8', (a, b) => { 'use bpf'; return a + b }, 0x1ff, 0x201)).toBe(0x100n)
    expect(compute('two_s16', (a, _b) => { 'use bpf'; return a }, 0x1_8000, 0)).toBe(-0x8000n)
  })

  test('comparisons of 32 bits ignore what stands above, whether their sides are used otherwise or not', () => {
    const high = 0x1234_5678n << 32n
    const words = [0n, 1n, 5n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn]
    for (const a of words) {
      for (const b of words) {
        const [x, y] = [BigInt.asIntN(32, a), BigInt.asIntN(32, b)]
        const signs = (x < y ? 1n : 0n) + (x === y ? 2n : 0n) + (x >= 5n ? 4n : 0n) + (y > -1n ? 8n : 0n)
        expect({ a, b, signs: compute('two_s32', (a, b) => { 'use bpf'; return (a < b ? 1 : 0) + (a === b ? 2 : 0) + (a >= 5 ? 4 : 0) + (b > -1 ? 8 : 0) }, a | high, b, { isas: [3, 4] }) }).toEqual({ a, b, signs })
        const unsigned = (a < b ? 1n : 0n) + (a === b ? 2n : 0n) + (a >= 5n ? 4n : 0n)
        expect({ a, b, unsigned: compute('two_u32', (a, b) => { 'use bpf'; return (a < b ? 1 : 0) + (a === b ? 2 : 0) + (a >= 5 ? 4 : 0) }, a | high, b, { isas: [3] }) }).toEqual({ a, b, unsigned })
        const mixed = compute('two_s32', (a, b) => { 'use bpf'; return a < b ? a : b }, a | high, b | high, { isas: [3] })
        expect({ a, b, mixed }).toEqual({ a, b, mixed: x < y ? x : y })
      }
    }
  }, 120_000)

  test('casts keep the low bits', () => {
    expect(compute('two_u64', (a, _b) => { 'use bpf'; return (a as u8) + 1 }, 0x1ff, 0)).toBe(0x100n)
    expect(compute('two_u64', (a, _b) => { 'use bpf'; return (a as i8) + 1 }, 0x1ff, 0)).toBe(0n)
    expect(compute('two_u64', (a, _b) => { 'use bpf'; return (a as i32) }, 0x8000_0000, 0)).toBe(-0x8000_0000n)
    expect(compute('two_u32', (a, _b) => { 'use bpf'; return (a as unknown as u64) << 32 }, 5, 0)).toBe(5n << 32n)
  })
})

test('fields narrower than the number keep its low bits', () => {
  const narrow = arrayMap(byte, { name: 'narrow' })
  const middle = arrayMap(halfWord, { name: 'middle' })
  const program = raw_tp('two_u64', (a) => {
    'use bpf'
    narrow.set(0, a)
    middle.set(0, a)
  })
  const outcome = agreed({ narrow, middle, program }, [[0x1_2345n]])
  expect(outcome.maps).toEqual({ narrow: [['00000000', '45']], middle: [['00000000', '4523']] })
})
