import type { Snapshot } from '../agent/snapshot.ts'
import { amount, nanoseconds, percentOfCpu } from './format.ts'
import { sorted } from './screen.ts'
import { left, plain, right } from './text.ts'

/** Workloads shown with a tick. */
const shownWorkloads = 5

/** A tick as plain lines, for pipes and logs: one summary, then the busiest workloads. */
export function tickLines(snapshot: Snapshot): string[] {
  const { totals, host, agent } = snapshot
  const { cpu, runQueueLatency: queue, syscalls, processes, tcp } = totals
  const summary = [
    new Date(snapshot.at).toISOString(),
    ...(snapshot.recording === null ? [] : ['RECORDING, not this machine']),
    `cpu ${percentOfCpu(cpu.busyCores)} of ${host.cpus * 100}%`,
    `run queue p50 ${nanoseconds(queue.p50)} p99 ${nanoseconds(queue.p99)}`,
    `calls ${amount(syscalls.perSecond)}/s errors ${amount(syscalls.errorsPerSecond)}/s`,
    `starts ${amount(processes.startsPerSecond)}/s`,
    `tcp opened ${amount(tcp.openedPerSecond)}/s accepted ${amount(tcp.acceptedPerSecond)}/s failed ${amount(tcp.failedPerSecond)}/s`,
    `skep ${percentOfCpu(agent.userCores)} + kernel ${percentOfCpu(agent.kernelCores)}`,
    `lost ${amount(agent.lost)}`,
  ].join(' | ')
  const rows = sorted(snapshot.workloads, 'cpu').slice(0, shownWorkloads).map((row) =>
    `  ${left(plain(row.name), 32)} ${left(row.kind, 10)} cpu ${right(percentOfCpu(row.cpuCores), 5)}  wait p99 ${right(nanoseconds(row.runQueueLatency.p99), 7)}` +
    `  calls ${right(amount(row.syscallsPerSecond), 5)}/s  errors ${right(amount(row.syscallErrorsPerSecond), 5)}/s`)
  return [summary, ...rows]
}
