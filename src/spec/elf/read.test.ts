import { describe, expect, test } from 'vitest'
import { Btf } from '../../btf/btf.ts'
import { BtfBuilder } from '../../btf/builder.ts'
import { command } from '../../bpf/command.ts'
import { features, has } from '../../bpf/features.ts'
import { allocate, release } from '../../sys/memory.ts'
import { close } from '../../sys/syscall.ts'
import { KconfigError, kconfigBytes } from '../kconfig.ts'
import { loadableBtf } from '../loadable-btf.ts'
import type { KconfigExtern } from '../spec.ts'
import { ElfBuilder } from './elf-builder.ts'
import { readObject } from './read.ts'
import { meaningOf, sectionNameOf, sectionNames } from './section-names.ts'
import { sampleSpec } from './testing/sample-spec.ts'
import { clang, clangs, compileObject, compileText } from './testing/toolchain.ts'
import { writeObject } from './write.ts'

const exit = Uint8Array.of(0x95, 0, 0, 0, 0, 0, 0, 0)

describe('section names', () => {
  test.each<[string, object]>([
    ['kprobe/do_exit+0x10', { type: 'kprobe', attach: { kind: 'kprobe', name: 'do_exit', offset: 16 } }],
    ['kprobe', { type: 'kprobe', attach: { kind: 'kprobe', name: '', offset: 0 } }],
    ['kprobe.session/tcp_*', { attachType: 'trace_kprobe_session', attach: { kind: 'kprobe.session', name: 'tcp_*' } }],
    ['uprobe.s//usr/lib/libc.so.6:malloc+8', { flags: 16, attach: { kind: 'uprobe', path: '/usr/lib/libc.so.6', name: 'malloc',
      offset: 8 } }],
    ['uretprobe//bin/sh:0x4f0', { attach: { kind: 'uretprobe', path: '/bin/sh', name: '', offset: 0x4f0 } }],
    ['uprobe.multi/libc:mem*', { attachType: 'trace_uprobe_multi', attach: { kind: 'uprobe.multi', path: 'libc',
      name: 'mem*' } }],
    ['usdt//usr/bin/node:node:gc__start', { attach: { kind: 'usdt', path: '/usr/bin/node', provider: 'node',
      name: 'gc__start' } }],
    ['tp/sched/sched_switch', { type: 'tracepoint', attach: { kind: 'tracepoint', category: 'sched', name: 'sched_switch' } }],
    ['raw_tp.w/nbd', { type: 'raw_tracepoint_writable', attach: { kind: 'raw_tp', name: 'nbd' } }],
    ['fmod_ret.s/bpf_modify', { type: 'tracing', attachType: 'modify_return', flags: 16 }],
    ['lsm_cgroup/socket_post_create', { type: 'lsm', attachType: 'lsm_cgroup' }],
    ['iter.s/task', { attachType: 'trace_iter', flags: 16, attach: { kind: 'iter', name: 'task' } }],
    ['xdp.frags/devmap', { type: 'xdp', attachType: 'xdp_devmap', flags: 32, attach: { kind: 'given', name: '' } }],
    ['cgroup/connect_unix', { type: 'cgroup_sock_addr', attachType: 'cgroup_unix_connect' }],
    ['?struct_ops/init', { type: 'struct_ops', autoload: false, attach: { kind: 'struct_ops', name: 'init' } }],
    ['netkit/peer', { type: 'sched_cls', attachType: 'netkit_peer' }],
    ['freplace/old', { type: 'ext', attach: { kind: 'freplace', name: 'old' } }],
    ['syscall', { type: 'syscall', flags: 16 }],
  ])('%s', (section, meaning) => expect(meaningOf(section)).toMatchObject(meaning))

  test.each(['tracepointx', 'xdp/eth0', 'socket1', '', '?', 'toString', 'constructor/x'])('%j names no program', (section) => {
    expect(meaningOf(section)).toBeUndefined()
  })

  test.each(['tp/sched', 'tp/sched/', 'uprobe/malloc', 'usdt/a:b', 'kprobe/f+x'])('%s is half a target', (section) => {
    expect(() => meaningOf(section)).toThrow(/write/)
  })

  test('what each means can be written again', () => {
    for (const section of [...sectionNames, '?xdp', 'kprobe/f+0x10', 'uprobe//bin/sh:0x10', 'usdt/a:b:c', 'tp/a/b', 'iter/task',
      'uprobe.multi/a:b*']) {
      const meaning = meaningOf(section)!
      const program = { name: 'p', ...meaning, code: exit, maps: [], relocations: [], functions: [], lines: [] }
      expect(meaningOf(sectionNameOf(program))).toEqual(meaning)
    }
  })
})

describe('definitions of maps before .maps', () => {
  const legacy = (words: number[], symbols: [string, number][]) => {
    const elf = new ElfBuilder()
    elf.section({ name: 'maps', flags: 3, bytes: new Uint8Array(new Uint32Array(words).buffer) })
    for (const [name, value] of symbols) elf.symbol({ name, bind: 1, type: 1, section: 'maps', value })
    return elf.build()
  }

  test('are five numbers', () => {
    expect(readObject(legacy([1, 4, 8, 16, 1, 2, 4, 4, 2, 0], [['second', 20], ['first', 0]])).maps).toEqual([
      { name: 'first', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 16, flags: 1 },
      { name: 'second', type: 'array', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 },
    ])
  })

  test('may be longer if the rest is zero', () => {
    expect(readObject(legacy([1, 4, 8, 16, 1, 0, 0], [['m', 0]])).maps).toHaveLength(1)
    expect(() => readObject(legacy([1, 4, 8, 16, 1, 0, 2], [['m', 0]]))).toThrow(/define it in SEC\("\.maps"\)/)
  })

  test.runIf(clang !== undefined)('are named by instructions (feature: clang with bpf target)', () => {
    const { bytes } = compileText(`
      struct { unsigned type, key, value, entries, flags; } table __attribute__((section("maps"), used)) = { 2, 4, 4, 1, 0 };
      static void *(*lookup)(void *, void *) = (void *)1;
      __attribute__((section("socket"), used)) int look(void *ctx) { int key = 0; return lookup(&table, &key) != 0; }
      char LICENSE[] __attribute__((section("license"), used)) = "GPL";
    `)
    const spec = readObject(bytes)
    expect(spec.programs[0]!.maps).toEqual([{ slot: expect.any(Number), map: 'table' }])
    expect(readObject(writeObject(spec)).programs[0]!.code).toEqual(spec.programs[0]!.code)
  })
})

describe.runIf(clangs.length > 0)('objects of clang (feature: clang with bpf target)', () => {
  test('maps with every field', () => {
    const { maps } = readObject(compileObject('maps', { flags: ['-DPINNED'] }).bytes)
    const map = (name: string) => maps.find((one) => one.name === name)!
    expect(map('outer')).toMatchObject({
      type: 'arrayOfMaps', keySize: 4, valueSize: 4, maxEntries: 8, slots: [{ key: 1, map: 'inner_two' }, { key: 5,
        map: 'inner_one' }],
      inner: { name: 'outer.inner', type: 'array', keySize: 4, valueSize: 8, maxEntries: 2 },
    })
    expect(map('outer_hash').inner).toMatchObject({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1 })
    expect(map('programs')).toMatchObject({ type: 'progArray', keySize: 4, valueSize: 4, slots: [{ key: 2, program: 'called' }] })
    expect(map('lru')).toMatchObject({ type: 'lruHash', keySize: 12, valueSize: 20, flags: 2, numaNode: 0 })
    expect(map('bloom')).toMatchObject({ type: 'bloomFilter', keySize: 0, valueSize: 4, mapExtra: 3 })
    expect(map('storage')).toMatchObject({ type: 'taskStorage', keySize: 4, valueSize: 16, flags: 1 })
    expect(map('pinned')).toMatchObject({ pinning: 'byName' })
  })

  test('variables with their types and first values', () => {
    const spec = readObject(compileObject('linking').bytes)
    const types = Btf.parse(spec.btf!)
    const section = (name: string) => spec.maps.find((map) => map.name === name)!
    const variable = (map: string, name: string) => section(map).data!.variables.find((one) => one.name === name)!
    const { offset, size, type } = variable('.rodata', 'prefix')
    expect(new TextDecoder().decode(section('.rodata').data!.contents!.subarray(offset, offset + size))).toBe('abc\0\0\0\0\0')
    expect(types.sizeOf(type)).toBe(8)
    expect(section('.rodata')).toMatchObject({ keySize: 4, maxEntries: 1, flags: 0x480, data: { frozen: true } })
    expect(section('.bss')).toMatchObject({ valueSize: 8, data: { contents: null, frozen: false } })
    expect(variable('.data', 'hidden_state')).toMatchObject({ size: 4, static: true })
    expect(section('.data.special').data!.contents).toEqual(Uint8Array.of(9, 0, 0, 0))
    expect(spec.programs.find(({ name }) => name === 'optional')).toMatchObject({ autoload: false, section: '?raw_tp/sys_enter' })
    expect(spec).toMatchObject({ license: 'GPL', kernelVersion: 0x060102 })
  })

  test('functions are appended in the order of calls, with their records', () => {
    const spec = readObject(compileObject('linking').bytes)
    const types = Btf.parse(spec.btf!)
    const first = spec.programs.find(({ name }) => name === 'first')!
    expect(first.subprograms!.map(({ name }) => name)).toEqual(['middle', 'leaf', 'global_function'])
    expect(first.functions.map(({ slot, type }) => [slot, types.nameOf(type)]))
      .toEqual([[0, 'first'], ...first.subprograms!.map(({ slot, name }) => [slot, name])])
    expect(first.lines.every(({ slot }, index) => index === 0 || slot >= first.lines[index - 1]!.slot)).toBe(true)
    expect(types.string(first.lines[0]!.file)).toMatch(/linking\.bpf\.c$/)
    expect(types.type(types.find('hidden_function', 'func'))).toMatchObject({ linkage: 'static' })
  })

  test('externs', () => {
    const { externs, maps } = readObject(compileObject('externs').bytes)
    const named = Object.fromEntries(externs!.map((extern) => [extern.name, extern]))
    expect(named.CONFIG_HZ).toMatchObject({ kind: 'kconfig', value: 'int', size: 8, offset: 0, weak: false })
    expect(named.CONFIG_NO_SUCH_OPTION).toMatchObject({ value: 'tristate', size: 4, weak: true })
    expect(named.CONFIG_NO_SUCH_TEXT).toMatchObject({ value: 'chars', size: 16 })
    expect(named.schedule).toMatchObject({ kind: 'ksym', function: false, type: 0, weak: false })
    expect(named.no_such_variable).toMatchObject({ kind: 'ksym', function: false, weak: true, type: expect.any(Number) })
    expect(named.bpf_rcu_read_lock).toMatchObject({ kind: 'ksym', function: true, weak: false })
    expect(maps.find((map) => map.name === '.kconfig')).toMatchObject({ valueSize: 35, flags: 0x480 })
  })

  const arenas = Number(/\d+$/.exec(clang ?? '')?.[0] ?? 0) >= 19
  test.runIf(arenas)('variables of an arena (feature: clang 19)', () => {
    const { bytes } = compileText(`
      #include <linux/bpf.h>
      #include <bpf/bpf_helpers.h>
      #define __arena __attribute__((address_space(1)))
      struct { __uint(type, 33); __uint(map_flags, 1024); __uint(max_entries, 10); } memory SEC(".maps");
      int __arena counter = 5;
      int __arena zero;
      SEC("socket") int count(void *ctx) { counter++; zero++; return 0; }
      char LICENSE[] SEC("license") = "GPL";
    `, ['-O2', '-g', '-mcpu=v4'])
    const spec = readObject(bytes)
    expect(spec.maps).toMatchObject([{ name: 'memory', type: 'arena', maxEntries: 10, data: {
      section: '.addr_space.1', contents: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0),
      variables: [{ name: 'counter', offset: 0, size: 4 }, { name: 'zero', offset: 4, size: 4 }],
    } }])
    expect(spec.programs[0]!.maps.map(({ map, offset }) => [map, offset])).toEqual([['memory', 0], ['memory', 4]])
    expect(readObject(writeObject(spec)).maps).toEqual(spec.maps)
  })

  test('struct_ops', () => {
    const { bytes } = compileText(`
      struct sock;
      struct tcp_congestion_ops { void (*init)(struct sock *sk); unsigned (*ssthresh)(struct sock *sk); char name[16]; };
      __attribute__((section("struct_ops/init"), used)) void my_init(unsigned long long *ctx) {}
      __attribute__((section("struct_ops"), used)) unsigned my_thresh(unsigned long long *ctx) { return 2; }
      __attribute__((section(".struct_ops.link"), used)) struct tcp_congestion_ops mine =
        { .init = (void *)my_init, .ssthresh = (void *)my_thresh, .name = "mine" };
    `, ['-O2', '-g'])
    const spec = readObject(bytes)
    const [map] = spec.maps
    expect(map).toMatchObject({ name: 'mine', type: 'structOps', keySize: 4, valueSize: 0, structOps: { link: true,
      optional: false } })
    expect(map!.structOps!.programs).toEqual([
      { offset: 0, member: 'init', program: 'my_init' }, { offset: 8, member: 'ssthresh', program: 'my_thresh' },
    ])
    expect(spec.programs.map(({ name, attach }) => [name, attach])).toEqual([
      ['my_init', { kind: 'struct_ops', name: 'init' }], ['my_thresh', { kind: 'struct_ops', name: 'ssthresh' }],
    ])
    const again = readObject(writeObject(spec))
    expect(again.maps[0]!.structOps).toEqual(map!.structOps)
  })
})

describe('.kconfig', () => {
  const extern = (value: KconfigExtern['value'], size: number, signed = false): KconfigExtern =>
    ({ kind: 'kconfig', name: 'CONFIG_X', weak: false, type: 1, value, signed, offset: 2, size })

  test.each<[KconfigExtern, string, number[]]>([
    [extern('bool', 1), 'y', [1]], [extern('bool', 1), 'n', [0]], [extern('tristate', 4), 'm', [2, 0, 0, 0]],
    [extern('char', 1), 'm', [0x6d]], [extern('int', 4), '250', [250, 0, 0, 0]], [extern('int', 2, true), '-2', [0xfe, 0xff]],
    [extern('int', 8), '0xffffffffffffffff', [255, 255, 255, 255, 255, 255, 255, 255]], [extern('chars', 4), '"(none)"', [0x28,
      0x6e, 0x6f, 0]],
  ])('%#: %s is written as C reads it', (one, text, bytes) => {
    expect([...kconfigBytes([one], 2 + one.size, () => text)]).toEqual([0, 0, ...bytes])
  })

  test.each<[KconfigExtern, string | undefined]>([
    [extern('bool', 1), 'm'], [extern('tristate', 4), 'q'], [extern('int', 1), '256'], [extern('int', 4, true), '2147483648'],
    [extern('int', 4), 'y'], [extern('chars', 4), 'bare'], [extern('bool', 1), undefined],
  ])('%#: %s does not fit', (one, text) => {
    expect(() => kconfigBytes([one], 16, () => text)).toThrow(KconfigError)
  })
})

/** The kernel's log when it refuses types, '' when it takes them. */
function refusedTypes(bytes: Uint8Array): string {
  const memory = allocate(65_536 + bytes.length)
  try {
    memory.u8.set(bytes, 65_536)
    const fd = command('BPF_BTF_LOAD', 28, (attr) => {
      attr.u64(0, memory.address + 65_536)
      attr.u64(8, memory.address)
      attr.u32(16, bytes.length)
      attr.u32(20, 65_536)
      attr.u32(24, 1)
    })
    if (fd >= 0) {
      close(fd)
      return ''
    }
    return `${fd} ${new TextDecoder().decode(memory.u8.slice(0, memory.u8.indexOf(0)))}`
  } finally {
    release(memory)
  }
}

describe.runIf(process.platform === 'linux' && has(features.rawTracepoint))('types in the kernel (feature: loading types)',
  () => {
  test('those with externs are taken once they are made loadable', () => {
    const spec = sampleSpec()
    expect(refusedTypes(spec.btf!)).not.toBe('')
    expect(refusedTypes(loadableBtf(spec)!)).toBe('')
  })

  test.runIf(clangs.length > 0).each(['core', 'linking', 'maps',
    'externs'])('those of %s.bpf.c (feature: clang with bpf target)', (name) => {
    const spec = readObject(compileObject(name).bytes)
    expect(refusedTypes(loadableBtf(spec)!)).toBe('')
    expect(refusedTypes(loadableBtf(readObject(writeObject(spec)))!)).toBe('')
  })

})

test('a builder that goes on with existing types keeps ids and strings', () => {
  const bytes = sampleSpec().btf!
  expect(Buffer.compare(BtfBuilder.from(bytes).build(), bytes)).toBe(0)
})
