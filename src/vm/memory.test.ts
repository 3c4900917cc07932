import { describe, expect, test } from 'vitest'
import type { Instruction } from '../asm/instruction.ts'
import { VmFault } from './fault.ts'
import { exit, ins, lddw, program } from './instruction-cases.test-support.ts'
import { Bench } from './run-code.test-support.ts'

const zero = ins(0xb7, 0)
const mov = (dst: number, imm: number) => ins(0xb7, dst, 0, 0, imm)
const movReg = (dst: number, src: number) => ins(0xbf, dst, src)

/** The fault of a program with a context of 16 bytes. */
function faultOf(...instructions: Instruction[]): VmFault {
  try {
    new Bench(program(instructions, 'bad'), 16).run(new Uint8Array(16))
  } catch (error) {
    if (error instanceof VmFault) return error
    throw error
  }
  throw new Error('it ran')
}
const summary = (fault: VmFault) => `${fault.kind} at ${fault.place?.slot}: ${fault.problem}`

describe('registers', () => {
  test('reading one that has no value', () => {
    expect(summary(faultOf(movReg(0, 3), exit))).toBe('uninitialised-register at 0: r3 is read, which has no value here')
    expect(summary(faultOf(exit))).toBe('uninitialised-register at 0: r0 is read, which has no value here')
    expect(summary(faultOf(zero, ins(0x0f, 0, 2), exit))).toBe('uninitialised-register at 1: r2 is read, which has no value here')
  })

  test('arguments do not survive a call, a branch that leaves a register out is found when it is taken', () => {
    expect(summary(faultOf(ins(0x85, 0, 0, 0, 5), movReg(0, 1), exit))).toBe('uninitialised-register at 1: r1 is read, which has no value here')
    const branch = (imm: number) => [mov(2, imm), ins(0x15, 2, 0, 1), mov(3, 1), movReg(0, 3), exit]
    expect(summary(faultOf(...branch(0)))).toBe('uninitialised-register at 3: r3 is read, which has no value here')
    expect(new Bench(program(branch(1)), 16).run(new Uint8Array(16))).toBe(1n)
  })

  test('a function sees its arguments and no other register of its caller', () => {
    const call = (...body: Instruction[]) => [mov(6, 1), movReg(1, 10), mov(2, 5), ins(0x85, 0, 1, 0, 1), exit, ...body]
    expect(new Bench(program(call(movReg(0, 2), exit)), 16).run(new Uint8Array(16))).toBe(5n)
    expect(summary(faultOf(...call(movReg(0, 6), exit)))).toBe('uninitialised-register at 5: r6 is read, which has no value here')
    expect(summary(faultOf(...call(movReg(0, 3), exit)))).toBe('uninitialised-register at 5: r3 is read, which has no value here')
  })
})

describe('memory', () => {
  test('the stack: bytes that were never written, and beyond both ends', () => {
    expect(summary(faultOf(ins(0x79, 0, 10, -8), exit))).toBe('uninitialised-memory at 0: 8 bytes are read at r10-8, which was never written')
    expect(summary(faultOf(ins(0x62, 10, 0, -8, 1), ins(0x79, 0, 10, -8), exit))).toBe('uninitialised-memory at 1: 8 bytes are read at r10-4, which was never written')
    expect(summary(faultOf(ins(0x7a, 10, 0, 0, 1), zero, exit))).toBe('out-of-bounds at 0: 8 bytes are written at offset 512 of the stack, which has 512 bytes')
    expect(summary(faultOf(ins(0x7a, 10, 0, -520, 1), zero, exit))).toBe('out-of-bounds at 0: 8 bytes are written at offset -8 of the stack, which has 512 bytes')
    expect(summary(faultOf(ins(0x79, 0, 10, -4), exit))).toBe('out-of-bounds at 0: 8 bytes are read at offset 508 of the stack, which has 512 bytes')
    expect(new Bench(program([ins(0x7a, 10, 0, -512, 9), ins(0x79, 0, 10, -512), exit]), 16).run(new Uint8Array(16))).toBe(9n)
  })

  test('a frame is fresh at each call', () => {
    // f(1) writes its stack, f(0) reads it.
    const code = [
      mov(1, 1), ins(0x85, 0, 1, 0, 3), mov(1, 0), ins(0x85, 0, 1, 0, 1), exit,
      ins(0x15, 1, 0, 3), ins(0x7a, 10, 0, -8, 7), zero, exit, ins(0x79, 0, 10, -8), exit,
    ]
    expect(summary(faultOf(...code))).toBe('uninitialised-memory at 9: 8 bytes are read at r10-8, which was never written')
  })

  test('null, numbers that are no pointers, and pointers that were moved out', () => {
    expect(summary(faultOf(zero, ins(0x79, 0, 0, 16), exit))).toBe('null-dereference at 1: 8 bytes are read at null + 16')
    expect(summary(faultOf(lddw(2, 0xffff_8880_0000_1000n), ins(0x61, 0, 2, -4), exit))).toBe('bad-pointer at 2: 4 bytes are read at 0xffff888000001000 - 4, which points to nothing')
    expect(summary(faultOf(movReg(2, 1), ins(0x07, 2, 0, 0, 12), ins(0x79, 0, 2), exit))).toBe('out-of-bounds at 2: 8 bytes are read at offset 12 of the context, which has 16 bytes')
    expect(summary(faultOf(movReg(2, 1), ins(0x17, 2, 0, 0, 1), ins(0x71, 0, 2), exit))).toBe('out-of-bounds at 2: 1 bytes are read at offset -1 of the context, which has 16 bytes')
  })

  test('a pointer keeps its provenance through memory and arithmetic', () => {
    const code = [ins(0x7b, 10, 1, -8), ins(0x79, 2, 10, -8), ins(0x07, 2, 0, 0, 100), ins(0x17, 2, 0, 0, 92), ins(0x79, 0, 2), exit]
    const context = new Uint8Array(16)
    context[8] = 42
    expect(new Bench(program(code), 16).run(context)).toBe(42n)
  })

  test('atomics want alignment, other accesses do not', () => {
    expect(summary(faultOf(mov(2, 1), ins(0xdb, 1, 2, 4), zero, exit))).toBe('misaligned-atomic at 1: an atomic access of 8 bytes at an address that is no multiple of 8')
    expect(summary(faultOf(ins(0xc3, 2, 1, 2, 0x100), zero, exit))).toBe('misaligned-atomic at 0: an atomic access of 4 bytes at an address that is no multiple of 4')
    const context = Uint8Array.from({ length: 16 }, (_, index) => index)
    expect(new Bench(program([ins(0x79, 0, 1, 3), exit]), 16).run(context)).toBe(0x0a09_0807_0605_0403n)
    expect(new Bench(program([lddw(2, 0x1122_3344_5566_7788n), ins(0x7b, 1, 2, 5), ins(0x61, 0, 1, 7), exit]), 16).run(context)).toBe(0x3344_5566n)
  })

  test('what ran is told with the registers', () => {
    const fault = faultOf(mov(3, 7), zero, ins(0x79, 0, 0, 16), exit)
    expect(fault.message).toMatch(/^null-dereference: 8 bytes are read at null \+ 16\n {2}program 'bad', slot 2: r0 = \*\(u64 \*\)\(r0 \+16\)\n {2}r0=0x0 .*r3=0x7 /)
  })
})

describe('runs that would not end', () => {
  test('a loop stops at the budget, recursion at eight frames', () => {
    expect(summary(faultOf(ins(0x05, 0, 0, -1), zero, exit))).toBe('budget at 0: the run took more than 1000000 instructions')
    expect(summary(faultOf(ins(0x85, 0, 1, 0, -1), exit))).toBe('call-depth at 0: calls nest deeper than 8 frames')
  })

  test('may_goto leaves a loop by itself', () => {
    const bench = new Bench(program([zero, ins(0xe5, 0, 0, 2), ins(0x07, 0, 0, 0, 1), ins(0x05, 0, 0, -3), exit]), 16)
    Object.assign(bench.machine, { budget: 100_000_000 })
    expect(bench.run(new Uint8Array(16))).toBe(8_388_608n)
  })

  test('the machine works on after a fault', () => {
    const bench = new Bench(program([ins(0x71, 0, 1, 0), ins(0x15, 0, 0, 1, 1), exit, ins(0x79, 0, 10, -8), exit]), 16)
    expect(bench.run(new Uint8Array(16).fill(2))).toBe(2n)
    expect(() => bench.run(new Uint8Array(16).fill(1))).toThrow(VmFault)
    expect(bench.run(new Uint8Array(16).fill(3))).toBe(3n)
  })
})

describe('helpers that are not there', () => {
  test('are named', () => {
    expect(summary(faultOf(ins(0x85, 0, 0, 0, 27), exit))).toBe('not-modelled at 0: the helper bpf_get_stackid (27) is not modelled; give your own with helpers: { get_stackid: … }')
    expect(summary(faultOf(ins(0x85, 0, 0, 0, 9999), exit))).toBe('not-modelled at 0: there is no helper 9999')
    expect(summary(faultOf(ins(0x85, 0, 2, 0, 9), exit))).toBe('not-modelled at 0: kernel function with the BTF id 9 is not modelled')
  })
})
