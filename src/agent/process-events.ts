import type { ended, executed, started } from '../probes/process.ts'
import type { ValueOf } from '../spec/schema.ts'
import type { Cgroups } from './cgroups.ts'
import type { Clock } from './clock.ts'
import type { ProcessEvent } from './snapshot.ts'
import type { Workload } from './workload.ts'

type Start = ValueOf<typeof started.record>
type Exec = ValueOf<typeof executed.record>
type End = ValueOf<typeof ended.record>
export type ProcessRecord = { type: 'start'; record: Start } | { type: 'exec'; record: Exec } | { type: 'end'; record: End }

/** How a process ended, of the status that wait(2) gives: exit status in the second byte, signal in the low seven bits. */
export function waitStatus(code: number): { status: number | null; signal: number | null } {
  const signal = code & 0x7f
  return signal === 0 ? { status: (code >> 8) & 0xff, signal: null } : { status: null, signal }
}

/** The record of the kernel in the terms of the snapshot, and the workload that it belongs to. */
export function processEvent({ type, record }: ProcessRecord, clock: Clock, cgroups: Cgroups): { event: ProcessEvent; workload: Workload } {
  const workload = cgroups.workload(record.workload.cgroup, record.workload.comm)
  const event: ProcessEvent = {
    at: clock.at(record.at), type, pid: record.pid, ppid: record.ppid, name: record.name,
    executable: type === 'exec' ? record.executable : '', uid: record.uid, workload: workload.name,
    status: null, signal: null, durationNs: null,
  }
  if (type === 'end') Object.assign(event, waitStatus(record.code), { durationNs: Math.max(0, record.at - record.startedAt) })
  return { event, workload }
}
