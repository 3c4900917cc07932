import type { HistoryTick } from '../src/agent/history.ts'
import type { Snapshot } from '../src/agent/snapshot.ts'

/** One tick on the page's time axis. */
export interface Point {
  /** host.startedAt of the agent: sequences count anew after a restart. */
  run: number
  sequence: number
  at: number
  /** Run-queue latency. */
  buckets: readonly number[]
  busyCores: number
  calls: number
  errors: number
  starts: number
  ends: number
  tcp: number
  diskBytes: number
  agentCores: number
}

/** Points kept: ten minutes of seconds. */
export const limit = 600

export function pointOf(snapshot: Snapshot): Point {
  const { totals, agent } = snapshot
  return {
    run: snapshot.host.startedAt, sequence: snapshot.sequence, at: snapshot.at,
    buckets: totals.runQueueLatency.buckets, busyCores: totals.cpu.busyCores,
    calls: totals.syscalls.perSecond, errors: totals.syscalls.errorsPerSecond,
    starts: totals.processes.startsPerSecond, ends: totals.processes.endsPerSecond,
    tcp: totals.tcp.openedPerSecond + totals.tcp.acceptedPerSecond,
    diskBytes: snapshot.disks.reduce((sum, disk) => sum + disk.readBytesPerSecond + disk.writtenBytesPerSecond, 0),
    agentCores: agent.userCores + (agent.kernelCores ?? 0),
  }
}

export function pointOfHistory(run: number, tick: HistoryTick): Point {
  return {
    run, sequence: tick.sequence, at: tick.at, buckets: tick.buckets, busyCores: tick.busyCores, calls: tick.syscallsPerSecond,
    errors: tick.syscallErrorsPerSecond, starts: tick.startsPerSecond, ends: tick.endsPerSecond, tcp: tick.tcpPerSecond,
    diskBytes: tick.diskBytesPerSecond, agentCores: tick.agentCores,
  }
}

/** A new list with a newer point at its end; one that is there already is left out. */
export function append(points: readonly Point[], point: Point): readonly Point[] {
  const last = points.at(-1)
  if (last !== undefined && last.run === point.run && point.sequence <= last.sequence) return points
  return points.length < limit ? [...points, point] : [...points.slice(points.length - limit + 1), point]
}

/**
 * Fills gaps from the agent's history, of the run `run` of the agent. Points that were received live tell more, so they stay.
 */
export function fill(points: readonly Point[], run: number, ticks: readonly HistoryTick[]): readonly Point[] {
  const own = new Map(points.filter((point) => point.run === run).map((point) => [point.sequence, point]))
  const missing = ticks.filter(({ sequence }) => !own.has(sequence)).map((tick) => pointOfHistory(run, tick))
  if (missing.length === 0) return points
  const others = points.filter((point) => point.run !== run)
  const joined = [...own.values(), ...missing].sort((a, b) => a.sequence - b.sequence)
  return [...others, ...joined].slice(-limit)
}

/** How many ticks of the same run are missing right before the point `next`. */
export function missingBefore(points: readonly Point[], next: Point): number {
  const last = points.at(-1)
  return last === undefined || last.run !== next.run ? 0 : Math.max(0, next.sequence - last.sequence - 1)
}

/**
 * The column of each point on a time axis whose last column is 0: -1 is one interval older. A tick takes as many columns as
 * intervals went by, so what is missing leaves its room empty.
 */
export function columns(points: readonly Point[], intervalMs: number): number[] {
  const result = new Array<number>(points.length).fill(0)
  for (let index = points.length - 2; index >= 0; index--) {
    const [point, next] = [points[index]!, points[index + 1]!]
    const passed = Math.round((next.at - point.at) / intervalMs)
    const steps = next.run === point.run ? next.sequence - point.sequence : 2
    result[index] = result[index + 1]! - Math.max(1, steps, passed)
  }
  return result
}
