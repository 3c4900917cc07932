/** The kernel's monotonic clock (bpf_ktime_get_ns; Node's hrtime is the same) against the clock of the day. */

/** Nanoseconds since boot, sleep left out: exact to 2^53, which is 104 days at 1 ns and then to 2 ns. */
export function monotonicNs(): number {
  return Number(process.hrtime.bigint())
}

/**
 * Reads at a known moment. A process that loses its CPU between the clock and the reading would hold what it read against
 * a time that is over: so it reads again then, three times at most.
 */
export function promptly<T>(read: () => T, limitMs: number, now: () => number = () => performance.now()): { value: T; at: number } {
  for (let attempt = 1; ; attempt++) {
    const at = now()
    const value = read()
    if (attempt === 3 || now() - at <= limitMs) return { value, at }
  }
}

/** What tells the times of a pipeline: this machine's clocks, or those of a recording. */
export interface Clock {
  /** Follows changes of the clock of the day. Call once a tick. */
  adjust(): void
  /** Milliseconds since the epoch of a kernel time stamp, in whole milliseconds. */
  at(ktimeNs: number): number
  /** The kernel's clock now. */
  now(): number
}

export class WallClock implements Clock {
  private offsetMs = 0

  constructor() { this.adjust() }

  adjust(): void {
    this.offsetMs = Date.now() - monotonicNs() / 1e6
  }

  now(): number { return monotonicNs() }

  at(ktimeNs: number): number {
    return Math.round(ktimeNs / 1e6 + this.offsetMs)
  }
}
