import type { task_struct } from 'skep/vmlinux'
import { ktime } from '../compiler/language/intrinsics.ts'
import { hash, percpuArray } from '../compiler/language/maps.ts'
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

/** When each runnable task was put on a run queue. */
const queuedAt = hash(u32, u64, { maxEntries: 16_384 })
export const stampsLost = lossCounter('runq.stamps')

/** The state has had this name since kernel 5.14. */
function stateOf(task: task_struct | (task_struct & { state: number })) {
  'use bpf'
  return 'state' in task ? task.state : task.__state
}

function enqueue(task: task_struct) {
  'use bpf'
  if (task.pid === 0) return
  if (!queuedAt.set(task.pid, ktime())) stampsLost.add(0, 1)
}

export const wakeup = tp_btf('sched_wakeup', (task) => { 'use bpf'; enqueue(task) })
export const wakeupNew = tp_btf('sched_wakeup_new', (task) => { 'use bpf'; enqueue(task) })

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
      if (!queuedAt.set(prev.pid, now)) stampsLost.add(0, 1)
    } else {
      // A task that was woken before it had gone to sleep still has a stamp, which its next wait must not begin with.
      queuedAt.delete(prev.pid)
    }
  }

  current.since = now
  current.pid = next.pid
  if (next.pid === 0) return
  const key = workloadOf(next)
  current.workload = key
  const since = queuedAt.get(next.pid)
  if (since === undefined) return
  queuedAt.delete(next.pid)
  latency.record(now - since, key)
})

export const exited = tp_btf('sched_process_exit', (task) => {
  'use bpf'
  queuedAt.delete(task.pid)
})
