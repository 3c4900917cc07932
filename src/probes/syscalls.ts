import { currentTask } from '../compiler/language/intrinsics.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { counter } from '../signals/counter.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { defineProbe } from '../signals/probe.ts'
import { chars, u32, u64 } from '../spec/schema.ts'
import { workload, workloadOf } from './workload.ts'

export const probe = defineProbe({
  name: 'syscalls',
  title: 'System calls and their errors by workload',
})

/** The largest errno that a system call returns, negated (linux/err.h). */
const MAX_ERRNO = 4095

export const calls = counterGroup('syscalls', {
  description: 'System calls that returned; exit and exit_group never do',
  counters: { count: '{call}', errors: '{error}' },
  by: workload,
})

export const errors = counter('syscalls.errors', {
  unit: '{error}',
  description: 'System calls that failed, by errno',
  by: { cgroup: u64, comm: chars(16), errno: u32 },
  maxKeys: 4096,
})

export const returned = tp_btf('sys_exit', (_registers, result) => {
  'use bpf'
  const key = workloadOf(currentTask())
  const seen = calls.at(key)
  if (seen === undefined) return
  seen.count += 1
  if (result < 0 && result >= -MAX_ERRNO) {
    seen.errors += 1
    errors.add(1, { cgroup: key.cgroup, comm: key.comm, errno: -result })
  }
})
