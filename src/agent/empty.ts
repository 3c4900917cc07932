import { cpus, hostname, release, uptime } from 'node:os'
import { summarise } from './histogram.ts'
import type { AgentCost, HostFacts, Snapshot, Totals, WorkloadRow } from './snapshot.ts'

/** Facts of this machine. `startedAt` is the agent's start in milliseconds since the epoch. */
export function hostFacts(startedAt: number): HostFacts {
  return {
    name: hostname(), kernel: release(), architecture: process.arch, cpus: cpus().length,
    bootAt: Math.round(Date.now() - uptime() * 1000), startedAt,
  }
}

export function emptyTotals(): Totals {
  return {
    cpu: { busyCores: 0, contextSwitchesPerSecond: 0 },
    runQueueLatency: summarise([], 0),
    processes: { startsPerSecond: 0, endsPerSecond: 0, starts: 0, ends: 0, forks: 0 },
    syscalls: { perSecond: 0, errorsPerSecond: 0, total: 0, errors: [] },
    tcp: {
      openedPerSecond: 0, acceptedPerSecond: 0, closedPerSecond: 0, failedPerSecond: 0,
      opened: 0, accepted: 0, closed: 0, failed: 0,
    },
  }
}

export function emptyCost(): AgentCost {
  return { userCores: 0, kernelCores: null, kernelMeasuredAt: null, kernelFailure: null, residentBytes: 0, mapBytes: 0, lost: 0, programs: [] }
}

/** What there is to say before the first tick. */
export function emptySnapshot(startedAt = Date.now()): Snapshot {
  return {
    v: 1, sequence: 0, at: startedAt, intervalSeconds: 0, host: hostFacts(startedAt), recording: null, agent: emptyCost(), probes: [],
    totals: emptyTotals(), workloads: [], workloadsLeftOut: 0, processes: [], connections: [], disks: [],
  }
}

export function emptyRow(workload: Pick<WorkloadRow, 'id' | 'name' | 'kind' | 'cgroup'>): WorkloadRow {
  return {
    ...workload, cpuCores: 0, runQueueLatency: summarise([], 0), contextSwitchesPerSecond: 0,
    syscallsPerSecond: 0, syscallErrorsPerSecond: 0, errors: [], startsPerSecond: 0, tcpPerSecond: 0,
  }
}
