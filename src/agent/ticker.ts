/**
 * Calls back once an interval, counted from the start so that delays do not add up. A tick that comes so late
 * that the next one is due is followed by the next one in the future: ticks are skipped, never crowded.
 */
export class Ticker {
  private readonly intervalMs: number
  private readonly tick: () => void
  private readonly now: () => number
  private timer: NodeJS.Timeout | null = null
  private due = 0

  constructor(intervalMs: number, tick: () => void, now: () => number = () => performance.now()) {
    this.intervalMs = intervalMs
    this.tick = tick
    this.now = now
  }

  /** The first tick comes after `firstMs`, the others an interval apart. */
  start(firstMs: number = this.intervalMs): void {
    this.due = this.now() + firstMs
    this.schedule()
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.due = nextDue(this.due, this.intervalMs, this.now())
      this.schedule()
      this.tick()
    }, Math.max(0, this.due - this.now()))
  }
}

/** The first multiple of the interval after `due` that lies after `now`. */
export function nextDue(due: number, interval: number, now: number): number {
  return due + interval * Math.max(1, Math.floor((now - due) / interval) + 1)
}
