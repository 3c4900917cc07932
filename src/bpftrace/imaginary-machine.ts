import { BtfBuilder } from '../btf/builder.ts'
import { Btf } from '../btf/btf.ts'
import type { Environment, Hooks } from './environment.ts'
import { wildcard } from './syntax/probe-names.ts'

/** A machine for tests: a few functions, tracepoints, files and types, by the names that public test data use. */
export function imaginaryMachine(): Environment {
  return {
    btf: imaginaryTypes(), hooks, cpus: 4,
    tracepointFields: (category, name) => [
      { type: 'unsigned short', name: 'common_type', offset: 0, size: 2, signed: false },
      { type: 'int', name: 'common_field', offset: 8, size: 4, signed: true },
      { type: 'int', name: `${name}_id`, offset: 12, size: 4, signed: true },
      { type: 'char[16]', name: category, offset: 16, size: 16, signed: false },
    ],
    userSymbol: () => ({ address: 4096, size: 8, relocatable: false }),
    kernelSymbol: () => 0xffff_ffff_8100_0000n,
    perCpuSymbol: (name) => name === 'process_counts',
    cgroupId: () => 1n,
  }
}

const functions = ['sys_read', 'sys_write', 'func_in_mod', 'func_1', 'func_2', 'func_3', 'func_anon_struct', 'tcp_shutdown', 'f', 'func_array_with_compound_data',
  'queued_spin_lock_slowpath', 'otherfunc', 'parse_config', 'do_nanosleep', 'sys_open']
const tracepoints = ['sched:sched_one', 'sched:sched_two', 'sched:foo', 'sched_extra:sched_extra', 'notsched:bar', 'file:filename', 'tcp:some_tcp_tp', 'btf:tag', 'category:event',
  'syscalls:sys_enter_read', 'syscalls:sys_enter_openat']
const symbols = [
  'f', 'main', 'first_open', 'second_open', 'readline', 'cpp_mangled', '_Z11cpp_mangledi', 'fA', 'readv', 'glob_asciirange', 'func',
]

const hooks: Hooks = {
  tracepoints: (category, name) => tracepoints.filter((one) => {
    const [left, right] = one.split(':') as [string, string]
    return wildcard(category).test(left) && wildcard(name).test(right)
  }),
  functions: (module, name) => functions.filter((one) => wildcard(name).test(one)).map(
    (one) => `${module.includes('*') ? 'vmlinux' : module}:${one}`,
  ),
  rawTracepoints: (name) => ['event_rt', 'event_rt_two', 'sched_switch'].filter((one) => wildcard(name).test(one)),
  files: (pattern) => ['/bin/sh', '/bin/bash', 'sh', './a'].filter((one) => wildcard(pattern).test(one)).map((one) => (one === 'sh' ? '/bin/sh' : one)),
  symbols: (path, name) => (path.includes('sh') || path === './a' ? symbols.filter((one) => wildcard(name.replace(/\(.*\)$/, '')).test(one)).map((one) => ({ name: one, address: 4096, size: 16 })) : null),
  usdt: (_path, provider, name) => [{ provider: 'namespace', name: 'probe', arguments: '' }].filter(
    (one) => wildcard(provider).test(one.provider) && wildcard(name).test(one.name),
  ),
  iterators: () => ['task', 'task_file', 'task_vma'],
  hasModule: (name) => name.startsWith('kernel_mod'),
}

function imaginaryTypes(): Btf {
  const b = new BtfBuilder()
  const i32 = b.int('int', 4, { signed: true })
  const char = b.int('char', 1, { char: true })
  const long = b.int('long int', 8, { signed: true })
  const u64 = b.int('unsigned long', 8, {})
  const index = b.int('unsigned int', 4, {})
  for (const [name, type] of [
    ['uint64_t', u64], ['size_t', u64], ['uint32_t', index], ['pid_t', i32],
  ] as const) b.typedef(name, type)
  const member = (name: string, type: number, bytes: number) => ({ name, type, bitOffset: bytes * 8 })
  const foo1 = b.struct('Foo1', 16, [member('a', i32, 0), member('b', char, 4), member('c', long, 8)])
  const inner = b.struct('', 1, [member('g', char, 0)])
  const union = b.union('', 16, [member('f', foo1, 0), member('', inner, 0)])
  const foo2 = b.struct('Foo2', 24, [member('a', i32, 0), member('', union, 8)])
  const foo1Pointer = b.ptr(foo1)
  const foo2Pointer = b.ptr(foo2)
  const foo3 = b.struct('Foo3', 16, [member('foo1', foo1Pointer, 0), member('foo2', foo2Pointer, 8)])
  const foo3Pointer = b.ptr(foo3)
  b.struct('Foo4', 16, [member('pid', i32, 0), member('pgid', i32, 4)])
  b.struct('Foo', 8, [member('field_with_tag', i32, 0)])
  b.struct(
    'task_struct', 48, [
      member('pid', i32, 0), member('pgid', i32, 4), member('comm', b.array(char, index, 16), 8), member('file', b.ptr(0), 24),
    ],
  )
  const sock = b.struct('sock', 8, [member('sk_state', i32, 0)])
  const sub = b.struct('', 4, [member('c', i32, 0)])
  const anonA = b.typedef('AnonTypedef', b.struct('', 4, [member('a', i32, 0)]))
  const anonB = b.struct('', 8, [member('a', i32, 0), member('b', i32, 4), member('AnonSubArray', b.array(sub, index, 2), 8)])
  const anon = b.struct(
    'AnonStruct', 64, [
      member('AnonArray', b.array(anonB, index, 2), 0), member('AnonTypedefArray', b.array(anonA, index, 2), 32),
    ],
  )
  const fn = (name: string, params: [string, number][], returns = i32) => b.func(
    name, b.funcProto(returns, params.map(([param, type]) => ({ name: param, type }))), 'static',
  )
  fn('func_1', [['a', i32], ['foo1', foo1Pointer], ['foo2', foo2Pointer], ['foo3', foo3Pointer]])
  for (const name of [
    'func_2', 'func_3', 'f', 'otherfunc', 'queued_spin_lock_slowpath', 'sys_read', 'sys_write',
  ]) fn(name, [['a', i32], ['b', b.ptr(i32)], ['foo1', foo1Pointer]])
  fn('func_anon_struct', [['AnonStruct', b.ptr(anon)], ['AnonTypedef', b.ptr(anonA)]])
  fn('tcp_shutdown', [['sk', b.ptr(sock)], ['how', i32]], 0)
  const proto = b.funcProto(0, [{ name: '__data', type: b.ptr(0) }, { name: 'first_real_arg', type: u64 }])
  for (const name of ['event_rt', 'event_rt_two', 'sched_switch']) b.typedef(`btf_trace_${name}`, b.ptr(proto))
  return Btf.parse(b.build())
}
