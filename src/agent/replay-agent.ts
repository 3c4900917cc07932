import { compileModule, type Compiled } from '../compiler/compile.ts'
import { RingDeclaration, type MapDeclaration } from '../compiler/language/maps.ts'
import { catalogue } from '../probes/catalogue.ts'
import type { ProbeFacts } from '../signals/probe.ts'
import type { Recording } from '../vm/recording.ts'
import { RecordingTypes } from '../vm/recording-types.ts'
import { Replay } from '../vm/replay.ts'
import type { AgentOptions, Pipeline } from './agent.ts'
import { Cgroups } from './cgroups.ts'
import type { Clock } from './clock.ts'
import { Collector } from './collector.ts'
import { Cost } from './cost.ts'
import { HistoryRing, type History } from './history.ts'
import { explain, hookName } from './loaded-probe.ts'
import { Losses } from './losses.ts'
import type { ObservedProbe } from './observed-probe.ts'
import { openReplayedRings, ReplayedMap } from './replayed-map.ts'
import type { HostFacts, ProbeState, Snapshot } from './snapshot.ts'
import { Ticker } from './ticker.ts'

const firstTickMs = 50
/** A round that has just begun has nothing to tell. */
const leastRoundNs = 1e6

/** The pipeline on a recording instead of the kernel, at the pace at which it was made, over and over. Nothing of this machine is observed. */
export class ReplayAgent implements Pipeline {
  private readonly recording: Recording
  private readonly intervalMs: number
  private readonly onSnapshot: (snapshot: Snapshot) => void
  private readonly ring = new HistoryRing()
  private readonly startedAt = Date.now()
  private readonly types: RecordingTypes
  private readonly modules: readonly CompiledProbe[]
  private readonly cost = new Cost([], () => ({ close() {} }))
  private round: Round
  private rounds = 1
  private sequence = 0
  private newest: Snapshot | null = null
  private ticker: Ticker | null = null

  constructor(recording: Recording, options: AgentOptions = {}) {
    this.recording = recording
    this.intervalMs = options.intervalMs ?? 1000
    this.onSnapshot = options.onSnapshot ?? (() => {})
    this.types = new RecordingTypes(recording)
    this.modules = Object.values(catalogue).map((module) => compileFor(this.types, module.probe, module))
    this.round = this.begin()
  }

  get latest(): Snapshot | null { return this.newest }

  get history(): History { return { startedAt: this.startedAt, intervalSeconds: this.intervalMs / 1000, snapshots: this.ring.list() } }

  async start(): Promise<ProbeState[]> {
    const states = this.round.probes.map((probe) => probe.state)
    if (states.every(({ state }) => state === 'off')) return states
    this.round.begin()
    this.ticker = new Ticker(this.intervalMs, () => this.tick())
    this.ticker.start(Math.min(firstTickMs, this.intervalMs))
    return states
  }

  stop(): void {
    this.ticker?.stop()
    this.ticker = null
    this.round.close()
  }

  private tick(): void {
    if (this.round.isDone) {
      this.round.close()
      this.round = this.begin()
      this.round.begin()
      this.rounds++
      return
    }
    const played = this.round.play()
    if (played === null) return
    const { header, end } = this.recording
    const snapshot: Snapshot = {
      v: 1, sequence: ++this.sequence, at: Date.now(), host: this.host(),
      recording: { at: Date.parse(header.at), seconds: end.duration / 1e9, round: this.rounds, redacted: header.redacted },
      agent: this.cost.sample(0, played.lost), ...played.part,
    }
    this.newest = snapshot
    this.ring.add(snapshot)
    this.onSnapshot(snapshot)
  }

  private begin(): Round {
    return new Round(new Replay(this.recording, this.types), this.modules)
  }

  private host(): HostFacts {
    const { kernel, architecture, cpus } = this.recording.header
    return { name: 'recording', kernel, architecture, cpus, bootAt: Math.round(Date.now() - this.round.now / 1e6), startedAt: this.startedAt }
  }
}

/** One time through the recording. */
class Round {
  readonly probes: readonly ObservedProbe[]
  private readonly replay: Replay
  private readonly collector: Collector
  private readonly losses: Losses
  private startedAt = performance.now()

  constructor(replay: Replay, modules: readonly CompiledProbe[]) {
    this.replay = replay
    this.probes = modules.map((module) => new ReplayedProbe(module, replay))
    const cgroups = new Cgroups({ mount: null })
    for (const [id, path] of Object.entries(replay.recording.header.cgroups)) cgroups.created(Number(id), path)
    this.collector = new Collector(this.probes, cgroups, new ReplayClock(this.replay), {
      openRings: openReplayedRings, nameOfDisk: (major, minor) => `disk ${major}:${minor}`, findListeners: false,
    })
    this.losses = new Losses(this.probes)
  }

  get now(): number { return this.replay.now }
  get isDone(): boolean { return this.replay.isDone }

  begin(): void {
    this.startedAt = performance.now()
  }

  /** Plays what is due, and gives what a tick has to say; null if it is too early for that. */
  play(): { lost: number; part: Omit<Snapshot, 'v' | 'sequence' | 'at' | 'host' | 'recording' | 'agent'> } | null {
    const before = this.replay.now
    const now = performance.now()
    const due = this.replay.recording.header.clock + (now - this.startedAt) * 1e6
    this.replay.advanceTo(Math.min(this.replay.end, due), () => this.collector.drain())
    const ns = this.replay.now - before
    if (ns < leastRoundNs) return null
    this.collector.look()
    const collected = this.collector.tick(ns / 1e9, now)
    this.losses.dropped = this.collector.dropped
    this.losses.read(now)
    const probes = this.probes.map((probe) => this.losses.stateOf(probe, now))
    return { lost: this.losses.total + this.replay.recording.end.lost, part: { intervalSeconds: ns / 1e9, probes, ...collected } }
  }

  close(): void {
    this.collector.close()
  }
}

/** What was recorded is shown as if it happened now. */
class ReplayClock implements Clock {
  private readonly replay: Replay

  constructor(replay: Replay) {
    this.replay = replay
  }

  adjust(): void { /* It is the machine's clock less what was played. */ }
  at(ktimeNs: number): number { return Math.round(Date.now() - (this.replay.now - ktimeNs) / 1e6) }
  now(): number { return this.replay.now }
}

/** A built-in probe, compiled once for all rounds, or why that is not possible. */
interface CompiledProbe { readonly facts: ProbeFacts; readonly compiled: Compiled | Error }

function compileFor({ btf }: RecordingTypes, facts: ProbeFacts, module: Record<string, unknown>): CompiledProbe {
  try {
    return { facts, compiled: compileModule(module, { btf, name: facts.name }) }
  } catch (error) {
    return { facts, compiled: error as Error }
  }
}

/** A probe that runs on the recording. */
class ReplayedProbe implements ObservedProbe {
  readonly name: string
  readonly isOn: boolean
  readonly state: ProbeState
  readonly programs = []
  readonly maps: readonly ReplayedMap[]
  private readonly byDeclaration = new Map<MapDeclaration | RingDeclaration, ReplayedMap>()

  constructor({ facts: { name, title }, compiled }: CompiledProbe, replay: Replay) {
    this.name = name
    if (compiled instanceof Error) {
      this.state = { name, title, state: 'off', hooks: [], ...explain(compiled) }
    } else {
      const simulation = replay.attach(compiled)
      for (const declaration of compiled.maps.values()) {
        this.byDeclaration.set(declaration, new ReplayedMap(simulation, declaration, declaration instanceof RingDeclaration))
      }
      this.state = { name, title, state: 'on', hooks: compiled.spec.programs.map(({ attach }) => hookName(attach)), reason: null, remedy: null }
    }
    this.isOn = this.state.state === 'on'
    this.maps = [...this.byDeclaration.values()]
  }

  map(declaration: MapDeclaration | RingDeclaration): ReplayedMap | undefined {
    return this.byDeclaration.get(declaration)
  }

  close(): void { /* Nothing is held. */ }
}
