/**
 * CPU time is added to a workload's counter when its task leaves the CPU. A task that has run for
 * seconds would be invisible until then, so each CPU also says what runs on it and since when, and the
 * reader adds that. What was reported ahead of the counter is remembered and taken off when it arrives.
 */
export class RunningTime {
  private readonly ahead = new Map<string, number>()

  /**
   * CPU nanoseconds to report by key for this tick: what the counters gained, corrected by what runs now.
   * The two were not read at one instant, so a correction can be negative: it then waits for the next tick,
   * and the sum over all ticks stays right.
   */
  settle(counted: ReadonlyMap<string, number>, running: ReadonlyMap<string, number>): Map<string, number> {
    const report = new Map<string, number>()
    for (const key of new Set([...counted.keys(), ...running.keys(), ...this.ahead.keys()])) {
      const gained = counted.get(key) ?? 0
      const before = this.ahead.get(key) ?? 0
      const ns = Math.max(0, gained + (running.get(key) ?? 0) - before)
      const ahead = before + ns - gained
      if (ahead === 0) this.ahead.delete(key)
      else this.ahead.set(key, ahead)
      if (ns > 0) report.set(key, ns)
    }
    // What was lost to a full map is never counted: forget rather than grow.
    if (this.ahead.size > 10_000) this.ahead.clear()
    return report
  }
}

/** What a CPU runs: whose it is, and the time at which it came there; pid 0 is the idle task. */
export interface RunningEntry<K> { since: number; pid: number; workload: K }

/**
 * How long what runs has run, by key. The clock `now` (nanoseconds) was asked before the entries were read, however long
 * this process then had to wait for a CPU of its own: what is found running has run until that time at least. The other
 * way round, time would be reported that was never used, and a workload that ends there keeps it.
 */
export function runningTimes<K>(now: number, entries: readonly RunningEntry<K>[], keyText: (key: K) => string): Map<string, { key: K; ns: number }> {
  const times = new Map<string, { key: K; ns: number }>()
  for (const { since, pid, workload } of entries) {
    if (since === 0 || pid === 0 || since >= now) continue
    const text = keyText(workload)
    const ns = (times.get(text)?.ns ?? 0) + now - since
    times.set(text, { key: workload, ns })
  }
  return times
}
