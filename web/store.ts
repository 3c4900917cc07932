import { useEffect, useState } from 'preact/hooks'
import type { History } from '../src/agent/history.ts'
import type { ConnectionEvent, ProcessEvent, Snapshot } from '../src/agent/snapshot.ts'
import { add, empty, type Journal } from './journal.ts'
import { Stream, type ConnectionState } from './stream.ts'
import { append, fill, missingBefore, pointOf, type Point } from './timeline.ts'
import { smooth, type Means } from './workload-order.ts'

/** All that the page shows of the machine, as of one tick. Never changed in place, so a pause keeps it. */
export interface View {
  snapshot: Snapshot | null
  intervalMs: number
  points: readonly Point[]
  processes: Journal<ProcessEvent>
  connections: Journal<ConnectionEvent>
  /** What the workloads did lately, to order them by. */
  means: Means
}

export interface State {
  view: View
  paused: boolean
  connection: ConnectionState
  /** When the newest tick was made, by this browser's clock; null before the first. */
  freshAt: number | null
}

export const emptyView: View = {
  snapshot: null, intervalMs: 1000, points: [], processes: empty(), connections: empty(), means: new Map(),
}

/** The view with one tick more. */
export function receive(view: View, snapshot: Snapshot): View {
  const point = pointOf(snapshot)
  const gap = gapBefore(view, point)
  return {
    snapshot,
    intervalMs: view.intervalMs,
    points: append(view.points, point),
    processes: add(view.processes, snapshot.processes, gap),
    connections: add(view.connections, snapshot.connections, gap),
    means: smooth(view.means, snapshot.workloads),
  }
}

function gapBefore({ points }: View, next: Point): string | null {
  const last = points.at(-1)
  if (last === undefined) return null
  if (last.run !== next.run) return 'skep was started again here'
  const missing = missingBefore(points, next)
  return missing === 0 ? null : `${missing} tick${missing === 1 ? '' : 's'} not received here`
}

/** The view with its gaps filled from the agent's history. */
export function recall(view: View, run: number, history: History): View {
  // The agent may have restarted in between.
  if (history.startedAt !== run) return view
  return { ...view, intervalMs: history.intervalSeconds * 1000, points: fill(view.points, run, history.snapshots) }
}

/** Ticks may come ten times a second; the page is drawn no more often than this. */
const drawEveryMs = 200

/** Holds the newest view and tells those who draw it. */
export class Store {
  private readonly stream: Stream
  private readonly listeners = new Set<(state: State) => void>()
  private newest: View = emptyView
  private freshAt: number | null = null
  private drawing: ReturnType<typeof setTimeout> | null = null
  private drawnAt = 0
  private current: State = { view: emptyView, paused: false, connection: 'connecting', freshAt: null }
  /** Least difference seen between this browser's clock and the agent's; null before the first tick of a run. */
  private skew: { run: number; ms: number } | null = null

  constructor() {
    this.stream = new Stream({
      snapshot: (snapshot) => this.take(receive(this.newest, snapshot), this.freshness(snapshot)),
      history: (run, history) => this.take(recall(this.newest, run, history), this.freshAt),
      state: (connection) => this.set({ connection }),
    })
  }

  get state(): State { return this.current }

  start(): void { this.stream.start() }
  retryNow(): void { this.stream.retryNow() }

  setPaused(paused: boolean): void {
    this.set(paused ? { paused } : { paused, view: this.newest })
  }

  subscribe(listener: (state: State) => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private take(view: View, freshAt: number | null): void {
    this.newest = view
    this.freshAt = freshAt
    this.drawing ??= setTimeout(() => {
      this.drawing = null
      this.drawnAt = Date.now()
      this.set(this.current.paused ? { freshAt: this.freshAt } : { view: this.newest, freshAt: this.freshAt })
    }, Math.min(drawEveryMs, Math.max(0, drawEveryMs - (Date.now() - this.drawnAt))))
  }

  private freshness({ host, at }: Snapshot): number {
    const difference = Date.now() - at
    const known = this.skew !== null && this.skew.run === host.startedAt ? this.skew.ms : Infinity
    this.skew = { run: host.startedAt, ms: Math.min(known, difference) }
    return at + this.skew.ms
  }

  private set(change: Partial<State>): void {
    this.current = { ...this.current, ...change }
    for (const listener of this.listeners) listener(this.current)
  }
}

/** The state, drawn anew whenever it changes. */
export function useStore(store: Store): State {
  const [state, setState] = useState(store.state)
  useEffect(() => store.subscribe(setState), [store])
  return state
}
