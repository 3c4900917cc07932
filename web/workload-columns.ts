import type { WorkloadRow } from '../src/agent/snapshot.ts'
import { amount, duration, percent } from './format.ts'

export type ColumnId = 'name' | 'kind' | 'cpu' | 'p50' | 'p99' | 'switches' | 'calls' | 'errors' | 'starts' | 'tcp'

export interface Column {
  id: ColumnId
  title: string
  /** What it counts, in words. */
  hint: string
  /** The probe that it comes from: when that is off, there is no value, rather than 0. */
  probe: string | null
  value: (row: WorkloadRow) => string | number | null
  text: (row: WorkloadRow) => string
}

export const columns: readonly Column[] = [
  {
    id: 'name', title: 'Workload', hint: 'systemd unit, container, cgroup, or executable', probe: null,
    value: (row) => row.name, text: (row) => row.name,
  },
  {
    id: 'kind', title: 'Kind', hint: 'What the workload is', probe: null,
    value: (row) => row.kind, text: (row) => row.kind,
  },
  {
    id: 'cpu', title: 'CPU', hint: 'CPU time, in per cent of one CPU', probe: 'scheduler',
    value: (row) => row.cpuCores, text: (row) => percent(row.cpuCores),
  },
  {
    id: 'p50', title: 'Wait p50', hint: 'Half of the waits for a CPU were shorter (from runnable to running)', probe: 'scheduler',
    value: (row) => row.runQueueLatency.p50, text: (row) => duration(row.runQueueLatency.p50),
  },
  {
    id: 'p99', title: 'Wait p99', hint: '99 % of the waits for a CPU were shorter (from runnable to running)', probe: 'scheduler',
    value: (row) => row.runQueueLatency.p99, text: (row) => duration(row.runQueueLatency.p99),
  },
  {
    id: 'switches', title: 'Switches/s', hint: 'Context switches per second', probe: 'scheduler',
    value: (row) => row.contextSwitchesPerSecond, text: (row) => amount(row.contextSwitchesPerSecond),
  },
  {
    id: 'calls', title: 'Calls/s', hint: 'System calls per second', probe: 'syscalls',
    value: (row) => row.syscallsPerSecond, text: (row) => amount(row.syscallsPerSecond),
  },
  {
    id: 'errors', title: 'Errors/s', hint: 'System calls per second that returned an error', probe: 'syscalls',
    value: (row) => row.syscallErrorsPerSecond, text: (row) => amount(row.syscallErrorsPerSecond),
  },
  {
    id: 'starts', title: 'Starts/s', hint: 'Processes started per second', probe: 'process',
    value: (row) => row.startsPerSecond, text: (row) => amount(row.startsPerSecond),
  },
  {
    id: 'tcp', title: 'TCP/s', hint: 'TCP connections opened or accepted per second', probe: 'tcp',
    value: (row) => row.tcpPerSecond, text: (row) => amount(row.tcpPerSecond),
  },
]
