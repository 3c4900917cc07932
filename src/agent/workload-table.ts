import { emptyRow } from './empty.ts'
import { errnoName } from './errno.ts'
import { merge, summarise } from './histogram.ts'
import type { ErrnoRate, WorkloadRow } from './snapshot.ts'
import type { Workload } from './workload.ts'

/** A workload without any activity stays on the list this long. */
const keepMs = 5 * 60_000
/** errno values shown of one workload. */
const shownErrors = 8

/** What one workload did during a tick, summed over its cgroups. */
export interface Activity {
  cpuNs: number
  switches: number
  buckets: number[]
  waitNs: number
  calls: number
  errors: number
  errno: Map<number, number>
  starts: number
  connections: number
}

interface Entry { workload: Workload; activity: Activity; seenAt: number; errnoTotals: Map<number, number> }

function idle(): Activity {
  return { cpuNs: 0, switches: 0, buckets: [], waitNs: 0, calls: 0, errors: 0, errno: new Map(), starts: 0, connections: 0 }
}

/** Adds up a tick by workload and turns it into rows. */
export class WorkloadTable {
  private readonly entries = new Map<string, Entry>()

  /** Where to add what the workload did; it counts as seen at `now` (milliseconds of any clock). */
  of(workload: Workload, now: number): Activity {
    let entry = this.entries.get(workload.id)
    if (entry === undefined) {
      entry = { workload, activity: idle(), seenAt: now, errnoTotals: new Map() }
      this.entries.set(workload.id, entry)
    }
    entry.seenAt = now
    return entry.activity
  }

  /** The rows of the tick, busiest first; the next tick begins. */
  finish(seconds: number, now: number): WorkloadRow[] {
    const rows: WorkloadRow[] = []
    for (const [id, entry] of this.entries) {
      if (now - entry.seenAt > keepMs) {
        this.entries.delete(id)
        continue
      }
      rows.push(row(entry, seconds))
      entry.activity = idle()
    }
    return rows.sort((a, b) => b.cpuCores - a.cpuCores || b.syscallsPerSecond - a.syscallsPerSecond || (a.name < b.name ? -1 : 1))
  }
}

function row({ workload, activity, errnoTotals }: Entry, seconds: number): WorkloadRow {
  for (const [errno, count] of activity.errno) errnoTotals.set(errno, (errnoTotals.get(errno) ?? 0) + count)
  return {
    ...emptyRow(workload),
    cpuCores: activity.cpuNs / 1e9 / seconds,
    runQueueLatency: summarise(activity.buckets, activity.waitNs),
    contextSwitchesPerSecond: activity.switches / seconds,
    syscallsPerSecond: activity.calls / seconds,
    syscallErrorsPerSecond: activity.errors / seconds,
    errors: errnoRates(activity.errno, errnoTotals, seconds).slice(0, shownErrors),
    startsPerSecond: activity.starts / seconds,
    tcpPerSecond: activity.connections / seconds,
  }
}

/** Most frequent now first, then most frequent ever. */
export function errnoRates(tick: ReadonlyMap<number, number>, totals: ReadonlyMap<number, number>, seconds: number): ErrnoRate[] {
  return [...totals]
    .map(([errno, total]) => ({ errno, name: errnoName(errno), perSecond: (tick.get(errno) ?? 0) / seconds, total }))
    .sort((a, b) => b.perSecond - a.perSecond || b.total - a.total)
}

export function addHistogram(activity: Activity, sum: number, buckets: ArrayLike<number>): void {
  activity.waitNs += sum
  merge(activity.buckets, buckets)
}
