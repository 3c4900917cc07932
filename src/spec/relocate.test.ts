import { describe, expect, test } from 'vitest'
import { encode, LDDW } from '../asm/encode.ts'
import type { Instruction } from '../asm/instruction.ts'
import { decode } from '../asm/decode.ts'
import { Btf } from '../btf/btf.ts'
import { BtfBuilder } from '../btf/builder.ts'
import { POISON_HELPER, RelocationError, Relocator, relocate, relocatorFor } from './relocate.ts'
import type { CoreKindName, CoreRelocation } from './spec.ts'

function types(build: (b: BtfBuilder) => void): Btf {
  const b = new BtfBuilder()
  build(b)
  return Btf.parse(b.build())
}

const mov = (imm: number): Instruction => ({ code: 0xb7, dst: 1, src: 0, off: 0, imm })
const load = (off: number, code = 0x61): Instruction => ({ code, dst: 1, src: 2, off, imm: 0 })
const lddw = (imm64: bigint): Instruction => ({ code: LDDW, dst: 1, src: 0, off: 0, imm: 0, imm64 })
const POISON = { code: 0x85, dst: 0, src: 0, off: 0, imm: POISON_HELPER }

/** One instruction relocated: the kind, the name of the local root type and its access string. */
function one(instruction: Instruction, local: Btf, target: Btf, kind: CoreKindName, name: string, access: string): Instruction {
  const relocation: CoreRelocation = { slot: 0, kind, type: local.find(name), access }
  const code = relocate({ name: 'p', code: encode([instruction]), relocations: [relocation] }, local, target)
  // A poisoned lddw is two calls.
  return decode(code)[0]!
}

/** struct task { int pid; struct { unsigned flags:3, kind:5; }; char comm[16]; long list[2]; void *next; … } */
const local = types((b) => {
  const int = b.int('int', 4, { signed: true })
  const unsigned = b.int('unsigned int', 4)
  const char = b.int('char', 1, { signed: true })
  const long = b.int('long', 8, { signed: true })
  const bits = b.struct('', 4, [
    { name: 'flags', type: unsigned, bitOffset: 0, bitSize: 3 }, { name: 'kind', type: unsigned, bitOffset: 3, bitSize: 5 },
  ])
  b.struct('task', 64, [
    { name: 'pid', type: int, bitOffset: 0 }, { name: '', type: bits, bitOffset: 32 },
    { name: 'comm', type: b.array(char, unsigned, 16), bitOffset: 64 },
    { name: 'list', type: b.array(long, unsigned, 2), bitOffset: 192 },
    { name: 'next', type: b.ptr(0), bitOffset: 320 }, { name: 'port', type: b.int('unsigned short', 2), bitOffset: 384 },
    { name: 'gone', type: int, bitOffset: 416 }, { name: 'tail', type: b.array(int, unsigned, 0), bitOffset: 448 },
  ])
  b.struct('task___old', 4, [{ name: 'tgid', type: int, bitOffset: 0 }])
  b.struct('absent', 4, [{ name: 'x', type: int, bitOffset: 0 }])
  b.enum('color', 4, false, [{ name: 'RED', value: 1n }, { name: 'BLUE___v2', value: 2n }, { name: 'GREEN', value: 3n }])
  b.enum('wide', 8, false, [{ name: 'LARGE', value: 0xffff_0000_0000_0001n }])
  b.typedef('pid_t', int)
})

/** The same things elsewhere: an anonymous union hides pid and next, port has grown, list's elements shrank. */
const target = types((b) => {
  const int = b.int('int', 4, { signed: true })
  const unsigned = b.int('unsigned int', 4)
  const char = b.int('char', 1, { signed: true })
  const inner = b.struct('', 16, [{ name: 'next', type: b.ptr(0), bitOffset: 0 }, { name: 'pid', type: int, bitOffset: 64 }])
  const hidden = b.union('', 16, [{ name: '', type: inner, bitOffset: 0 }, { name: 'raw', type: unsigned, bitOffset: 0 }])
  b.struct('task', 256, [
    { name: 'before', type: b.array(int, unsigned, 10), bitOffset: 0 }, { name: '', type: hidden, bitOffset: 320 },
    { name: 'comm', type: b.array(char, unsigned, 32), bitOffset: 448 },
    { name: 'list', type: b.array(int, unsigned, 4), bitOffset: 704 },
    { name: 'kind', type: unsigned, bitOffset: 838, bitSize: 5 }, { name: 'flags', type: unsigned, bitOffset: 843, bitSize: 3 },
    { name: 'port', type: unsigned, bitOffset: 864 }, { name: 'tgid', type: int, bitOffset: 896 },
    { name: 'gone', type: b.ptr(0), bitOffset: 960 }, { name: 'tail', type: b.array(int, unsigned, 0), bitOffset: 1024 },
  ])
  b.enum('color', 4, false, [{ name: 'BLUE', value: 0xffff_fffen }, { name: 'RED', value: 7n }])
  b.enum('wide', 8, false, [{ name: 'SMALL', value: 1n }, { name: 'LARGE', value: 0xeeee_0000_0000_0002n }])
  b.typedef('pid_t', int)
})

describe('fields', () => {
  test.each<[string, Instruction, CoreKindName, string, Partial<Instruction>]>([
    ['an offset in a load', load(0), 'fieldByteOffset', '0:0', { off: 48 }],
    ['an offset in an immediate', mov(40), 'fieldByteOffset', '0:4', { imm: 40 }],
    ['an offset in a 64-bit load', lddw(40n), 'fieldByteOffset', '0:4', { imm64: 40n }],
    ['an element of chars, loaded by eight bytes', load(16, 0x79), 'fieldByteOffset', '0:2:8', { off: 64, code: 0x79 }],
    ['an element beyond the target’s first index', mov(60), 'fieldByteOffset', '0:7:1', { imm: 132 }],
    ['the next struct in a row', mov(64), 'fieldByteOffset', '1:0', { imm: 304 }],
    ['a wider unsigned integer', load(48, 0x69), 'fieldByteOffset', '0:5', { off: 108, code: 0x61 }],
    ['a size', mov(16), 'fieldByteSize', '0:2', { imm: 32 }],
    ['the size of an element', mov(1), 'fieldByteSize', '0:2:1', { imm: 1 }],
    ['a sign', mov(1), 'fieldSigned', '0:0', { imm: 1 }],
    ['a field that exists', mov(1), 'fieldExists', '0:0', { imm: 1 }],
    ['a field of another kind', mov(1), 'fieldExists', '0:6', { imm: 0 }],
    ['a bitfield’s offset, wherever the compiler loads it', load(7, 0x71), 'fieldByteOffset', '0:1:1', { off: 104 }],
    ['a bitfield’s bytes', mov(99), 'fieldByteSize', '0:1:1', { imm: 4 }],
    ['a bitfield’s left shift', mov(99), 'fieldShiftLeft', '0:1:1', { imm: 64 - (6 + 5) }],
    ['a bitfield’s right shift', mov(59), 'fieldShiftRight', '0:1:1', { imm: 59 }],
  ])('%s', (_, instruction, kind, access, expected) => {
    expect(one(instruction, local, target, kind, 'task', access)).toMatchObject(expected)
  })

  test('an integer that is signed may not change its size in a load, but in an immediate', () => {
    expect(one(load(24, 0x79), local, target, 'fieldByteOffset', 'task', '0:3:0')).toMatchObject(POISON)
    expect(one(mov(24), local, target, 'fieldByteOffset', 'task', '0:3:0')).toMatchObject({ imm: 88 })
  })

  test('flavours name the same struct', () => {
    expect(one(load(0), local, target, 'fieldByteOffset', 'task___old', '0:0')).toMatchObject({ off: 112 })
  })

  test('what is missing is poisoned and told, and 0 for questions', () => {
    expect(one(load(0), local, target, 'fieldByteOffset', 'absent', '0:0')).toMatchObject(POISON)
    expect(one(lddw(0n), local, target, 'fieldByteOffset', 'absent', '0:0')).toMatchObject(POISON)
    expect(one(mov(1), local, target, 'fieldExists', 'absent', '0:0')).toMatchObject({ imm: 0 })
    const relocations: CoreRelocation[] = [{ slot: 1, kind: 'fieldByteOffset', type: local.find('task'), access: '0:6' }]
    const { poisoned, code } = relocatorFor(local, target).relocate({ name: 'p', code: encode([mov(0), lddw(52n)]), relocations })
    expect(poisoned).toEqual([{ slot: 1, spec: 'struct task.gone (0:6)', reason: "the kernel's type has no such field" }])
    expect([1, 2].map((slot) => code[slot * 8])).toEqual([0x85, 0x85])
  })
})

describe('types and enums', () => {
  test.each<[string, Instruction, CoreKindName, string, string, Partial<Instruction>]>([
    ['an enum value', lddw(1n), 'enumvalValue', 'color', '0', { imm64: 7n }],
    ['an enum value by its essential name, with a sign', lddw(2n), 'enumvalValue', 'color', '1', { imm64: -2n & 2n ** 64n - 1n }],
    ['an enum value that is not there', mov(1), 'enumvalExists', 'color', '2', { imm: 0 }],
    ['a poisoned enum value', lddw(3n), 'enumvalValue', 'color', '2', POISON],
    ['a 64-bit enum value', lddw(0xffff_0000_0000_0001n), 'enumvalValue', 'wide', '0', { imm64: 0xeeee_0000_0000_0002n }],
    ['a type', mov(1), 'typeExists', 'task', '0', { imm: 1 }],
    ['no type', mov(1), 'typeExists', 'absent', '0', { imm: 0 }],
    ['the size of a type', mov(64), 'typeSize', 'task', '0', { imm: 256 }],
    ['the size of no type', mov(4), 'typeSize', 'absent', '0', { imm: 0 }],
    ['the id of a type', lddw(5n), 'typeIdTarget', 'pid_t', '0', { imm64: BigInt(target.find('pid_t')) }],
    ['the local id of a type', lddw(5n), 'typeIdLocal', 'pid_t', '0', { imm64: BigInt(local.find('pid_t')) }],
    ['a typedef that matches', mov(1), 'typeMatches', 'pid_t', '0', { imm: 1 }],
    ['a struct that lacks members', mov(1), 'typeMatches', 'task', '0', { imm: 0 }],
    ['an enum that lacks values', mov(1), 'typeMatches', 'color', '0', { imm: 0 }],
    ['an enum that has all values', mov(1), 'typeMatches', 'wide', '0', { imm: 1 }],
  ])('%s', (_, instruction, kind, name, access, expected) => {
    expect(one(instruction, local, target, kind, name, access)).toMatchObject(expected)
  })
})

describe('errors name the program, the instruction and what was asked', () => {
  test.each<[string, Instruction, CoreKindName, string, string]>([
    ['holds 5, but', load(5), 'fieldByteOffset', '0:0', 'another offset than compiled'],
    ['no immediate', { ...mov(0), code: 0xbf }, 'fieldByteOffset', '0:0', 'a register move'],
    ['is none that can be relocated', { ...mov(0), code: 0x95 }, 'fieldByteOffset', '0:0', 'an exit'],
    ['no access string', mov(0), 'fieldByteOffset', '0:x', 'a letter'],
    ['has no member 99', mov(0), 'fieldByteOffset', '0:99', 'a member that is not there'],
    ['element 16 of an array of 16', mov(0), 'fieldByteOffset', '0:2:16', 'beyond the array'],
    ['a int has no parts', mov(0), 'fieldByteOffset', '0:0:0', 'into an integer'],
    ['access the 2 bytes', load(48, 0x71), 'fieldByteOffset', '0:5', 'a load of another size'],
    ['is "0"', mov(0), 'typeSize', '0:1', 'a path into a type'],
    ['has no enum values', mov(0), 'enumvalValue', '0', 'a struct as enum'],
  ])('%s', (problem, instruction, kind, access) => {
    let caught: unknown
    try { one(instruction, local, target, kind, 'task', access) } catch (error) { caught = error }
    expect(caught).toBeInstanceOf(RelocationError)
    expect(caught).toMatchObject({ program: 'p', slot: 0 })
    expect((caught as Error).message).toMatch(/^program 'p', instruction 0: struct task/)
    expect((caught as Error).message).toContain(problem)
  })

  test('a slot beyond the code and an id beyond the types', () => {
    const relocation: CoreRelocation = { slot: 1, kind: 'typeSize', type: local.find('task'), access: '0' }
    const program = { name: 'p', code: encode([mov(64)]), relocations: [relocation] }
    expect(() => relocate(program, local, target)).toThrow(/no such instruction/)
    const noType = { ...program, relocations: [{ ...relocation, slot: 0, type: 9999 }] }
    expect(() => relocate(noType, local, target)).toThrow(/type 9999 \(0\)/)
  })
})

describe('candidates', () => {
  const twice = (offset: number) => types((b) => {
    const int = b.int('int', 4, { signed: true })
    b.struct('task', 64, [{ name: 'pid', type: int, bitOffset: 64 }, { name: 'here', type: int, bitOffset: 0 }])
    b.struct('task', 64, [{ name: 'pid', type: int, bitOffset: offset }])
    b.union('task', 64, [{ name: 'pid', type: int, bitOffset: 0 }])
  })

  test('several that agree are one', () => {
    expect(one(load(0), local, twice(64), 'fieldByteOffset', 'task', '0:0')).toMatchObject({ off: 8 })
  })

  test('several that disagree are an error', () => {
    expect(() => one(load(0), local, twice(96), 'fieldByteOffset', 'task', '0:0')).toThrow(/ambiguous.*bits 64 and 96/)
    expect(() => one(mov(99), local, twice(96), 'typeIdTarget', 'task', '0')).toThrow(/ambiguous/)
  })

  test('one that lacked a field is left out for the rest', () => {
    const b = new BtfBuilder()
    const int = b.int('int', 4, { signed: true })
    const task = b.struct('task', 8, [{ name: 'here', type: int, bitOffset: 0 }, { name: 'pid', type: int, bitOffset: 32 }])
    const own = Btf.parse(b.build())
    const relocator = new Relocator(own, twice(96))
    const relocation = (access: string): CoreRelocation => ({ slot: 0, kind: 'fieldByteOffset', type: task, access })
    relocator.relocate({ name: 'p', code: encode([mov(0)]), relocations: [relocation('0:0')] })
    const { code } = relocator.relocate({ name: 'p', code: encode([mov(4)]), relocations: [relocation('0:1')] })
    expect(decode(code)[0]).toMatchObject({ imm: 8 })
  })

  test('modules are asked for what the kernel lacks, and only then', () => {
    const base = new BtfBuilder()
    base.int('int', 4, { signed: true })
    const kernel = Btf.parse(base.build())
    const module = types((b) => {
      b.struct('task', 8, [{ name: 'pid', type: b.int('int', 4, { signed: true }), bitOffset: 32 }])
    })
    const relocations: CoreRelocation[] = [{ slot: 0, kind: 'fieldByteOffset', type: local.find('task'), access: '0:0' }]
    const program = { name: 'p', code: encode([load(0)]), relocations }
    const offset = (kernelTypes: Btf, modules: () => Btf[]) =>
      decode(new Relocator(local, kernelTypes, modules).relocate(program).code)[0]!.off
    expect(offset(kernel, () => [module])).toBe(4)
    expect(offset(target, () => { throw new Error('not needed') })).toBe(48)
  })

  test('hostile types end: structs that hold each other 2^40 times', () => {
    const deep = types((b) => {
      let inner = b.struct('', 4, [{ name: 'x', type: b.int('int', 4), bitOffset: 0 }])
      const twin = () => b.struct('', 4, [{ name: '', type: inner, bitOffset: 0 }, { name: '', type: inner, bitOffset: 0 }])
      for (let level = 0; level < 40; level++) inner = twin()
      b.struct('task', 4, [{ name: '', type: inner, bitOffset: 0 }])
    })
    expect(one(load(0), local, deep, 'fieldByteOffset', 'task', '0:0')).toMatchObject(POISON)
  })
})
