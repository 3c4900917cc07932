import { describe, expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import type { Instruction } from '../asm/instruction.ts'
import { runConformance } from './conformance.ts'
import { exit, ins, lddw } from './instruction-cases.test-support.ts'

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
const run = (instructions: Instruction[], memory = '', compiled = false) => runConformance(hex(encode(instructions)), { memory, compiled })

describe('the plug-in protocol of the conformance suite', () => {
  test('r0 in hex', () => {
    expect(run([ins(0xb7, 0, 0, 0, 42), exit])).toBe('2a')
    expect(run([ins(0xb7, 0, 0, 0, -1), exit])).toBe('ffffffffffffffff')
    expect(run([lddw(0, 0x1122_3344_5566_7788n), exit], '', true)).toBe('1122334455667788')
  })

  test('memory in r1, its length in r2; it may be written', () => {
    const sum = [ins(0x71, 0, 1, 0), ins(0x71, 3, 1, 3), ins(0x0f, 0, 3), ins(0x0f, 0, 2), ins(0x72, 1, 0, 1, 9), ins(0x71, 3, 1, 1), ins(0x0f, 0, 3), exit]
    for (const compiled of [false, true]) expect(run(sum, 'aa bb cc 01', compiled)).toBe((0xaa + 1 + 4 + 9).toString(16))
    expect(run([ins(0xbf, 0, 1), ins(0x0f, 0, 2), exit])).toBe('0')
    expect(() => run([ins(0x79, 0, 1), exit], 'aabbcc')).toThrow('8 bytes are read at offset 0 of the memory, which has 3 bytes')
  })

  test('packet loads read the memory in network order, by immediate and by register', () => {
    const load = (code: number, src: number) => [ins(0xbf, 6, 1), ins(0xb7, 2, 0, 0, 1), ins(code, 0, src, 0, 1), exit]
    for (const compiled of [false, true]) {
      expect(run(load(0x20, 0), '0102030405060708', compiled)).toBe('2030405')
      expect(run(load(0x28, 0), '0102030405060708', compiled)).toBe('203')
      expect(run(load(0x30, 0), '0102030405060708', compiled)).toBe('2')
      expect(run(load(0x40, 2), '0102030405060708', compiled)).toBe('3040506')
      expect(run(load(0x48, 2), '0102030405060708', compiled)).toBe('304')
      expect(run(load(0x50, 2), '0102030405060708', compiled)).toBe('3')
    }
    expect(() => run([ins(0xbf, 6, 1), ins(0x20, 0, 0, 0, 6), exit], '0102030405060708')).toThrow('out-of-bounds: 4 bytes at 6 of the memory')
  })

  test('refusals come before running', () => {
    expect(() => run([ins(0x05, 0, 0, -1), ins(0x8d, 1), exit])).toThrow('instruction slot 1: the opcode 0x8d is not known')
    expect(() => runConformance('95 00 00')).toThrow('3 bytes instead of 8')
    expect(() => runConformance('9')).toThrow('the program must be pairs of hex digits')
    expect(() => run([lddw(1, 5n, 1), exit])).toThrow('instruction slot 0: a 64-bit load of kind 1, and there are no maps or variables')
  })

  test('an ELF object, and files that are none', () => {
    const code = encode([ins(0xb7, 0, 0, 0, 7), exit])
    const elf = new Uint8Array(64 + code.length + 128)
    const view = new DataView(elf.buffer)
    view.setUint32(0, 0x7f45_4c46)
    elf.set([2, 1, 1], 4)
    view.setBigUint64(40, BigInt(64 + code.length), true)
    view.setUint16(58, 64, true)
    view.setUint16(60, 2, true)
    elf.set(code, 64)
    const header = 64 + code.length + 64
    view.setUint32(header + 4, 1, true)
    view.setUint32(header + 8, 6, true)
    view.setBigUint64(header + 24, 64n, true)
    view.setBigUint64(header + 32, BigInt(code.length), true)
    expect(runConformance(hex(elf), { elf: true })).toBe('7')
    view.setBigUint64(header + 32, 10_000n, true)
    expect(() => runConformance(hex(elf), { elf: true })).toThrow('the code does not lie inside')
    view.setUint32(header + 8, 2, true)
    expect(() => runConformance(hex(elf), { elf: true })).toThrow('no section of instructions')
    view.setUint16(60, 999, true)
    expect(() => runConformance(hex(elf), { elf: true })).toThrow('the section table does not lie inside')
    expect(() => runConformance(hex(code), { elf: true })).toThrow('no ELF object')
  })
})
