import type { Snapshot } from './snapshot.ts'

/** One tick, short: what the page draws its first curves from. */
export interface HistoryTick {
  sequence: number
  at: number
  /** Run-queue latency of the tick, as in the snapshot. */
  buckets: number[]
  busyCores: number
  syscallsPerSecond: number
}

export interface History { intervalSeconds: number; snapshots: HistoryTick[] }

/** The last ticks, oldest first. */
export class HistoryRing {
  readonly limit: number
  private readonly ticks: HistoryTick[] = []
  private start = 0

  constructor(limit = 300) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`history: the limit must be a positive integer, not ${limit}`)
    this.limit = limit
  }

  add(snapshot: Snapshot): void {
    const tick: HistoryTick = {
      sequence: snapshot.sequence,
      at: snapshot.at,
      buckets: snapshot.totals.runQueueLatency.buckets,
      busyCores: snapshot.totals.cpu.busyCores,
      syscallsPerSecond: snapshot.totals.syscalls.perSecond,
    }
    if (this.ticks.length < this.limit) this.ticks.push(tick)
    else {
      this.ticks[this.start] = tick
      this.start = (this.start + 1) % this.limit
    }
  }

  list(): HistoryTick[] {
    return [...this.ticks.slice(this.start), ...this.ticks.slice(0, this.start)]
  }
}
