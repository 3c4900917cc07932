import { encode } from '../asm/encode.ts'
import type { Instruction } from '../asm/instruction.ts'
import type { ProgramSpec } from '../spec/spec.ts'

/**
 * One program for each instruction form, and what RFC 9669 says that it gives. Programs read their operands from the context
 * (words 0 and 1: a and b; word 2: r0 of cmpxchg; word 3: 0 or 32, by which the result is shifted, since the kernel's
 * test run gives back 32 bits). So the same program runs in the kernel, where its operands are unknown to the verifier.
 */
export interface InstructionCase {
  name: string
  program: ProgramSpec
  /** The 64-bit result for operands as unsigned 64-bit numbers. */
  wanted: (a: bigint, b: bigint, c: bigint) => bigint
  /** CPU version that has the instruction; the kernel may be older. */
  version: 1 | 2 | 3 | 4 | 'acquire'
  /** The kernel's verifier refuses it although RFC 9669 gives it a meaning (shifts too far, division by the constant 0). */
  notInKernel?: boolean
}

export const ins = (code: number, dst: number, src = 0, off = 0, imm = 0): Instruction => ({ code, dst, src, off, imm })
export const lddw = (dst: number, imm64: bigint, src = 0): Instruction => ({ code: 0x18, dst, src, off: 0, imm: 0, imm64 })
export const exit = ins(0x95, 0)
const movReg = (dst: number, src: number) => ins(0xbf, dst, src)

export function program(instructions: readonly Instruction[], name = 'case'): ProgramSpec {
  return {
    name, type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'sys_enter' }, code: encode(instructions), maps: [], relocations: [], functions: [], lines: [],
  }
}

/** a in r2, b in r3, c in r0, the shift in r9; `body` leaves its result in r6. */
function around(body: readonly Instruction[]): ProgramSpec {
  return program([
    ins(0x79, 2, 1, 0), ins(0x79, 3, 1, 8), ins(0x79, 0, 1, 16), ins(0x79, 9, 1, 24),
    ...body,
    movReg(0, 6), ins(0x7f, 0, 9), exit,
  ])
}

const MASK = { 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const
type Bits = 32 | 64
const signed = (value: bigint, bits: number) => BigInt.asIntN(bits, value)
const cut = (value: bigint, bits: number) => BigInt.asUintN(bits, value)

/** Operation code, offset, name, meaning on operands already cut to the width; the result is cut again. */
const arithmetic: [code: number, off: number, name: string, meaning: (a: bigint, b: bigint, bits: Bits) => bigint, version: 1 | 4][] = [
  [0x0, 0, 'add', (a, b) => a + b, 1],
  [0x1, 0, 'sub', (a, b) => a - b, 1],
  [0x2, 0, 'mul', (a, b) => a * b, 1],
  [0x3, 0, 'div', (a, b) => (b === 0n ? 0n : a / b), 1],
  [0x3, 1, 'sdiv', (a, b, bits) => (b === 0n ? 0n : signed(a, bits) / signed(b, bits)), 4],
  [0x4, 0, 'or', (a, b) => a | b, 1],
  [0x5, 0, 'and', (a, b) => a & b, 1],
  [0x6, 0, 'lsh', (a, b, bits) => a << (b & BigInt(bits - 1)), 1],
  [0x7, 0, 'rsh', (a, b, bits) => a >> (b & BigInt(bits - 1)), 1],
  [0x9, 0, 'mod', (a, b) => (b === 0n ? a : a % b), 1],
  [0x9, 1, 'smod', (a, b, bits) => (b === 0n ? a : signed(a, bits) % signed(b, bits)), 4],
  [0xa, 0, 'xor', (a, b) => a ^ b, 1],
  [0xb, 0, 'mov', (_a, b) => b, 1],
  [0xc, 0, 'arsh', (a, b, bits) => signed(a, bits) >> (b & BigInt(bits - 1)), 1],
]

const jumps: [code: number, name: string, meaning: (a: bigint, b: bigint, bits: Bits) => boolean, version: 1 | 2][] = [
  [0x1, 'jeq', (a, b) => a === b, 1],
  [0x2, 'jgt', (a, b) => a > b, 1],
  [0x3, 'jge', (a, b) => a >= b, 1],
  [0x4, 'jset', (a, b) => (a & b) !== 0n, 1],
  [0x5, 'jne', (a, b) => a !== b, 1],
  [0x6, 'jsgt', (a, b, bits) => signed(a, bits) > signed(b, bits), 1],
  [0x7, 'jsge', (a, b, bits) => signed(a, bits) >= signed(b, bits), 1],
  [0xa, 'jlt', (a, b) => a < b, 2],
  [0xb, 'jle', (a, b) => a <= b, 2],
  [0xc, 'jslt', (a, b, bits) => signed(a, bits) < signed(b, bits), 2],
  [0xd, 'jsle', (a, b, bits) => signed(a, bits) <= signed(b, bits), 2],
]

const boundaries: readonly bigint[] = [
  0n, 1n, 2n, 7n, 31n, 32n, 33n, 63n, 64n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n,
  0x1234_5678_9abc_def0n, 0x001f_ffff_ffff_ffffn, 0x0020_0000_0000_0001n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n,
  0x8000_0000_8000_0000n, 0xffff_ffff_0000_0000n, 0xffff_ffff_ffff_fff9n, 0xffff_ffff_ffff_fffen, 0xffff_ffff_ffff_ffffn,
]
export const immediates: readonly number[] = [0, 1, -1, 5, -7, 31, 32, 63, 64, 0x7fff_ffff, -0x8000_0000, 0x1234_5678]

export function instructionCases(): InstructionCase[] {
  const cases: InstructionCase[] = []
  for (const bits of [64, 32] as const) {
    const kind = bits === 64 ? 7 : 4
    const width = bits === 64 ? '' : '32'
    const narrow = (value: bigint) => cut(value, bits)
    for (const [code, off, name, meaning, version] of arithmetic) {
      const result = (a: bigint, b: bigint) => narrow(meaning(narrow(a), narrow(b), bits))
      cases.push(
        { name: `${name}${width} reg`, version, program: around([ins(code << 4 | 8 | kind, 2, 3, off), movReg(6, 2)]), wanted: result },
      )
      for (const imm of immediates) {
        const shifts = name === 'lsh' || name === 'rsh' || name === 'arsh'
        const refused = (shifts && (imm < 0 || imm >= bits)) || ((code === 0x3 || code === 0x9) && imm === 0)
        cases.push({
          name: `${name}${width} ${imm}`, version, program: around([ins(code << 4 | kind, 2, 0, off, imm), movReg(6, 2)]),
          wanted: (a) => result(a, BigInt(imm)), notInKernel: refused,
        })
      }
    }
    cases.push(
      { name: `neg${width}`, version: 1, program: around([ins(0x80 | kind, 2), movReg(6, 2)]), wanted: (a) => narrow(-a) },
    )
    for (const from of bits === 64 ? [8, 16, 32] : [8, 16]) {
      cases.push(
        { name: `movsx${from}${width}`, version: 4, program: around([ins(0xb8 | kind, 6, 3, from)]), wanted: (_a, b) => narrow(signed(b, from)) },
      )
    }
    const jumpKind = bits === 64 ? 5 : 6
    for (const [code, name, meaning, version] of jumps) {
      const taken = (test: Instruction) => around([ins(0xb7, 6, 0, 0, 1), { ...test, off: 1 }, ins(0xb7, 6, 0, 0, 0)])
      const result = (a: bigint, b: bigint) => (meaning(narrow(a), narrow(b), bits) ? 1n : 0n)
      cases.push(
        { name: `${name}${width} reg`, version: bits === 32 ? 3 : version, program: taken(ins(code << 4 | 8 | jumpKind, 2, 3)), wanted: result },
      )
      for (const imm of immediates) {
        cases.push(
          { name: `${name}${width} ${imm}`, version: bits === 32 ? 3 : version, program: taken(ins(code << 4 | jumpKind, 2, 0, 0, imm)), wanted: (a) => result(a, BigInt(imm)) },
        )
      }
    }
  }
  return [...cases, ...byteOrder(), ...control(), ...memory(), ...atomics()]
}

function swapped(value: bigint, bits: number): bigint {
  let result = 0n
  for (let at = 0; at < bits; at += 8) result = (result << 8n) | (value >> BigInt(at) & 0xffn)
  return result
}

function byteOrder(): InstructionCase[] {
  return [16, 32, 64].flatMap((bits): InstructionCase[] => [
    { name: `le${bits}`, version: 1, program: around([ins(0xd4, 2, 0, 0, bits), movReg(6, 2)]), wanted: (a) => cut(a, bits) },
    { name: `be${bits}`, version: 1, program: around([ins(0xdc, 2, 0, 0, bits), movReg(6, 2)]), wanted: (a) => swapped(a, bits) },
    { name: `bswap${bits}`, version: 4, program: around([ins(0xd7, 2, 0, 0, bits), movReg(6, 2)]), wanted: (a) => swapped(a, bits) },
  ])
}

function control(): InstructionCase[] {
  const one = ins(0xb7, 6, 0, 0, 1)
  const two = ins(0xb7, 6, 0, 0, 2)
  return [
    { name: 'lddw', version: 1, program: around([lddw(6, 0x8765_4321_89ab_cdefn)]), wanted: () => 0x8765_4321_89ab_cdefn },
    { name: 'ja', version: 1, program: around([one, ins(0x1d, 2, 3, 1), ins(0x05, 0, 0, 1), two]), wanted: (a, b) => (a === b ? 2n : 1n) },
    { name: 'gotol', version: 4, program: around([one, ins(0x1d, 2, 3, 1), ins(0x06, 0, 0, 0, 1), two]), wanted: (a, b) => (a === b ? 2n : 1n) },
    // r6 to r9 survive a call, r1 to r5 carry its arguments.
    {
      name: 'call local', version: 1,
      program: program([
        ins(0x79, 2, 1, 0), ins(0x79, 3, 1, 8), ins(0x79, 9, 1, 24), movReg(6, 2),
        movReg(1, 2), movReg(2, 3), ins(0x85, 0, 1, 0, 3),
        ins(0x0f, 0, 6), ins(0x7f, 0, 9), exit,
        movReg(6, 1), ins(0x27, 6, 0, 0, 3), movReg(0, 6), ins(0x1f, 0, 2), ins(0xb7, 9, 0, 0, 5), exit,
      ]),
      wanted: (a, b) => cut(a * 3n - b + a, 64),
    },
  ]
}

const sizes = [['b', 1, 0x10], ['h', 2, 0x08], ['w', 4, 0x00], ['dw', 8, 0x18]] as const
const FP = 10

function memory(): InstructionCase[] {
  const b = ins(0x7b, FP, 3, -8)
  return sizes.flatMap(([name, size, code]): InstructionCase[] => {
    const bits = size * 8
    const low = cut(-1n, bits)
    const put = (a: bigint, under: bigint) => (under & ~low) | (a & low)
    return [
      { name: `ldx ${name}`, version: 1, program: around([b, ins(0x61 | code, 6, FP, -8)]), wanted: (_a, under) => under & low },
      { name: `ldx ${name} high`, version: 1, program: around([b, ins(0x61 | code, 6, FP, -size)]), wanted: (_a, under) => under >> BigInt(64 - bits) },
      { name: `stx ${name}`, version: 1, program: around([b, ins(0x63 | code, FP, 2, -8), ins(0x79, 6, FP, -8)]), wanted: put },
      ...immediates.slice(0, 5).map((imm): InstructionCase => (
        { name: `st ${name} ${imm}`, version: 1, program: around([b, ins(0x62 | code, FP, 0, -8, imm), ins(0x79, 6, FP, -8)]), wanted: (_a, under) => put(cut(BigInt(imm), 64), under) }
      )),
      ...(size === 8 ? [] : [
        { name: `ldxs ${name}`, version: 4, program: around([b, ins(0x81 | code, 6, FP, -8)]), wanted: (_a: bigint, under: bigint) => cut(signed(under, bits), 64) } as const,
      ]),
      { name: `load_acquire ${name}`, version: 'acquire', program: around([b, ins(0xc3 | code, 6, FP, -8, 0x100)]), wanted: (_a, under) => under & low },
      { name: `store_release ${name}`, version: 'acquire', program: around([b, ins(0xc3 | code, FP, 2, -8, 0x110), ins(0x79, 6, FP, -8)]), wanted: put },
    ]
  })
}

const changes: [imm: number, name: string, meaning: (memory: bigint, operand: bigint) => bigint][] = [
  [0x00, 'add', (memory, operand) => memory + operand],
  [0x40, 'or', (memory, operand) => memory | operand],
  [0x50, 'and', (memory, operand) => memory & operand],
  [0xa0, 'xor', (memory, operand) => memory ^ operand],
]

/** a in r2 is the operand, b what memory holds, c in r0. The result is memory + 3 × the register that fetches. */
function atomics(): InstructionCase[] {
  return ([64, 32] as const).flatMap((bits): InstructionCase[] => {
    const code = bits === 64 ? 0xdb : 0xc3
    const width = bits === 64 ? '' : '32'
    const low = MASK[bits]
    const put = (value: bigint, under: bigint) => (under & ~low) | (value & low)
    const both = (memory: bigint, register: bigint) => cut(memory + register * 3n, 64)
    const run = (imm: number, register: number) => around([
      ins(0x7b, FP, 3, -8), ins(code, FP, 2, -8, imm), ins(0x79, 6, FP, -8), movReg(7, register), ins(0x27, 7, 0, 0, 3), ins(0x0f, 6, 7),
    ])
    return [
      ...changes.flatMap(([imm, name, meaning]): InstructionCase[] => [
        { name: `atomic ${name}${width}`, version: imm === 0 ? 1 : 3, program: run(imm, 2), wanted: (a, b) => both(put(meaning(b, a), b), a) },
        { name: `atomic fetch ${name}${width}`, version: 3, program: run(imm | 1, 2), wanted: (a, b) => both(put(meaning(b, a), b), b & low) },
      ]),
      { name: `xchg${width}`, version: 3, program: run(0xe1, 2), wanted: (a, b) => both(put(a, b), b & low) },
      { name: `cmpxchg${width}`, version: 3, program: run(0xf1, 0), wanted: (a, b, c) => both((c & low) === (b & low) ? put(a, b) : b, b & low) },
    ]
  })
}

/** The context of a case. */
export function contextOf(a: bigint, b: bigint, c: bigint, shift: number): Uint8Array {
  const bytes = new Uint8Array(32)
  const view = new DataView(bytes.buffer)
  ;[a, b, c, BigInt(shift)].forEach((word, index) => view.setBigUint64(index * 8, word, true))
  return bytes
}

/** Cases by the instruction that they are about. */
export function families(cases: readonly InstructionCase[]): [string, InstructionCase[]][] {
  const found = new Map<string, InstructionCase[]>()
  for (const one of cases) {
    const family = one.name.replace(/ (reg|-?\d+)$/, '')
    found.set(family, [...found.get(family) ?? [], one])
  }
  return [...found]
}

/** Operands for a case: all pairs of boundary values; with the values of r0 that matter to cmpxchg. */
export function* operands(name: string): Generator<[a: bigint, b: bigint, c: bigint]> {
  for (const a of boundaries) {
    for (const b of boundaries) {
      yield [a, b, a]
      if (!name.startsWith('cmpxchg')) continue
      yield [a, b, b]
      yield [a, b, b ^ 1n << 40n]
    }
  }
}
