import { enableStats } from '../bpf/stats.ts'
import { Cgroups } from './cgroups.ts'
import { WallClock } from './clock.ts'
import { Collector } from './collector.ts'
import { Cost } from './cost.ts'
import { emptyCost, hostFacts } from './empty.ts'
import { HistoryRing, type History } from './history.ts'
import type { LoadedProbe } from './loaded-probe.ts'
import { Losses } from './losses.ts'
import type { ProbeState, Snapshot } from './snapshot.ts'
import { loadBuiltIn } from './built-in.ts'
import type { SpecCache } from './spec-cache.ts'
import { Ticker } from './ticker.ts'

export interface AgentOptions {
  /** Time between two ticks; 1000 by default. */
  intervalMs?: number
  onSnapshot?: (snapshot: Snapshot) => void
  /** Compiled probes of earlier starts; none by default. */
  specs?: SpecCache | null
}

/** The first tick does not make a person wait; its rates are of a moment, which `intervalSeconds` says. */
const firstTickMs = 50
/** The kernel memory of maps changes slowly, and asking costs a file read for each. */
const memoryEveryMs = 10_000

/** What the command line and the page need of an agent, whatever feeds it. */
export interface Pipeline {
  readonly latest: Snapshot | null
  readonly history: History
  start(): Promise<ProbeState[]>
  stop(): void
}

/** The pipeline: probes in the kernel, their readers, and a snapshot a tick. */
export class Agent implements Pipeline {
  readonly intervalMs: number
  private readonly onSnapshot: (snapshot: Snapshot) => void
  private readonly specs: SpecCache | null
  private readonly ring = new HistoryRing()
  private readonly startedAt = Date.now()
  private readonly facts = hostFacts(this.startedAt)
  private probes: LoadedProbe[] = []
  private collector: Collector | null = null
  private losses: Losses | null = null
  private cost: Cost | null = null
  private ticker: Ticker | null = null
  private lastTickAt = 0
  private sequence = 0
  private mapBytes = 0
  private mapBytesAt = -Infinity
  private newest: Snapshot | null = null

  constructor(options: AgentOptions = {}) {
    this.intervalMs = options.intervalMs ?? 1000
    this.onSnapshot = options.onSnapshot ?? (() => {})
    this.specs = options.specs ?? null
  }

  /** The newest snapshot; null before the first tick. */
  get latest(): Snapshot | null { return this.newest }

  get history(): History { return { startedAt: this.startedAt, intervalSeconds: this.intervalMs / 1000, snapshots: this.ring.list() } }

  /**
   * Loads the built-in probes, one after the other so that others (the page) are served meanwhile, and begins to tick.
   * A probe that the kernel refuses costs only itself: the answer tells.
   */
  async start(): Promise<ProbeState[]> {
    try {
      for await (const probe of loadBuiltIn(this.specs)) this.probes.push(probe)
      // All begin together, so that the first tick's figures are of one stretch of time.
      this.lastTickAt = performance.now()
      for (const probe of this.probes) probe.attach()
      const states = this.probes.map((probe) => probe.state)
      // Without any probe there is nothing to tell, not even in a last tick.
      if (states.every(({ state }) => state === 'off')) return states
      this.collector = new Collector(this.probes, new Cgroups(), new WallClock())
      this.losses = new Losses(this.probes)
      this.cost = new Cost(this.probes.flatMap((probe) => probe.programs), enableStats)
      this.cost.start()
      this.ticker = new Ticker(this.intervalMs, () => this.tick())
      this.ticker.start(Math.min(firstTickMs, this.intervalMs))
      this.specs?.save()
      return states
    } catch (error) {
      this.stop()
      throw error
    }
  }

  /** Detaches and closes everything, readers first. A last tick tells what came since the one before. Safe to call twice. */
  stop(): void {
    this.ticker?.stop()
    if (this.ticker !== null && this.collector !== null) this.tick()
    this.ticker = null
    this.cost?.stop()
    this.collector?.close()
    this.collector = null
    for (const probe of this.probes) probe.close()
    this.probes = []
  }

  private tick(): void {
    const { collector, losses } = this
    if (collector === null || losses === null) return
    const now = collector.look()
    const seconds = Math.max((now - this.lastTickAt) / 1000, 1e-6)
    this.lastTickAt = now
    const collected = collector.tick(seconds, now)
    losses.dropped = collector.dropped
    losses.read(now)
    if (now - this.mapBytesAt >= memoryEveryMs) {
      this.mapBytesAt = now
      this.mapBytes = this.probes.flatMap((probe) => probe.maps).reduce((sum, map) => sum + map.memoryBytes, 0)
    }
    const snapshot: Snapshot = {
      v: 1, sequence: ++this.sequence, at: Math.round(Date.now() - (performance.now() - now)), intervalSeconds: seconds, host: this.facts, recording: null,
      agent: this.cost?.sample(this.mapBytes, losses.total) ?? emptyCost(),
      probes: this.probes.map((probe) => losses.stateOf(probe, now)),
      ...collected,
    }
    this.newest = snapshot
    this.ring.add(snapshot)
    this.onSnapshot(snapshot)
  }
}
