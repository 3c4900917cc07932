import { describe, expect, test } from 'vitest'
import {
  ADDR_SPACE_CAST, AluOp, AtomicOp, Class, decode, DecodeError, encode, FROM_REGISTER, helperCount, helperNameOf, helperNumberOf,
  JumpOp, LDDW, Mode, PER_CPU_ADDRESS, print, printProgram, Size, type Instruction,
} from './asm.ts'

/** A seeded generator of integers below a limit. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
}

function randomInstruction(next: (below: number) => number): Instruction {
  const code = next(256)
  const imm = next(3) === 0 ? next(5) - 2 : (next(2 ** 32) | 0)
  const instruction: Instruction = { code, dst: next(16), src: next(16), off: next(65_536) - 32_768, imm }
  if (code === LDDW) instruction.imm64 = BigInt.asUintN(64, (BigInt(next(2 ** 32)) << 32n) | BigInt(imm >>> 0))
  return instruction
}

describe('encode and decode', () => {
  test('are each other’s inverse on instructions and on bytes, for random programs', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const next = random(seed)
      const program = Array.from({ length: next(40) }, () => randomInstruction(next))
      const bytes = encode(program)
      const decoded = decode(bytes)
      expect(decoded, `seed ${seed}`).toEqual(program)
      expect(encode(decoded), `seed ${seed}`).toEqual(bytes)
    }
  })

  test('an immediate may be given as unsigned bits', () => {
    const mov = { code: 0xb7, dst: 0, src: 0, off: 0 }
    expect(encode([{ ...mov, imm: 0xffff_ffff }])).toEqual(encode([{ ...mov, imm: -1 }]))
  })

  test.each<[string, number[], number, string]>([
    ['half an instruction', [0xb7, 0, 0, 0], 0, '4 bytes instead of 8'],
    ['a 64-bit load cut in the middle', [LDDW, 0, 0, 0, 0, 0, 0, 0], 0, 'second slot'],
    ['a second slot with an opcode', [LDDW, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], 1, 'more than an immediate'],
  ])('%s is an error that names the slot', (_, bytes, slot, problem) => {
    let caught: unknown
    try { decode(Uint8Array.from(bytes)) } catch (error) { caught = error }
    expect(caught).toBeInstanceOf(DecodeError)
    expect(caught).toMatchObject({ slot })
    expect((caught as Error).message).toContain(problem)
  })

  test.each<[string, Partial<Instruction>]>([
    ['dst is 16', { dst: 16 }], ['src is -1', { src: -1 }], ['off is 32768', { off: 32_768 }],
    ['imm is 4294967296', { imm: 2 ** 32 }],
    ['code is 256', { code: 256 }], ['off is 0.5', { off: 0.5 }],
  ])('a field that does not fit is named: %s', (problem, wrong) => {
    expect(() => encode([{ code: 0xb7, dst: 0, src: 0, off: 0, imm: 0, ...wrong }])).toThrow(`instruction 0: ${problem}`)
  })

  test('random bytes give instructions or a DecodeError', () => {
    const next = random(5)
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from({ length: next(64) }, () => (next(4) === 0 ? LDDW : next(256)))
      try {
        const program = decode(bytes)
        expect(encode(program)).toEqual(bytes)
        printProgram(program)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })
})

const make = (code: number, fields: Partial<Instruction> = {}): Instruction =>
  ({ code, dst: 1, src: 2, off: 0, imm: 0, ...fields })

describe('print', () => {
  test.each<[string, Instruction]>([
    ['r1 = 5', make(Class.alu64 | AluOp.mov, { imm: 5 })],
    ['w1 = -1', make(Class.alu | AluOp.mov, { imm: 0xffff_ffff })],
    ['r1 s/= r2', make(Class.alu64 | AluOp.div | FROM_REGISTER, { off: 1 })],
    ['w1 s%= -3', make(Class.alu | AluOp.mod, { off: 1, imm: -3 })],
    ['r1 = (s32)r2', make(Class.alu64 | AluOp.mov | FROM_REGISTER, { off: 32 })],
    ['w1 = (s8)w2', make(Class.alu | AluOp.mov | FROM_REGISTER, { off: 8 })],
    ['w1 = -w1', make(Class.alu | AluOp.neg)],
    ['r1 s>>= 3', make(Class.alu64 | AluOp.arsh, { imm: 3 })],
    ['r1 = be16 r1', make(Class.alu | AluOp.end | FROM_REGISTER, { imm: 16 })],
    ['r1 = le64 r1', make(Class.alu | AluOp.end, { imm: 64 })],
    ['r1 = bswap32 r1', make(Class.alu64 | AluOp.end, { imm: 32 })],
    ['r1 = addr_space_cast(r2, 0, 1)', make(Class.alu64 | AluOp.mov | FROM_REGISTER, { off: ADDR_SPACE_CAST, imm: 1 })],
    ['r1 = &(void __percpu *)(r2)', make(Class.alu64 | AluOp.mov | FROM_REGISTER, { off: PER_CPU_ADDRESS })],
    ['if r1 s> 0x5 goto pc+3', make(Class.jmp | JumpOp.sgt, { imm: 5, off: 3 })],
    ['if w1 != w2 goto pc-3', make(Class.jmp32 | JumpOp.ne | FROM_REGISTER, { off: -3 })],
    ['if r1 & 0xfffffffe goto pc+0', make(Class.jmp | JumpOp.set, { imm: -2 })],
    ['goto pc-1', make(Class.jmp | JumpOp.ja, { off: -1 })],
    ['gotol pc+70000', make(Class.jmp32 | JumpOp.ja, { imm: 70_000 })],
    ['gotox r1', make(Class.jmp | JumpOp.ja | FROM_REGISTER)],
    ['may_goto pc+4', make(Class.jmp | JumpOp.cond, { src: 0, off: 4 })],
    ['call bpf_map_lookup_elem#1', make(Class.jmp | JumpOp.call, { src: 0, imm: 1 })],
    ['call pc-7', make(Class.jmp | JumpOp.call, { src: 1, imm: -7 })],
    ['call kernel-function#99', make(Class.jmp | JumpOp.call, { src: 2, imm: 99 })],
    ['call unknown#195896080', make(Class.jmp | JumpOp.call, { src: 0, imm: 0xbad2310 })],
    ['callx r1', make(Class.jmp | JumpOp.call | FROM_REGISTER)],
    ['exit', make(Class.jmp | JumpOp.exit)],
    ['r1 = *(u16 *)(r2 -8)', make(Class.ldx | Mode.mem | Size.h, { off: -8 })],
    ['r1 = *(s8 *)(r2 +0)', make(Class.ldx | Mode.memsx | Size.b)],
    ['*(u64 *)(r1 -8) = r2', make(Class.stx | Mode.mem | Size.dw, { off: -8 })],
    ['*(u32 *)(r1 +4) = -1', make(Class.st | Mode.mem | Size.w, { off: 4, imm: -1 })],
    ['lock *(u64 *)(r1 +0) += r2', make(Class.stx | Mode.atomic | Size.dw)],
    ['lock *(u32 *)(r1 +0) ^= r2', make(Class.stx | Mode.atomic | Size.w, { imm: AtomicOp.xor })],
    ['r2 = atomic64_fetch_add((u64 *)(r1 +0), r2)', make(Class.stx | Mode.atomic | Size.dw, { imm: AtomicOp.fetch })],
    ['r2 = atomic_xchg((u32 *)(r1 +0), r2)', make(Class.stx | Mode.atomic | Size.w, { imm: AtomicOp.xchg })],
    ['r0 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)', make(Class.stx | Mode.atomic | Size.dw, { imm: AtomicOp.cmpxchg })],
    ['r1 = load_acquire((u8 *)(r2 +0))', make(Class.stx | Mode.atomic | Size.b, { imm: AtomicOp.loadAcquire })],
    ['store_release((u16 *)(r1 +0), r2)', make(Class.stx | Mode.atomic | Size.h, { imm: AtomicOp.storeRelease })],
    ['r0 = *(u32 *)skb[12]', make(Class.ld | Mode.abs | Size.w, { imm: 12 })],
    ['r0 = *(u8 *)skb[r2 + -4]', make(Class.ld | Mode.ind | Size.b, { imm: -4 })],
    ['r1 = 0xdeadbeef00000001', make(LDDW, { imm64: 0xdead_beef_0000_0001n })],
    ['BUG_ldx_01', make(Class.ldx)],
  ])('%s', (text, instruction) => expect(print(instruction)).toBe(text))

  test('names that the caller knows', () => {
    const immediate = ({ src, imm }: Instruction) => (src === 1 ? `map[id:${imm}]` : undefined)
    const names = { call: () => 'bpf_obj_new_impl', immediate }
    expect(print(make(Class.jmp | JumpOp.call, { src: 2, imm: 7 }), names)).toBe('call bpf_obj_new_impl#7')
    expect(print(make(LDDW, { src: 1, imm: 9, imm64: 9n }), names)).toBe('r1 = map[id:9]')
    expect(print(make(LDDW, { src: 0, imm: 9, imm64: 9n }), names)).toBe('r1 = 0x9')
  })

  test('a program counts slots, as the kernel does', () => {
    const program = [make(LDDW, { src: 0, imm64: 1n }), make(Class.jmp | JumpOp.exit)]
    expect(printProgram(program)).toBe('   0: (18) r1 = 0x1\n   2: (95) exit\n')
  })
})

test('helpers have names and numbers', () => {
  expect(helperNameOf(1)).toBe('map_lookup_elem')
  expect(helperNumberOf('cgrp_storage_delete')).toBe(211)
  expect(helperNameOf(helperCount)).toBeUndefined()
  expect(helperNumberOf('no_such')).toBeUndefined()
})
