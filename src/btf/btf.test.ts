import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Btf, BtfError } from './btf.ts'
import { BtfBuilder } from './builder.ts'

const VMLINUX = '/sys/kernel/btf/vmlinux'
const kernelBtf = existsSync(VMLINUX)
const bpftool = ['/usr/sbin/bpftool', '/usr/bin/bpftool', '/sbin/bpftool'].find((path) => existsSync(path))

function sample(): BtfBuilder {
  const b = new BtfBuilder()
  const int = b.int('int', 4, { signed: true })
  const list = b.declareStruct('list', 16)
  const next = b.ptr(list)
  const either = b.union('', 8, [{ name: 'number', type: int, bitOffset: 0 }, { name: 'next', type: next, bitOffset: 0 }])
  b.completeStruct(list, [{ name: 'flags', type: int, bitOffset: 0, bitSize: 3 }, { name: 'kind', type: int, bitOffset: 3, bitSize: 5 }, { name: '', type: either, bitOffset: 64 }])
  b.typedef('list_t', b.const(list))
  b.enum('color', 4, true, [{ name: 'RED', value: -1n }, { name: 'BLUE', value: 7n }])
  b.enum('wide', 8, false, [{ name: 'LARGE', value: 0xffff_0000_0000_0001n }])
  b.array(int, int, 5)
  b.func('walk', b.funcProto(int, [{ name: 'head', type: next }]), 'global')
  b.datasec('.data', 4, [{ type: b.var('counter', int, 1), offset: 0, size: 4 }])
  return b
}

describe('what the builder writes', () => {
  const btf = Btf.parse(sample().build())

  test('names, kinds and sizes come back', () => {
    const list = btf.find('list', 'struct')
    expect(btf.type(list)).toMatchObject({ kind: 'struct', name: 'list', size: 16 })
    expect(btf.sizeOf(btf.find('list_t'))).toBe(16)
    expect(btf.resolve(btf.find('list_t', 'typedef'))).toBe(list)
    expect(btf.type(btf.find('color'))).toMatchObject({ signed: true, values: [{ name: 'RED', value: -1n }, { name: 'BLUE', value: 7n }] })
    expect(btf.type(btf.find('wide'))).toMatchObject({ kind: 'enum64', values: [{ name: 'LARGE', value: 0xffff_0000_0000_0001n }] })
    expect(btf.type(btf.find('walk'))).toMatchObject({ kind: 'func', linkage: 'global' })
    expect(btf.find('nothing')).toBe(0)
    expect(btf.find('list', 'union')).toBe(0)
  })

  test('members are found through anonymous ones, with bitfields', () => {
    const list = btf.find('list')
    expect(btf.member(list, 'next')).toMatchObject({ bitOffset: 64, bitSize: 0, path: [2, 1] })
    expect(btf.member(list, 'kind')).toMatchObject({ bitOffset: 3, bitSize: 5, path: [1] })
    expect(btf.member(list, 'absent')).toBeUndefined()
  })

  test('equal simple types are written once', () => {
    const b = new BtfBuilder()
    expect(b.ptr(b.int('x', 4))).toBe(b.ptr(b.int('x', 4)))
  })

  test('split BTF continues its base', () => {
    // A split BTF's ids and strings begin where those of its base end.
    const first = Btf.parse(sample().build())
    const empty = new BtfBuilder()
    const split = Btf.parse(empty.build(), first)
    expect(split.typeCount).toBe(first.typeCount)
    expect(split.find('list')).toBe(first.find('list'))
    expect(split.nameOf(split.find('walk'))).toBe('walk')
  })

  test('names are found at any offset of the bytes, and again', () => {
    const names = ['list', 'list_t', 'color', 'wide', 'walk', 'counter', '.data', 'int', 'nothing', 'lis', 'ist', 'list\0list_t']
    const bytes = sample().build()
    const expected = names.map((name) => Btf.parse(bytes).find(name))
    expect(expected.slice(-4)).toEqual([0, 0, 0, 0])
    for (let shift = 1; shift < 4; shift++) {
      const moved = new Uint8Array(bytes.length + shift)
      moved.set(bytes, shift)
      const btf = Btf.parse(moved.subarray(shift))
      for (let round = 0; round < 2; round++) expect(names.map((name) => btf.find(name))).toEqual(expected)
      expect(btf.type(btf.find('list'))).toEqual(Btf.parse(bytes).type(btf.find('list')))
    }
  })
})

describe('what came later', () => {
  /** The header of 7.x: a table of sizes before the types; kind 23 has 4 bytes and 8 for each element. */
  function withLayout(extra: number[]): Uint8Array {
    const plain = sample().build()
    const view = new DataView(plain.buffer)
    const [typesLength, stringsAt, stringsLength] = [12, 16, 20].map((at) => view.getUint32(at, true)) as [number, number, number]
    const layout = new Uint8Array(24 * 4)
    layout.set([4, 8, 0, 0], 23 * 4)
    const added = new Uint8Array(new Uint32Array(extra).buffer)
    const bytes = new Uint8Array(32 + layout.length + typesLength + added.length + stringsLength)
    const header = new DataView(bytes.buffer)
    bytes.set(plain.subarray(0, 4))
    const lengths = [32, layout.length, typesLength + added.length, layout.length + typesLength + added.length, stringsLength, 0, layout.length]
    lengths.forEach((word, index) => header.setUint32(4 + index * 4, word, true))
    bytes.set(layout, 32)
    bytes.set(plain.subarray(24, 24 + typesLength), 32 + layout.length)
    bytes.set(added, 32 + layout.length + typesLength)
    bytes.set(plain.subarray(24 + stringsAt), bytes.length - stringsLength)
    return bytes
  }

  test('kinds that are not known are stepped over by the sizes that the header tells', () => {
    const before = Btf.parse(sample().build())
    const btf = Btf.parse(withLayout([0, (23 << 24) | 2, 16, 1, 2, 3, 4, 5, 0, 2 << 24, 1]))
    expect(btf.typeCount).toBe(before.typeCount + 2)
    expect(btf.type(before.typeCount)).toEqual({ kind: 'other', id: before.typeCount, name: '', number: 23 })
    expect(btf.type(before.typeCount + 1)).toMatchObject({ kind: 'ptr', type: 1 })
    expect(btf.find('list', 'struct')).toBe(before.find('list'))
    expect(btf.sizeOf(before.typeCount)).toBe(0)
  })

  test('without their sizes they are an error', () => {
    expect(() => Btf.parse(withLayout([0, 24 << 24, 0]))).toThrow(/kind 24 is not known/)
    const outside = withLayout([])
    new DataView(outside.buffer).setUint32(28, 0xffff_fff0, true)
    expect(() => Btf.parse(outside)).toThrow(/layout does not lie inside/)
  })

  test('a struct may have more than 65,535 members', () => {
    const b = new BtfBuilder()
    const int = b.int('int', 4)
    b.struct('large', 4 * 70_000, Array.from({ length: 70_000 }, (_, index) => ({ name: 'x', type: int, bitOffset: index * 32 })))
    const type = Btf.parse(b.build()).type(2)
    expect(type.kind === 'struct' && type.members.length).toBe(70_000)
  })
})

describe('hostile bytes', () => {
  const good = sample().build()

  test.each([
    ['nothing', new Uint8Array(0), 'header'],
    ['a wrong magic', Uint8Array.from(good, (byte, at) => (at === 0 ? 1 : byte)), 'header'],
    ['the other byte order', Uint8Array.from(good, (byte, at) => (at === 0 ? 0xeb : at === 1 ? 0x9f : byte)), 'header'],
    ['a cut tail', good.subarray(0, good.length - 9), 'header'],
  ])('%s is a typed error', (_name, bytes, section) => {
    expect(() => Btf.parse(bytes)).toThrow(BtfError)
    try { Btf.parse(bytes) } catch (error) { expect((error as BtfError).section).toBe(section) }
  })

  test('a typedef of itself ends', () => {
    const b = new BtfBuilder()
    b.typedef('loop', 1)
    const btf = Btf.parse(b.build())
    expect(() => btf.resolve(1)).toThrow(/defined by itself/)
    expect(() => btf.sizeOf(1)).toThrow(BtfError)
  })

  test('an array of itself ends', () => {
    const b = new BtfBuilder()
    b.array(1, 1, 0xffff_ffff)
    expect(() => Btf.parse(b.build()).sizeOf(1)).toThrow(/contains itself/)
  })

  test('flipped bytes give typed errors or types, never anything else', () => {
    let seed = 12_345
    const random = (below: number) => ((seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0) >>> 8) % below
    let refused = 0
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from(good)
      for (let flips = 1 + random(4); flips > 0; flips--) bytes[random(bytes.length)] = random(256)
      try {
        const btf = Btf.parse(bytes)
        for (let id = 1; id < btf.typeCount; id++) {
          btf.type(id)
          btf.sizeOf(id)
          btf.member(id, 'next')
        }
      } catch (error) {
        expect(error).toBeInstanceOf(BtfError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(100)
  })
})

describe.skipIf(!kernelBtf)('the running kernel (feature: /sys/kernel/btf/vmlinux)', () => {
  const btf = kernelBtf ? Btf.parse(readFileSync(VMLINUX)) : (null as unknown as Btf)

  test('knows task_struct', () => {
    const task = btf.find('task_struct', 'struct')
    expect(btf.type(btf.resolve(btf.member(task, 'pid')!.type))).toMatchObject({ kind: 'int', size: 4, signed: true })
    expect(btf.sizeOf(btf.member(task, 'comm')!.type)).toBe(16)
  })

  test.skipIf(bpftool === undefined)('agrees with bpftool on every name and kind (feature: bpftool)', () => {
    const raw = execFileSync(bpftool!, ['btf', 'dump', 'file', VMLINUX, 'format', 'raw'], { maxBuffer: 1 << 28, encoding: 'utf8' })
    const kinds: Record<string, string> = { FUNC_PROTO: 'funcProto', DECL_TAG: 'declTag', TYPE_TAG: 'typeTag' }
    let compared = 0
    let differing = 0
    for (const line of raw.split('\n')) {
      const match = /^\[(\d+)\] (\w+) '(.*?)'/.exec(line)
      if (match === null) continue
      const id = Number(match[1])
      const name = match[3] === '(anon)' ? '' : match[3]!
      if (btf.nameOf(id) !== name || btf.kindOf(id) !== (kinds[match[2]!] ?? match[2]!.toLowerCase())) differing++
      compared++
    }
    expect(compared).toBe(btf.typeCount - 1)
    expect(differing).toBe(0)
  })
})
