import { Collection } from '../../bpf/collection.ts'
import type { Link } from '../../bpf/link.ts'
import { iterate } from '../../bpf/links/iterator.ts'
import { RingReader } from '../../bpf/ring.ts'
import type { CheckedProgram } from '../../bpftrace/check/context.ts'
import type { Generated } from '../../bpftrace/generate/generate.ts'
import { lostName, ringName } from '../../bpftrace/generate/generation.ts'
import { readMapData, type MapData } from '../../bpftrace/output/map-data.ts'
import type { Output } from '../../bpftrace/output/output.ts'
import { Records, type Action } from '../../bpftrace/output/records.ts'
import type { Source } from '../../bpftrace/source.ts'
import type { Target } from '../../bpftrace/environment.ts'
import { attachTarget, testRun } from './attach.ts'
import { MachineSymbols } from './symbols.ts'

export interface SessionOptions {
  source: Source
  checked: CheckedProgram
  output: (symbols: MachineSymbols) => Output
  write: (text: string) => void
  /** Warnings and messages of the script. */
  writeError: (text: string) => void
  run: (kind: 'system' | 'cat', command: string) => string
  wallOffset: bigint
  taiOffset: bigint
  pid: number | null
  warnings: boolean
}

/** A script that is attached: reads what its programs say, and does it. */
export class TraceSession {
  readonly collection: Collection
  readonly output: Output
  /** Targets that are attached, or are run by hand. */
  attached = 0
  readonly #generated: Generated
  readonly #options: SessionOptions
  readonly #records: Records
  readonly #reader: RingReader
  readonly #links: Link[] = []
  readonly #symbols: MachineSymbols
  #exitCode: number | null = null
  #onExit: (() => void) | undefined
  #lost = 0n

  /** Loads everything. @throws what the first program that cannot be loaded met */
  constructor(generated: Generated, options: SessionOptions) {
    this.#generated = generated
    this.#options = options
    this.collection = Collection.load(generated.spec)
    try {
      this.collection.requireAll()
      this.#symbols = new MachineSymbols(
        () => this.collection, {
          wallOffset: options.wallOffset, taiOffset: options.taiOffset, debugInfo: options.checked.config.show_debug_info, paths: new Set([...generated.targets.values()].flatMap((target) => ('path' in target ? [target.path] : []))),
        },
      )
      this.output = options.output(this.#symbols)
      const { config } = options.checked
      this.#records = new Records(generated.events, this.output, this.#symbols, {
        source: options.source, warnings: options.warnings, trailer: config.str_trunc_trailer, maxLength: Number(config.max_strlen),
      })
      this.#reader = RingReader.open(this.collection.map(ringName), { flushMs: 10, idleFlushMs: 20 })
    } catch (error) {
      this.collection.close()
      throw error
    }
  }

  /** Runs what stands at the beginning, then attaches the rest. @throws naming the probe that cannot be attached */
  attach(): void {
    for (const [name, target] of this.#targets('begin')) {
      testRun(this.#program(name))
      this.attached++
      void target
    }
    for (const [name, target] of this.#generated.targets) {
      switch (target.kind) {
        case 'begin': case 'test': case 'bench': continue
        case 'end': break
        case 'self':
          process.on(target.signal as NodeJS.Signals, () => {
            testRun(this.#program(name))
            this.drain()
          })
          break
        case 'tracepoint': case 'rawtracepoint': case 'fentry': case 'fexit': this.#links.push(this.collection.attach(name)); break
        case 'iter': this.#iterate(this.collection.attach(name)); break
        default: this.#links.push(...attachTarget(this.#program(name), target, this.#options.pid))
      }
      this.attached++
    }
  }

  /** Goes through everything once. */
  #iterate(link: Link): void {
    this.#links.push(link)
    this.#iterated = true
    iterate(link)
  }

  #program(name: string) {
    const program = this.collection.programs.get(name)
    if (program === undefined) throw this.collection.failures.get(name) ?? new Error(`program '${name}' is not there`)
    return program
  }

  *#targets(kind: Target['kind']): Generator<[string, Target]> {
    for (const entry of this.#generated.targets) if (entry[1].kind === kind) yield entry
  }

  /** Whether anything but the beginning and the end can happen. */
  get lasting(): boolean {
    return [...this.#generated.targets.values()].some(({ kind }) => !['begin', 'end', 'test', 'bench', 'iter'].includes(kind))
  }

  get exitCode(): number | null {
    return this.#exitCode
  }

  /** Reads until the script exits or `stop` is called. */
  listen(onExit: () => void): void {
    this.#onExit = onExit
    this.#reader.start((view, offset, length) => this.#handle(view.u8, offset, length))
  }

  drain(): void {
    for (let rounds = 0; rounds < 1000; rounds++) if (this.#reader.drain(
      (view, offset, length) => this.#handle(view.u8, offset, length),
    ) === 0) return
  }

  #handle(u8: Uint8Array, offset: number, length: number): void {
    // What one run of an iterator says is shown whole.
    if (this.#exitCode !== null && !this.#ending && !this.#iterated) return
    this.#do(this.#records.action(new DataView(u8.buffer, u8.byteOffset + offset, length)))
  }

  #ending = false
  #iterated = false

  #do(action: Action): void {
    const { write, writeError, run } = this.#options
    switch (action.kind) {
      case 'write': return action.error ? writeError(action.text) : write(action.text)
      case 'printMap': return write(this.output.map(this.mapData(action.map), action.top, action.divisor))
      case 'clear': return this.#clear(action.map)
      case 'zero': return this.#zero(action.map)
      case 'system': return write(this.output.system(run('system', action.command)))
      case 'cat': return write(this.output.cat(run('cat', action.command)))
      case 'exit':
        if (this.#exitCode !== null) return
        this.#exitCode = action.code
        this.#onExit?.()
        return
      case 'none':
    }
  }

  mapData(name: string): MapData {
    const info = this.#options.checked.maps.get(name)!
    const data = readMapData(
      info, this.collection.map(name).readRaw(), { maxLength: Number(this.#options.checked.config.max_strlen) },
    )
    if (info.key === null && data.entries.length === 0) return { ...data, entries: emptyScalar(data) }
    return data
  }

  #clear(name: string): void {
    const map = this.collection.map(name)
    const { count, keys } = map.readRaw()
    if (count > 0) map.deleteBatch(keys.slice(0, count * map.spec.keySize), count)
  }

  #zero(name: string): void {
    const map = this.collection.map(name)
    const { count, keys, keySize } = map.readRaw()
    const copy = keys.slice(0, count * keySize)
    const nothing = new Uint8Array(map.layout.valueStride)
    for (let index = 0; index < count; index++) map.setRaw(copy.subarray(index * keySize, (index + 1) * keySize), nothing)
  }

  /** Detaches, runs what stands at the end, and shows the maps. */
  finish(): void {
    this.#reader.stop()
    for (const link of this.#links) link.close()
    for (const name of Array.from(this.collection.links.keys())) this.collection.detach(name)
    this.drain()
    this.#ending = true
    for (const [name] of this.#targets('end')) testRun(this.#program(name))
    this.drain()
    const { write, checked } = this.#options
    write(this.output.end())
    if (checked.config.print_maps_on_exit) {
      const byName = [...checked.maps.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
      for (const info of byName) {
        if (info.value.kind === 'none') continue
        const data = readMapData(info, this.collection.map(info.name).readRaw(), { maxLength: Number(checked.config.max_strlen) })
        if (data.entries.length > 0) write(this.output.map(data, null, null))
      }
    }
    this.#tellLost()
  }

  #tellLost(): void {
    const raw = this.collection.map(lostName).getRaw(new Uint8Array(4))
    const lost = raw === undefined ? 0n : new DataView(raw.buffer, raw.byteOffset).getBigUint64(0, true)
    if (lost > this.#lost) this.#options.writeError(this.output.lost(lost - this.#lost))
    this.#lost = lost
  }

  /** Runs each bench: probe often and tells what one run costs. */
  bench(): void {
    const iterations = 1_000_000
    for (const [name, target] of this.#targets('bench')) {
      const run = testRun(this.#program(name), iterations)
      if (target.kind === 'bench') this.#options.write(this.output.benchmark(target.name, BigInt(run.durationNs), iterations))
    }
  }

  /** Runs each test: probe once. A test fails by exit() with another code than 0. */
  test(): boolean {
    let passed = true
    for (const [name, target] of this.#targets('test')) {
      this.#exitCode = null
      testRun(this.#program(name), 1)
      this.drain()
      const good = (this.#exitCode ?? 0) === 0
      passed &&= good
      if (target.kind === 'test') this.#options.write(this.output.test(target.name, good))
    }
    this.#exitCode = passed ? 0 : 1
    return passed
  }

  close(): void {
    for (const link of this.#links) link.close()
    this.#reader.close()
    this.collection.close()
  }
}

/** A scalar map that nobody wrote to shows zero when it is printed by name. */
function emptyScalar(data: MapData): MapData['entries'] {
  const { type } = data
  if (type.kind !== 'aggregate') return type.kind === 'int' ? [{ key: null, value: { kind: 'number', value: 0n } }] : []
  switch (type.fn) {
    case 'stats': return [{ key: null, value: { kind: 'stats', count: 0n, total: 0n, average: 0n } }]
    case 'hist': case 'lhist': return [{ key: null, value: { kind: 'buckets', counts: new Map() } }]
    case 'tseries': return [{ key: null, value: { kind: 'series', points: [] } }]
    default: return [{ key: null, value: { kind: 'number', value: 0n } }]
  }
}

