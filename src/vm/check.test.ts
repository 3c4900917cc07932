import { describe, expect, test } from 'vitest'
import type { Instruction } from '../asm/instruction.ts'
import { checkProgram } from './check.ts'
import { exit, ins, lddw, program } from './instruction-cases.test-support.ts'

function refusal(...instructions: Instruction[]): string {
  try {
    checkProgram(program(instructions).code)
  } catch (error) {
    return (error as Error).message
  }
  return 'accepted'
}
const zero = ins(0xb7, 0)

describe('refused before the first instruction', () => {
  test('no program, half an instruction, no end', () => {
    expect(() => checkProgram(new Uint8Array(0))).toThrow('it has no instructions')
    expect(() => checkProgram(new Uint8Array(12))).toThrow('4 bytes instead of 8')
    expect(refusal(zero)).toBe('instruction slot 0: the last instruction is neither exit nor a jump')
    expect(refusal(exit, lddw(0, 1n))).toBe('instruction slot 1: the last instruction is neither exit nor a jump')
    expect(refusal(zero, exit)).toBe('accepted')
    expect(refusal(zero, exit, ins(0x05, 0, 0, -3))).toBe('accepted')
  })

  test.each([
    ['dst of ja', ins(0x05, 1, 0, 0)], ['src of mov imm', ins(0xb7, 0, 1)], ['imm of mov reg', ins(0xbf, 0, 1, 0, 1)], ['off of add', ins(0x07, 0, 0, 1)],
    ['src of neg', ins(0x87, 0, 1)], ['imm of neg', ins(0x87, 0, 0, 0, 1)], ['off of neg', ins(0x87, 0, 0, 1)], ['off of be', ins(0xdc, 0, 0, 1, 16)],
    ['src of bswap', ins(0xd7, 0, 1, 0, 16)], ['imm of ldx', ins(0x79, 0, 1, 0, 1)], ['src of st', ins(0x7a, 10, 1, -8)], ['imm of stx', ins(0x7b, 10, 1, -8, 1)],
    ['src of jeq imm', ins(0x15, 0, 1)], ['imm of jeq reg', ins(0x1d, 0, 1, 0, 1)], ['imm of ja', ins(0x05, 0, 0, 0, 1)], ['off of gotol', ins(0x06, 0, 0, 1)],
    ['dst of call', ins(0x85, 1, 0, 0, 5)], ['off of call', ins(0x85, 0, 0, 1, 5)], ['imm of may_goto', ins(0xe5, 0, 0, 0, 1)], ['dst of exit', ins(0x95, 1)],
    ['src of packet load', ins(0x20, 0, 1)], ['off of packet load', ins(0x40, 0, 1, 1)],
  ])('a field that is not used: %s', (name, instruction) => {
    expect(refusal(zero, instruction, exit)).toMatch(
      new RegExp(`^instruction slot 1: the field '${name.split(' ')[0]}' is not used here and must be 0`),
    )
  })

  test.each([
    ['0x8d callx', ins(0x8d, 1)], ['0x00', ins(0x00, 0)], ['0xff', ins(0xff, 0)], ['0x99 signed load of 8 bytes', ins(0x99, 0, 10, -8)], ['0xdf', ins(0xdf, 0, 0, 0, 16)],
    ['0x0d', ins(0x0d, 0)], ['0x86 call in JMP32', ins(0x86, 0)], ['0x96 exit in JMP32', ins(0x96, 0)], ['0xe7', ins(0xe7, 0)], [
      '0x38 packet load of 8 bytes', ins(0x38, 0),
    ],
    ['0xd3 atomic add of a byte', ins(0xd3, 10, 1, -8)], ['0x8f neg of a register', ins(0x8f, 0)],
  ])('an unknown opcode: %s', (name, instruction) => {
    expect(refusal(instruction, exit)).toBe(`instruction slot 0: the opcode ${name.split(' ')[0]} is not known`)
  })

  test('registers that do not exist, and writes to the frame pointer', () => {
    expect(refusal(ins(0xb7, 11), exit)).toBe('instruction slot 0: there is no register r11')
    expect(refusal(ins(0xbf, 0, 12), exit)).toBe('instruction slot 0: there is no register r12')
    for (const instruction of [
      ins(0xb7, 10), ins(0x0f, 10, 1), ins(0x79, 10, 1), lddw(10, 1n), ins(0xdb, 1, 10, 0, 0x01), ins(0xdc, 10, 0, 0, 16),
      ins(0xc3, 10, 1, 0, 0x100),
    ]) {
      expect(refusal(instruction, exit)).toBe('instruction slot 0: r10, the frame pointer, is read-only')
    }
    expect(refusal(zero, ins(0x7b, 10, 10, -8), exit)).toBe('accepted')
  })

  test('jumps and calls out of the program or into a 64-bit load', () => {
    expect(refusal(ins(0x05, 0, 0, 1), exit)).toBe('instruction slot 0: the target 2 is outside of the program (0 to 1)')
    expect(refusal(ins(0x05, 0, 0, -2), exit)).toBe('instruction slot 0: the target -1 is outside of the program (0 to 1)')
    expect(refusal(ins(0x06, 0, 0, 0, 100_000), exit)).toMatch('the target 100001 is outside')
    expect(refusal(ins(0x15, 1, 0, 1), lddw(0, 0n), exit)).toBe(
      'instruction slot 0: the target 2 is the second slot of a 64-bit load',
    )
    expect(refusal(ins(0x85, 0, 1, 0, 9), exit)).toMatch('the target 10 is outside')
    expect(refusal(ins(0xe5, 0, 0, 7), exit)).toMatch('the target 8 is outside')
    expect(refusal(lddw(1, 9n, 4), exit)).toMatch('the target 10 is outside')
  })

  test('64-bit loads that are cut off or carry more than an immediate', () => {
    const code = program([lddw(0, 1n), exit]).code
    expect(() => checkProgram(code.subarray(0, 8))).toThrow('a 64-bit load lacks its second slot')
    code[10] = 1
    expect(() => checkProgram(code)).toThrow('instruction slot 1: the second slot of a 64-bit load holds more than an immediate')
    expect(refusal(lddw(0, 1n, 7), exit)).toBe('instruction slot 0: a 64-bit load of kind 7 is not known')
    expect(refusal({ ...lddw(0, 1n), off: 1 }, exit)).toMatch("the field 'off' is not used")
  })

  test('offsets, widths and operations that mean nothing', () => {
    expect(refusal(ins(0x37, 0, 0, 2, 1), exit)).toMatch("the field 'off' is not used here and must be 0, not 2")
    expect(refusal(ins(0xbc, 0, 1, 32), exit)).toMatch('not 32')
    expect(refusal(ins(0xb7, 0, 0, 8), exit)).toMatch('not 8')
    expect(refusal(ins(0xd7, 0, 0, 0, 24), exit)).toBe('instruction slot 0: bytes are swapped in 16, 32 or 64 bits, not 24')
    expect(refusal(ins(0xdb, 10, 1, -8, 0x60), exit)).toBe('instruction slot 0: the atomic operation 0x60 is not known')
    expect(refusal(ins(0x85, 0, 3), exit)).toBe('instruction slot 0: a call of kind 3 is not known')
    expect(refusal(ins(0xbf, 0, 1, 1, 1), exit)).toBe(
      'instruction slot 0: addr_space_cast needs a program with an arena, which this one has not',
    )
    expect(() => checkProgram(program([ins(0xbf, 0, 1, 1, 1), exit]).code, { arena: true })).not.toThrow()
  })
})
