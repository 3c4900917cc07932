import { describe, expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import type { Instruction } from '../asm/instruction.ts'
import { runConformance } from './conformance.ts'
import { exit, ins, lddw } from './instruction-cases.test-support.ts'

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
const run = (instructions: Instruction[], memory = '', compiled = false) => runConformance(
  hex(encode(instructions)), { memory, compiled },
)

describe('the plug-in protocol of the conformance suite', () => {
  test('r0 in hex', () => {
    expect(run([ins(0xb7, 0, 0, 0, 42), exit])).toBe('2a')
    expect(run([ins(0xb7, 0, 0, 0, -1), exit])).toBe('ffffffffffffffff')
    expect(run([lddw(0, 0x1122_3344_5566_7788n), exit], '', true)).toBe('1122334455667788')
  })

  test('memory in r1, its length in r2; it may be written', () => {
    const sum = [
      ins(0x71, 0, 1, 0), ins(0x71, 3, 1, 3), ins(0x0f, 0, 3), ins(0x0f, 0, 2), ins(0x72, 1, 0, 1, 9), ins(0x71, 3, 1, 1),
      ins(0x0f, 0, 3), exit,
    ]
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
    expect(() => run([ins(0xbf, 6, 1), ins(0x20, 0, 0, 0, 6), exit], '0102030405060708')).toThrow(
      'out-of-bounds: 4 bytes at 6 of the memory',
    )
  })

  test('refusals come before running', () => {
    expect(() => run([ins(0x05, 0, 0, -1), ins(0x8d, 1), exit])).toThrow('instruction slot 1: the opcode 0x8d is not known')
    expect(() => runConformance('95 00 00')).toThrow('3 bytes instead of 8')
    expect(() => runConformance('9')).toThrow('the program must be pairs of hex digits')
    expect(() => run([lddw(1, 5n, 1), exit])).toThrow(
      'instruction slot 0: a 64-bit load of kind 1, and there are no maps or variables',
    )
  })

  test('an ELF object, and files that are none', () => {
    const code = encode([ins(0xb7, 0, 0, 0, 7), exit])
    // Header, code, names, and three section headers: none, the code, the names.
    const names = new TextEncoder().encode('\0.text\0.strtab\0')
    const table = 64 + code.length + 16
    const elf = new Uint8Array(table + 3 * 64)
    const view = new DataView(elf.buffer)
    elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
    view.setUint16(16, 1, true)
    view.setUint16(18, 247, true)
    view.setUint32(20, 1, true)
    view.setBigUint64(40, BigInt(table), true)
    for (const [at, value] of [[52, 64], [58, 64], [60, 3], [62, 2]] as const) view.setUint16(at, value, true)
    elf.set(code, 64)
    elf.set(names, 64 + code.length)
    const section = (index: number, name: number, type: number, flags: number, offset: number, size: number) => {
      const at = table + index * 64
      view.setUint32(at, name, true)
      view.setUint32(at + 4, type, true)
      for (const [field, value] of [[8, flags], [24, offset], [32, size]] as const) view.setBigUint64(at + field, BigInt(value), true)
    }
    section(1, 1, 1, 6, 64, code.length)
    section(2, 7, 3, 0, 64 + code.length, names.length)
    for (const compiled of [false, true]) expect(runConformance(hex(elf), { elf: true, compiled })).toBe('7')
    section(1, 1, 1, 2, 64, code.length)
    expect(() => runConformance(hex(elf), { elf: true })).toThrow('the ELF object has no section of instructions')
    section(1, 1, 1, 6, 64, 10_000)
    expect(() => runConformance(hex(elf), { elf: true })).toThrow('reaches beyond the file')
    expect(() => runConformance(hex(code), { elf: true })).toThrow(/ELF/)
  })
})
