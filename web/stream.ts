import type { History } from '../src/agent/history.ts'
import type { Snapshot } from '../src/agent/snapshot.ts'

/**
 * connecting: no answer yet. waiting: the agent answers and has no tick yet. live: ticks come. reconnecting: lost a moment ago.
 * stopped: lost for a while, tried now and then. outdated: the agent speaks a version that this page does not know.
 */
export type ConnectionState = 'connecting' | 'waiting' | 'live' | 'reconnecting' | 'stopped' | 'outdated'

export interface StreamEvents {
  snapshot: (snapshot: Snapshot) => void
  history: (run: number, history: History) => void
  state: (state: ConnectionState) => void
}

const firstRetryMs = 500
const lastRetryMs = 15_000
/** Without an answer for so long, the agent counts as stopped. */
const stoppedAfterMs = 10_000
/** A stream that is open and says nothing for so long (and for so many ticks) is broken. */
const silenceMs = 10_000
const silentTicks = 5
/** A page that no one sees gives its connection back after this. */
const hiddenMs = 60_000
const historyRetryMs = 5_000

/** The agent's ticks: reconnects with back-off, and asks the history for what was missed. */
export class Stream {
  private readonly on: StreamEvents
  private source: EventSource | null = null
  private retry: ReturnType<typeof setTimeout> | null = null
  private watch: ReturnType<typeof setInterval> | null = null
  private hiding: ReturnType<typeof setTimeout> | null = null
  private failures = 0
  private lostAt: number | null = null
  private heardAt = 0
  private ticks = 0
  private last: { run: number; sequence: number } | null = null
  private intervalMs = 1000
  private historyDueAt: number | null = null
  private state: ConnectionState = 'connecting'

  constructor(on: StreamEvents) {
    this.on = on
  }

  start(): void {
    this.watch ??= setInterval(() => this.check(), 1000)
    document.addEventListener('visibilitychange', this.onVisibility)
    this.open()
  }

  stop(): void {
    this.shut()
    if (this.watch !== null) clearInterval(this.watch)
    this.watch = null
    document.removeEventListener('visibilitychange', this.onVisibility)
  }

  /** Tries at once rather than when its time comes, and then soon again. */
  retryNow(): void {
    this.failures = 0
    if (this.source === null) this.open()
  }

  private open(): void {
    this.shut()
    this.ticks = 0
    this.heardAt = Date.now()
    const source = new EventSource('/api/stream')
    this.source = source
    source.addEventListener('open', () => {
      if (this.source !== source) return
      this.lostAt = null
      this.enter('waiting')
    })
    source.addEventListener('message', (message: MessageEvent<string>) => {
      if (this.source === source) this.receive(message.data)
    })
    source.addEventListener('error', () => { if (this.source === source) this.lose() })
  }

  private receive(data: string): void {
    let snapshot: Snapshot
    try {
      snapshot = JSON.parse(data) as Snapshot
    } catch {
      // Half a message: the connection broke in the middle of it.
      return this.lose()
    }
    if (snapshot.v !== 1) {
      this.shut()
      return this.enter('outdated')
    }
    const now = Date.now()
    const run = snapshot.host.startedAt
    const isNext = this.last !== null && this.last.run === run && snapshot.sequence === this.last.sequence + 1
    const isRepeated = this.last !== null && this.last.run === run && snapshot.sequence <= this.last.sequence
    if (!isNext && !isRepeated) this.historyDueAt = now
    this.heardAt = now
    this.failures = 0
    this.lostAt = null
    this.ticks++
    this.enter('live')
    if (isRepeated) return
    this.last = { run, sequence: snapshot.sequence }
    this.on.snapshot(snapshot)
    this.check()
  }

  private lose(): void {
    this.shut()
    const now = Date.now()
    if (this.lostAt === null) this.enter('reconnecting')
    this.lostAt ??= now
    const wait = Math.min(lastRetryMs, firstRetryMs * 2 ** this.failures++)
    // Many pages of one agent do not all come back in the same moment.
    this.retry = setTimeout(() => this.open(), wait * (0.8 + 0.4 * Math.random()))
  }

  private check(): void {
    const now = Date.now()
    if (this.lostAt !== null && now - this.lostAt >= stoppedAfterMs) this.enter('stopped')
    const patience = Math.max(silenceMs, silentTicks * this.intervalMs)
    if (this.source !== null && this.ticks > 0 && now - this.heardAt > patience) return this.lose()
    if (this.historyDueAt === null || now < this.historyDueAt || this.last === null) return
    this.historyDueAt = now + historyRetryMs
    this.fetchHistory(this.last.run).catch(() => { /* Still due: the next check tries again. */ })
  }

  private async fetchHistory(run: number): Promise<void> {
    const response = await fetch('/api/history', { signal: AbortSignal.timeout(historyRetryMs) })
    if (!response.ok) throw new Error(`/api/history answered ${response.status}`)
    const history = await response.json() as History
    if (this.last?.run !== run) return
    this.historyDueAt = null
    this.intervalMs = history.intervalSeconds * 1000
    this.on.history(run, history)
  }

  private readonly onVisibility = () => {
    if (this.hiding !== null) clearTimeout(this.hiding)
    this.hiding = null
    if (document.hidden) this.hiding = setTimeout(() => this.shut(), hiddenMs)
    else if (this.state !== 'outdated') this.retryNow()
  }

  private shut(): void {
    if (this.retry !== null) clearTimeout(this.retry)
    this.retry = null
    this.source?.close()
    this.source = null
  }

  private enter(state: ConnectionState): void {
    // Open without a tick says less than what is known: that it was lost.
    if (state === 'waiting' && this.state === 'live') return
    if (state === this.state) return
    this.state = state
    this.on.state(state)
  }
}
