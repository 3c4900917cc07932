import { arch, cpus, release } from 'node:os'
import { Collection } from '../bpf/collection.ts'
import { RingReader } from '../bpf/ring.ts'
import type { Btf } from '../btf/btf.ts'
import { captureSource } from '../compiler/capture/source.ts'
import { compileModule, type Compiled } from '../compiler/compile.ts'
import { fieldTypeText } from '../compiler/kernel-field.ts'
import { KernelReads } from '../compiler/kernel-reads.ts'
import { address, currentCgroup, currentCpu, currentPid, currentTask, currentTid, ktime } from '../compiler/language/intrinsics.ts'
import { lruHash, ringbuf, RING_FORCE_WAKEUP, RING_NO_WAKEUP } from '../compiler/language/maps.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { lossCounter } from '../signals/signal.ts'
import { u32, u64 } from '../spec/schema.ts'
import type { RecordView } from '../spec/codec.ts'
import { recordingVersion, type RecordingEnd, type RecordingHeader } from '../vm/recording.ts'
import { monotonicNs } from './clock.ts'
import { planHook, type HookPlan, type LeftOut, type RecordedObject } from './recorder-plan.ts'
import { followSource, recorderSource, type ScopeKind } from './recorder-source.ts'
import { RecordingWriter } from './recording-writer.ts'
import { Redaction } from './redaction.ts'

/** Whose events: process ids with their children, or cgroup ids; `name` says it to a person. */
export interface RecordingScope { readonly kind: ScopeKind; readonly ids: readonly number[]; readonly name: string }

export interface RecorderOptions {
  btf: Btf
  scope: RecordingScope
  /** Keep text, addresses and names as they are. */
  keepText: boolean
  /** Version of skep. */
  version: string
  /** Names of the cgroups in scope, by id. */
  cgroups?: Readonly<Record<string, string>>
  /** Bytes of the ring. */
  ringBytes?: number
}

/** What is recorded, before anything is loaded. */
export interface RecorderProgram {
  readonly plans: readonly HookPlan[]
  readonly compiled: Compiled
  /** Hooks and fields that are not recorded. */
  readonly leftOut: ReadonlySet<string>
  readonly declarations: { readonly ring: object; readonly lost: object; readonly scope: object }
}

/** Programs that record all that the programs of these modules read. */
export function compileRecorder(modules: readonly Readonly<Record<string, unknown>>[], options: RecorderOptions): RecorderProgram {
  const { btf, keepText } = options
  const { kind } = options.scope
  const reads = new KernelReads(btf)
  for (const module of modules) compileModule(module, { btf, name: 'probe', observe: reads.observe })
  const leftOut: LeftOut = new Set(reads.nameless)
  const plans = [...reads.hooks.values()].flatMap((hook) => {
    const plan = planHook(btf, hook, !keepText, leftOut)
    if (plan === null) leftOut.add(`the hook ${hook.hook.kind}/${hook.hook.name}`)
    return plan ?? []
  })
  const ring = ringbuf({ name: 'record', bytes: options.ringBytes ?? 4 * 1024 * 1024 })
  const lost = lossCounter('record')
  const scope = lruHash(u64, u32, { name: 'scope', maxEntries: 16_384 })
  const seen = lruHash(u64, u32, { name: 'seen', maxEntries: 65_536 })
  const free = {
    ring, lost, scope, seen, self: process.pid, wakeBytes: Math.min(64 * 1024, ring.bytes / 4), RING_FORCE_WAKEUP, RING_NO_WAKEUP,
    address, ktime, currentCpu, currentPid, currentTid, currentCgroup, currentTask,
    ...Object.fromEntries(plans.map(({ record }, index) => [`record${index}`, record])),
  }
  const source = [
    `import { ${Object.keys(free).join(', ')} } from 'recorder'`, ...plans.map((plan, index) => recorderSource(index, plan, kind)), ...(kind === 'pid' ? [followSource] : []),
  ].join('\n')
  const functions = captureSource(source, 'recorder.ts', free)
  const programs = {
    ...(kind === 'pid' && { follow: tp_btf('sched_process_fork', functions.get('follow')!) }),
    ...Object.fromEntries(plans.map(({ name }, index) => [`hook${index}`, tp_btf(name, functions.get(`hook${index}`)!)])),
  }
  return { plans, leftOut, compiled: compileModule(programs, { btf, name: 'recorder' }), declarations: { ring, lost, scope } }
}

/** The first line of the file. */
export function recordingHeader({ plans }: RecorderProgram, options: RecorderOptions, clock: number): RecordingHeader {
  const structs: RecordingHeader['structs'] = {}
  for (const plan of plans) {
    const objects = plan.arguments.flatMap((one) => (one.kind === 'object' ? [one.object] : []))
    for (const object of [plan.current, ...objects]) describe(object, options.btf, structs)
  }
  return {
    v: recordingVersion, skep: options.version, kernel: release(), at: new Date().toISOString(), clock, cpus: cpus().length, architecture: arch(),
    redacted: !options.keepText, scope: options.scope.name,
    hooks: plans.map((plan) => ({ name: plan.name, arguments: plan.arguments.map(({ name, type }) => ({ name, type: fieldTypeText(type) })) })),
    structs, cgroups: { ...options.cgroups },
  }
}

function describe(object: RecordedObject, btf: Btf, structs: RecordingHeader['structs']): void {
  const of = (struct: string) => {
    structs[struct] ??= { size: btf.sizeOf(btf.find(struct, 'struct', 'union')), fields: {} }
    if (struct !== object.struct && object.struct !== '') structs[struct].of ??= object.struct
    return structs[struct].fields
  }
  if (object.struct !== '') of(object.struct)
  for (const { struct, name, type, bitOffset } of object.fields) of(struct)[name] = [fieldTypeText(type), bitOffset]
  for (const { struct, name, bitOffset, object: target } of object.pointers) {
    of(struct)[name] ??= [`*${target.struct}`, bitOffset]
    describe(target, btf, structs)
  }
}

/** Records from the kernel into lines. */
export class Recorder {
  readonly header: RecordingHeader
  readonly collection: Collection
  readonly #writer: RecordingWriter
  readonly #reader: RingReader
  readonly #lost: string
  readonly #onLine: (line: string) => void
  readonly #began = monotonicNs()

  /** Loads and attaches. Hooks that the kernel refuses are in `collection.failures`. @throws what loading throws */
  static start(program: RecorderProgram, options: RecorderOptions, onLine: (line: string) => void): Recorder {
    const collection = Collection.load(program.compiled.spec)
    try {
      return new Recorder(collection, program, options, onLine)
    } catch (error) {
      collection.close()
      throw error
    }
  }

  private constructor(collection: Collection, program: RecorderProgram, options: RecorderOptions, onLine: (line: string) => void) {
    const nameOf = (declaration: object) => [...program.compiled.maps].find(([, one]) => one === declaration)?.[0]
    this.collection = collection
    this.#onLine = onLine
    this.#lost = nameOf(program.declarations.lost)!
    const scope = nameOf(program.declarations.scope)
    if (scope !== undefined) for (const id of options.scope.ids) collection.map(scope).set(id, 1)
    this.header = recordingHeader(program, options, this.#began)
    const hasScope = options.scope.kind !== 'all'
    this.#writer = new RecordingWriter(program.plans, new Redaction(options.keepText, hasScope), { redacted: !options.keepText, hasScope }, this.#began)
    this.#reader = RingReader.open(collection.map(nameOf(program.declarations.ring)!))
    collection.attachAll()
    this.#reader.start(this.#onRecord)
  }

  readonly #onRecord = (view: RecordView, offset: number, length: number): void => {
    this.#onLine(this.#writer.line(view.u8.subarray(offset, offset + length)))
  }

  get events(): number { return this.#writer.events }

  /** Events that the ring had no room for, or that came while a program of theirs was already running on that CPU. */
  get lost(): number {
    const full = (this.collection.map(this.#lost).get(0) as number[]).reduce((sum, one) => sum + one, 0)
    return [...this.collection.programs.values()].reduce((sum, program) => sum + program.stats().recursionMisses, full)
  }

  /** Detaches, reads what waits, and gives the last line. */
  stop(stopped: string): RecordingEnd {
    for (const link of this.collection.links.values()) link.close()
    this.#reader.drain(this.#onRecord)
    return { end: true, events: this.events, lost: this.lost, duration: Math.max(monotonicNs(), this.#writer.time) - this.#began, stopped }
  }

  close(): void {
    this.#reader.close()
    this.collection.close()
  }
}
