import type { task_struct } from 'skep/vmlinux'
import { ktime } from '../compiler/language/intrinsics.ts'
import { arrayMap, percpuArray } from '../compiler/language/maps.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { histogram } from '../signals/histogram.ts'
import { defineProbe } from '../signals/probe.ts'
import { lossCounter } from '../signals/signal.ts'
import { struct, u32, u64 } from '../spec/schema.ts'
import { workload, workloadOf } from './workload.ts'

export const probe = defineProbe({
  name: 'scheduler',
  title: 'CPU time and run-queue latency of every workload',
})

/** linux/sched.h */
const TASK_RUNNING = 0

export const latency = histogram('runq.latency', {
  unit: 'ns',
  description: 'Time that a runnable task waited for a CPU, woken or pre-empted',
  by: workload,
})

export const cpu = counterGroup('cpu', {
  description: 'CPU time and context switches; the idle task is left out',
  counters: { time: 'ns', switches: '{switch}' },
  by: workload,
})

/** What each CPU runs now and since when, so that a reader can add the time since the last switch. */
export const running = percpuArray(struct({ since: u64, pid: u32, workload }, 'running'), { name: 'running' })

/** Slots for stamps: a power of two. Below 65,536 process ids (the default of most kernels) each has one of its own. */
const SLOTS = 65_536
/** Odd, so that ids next to each other have slots of their own far apart: their CPUs do not fight for one cache line. */
const SPREAD = 40_503

/** When each runnable task was put on a run queue, by process id modulo SLOTS; 0 when it is on none. */
const queuedAt = arrayMap(struct({ since: u64, pid: u32 }, 'stamp'), { maxEntries: SLOTS })
/** Stamps that another task with an id of the same slot wrote over. */
export const stampsLost = lossCounter('runq.stamps')

/** The state has had this name since kernel 5.14. */
function stateOf(task: task_struct | (task_struct & { state: number })) {
  'use bpf'
  return 'state' in task ? task.state : task.__state
}

function enqueue(pid: number, now: number) {
  'use bpf'
  const stamp = queuedAt.get((pid * SPREAD) & (SLOTS - 1))
  if (stamp === undefined) return
  if (stamp.since !== 0 && stamp.pid !== pid) stampsLost.add(0, 1)
  stamp.pid = pid
  stamp.since = now
}

function forget(pid: number) {
  'use bpf'
  const stamp = queuedAt.get((pid * SPREAD) & (SLOTS - 1))
  if (stamp !== undefined && stamp.pid === pid) stamp.since = 0
}

export const wakeup = tp_btf('sched_wakeup', (task) => { 'use bpf'; if (task.pid !== 0) enqueue(task.pid, ktime()) })
export const wakeupNew = tp_btf('sched_wakeup_new', (task) => { 'use bpf'; if (task.pid !== 0) enqueue(task.pid, ktime()) })

export const switched = tp_btf('sched_switch', (preempt, prev, next) => {
  'use bpf'
  const now = ktime()
  const current = running.get(0)
  if (current === undefined) return

  if (prev.pid !== 0) {
    if (current.since !== 0) {
      const used = cpu.at(workloadOf(prev))
      if (used !== undefined) {
        used.time += now - current.since
        used.switches += 1
      }
    }
    if (stateOf(prev) === TASK_RUNNING || preempt) {
      enqueue(prev.pid, now)
    } else {
      // A task that was woken before it had gone to sleep still has a stamp, which its next wait must not begin with.
      forget(prev.pid)
    }
  }

  current.since = now
  current.pid = next.pid
  if (next.pid === 0) return
  const key = workloadOf(next)
  current.workload = key
  const stamp = queuedAt.get((next.pid * SPREAD) & (SLOTS - 1))
  if (stamp === undefined || stamp.pid !== next.pid) return
  const { since } = stamp
  if (since === 0) return
  stamp.since = 0
  latency.record(now - since, key)
})

export const exited = tp_btf('sched_process_exit', (task) => {
  'use bpf'
  forget(task.pid)
})
