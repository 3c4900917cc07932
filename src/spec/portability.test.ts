import { describe, expect, test } from 'vitest'
import { Btf } from '../btf/btf.ts'
import { BtfBuilder } from '../btf/builder.ts'
import { compileModule } from '../compiler/compile.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { ktime } from '../compiler/language/intrinsics.ts'
import { hash, ringbuf } from '../compiler/language/maps.ts'
import { smallKernel } from '../compiler/testing/small-kernel.ts'
import { portability, type Obstacle } from './portability.ts'
import { u32, u64 } from './schema.ts'
import type { Spec } from './spec.ts'

const seen = hash(u32, u64, { name: 'seen' })
const ring = ringbuf({ name: 'ring', bytes: 4096 })
const compiledOn = smallKernel()
const spec = (program: unknown): Spec => compileModule({ program }, { btf: compiledOn, name: 'test' }).spec
const obstacles = (one: Spec, target: Btf): Obstacle[] => portability(one, Btf.parse(one.btf!), target, compiledOn)[0]!.obstacles

/** A kernel with just the field, the hook and the lists that a test is about. */
function kernel({ field = 'pid', hook = 'sched_wakeup', args = ['task_struct'], helpers = ['ktime_get_ns', 'map_update_elem'], maps = [1] }: {
  field?: string; hook?: string; args?: string[]; helpers?: string[]; maps?: number[]
} = {}): Btf {
  const b = new BtfBuilder()
  const int = b.int('int', 4, { signed: true })
  const task = b.declareStruct('task_struct', 64)
  b.completeStruct(task, [{ name: field, type: int, bitOffset: 256 }])
  const other = b.declareStruct('rq', 8)
  b.completeStruct(other, [{ name: 'nr', type: int, bitOffset: 0 }])
  const proto = b.funcProto(0, [{ name: '', type: b.ptr(0) }, ...args.map((name) => ({ name: '', type: name === 'task_struct' ? b.ptr(task) : name === 'rq' ? b.ptr(other) : int }))])
  b.typedef(`btf_trace_${hook}`, b.ptr(proto))
  b.enum('bpf_func_id', 4, false, helpers.map((name, index) => ({ name: `BPF_FUNC_${name}`, value: BigInt(index + 1) })))
  b.enum('bpf_map_type', 4, false, [...maps.map((value) => ({ name: `BPF_MAP_TYPE_${value}`, value: BigInt(value) })), { name: '__MAX_BPF_MAP_TYPE', value: 27n }])
  return Btf.parse(b.build())
}

describe('a program that stores the time by pid', () => {
  const stores = spec(tp_btf('sched_wakeup', (task: any) => { 'use bpf'; seen.set(task.pid, ktime()) }))

  test('nothing is in the way where all of it is there, at other offsets too', () => {
    expect(obstacles(stores, kernel())).toEqual([])
    expect(obstacles(stores, compiledOn)).toEqual([])
  })

  test.each<[string, Parameters<typeof kernel>[0], Partial<Obstacle>]>([
    ['a field', { field: 'tgid' }, { kind: 'field', what: 'struct task_struct.pid (0:0)', reason: "the kernel's type has no such field" }],
    ['the hook', { hook: 'sched_waking' }, { kind: 'hook', what: 'tp_btf/sched_wakeup', slot: null }],
    ['another type of argument', { args: ['rq', 'task_struct'] }, { kind: 'prototype', what: 'tp_btf/sched_wakeup' }],
    ['a helper', { helpers: ['map_update_elem'] }, { kind: 'helper', what: 'bpf_ktime_get_ns' }],
    ['the type of map', { maps: [2] }, { kind: 'map', what: 'hash' }],
  ])('%s is missing', (_name, has, expected) => {
    const found = obstacles(stores, kernel(has))
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject(expected)
  })

  test('what is about an instruction names its slot', () => {
    const [found] = obstacles(stores, kernel({ field: 'tgid' }))
    expect(stores.programs[0]!.relocations.map(({ slot }) => slot)).toContain(found!.slot)
  })

  test('arguments that it does not read may be absent', () => {
    expect(obstacles(stores, kernel({ args: ['task_struct', 'int'] }))).toEqual([])
  })
})

test('only the maps that a program uses count', () => {
  const both = compileModule({
    plain: tp_btf('sched_wakeup', (task: any) => { 'use bpf'; seen.set(task.pid, ktime()) }),
    ringed: tp_btf('sched_wakeup', () => { 'use bpf'; seen.set(0, ring.available()) }),
  }, { btf: compiledOn, name: 'test' }).spec
  const found = portability(both, Btf.parse(both.btf!), kernel({ helpers: ['ktime_get_ns', 'map_update_elem', 'ringbuf_query'] }), compiledOn)
  expect(found.map(({ program, obstacles: all }) => [program, all.map(({ what }) => what)])).toEqual([['plain', []], ['ringed', ['ringbuf']]])
})
