import { ktime } from '../compiler/language/intrinsics.ts'
import { ringbuf } from '../compiler/language/maps.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { event } from '../signals/event.ts'
import { defineProbe } from '../signals/probe.ts'
import { chars, u32, u64 } from '../spec/schema.ts'
import { workload, workloadOf } from './workload.ts'

export const probe = defineProbe({
  name: 'process',
  title: 'Every process start, exec and end',
})

/** linux/sched/signal.h */
const SIGNAL_GROUP_EXIT = 4

export const ring = ringbuf({ name: 'process_events', bytes: 1024 * 1024 })

export const lifecycle = counterGroup('process', {
  description: 'Forks, execs and exits of the whole machine',
  counters: { processes: '{process}', threads: '{thread}', execs: '{exec}', exits: '{process}' },
})

export const started = event('process.start', {
  description: 'A process was forked',
  ring,
  fields: { at: u64, pid: u32, ppid: u32, uid: u32, workload, name: chars(16) },
})

export const executed = event('process.exec', {
  description: 'A process replaced its program; the path is what was given to exec',
  ring,
  fields: { at: u64, pid: u32, ppid: u32, uid: u32, workload, name: chars(16), executable: chars(128) },
})

export const ended = event('process.end', {
  description: 'The last thread of a process ended; code is the status as wait(2) gives it',
  ring,
  fields: { at: u64, pid: u32, ppid: u32, uid: u32, workload, name: chars(16), startedAt: u64, code: u32 },
})

export const forked = tp_btf('sched_process_fork', (_parent, child) => {
  'use bpf'
  const count = lifecycle.at()
  if (count === undefined) return
  if (child.pid !== child.tgid) {
    count.threads += 1
    return
  }
  count.processes += 1
  started.emit({
    at: ktime(),
    pid: child.tgid,
    ppid: child.real_parent.tgid,
    uid: child.cred.uid.val,
    workload: workloadOf(child),
    name: child.comm,
  })
})

export const exec = tp_btf('sched_process_exec', (task, _oldPid, program) => {
  'use bpf'
  const count = lifecycle.at()
  if (count !== undefined) count.execs += 1
  executed.emit({
    at: ktime(),
    pid: task.tgid,
    ppid: task.real_parent.tgid,
    uid: task.cred.uid.val,
    workload: workloadOf(task),
    name: task.comm,
    executable: program.filename,
  })
})

export const exited = tp_btf('sched_process_exit', (task) => {
  'use bpf'
  // Only the last thread ends the process: by then no thread of the group is alive.
  if (task.signal.live.counter !== 0) return
  const count = lifecycle.at()
  if (count !== undefined) count.exits += 1
  const leader = task.group_leader
  const code = (task.signal.flags & SIGNAL_GROUP_EXIT) !== 0 ? task.signal.group_exit_code : leader.exit_code
  ended.emit({
    at: ktime(),
    pid: task.tgid,
    ppid: task.real_parent.tgid,
    uid: task.cred.uid.val,
    workload: workloadOf(task),
    name: leader.comm,
    startedAt: leader.start_time,
    code,
  })
})
