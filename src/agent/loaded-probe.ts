import { Collection } from '../bpf/collection.ts'
import { PolicyError, VerifierError } from '../bpf/load-error.ts'
import type { BpfMap } from '../bpf/map.ts'
import { TargetError } from '../bpf/program-load.ts'
import type { Compiled } from '../compiler/compile.ts'
import { CompileError } from '../compiler/errors.ts'
import type { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import type { ProbeFacts } from '../signals/probe.ts'
import type { AttachTarget } from '../spec/spec.ts'
import type { MeasuredProgram } from './cost.ts'
import type { ProbeState } from './snapshot.ts'

/** 'tp_btf/sched_switch', 'tracepoint/syscalls/sys_enter_openat'. */
export function hookName(target: AttachTarget): string {
  return target.kind === 'tracepoint' ? `tracepoint/${target.category}/${target.name}` : `${target.kind}/${target.name}`
}

/** What went wrong in words: the cause, and what helps if anything does. */
export function explain(error: Error): { reason: string; remedy: string | null } {
  if (error instanceof PolicyError) {
    const [reason] = error.message.split(`: ${error.causes[0]}`, 1)
    return { reason: `${reason}.`, remedy: `Likely: ${error.causes.join('; or ')}.` }
  }
  if (error instanceof TargetError) return { reason: `${error.message}.`, remedy: 'A kernel that has this tracepoint is needed.' }
  if (error instanceof VerifierError) return { reason: error.message, remedy: 'Please report it with the output of `uname -r`.' }
  if (error instanceof CompileError) return { reason: error.message.split('\n', 1)[0]!, remedy: error.fix }
  return { reason: error.message, remedy: null }
}

/** One probe in the kernel, or the reason why it is not. */
export class LoadedProbe {
  readonly name: string
  readonly title: string
  /** Why nothing of it could be loaded; null when something was. */
  readonly failure: Error | null
  private readonly collection: Collection | null
  private readonly byDeclaration = new Map<MapDeclaration | RingDeclaration, BpfMap>()

  /** Compiles and loads; attach() comes after. Whatever fails costs only this probe: nothing is thrown. */
  static load(facts: ProbeFacts, compile: () => Compiled): LoadedProbe {
    let collection: Collection | null = null
    try {
      const { spec, maps } = compile()
      collection = Collection.load(spec)
      return new LoadedProbe(facts, collection, maps, null)
    } catch (error) {
      collection?.close()
      return new LoadedProbe(facts, null, new Map(), error instanceof Error ? error : new Error(String(error)))
    }
  }

  private constructor({ name, title }: ProbeFacts, collection: Collection | null, maps: Compiled['maps'], failure: Error | null) {
    this.name = name
    this.title = title
    this.collection = collection
    this.failure = failure
    for (const [mapName, declaration] of maps) this.byDeclaration.set(declaration, collection!.map(mapName))
  }

  /** Attaches what was loaded; what the kernel refuses is in `failures`. Takes microseconds a hook, so all probes can begin together. */
  attach(): void {
    this.collection?.attachAll()
  }

  /** Programs that the kernel refused, with the reason. */
  get failures(): ReadonlyMap<string, Error> { return this.collection?.failures ?? new Map() }

  get isOn(): boolean { return this.collection !== null && this.collection.links.size > 0 }

  get maps(): readonly BpfMap[] { return [...this.collection?.maps.values() ?? []] }

  /** The map of a declaration; undefined when the probe is off or no program uses it. */
  map(declaration: MapDeclaration | RingDeclaration): BpfMap | undefined {
    return this.byDeclaration.get(declaration)
  }

  get programs(): MeasuredProgram[] {
    if (this.collection === null) return []
    return [...this.collection.links].map(([name, link]) =>
      ({ probe: this.name, hook: hookName(link.target), program: this.collection!.programs.get(name)! }))
  }

  get state(): ProbeState {
    const { name, title } = this
    if (this.collection === null) return { name, title, state: 'off', hooks: [], ...explain(this.failure!) }
    const { links, failures, spec } = this.collection
    const hooks = [...links.values()].map((link) => hookName(link.target))
    const [first] = failures.values()
    if (first === undefined) return { name, title, state: 'on', hooks, reason: null, remedy: null }
    const missing = spec.programs.filter((program) => failures.has(program.name)).map((program) => hookName(program.attach))
    const { reason, remedy } = explain(first)
    return { name, title, state: hooks.length === 0 ? 'off' : 'partial', hooks, reason: `${missing.join(', ')}: ${reason}`, remedy }
  }

  close(): void {
    this.collection?.close()
  }
}
