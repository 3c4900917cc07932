import type { RawEntries } from '../bpf/map-batch.ts'
import type { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import * as block from '../probes/block.ts'
import * as cgroup from '../probes/cgroup.ts'
import * as process from '../probes/process.ts'
import * as scheduler from '../probes/scheduler.ts'
import * as syscalls from '../probes/syscalls.ts'
import * as tcp from '../probes/tcp.ts'
import type { EventSignal } from '../signals/signal.ts'
import { decoder } from '../spec/codec.ts'
import type { Cgroups } from './cgroups.ts'
import { promptly, type Clock } from './clock.ts'
import { connectionEvent, type ConnectionRecord } from './connection-events.ts'
import { deviceName, DiskTable, type DiskKey } from './disks.ts'
import { emptyTotals } from './empty.ts'
import { EventReader, openKernelRings, type OpenRings } from './event-reader.ts'
import { merge, summarise } from './histogram.ts'
import type { MeterRow } from './meter.ts'
import { presentListeners } from './listeners.ts'
import type { ObservedProbe } from './observed-probe.ts'
import { processEvent, type ProcessRecord } from './process-events.ts'
import { BoundedQueue } from './queue.ts'
import type { ReadableMap } from './readable-map.ts'
import { RunningTime, runningTimes, type RunningEntry } from './running.ts'
import { SignalReader, type AggregateSignal } from './signal-reader.ts'
import type { Snapshot, Totals } from './snapshot.ts'
import { keyText, Tally, type WorkloadKey } from './tally.ts'
import { addHistogram, errnoRates, WorkloadTable } from './workload-table.ts'

/** Events of one kind that a tick can carry. */
const eventsPerTick = 4096
/** errno values shown for the whole machine. */
const shownErrors = 20
/** Workloads that a tick can carry: with more, a snapshot would cost its readers too much. */
const workloadsPerTick = 500
const sweepEveryMs = 30_000
/** CPU time is read within this time, or once more: 1 % of a short tick. */
const lookMs = 2

type Reader<K> = SignalReader<K> | null

/** What is otherwise when a recording is played: nothing of this machine is asked for. */
export interface CollectorOptions {
  openRings?: OpenRings
  nameOfDisk?: (major: number, minor: number) => string
  /** Tell the kernel side who listened before it came. */
  findListeners?: boolean
}

/** Reads all signals of the built-in probes and makes of them what a tick has to say. */
export class Collector {
  private readonly cgroups: Cgroups
  private readonly clock: Clock
  private readonly latency: Reader<WorkloadKey>
  private readonly cpu: Reader<WorkloadKey>
  private readonly calls: Reader<WorkloadKey>
  private readonly errors: Reader<WorkloadKey & { errno: number }>
  private readonly lifecycle: Reader<null>
  private readonly connections: Reader<null>
  private readonly diskLatency: Reader<DiskKey>
  private readonly diskIo: Reader<DiskKey>
  private readonly readers: SignalReader[] = []
  private readonly running: ReadableMap | null
  private readonly runningTime = new RunningTime()
  private cpuLook: { ns: number; counted: RawEntries | undefined; running: RunningEntry<WorkloadKey>[] } = { ns: 0, counted: undefined, running: [] }
  private readonly events: EventReader
  private readonly processQueue = new BoundedQueue<ProcessRecord>(eventsPerTick)
  private readonly connectionQueue = new BoundedQueue<ConnectionRecord>(eventsPerTick)
  private readonly starts = new Tally()
  private readonly peers = new Tally()
  private readonly table = new WorkloadTable()
  private readonly disks: DiskTable
  private readonly totals = emptyTotals()
  private readonly errnoTotals = new Map<number, number>()
  private sweepAt = 0

  constructor(probes: readonly ObservedProbe[], cgroups: Cgroups, clock: Clock, options: CollectorOptions = {}) {
    this.cgroups = cgroups
    this.clock = clock
    this.disks = new DiskTable(options.nameOfDisk ?? deviceName)
    const mapOf = (declaration: MapDeclaration | RingDeclaration) => {
      for (const probe of probes) {
        const map = probe.isOn ? probe.map(declaration) : undefined
        if (map !== undefined) return map
      }
      return null
    }
    const reader = (signal: AggregateSignal): Reader<any> => {
      const map = mapOf(signal.map)
      if (map === null) return null
      const made = new SignalReader(signal, map)
      this.readers.push(made)
      return made
    }
    this.latency = reader(scheduler.latency)
    this.cpu = reader(scheduler.cpu)
    this.calls = reader(syscalls.calls)
    this.errors = reader(syscalls.errors)
    this.lifecycle = reader(process.lifecycle)
    this.connections = reader(tcp.connections)
    this.diskLatency = reader(block.latency)
    this.diskIo = reader(block.io)
    this.running = mapOf(scheduler.running)
    this.events = this.openRings(mapOf, options.openRings ?? openKernelRings)
    // Not awaited: it takes its time, and a failure is an internal error like any other.
    if (options.findListeners !== false) void this.addListeners(mapOf(tcp.listeners))
  }

  /** Events that came and found no room since the start. */
  get dropped(): number { return this.processQueue.dropped + this.connectionQueue.dropped }

  /** Reads the events that wait. */
  drain(): void {
    this.events.drain()
  }

  /**
   * Begins a tick: reads the events that wait, which belong to it and bring the names of new cgroups, and then CPU time,
   * which is held against the length of the tick. The answer is the moment of that, by performance.now().
   */
  look(): number {
    this.drain()
    const { value, at } = promptly(() => ({ ns: this.clock.now(), counted: this.cpu?.fetch(), running: this.runningNow() }), lookMs)
    this.cpuLook = value
    return at
  }

  /** One tick, after look(): `seconds` since the last one, `now` in milliseconds of a clock that only goes forward. */
  tick(seconds: number, now: number): Pick<Snapshot, 'totals' | 'workloads' | 'workloadsLeftOut' | 'processes' | 'connections' | 'disks'> {
    this.clock.adjust()
    this.readScheduler(seconds, now)
    this.readCalls(seconds, now)
    this.readLifecycle(seconds)
    this.readConnections(seconds)
    this.readDisks(now)
    for (const { key, count } of this.starts.take()) this.activity(key, now).starts += count
    for (const { key, count } of this.peers.take()) this.activity(key, now).connections += count
    const processes = this.processQueue.take().map((record) => processEvent(record, this.clock, this.cgroups).event)
    const connections = this.connectionQueue.take().map((record) => connectionEvent(record, this.clock, this.cgroups).event)
    if (now >= this.sweepAt) this.sweep(now)
    const rows = this.table.finish(seconds, now)
    return {
      totals: structuredClone(this.totals), workloads: rows.slice(0, workloadsPerTick), workloadsLeftOut: Math.max(0, rows.length - workloadsPerTick), processes, connections, disks: this.disks.finish(seconds, now),
    }
  }

  /** Tells the kernel side who listened already, so that connections they accept have an owner. */
  private async addListeners(map: ReadableMap | null): Promise<void> {
    if (map === null) return
    for await (const { key, owner } of presentListeners(this.cgroups.mount)) {
      // What the kernel side has seen since is newer.
      if (!map.closed) map.set(key, owner, 'create')
    }
  }

  close(): void {
    this.events.close()
  }

  private activity(key: WorkloadKey, now: number) {
    return this.table.of(this.cgroups.workload(key.cgroup, key.comm), now)
  }

  private readScheduler(seconds: number, now: number): void {
    this.readCpu(seconds, now)
    const all: number[] = []
    let waited = 0
    for (const { key, delta } of changed(this.latency, now)) {
      const buckets = delta.subarray(1)
      addHistogram(this.activity(key, now), delta[0]!, buckets)
      merge(all, buckets)
      waited += delta[0]!
    }
    this.totals.runQueueLatency = summarise(all, waited)
  }

  private readCpu(seconds: number, now: number): void {
    const [time, switches] = cells(scheduler.cpu, 'time', 'switches')
    const keys = new Map<string, WorkloadKey>()
    const counted = new Map<string, number>()
    let switched = 0
    const { ns: clock, counted: reading, running: entries } = this.cpuLook
    for (const { key, delta } of changed(this.cpu, now, reading)) {
      this.activity(key, now).switches += delta[switches]!
      switched += delta[switches]!
      keys.set(keyText(key), key)
      counted.set(keyText(key), delta[time]!)
    }
    let busy = 0
    const running = runningTimes(clock, entries, keyText)
    for (const [text, { key }] of running) keys.set(text, key)
    for (const [text, ns] of this.runningTime.settle(counted, new Map([...running].map(([text, { ns }]) => [text, ns])))) {
      busy += ns
      const key = keys.get(text)
      if (key !== undefined) this.activity(key, now).cpuNs += ns
    }
    this.totals.cpu = { busyCores: busy / 1e9 / seconds, contextSwitchesPerSecond: switched / seconds }
  }

  /** What each CPU runs. */
  private runningNow(): RunningEntry<WorkloadKey>[] {
    if (this.running === null) return []
    const decode = decoder(scheduler.running.value)
    const { valueView, cpus, cpuStride } = this.running.readRaw()
    return Array.from({ length: cpus }, (_, cpu) => decode(valueView, cpu * cpuStride) as RunningEntry<WorkloadKey>)
  }

  private readCalls(seconds: number, now: number): void {
    const [count, failed] = cells(syscalls.calls, 'count', 'errors')
    let calls = 0
    let failures = 0
    for (const { key, delta } of changed(this.calls, now)) {
      const activity = this.activity(key, now)
      activity.calls += delta[count]!
      activity.errors += delta[failed]!
      calls += delta[count]!
      failures += delta[failed]!
    }
    const tick = new Map<number, number>()
    for (const { key, delta } of changed(this.errors, now)) {
      const { errno } = this.activity(key, now)
      errno.set(key.errno, (errno.get(key.errno) ?? 0) + delta[0]!)
      tick.set(key.errno, (tick.get(key.errno) ?? 0) + delta[0]!)
      this.errnoTotals.set(key.errno, (this.errnoTotals.get(key.errno) ?? 0) + delta[0]!)
    }
    this.totals.syscalls = {
      perSecond: calls / seconds, errorsPerSecond: failures / seconds, total: this.totals.syscalls.total + calls,
      errors: errnoRates(tick, this.errnoTotals, seconds).slice(0, shownErrors),
    }
  }

  private readLifecycle(seconds: number): void {
    const { processes } = this.totals
    const [began, threads, exits] = cells(process.lifecycle, 'processes', 'threads', 'exits')
    const delta = lone(this.lifecycle)
    processes.starts += delta[began] ?? 0
    processes.ends += delta[exits] ?? 0
    processes.forks += (delta[began] ?? 0) + (delta[threads] ?? 0)
    processes.startsPerSecond = (delta[began] ?? 0) / seconds
    processes.endsPerSecond = (delta[exits] ?? 0) / seconds
  }

  private readConnections(seconds: number): void {
    const sums: Totals['tcp'] = this.totals.tcp
    const delta = lone(this.connections)
    const names = ['opened', 'accepted', 'closed', 'failed'] as const
    const at = cells(tcp.connections, ...names)
    for (const [index, name] of names.entries()) {
      const gained = delta[at[index]!] ?? 0
      sums[name] += gained
      sums[`${name}PerSecond`] = gained / seconds
    }
  }

  private readDisks(now: number): void {
    const [requests, bytes] = cells(block.io, 'requests', 'bytes')
    for (const { key, delta } of changed(this.diskIo, now)) this.disks.addRequests(key, delta[requests]!, delta[bytes]!, now)
    for (const { key, delta } of changed(this.diskLatency, now)) this.disks.addLatency(key, delta[0]!, delta.subarray(1), now)
  }

  private sweep(now: number): void {
    this.sweepAt = now + sweepEveryMs
    for (const reader of this.readers) reader.sweep(now, (key: { cgroup?: number }) => key.cgroup !== undefined && this.cgroups.isGone(key.cgroup))
    this.cgroups.forget()
  }

  private openRings(mapOf: (declaration: MapDeclaration | RingDeclaration) => ReadableMap | null, open: OpenRings): EventReader {
    const reader = new EventReader(open)
    const listen = (signal: EventSignal, handle: (record: any) => void) => {
      const map = mapOf(signal.ring)
      if (map !== null) reader.listen(signal, map, handle)
    }
    listen(cgroup.made, ({ id, path }) => this.cgroups.created(id, path))
    listen(cgroup.removed, ({ id }) => this.cgroups.removed(id))
    listen(process.started, (record) => {
      this.starts.add(record.workload)
      this.processQueue.push({ type: 'start', record })
    })
    listen(process.executed, (record) => this.processQueue.push({ type: 'exec', record }))
    listen(process.ended, (record) => this.processQueue.push({ type: 'end', record }))
    listen(tcp.opened, (record) => {
      if (record.owner.pid !== 0) this.peers.add(record.owner.workload)
      this.connectionQueue.push({ type: 'opened', record })
    })
    listen(tcp.closed, (record) => this.connectionQueue.push({ type: 'closed', record }))
    reader.start()
    return reader
  }
}

/** The rows that the last tick changed. */
function* changed<K>(reader: Reader<K>, now: number, reading?: RawEntries): Iterable<MeterRow<K>> {
  if (reader === null) return
  for (const row of reader.read(now, reading)) if (row.changed) yield row
}

const nothing = new Float64Array(0)
/** What the only row of a signal without labels gained. */
function lone(reader: Reader<null>): Float64Array {
  if (reader === null) return nothing
  for (const row of reader.read(0)) return row.delta
  return nothing
}

/** Where the counters of a group lie in a row. */
function cells<F extends Record<string, string>, N extends (keyof F & string)[]>(signal: { counters: F; name: string }, ...names: N): { [I in keyof N]: number } {
  const order = Object.keys(signal.counters)
  return names.map((name) => order.indexOf(name)) as { [I in keyof N]: number }
}
