import { describe, expect, test } from 'vitest'
import { Btf, BtfError } from '../../btf/btf.ts'
import { BtfBuilder } from '../../btf/builder.ts'
import { relocate, RelocationError } from '../relocate.ts'
import { ElfBuilder } from './elf-builder.ts'
import { ObjectError, readObject } from './read.ts'
import { sampleSpec } from './testing/sample-spec.ts'
import { clangs, compileObject } from './testing/toolchain.ts'
import { writeObject } from './write.ts'

/** mulberry32: seeded, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ state >>> 15, 1 | state)
    mixed = (mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed)) ^ mixed
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * below)
  }
}

const extremes = [0, 1, 7, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

/** A few bytes changed, or words set to extreme values, or the end cut off. */
function damaged(good: Uint8Array, next: (below: number) => number): Uint8Array {
  const bytes = Uint8Array.from(good)
  const view = new DataView(bytes.buffer)
  for (let changes = 1 + next(4); changes > 0; changes--) {
    const at = next(bytes.length - 8)
    if (next(2) === 0) bytes[at] = next(256)
    else view.setUint32(at & ~3, extremes[next(extremes.length)]!, true)
  }
  return next(8) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes
}

const kernel = (() => {
  const b = new BtfBuilder()
  b.struct('task_struct', 8, [{ name: 'tgid', type: b.int('int', 4, { signed: true }), bitOffset: 32 }])
  return Btf.parse(b.build())
})()

/** What was wrong, or undefined if it could be read. Anything but a typed error fails the test. */
function refusal(bytes: Uint8Array): Error | undefined {
  try {
    const spec = readObject(bytes)
    const local = spec.btf === null ? kernel : Btf.parse(spec.btf)
    for (const program of spec.programs) {
      try {
        relocate(program, local, kernel)
      } catch (error) {
        if (!(error instanceof RelocationError)) throw error
      }
    }
    writeObject(spec)
    return undefined
  } catch (error) {
    if (error instanceof ObjectError || error instanceof BtfError) return error
    throw error
  }
}

describe('damaged objects are read or refused, and nothing else', () => {
  const objects: [string, () => Uint8Array][] = [['a Spec made by hand', () => writeObject(sampleSpec())]]
  if (clangs.length > 0) {
    for (const name of ['linking', 'externs', 'maps']) objects.push([`${name}.bpf.c`, () => compileObject(name).bytes])
  }

  test.each(objects)('%s', (_, make) => {
    const good = make()
    const next = random(20_261_125)
    let refused = 0
    const started = performance.now()
    for (let round = 0; round < 1000 && performance.now() - started < 10_000; round++) {
      if (refusal(damaged(good, next)) !== undefined) refused++
    }
    expect(refused).toBeGreaterThan(20)
  }, 60_000)

  test('cut off at any place', () => {
    const good = writeObject(sampleSpec())
    const refused = Array.from({ length: good.length }, (_, length) => length).filter((length) => refusal(good.subarray(0,
      length)) !== undefined)
    expect(refused.length).toBe(good.length)
  })
})

const code = (...slots: number[][]) => Uint8Array.from(slots.flat())
const exit = [0x95, 0, 0, 0, 0, 0, 0, 0]
const call = (distance: number) => [0x85, 0x10, 0, 0, distance & 255, (distance >> 8) & 255, (distance >> 16) & 255,
  (distance >> 24) & 255]
const lddw = [[0x18, 1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0]]

/** An object of a few sections and symbols, made to measure. */
function object(build: (elf: ElfBuilder) => void): Uint8Array {
  const elf = new ElfBuilder()
  build(elf)
  return elf.build()
}
const program = (elf: ElfBuilder, section: string, bytes: Uint8Array, fields = {}) => {
  elf.section({ name: section, flags: 6, bytes })
  return elf.symbol({ name: 'main', bind: 1, type: 2, section, value: 0, size: bytes.length, ...fields })
}

describe('what is wrong is named', () => {
  test.each<[string, string, Uint8Array]>([
    ['no ELF file', 'ELF header at 0: this is no ELF file', new Uint8Array(64)],
    ['nothing', 'ELF header at 0: 0 bytes', new Uint8Array(0)],
    ['an unknown section', "sockets at 0: the section of 'main' names no type", object((elf) => program(elf, 'sockets',
      code(exit)))],
    ['a tracepoint without a name', 'tp/sched at 0:', object((elf) => program(elf, 'tp/sched', code(exit)))],
    ['a function beyond its section', "socket at 0: the function 'main' (16 bytes) reaches beyond", object((elf) => program(elf,
      'socket', code(exit), { size: 16 }))],
    ['a function between instructions', 'no whole number of instructions', object((elf) => program(elf, 'socket', code(exit,
      exit), { value: 4, size: 8 }))],
    ['a static program', 'is static', object((elf) => program(elf, 'socket', code(exit), { bind: 0 }))],
    ['functions that overlap', 'overlaps', object((elf) => {
      program(elf, 'socket', code(exit, exit))
      elf.symbol({ name: 'other', bind: 1, type: 2, section: 'socket', value: 8, size: 8 })
    })],
    ['a call into nothing', "socket at 0: 'main' calls what is no function", object((elf) => program(elf, 'socket',
      code(call(5), exit)))],
    ['a relocation of an exit', "socket at 0: in 'main': 'main' cannot be relocated", object((elf) => {
      const symbol = program(elf, 'socket', code(exit))
      elf.relocate('socket', { offset: 0, symbol, type: 1 })
    })],
    ['an address of what is no map', "'thing' in other is neither a map nor a variable", object((elf) => {
      program(elf, 'socket', code(...lddw, exit))
      elf.section({ name: 'other', flags: 2, bytes: new Uint8Array(8) })
      elf.relocate('socket', { offset: 0, symbol: elf.symbol({ name: 'thing', bind: 1, type: 1, section: 'other' }), type: 1 })
    })],
    ['an extern without types', 'compile with -g', object((elf) => {
      program(elf, 'socket', code(...lddw, exit))
      elf.relocate('socket', { offset: 0, symbol: elf.symbol({ name: 'thing', bind: 1, type: 0, section: null }), type: 1 })
    })],
    ['types that are none', '.BTF at 0: BTF header at 0', object((elf) => elf.section({ name: '.BTF',
      bytes: new Uint8Array(24) }))],
    ['.bss of 2^40 bytes', '.bss at 0: 1099511627776 bytes', object((elf) => elf.section({ name: '.bss', type: 8, flags: 3,
      bytes: new Uint8Array(0), size: 2 ** 40 }))],
    ['a map of an unknown type', "maps at 0: map 'm': type 999", object((elf) => {
      elf.section({ name: 'maps', flags: 3, bytes: new Uint8Array(new Uint32Array([999, 4, 4, 1, 0]).buffer) })
      elf.symbol({ name: 'm', bind: 1, type: 1, section: 'maps', size: 20 })
    })],
  ])('%s', (_, message, bytes) => {
    const error = refusal(bytes)
    expect(error).toBeInstanceOf(ObjectError)
    expect(error!.message).toContain(message)
  })

  test('a thousand programs that share a large function are refused before memory is short', () => {
    const slots = 50_000
    const bytes = object((elf) => {
      const shared = new Uint8Array(slots * 8)
      for (let slot = 0; slot < slots; slot++) shared.set(exit, slot * 8)
      elf.section({ name: '.text', flags: 6, bytes: shared })
      const symbol = elf.symbol({ name: 'shared', bind: 1, type: 2, section: '.text', size: shared.length })
      elf.section({ name: 'socket', flags: 6, bytes: code(...Array.from({ length: 1000 }, () => [...call(-1), ...exit])) })
      for (let index = 0; index < 1000; index++) {
        elf.symbol({ name: `p${index}`, bind: 1, type: 2, section: 'socket', value: index * 16, size: 16 })
        elf.relocate('socket', { offset: index * 16, symbol, type: 10 })
      }
    })
    expect(() => readObject(bytes)).toThrow(/beyond reason/)
  })

  test('functions that call each other in a circle are linked once', () => {
    const bytes = object((elf) => {
      elf.section({ name: '.text', flags: 6, bytes: code(call(1), exit, call(-3), exit) })
      elf.symbol({ name: 'a', bind: 1, type: 2, section: '.text', size: 16 })
      elf.symbol({ name: 'b', bind: 1, type: 2, section: '.text', value: 16, size: 16 })
      program(elf, 'socket', code(call(-1), exit))
      elf.relocate('socket', { offset: 0, symbol: elf.sectionSymbol('.text'), type: 10 })
    })
    const [main] = readObject(bytes).programs
    expect(main!.subprograms).toEqual([{ slot: 2, name: 'a' }, { slot: 4, name: 'b' }])
    expect([0, 2, 4].map((slot) => new DataView(main!.code.buffer).getInt32(slot * 8 + 4, true))).toEqual([1, 1, -3])
  })
})
