import { expect, test } from 'vitest'
import { compileModule } from '../compile.ts'
import { CompileError } from '../errors.ts'
import { percpuArray } from '../language/maps.ts'
import { tp_btf } from '../language/programs.ts'
import { smallKernel } from '../testing/small-kernel.ts'
import { u64 } from '../../spec/schema.ts'

const seen = percpuArray(u64, { name: 'seen' })
const codeOf = (program: unknown) => [...compileModule({ program }, { btf: smallKernel(), name: 'test', validate: true }).spec.programs[0]!.code]

test('an argument that only other kernels have is undefined, and what depends on it folds away', () => {
  const withOther = tp_btf('sched_wakeup', (first: any, second?: any) => { 'use bpf'; const task = second ?? first; seen.add(0, task.pid) })
  const without = tp_btf('sched_wakeup', (task: any) => { 'use bpf'; seen.add(0, task.pid) })
  expect(codeOf(withOther)).toEqual(codeOf(without))
})

test('an optional argument that this kernel has is what it is', () => {
  const optional = tp_btf('sched_switch', (_preempt: any, prev: any, next?: any) => { 'use bpf'; const task = next ?? prev; seen.add(0, task.pid) })
  const required = tp_btf('sched_switch', (_preempt: any, _prev: any, next: any) => { 'use bpf'; seen.add(0, next.pid) })
  expect(codeOf(optional)).toEqual(codeOf(required))
})

test('one that is not optional is refused at its place', () => {
  // @ts-expect-error the types say so too
  const program = tp_btf('sched_wakeup', (task: any, other: any) => { 'use bpf'; if (other !== undefined) seen.add(0, task.pid) })
  expect(() => codeOf(program)).toThrow(CompileError)
  expect(() => codeOf(program)).toThrow(/SKEP-C07: tp_btf 'sched_wakeup' has 1 argument on this kernel, not 2/)
})
