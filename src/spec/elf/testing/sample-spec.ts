import { encode, LDDW, type Instruction } from '../../../asm/asm.ts'
import { BtfBuilder } from '../../../btf/builder.ts'
import type { Spec } from '../../spec.ts'

const of = (code: number, fields: Partial<Instruction> = {}): Instruction => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields })
const exit = of(0x95)

/** A Spec with something of everything that an object can hold, made without a compiler. */
export function sampleSpec(): Spec {
  const b = new BtfBuilder()
  const int = b.int('int', 4, { signed: true })
  const char = b.int('char', 1, { signed: true })
  const bool = b.int('_Bool', 1, { bool: true })
  const proto = b.funcProto(int, [{ name: 'ctx', type: b.ptr(0) }])
  const [main, second, called] = [b.func('main_program', proto, 'global'), b.func('second', proto, 'global'), b.func('called',
    proto)]
  const kfunc = b.func('bpf_rcu_read_lock', b.funcProto(0, []), 'extern')
  const task = b.struct('task_struct', 8, [{ name: 'pid', type: int, bitOffset: 0 }, { name: 'tgid', type: int, bitOffset: 32 }])
  const ops = b.struct('tcp_congestion_ops', 24, [
    { name: 'init', type: b.ptr(proto), bitOffset: 0 }, { name: 'name', type: b.array(char, int, 16), bitOffset: 64 },
  ])
  const text = b.array(char, int, 4)
  const wanted = b.var('wanted', int, 1)
  const label = b.var('label', text, 0)
  const rodata = b.datasec('.rodata', 8, [{ type: wanted, offset: 0, size: 4 }, { type: label, offset: 4, size: 4 }])
  const bss = b.datasec('.bss', 4096, [{ type: b.var('total', int, 1), offset: 16, size: 4 }])
  const kconfig = b.datasec('.kconfig', 0, [{ type: b.var('CONFIG_BPF', bool, 2), offset: 0, size: 1 },
    { type: b.var('CONFIG_HZ', int, 2), offset: 0, size: 4 }])
  b.datasec('.ksyms', 0, [{ type: kfunc, offset: 0, size: 0 }, { type: b.var('jiffies', int, 2), offset: 0, size: 4 }])
  const [file, line] = [b.string('probe.c'), b.string('return 0;')]
  const programs: Spec['programs'] = [
    {
      name: 'main_program', section: 'tp_btf/sched_switch', type: 'tracing', attach: { kind: 'tp_btf', name: 'sched_switch' },
        attachType: 'trace_raw_tp',
      code: encode([
        of(0xb7, { dst: 1, imm: 0 }), of(LDDW, { dst: 1, src: 1, imm64: 0n }), of(LDDW, { dst: 2, src: 2, imm64: 4n << 32n }),
        of(0x85, { src: 1, imm: 4 }), of(LDDW, { dst: 3, imm64: 0n }), of(0x85, { src: 2 }), exit,
        of(LDDW, { dst: 4, src: 2, imm64: 16n << 32n }), of(LDDW, { dst: 5, src: 4, imm64: 0xffff_fffdn }), exit,
      ]),
      maps: [{ slot: 1, map: 'counts' }, { slot: 3, map: '.rodata', offset: 4 }, { slot: 10, map: '.bss', offset: 16 }],
      relocations: [{ slot: 0, kind: 'fieldByteOffset', type: task, access: '0:0' }],
      functions: [{ slot: 0, type: main }, { slot: 10, type: called }],
      lines: [{ slot: 0, file, text: line, line: 3, column: 7 }, { slot: 10, file, text: line, line: 9, column: 1 }],
      externs: [{ slot: 6, extern: 'jiffies' }, { slot: 8, extern: 'bpf_rcu_read_lock' }],
      subprograms: [{ slot: 10, name: 'called' }],
    },
    {
      name: 'second', section: '?struct_ops.s/init', type: 'struct_ops', attach: { kind: 'struct_ops', name: 'init' },
        flags: 16, autoload: false,
      code: encode([of(LDDW, { dst: 1, src: 2, imm64: 0n }), of(0xb7), exit]),
      maps: [{ slot: 0, map: '.kconfig', offset: 0 }], relocations: [], functions: [{ slot: 0, type: second }],
      lines: [{ slot: 0, file, text: line, line: 20, column: 2 }],
    },
    { name: 'tail', section: 'socket', type: 'socket_filter', attach: { kind: 'given', name: '' }, code: encode([of(0xb7),
      exit]), maps: [], relocations: [], functions: [], lines: [] },
  ]
  return {
    name: 'sample', license: 'Dual BSD/GPL', kernelVersion: 0x06_01_02,
    maps: [
      { name: 'counts', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 64, flags: 1, keyType: int, valueType: task,
        pinning: 'byName' },
      { name: 'inner_map', type: 'array', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 },
      {
        name: 'outer', type: 'hashOfMaps', keySize: 4, valueSize: 4, maxEntries: 8, flags: 0, slots: [{ key: 2,
          map: 'inner_map' }],
        inner: { name: 'outer.inner', type: 'array', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 },
      },
      { name: 'jumps', type: 'progArray', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0, slots: [{ key: 0,
        program: 'tail' }, { key: 3, program: 'tail' }] },
      { name: 'filter', type: 'bloomFilter', keySize: 0, valueSize: 4, maxEntries: 100, flags: 0, mapExtra: 5, numaNode: 0 },
      { name: 'far', type: 'arena', keySize: 0, valueSize: 0, maxEntries: 10, flags: 1024, mapExtra: 2 ** 44 },
      {
        name: '.rodata', type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0x480, valueType: rodata,
        data: {
          section: '.rodata', contents: Uint8Array.of(7, 0, 0, 0, 97, 98, 99, 0), frozen: true,
          variables: [{ name: 'wanted', offset: 0, size: 4, type: int, static: false }, { name: 'label', offset: 4, size: 4,
            type: text, static: true }],
        },
      },
      {
        name: '.bss', type: 'array', keySize: 4, valueSize: 4096, maxEntries: 1, flags: 0x400, valueType: bss,
        data: { section: '.bss', contents: null, frozen: false, variables: [{ name: 'total', offset: 16, size: 4, type: int,
          static: false }] },
      },
      {
        name: '.kconfig', type: 'array', keySize: 4, valueSize: 5, maxEntries: 1, flags: 0x480, valueType: kconfig,
        data: {
          section: '.kconfig', contents: null, frozen: true,
          variables: [{ name: 'CONFIG_HZ', offset: 0, size: 4, type: int, static: false }, { name: 'CONFIG_BPF', offset: 4,
            size: 1, type: bool, static: false }],
        },
      },
      {
        name: 'congestion', type: 'structOps', keySize: 4, valueSize: 0, maxEntries: 1, flags: 0,
        structOps: {
          type: ops, contents: Uint8Array.from({ length: 24 }, (_, at) => (at < 8 ? 0 : at)), link: true, optional: false,
          programs: [{ offset: 0, member: 'init', program: 'second' }],
        },
      },
    ],
    programs,
    btf: b.build(),
    externs: [
      { kind: 'ksym', name: 'jiffies', weak: true, function: false, type: int },
      { kind: 'ksym', name: 'bpf_rcu_read_lock', weak: false, function: true, type: kfunc },
      { kind: 'kconfig', name: 'CONFIG_HZ', weak: false, type: int, value: 'int', signed: true, offset: 0, size: 4 },
      { kind: 'kconfig', name: 'CONFIG_BPF', weak: true, type: bool, value: 'bool', signed: false, offset: 4, size: 1 },
    ],
  }
}
