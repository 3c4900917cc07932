import { Btf } from '../btf/btf.ts'
import { loadableBtf } from '../spec/loadable-btf.ts'
import { relocatorFor } from '../spec/relocate.ts'
import type { PoisonedInstruction } from '../spec/relocate.ts'
import type { AttachTarget, MapSpec, ProgramSpec, Spec } from '../spec/spec.ts'
import { loadBtf } from './btf-load.ts'
import { fillSlots, makeMap, variablesOf } from './collection-maps.ts'
import type { MapOptions } from './collection-maps.ts'
import type { Descriptor } from './descriptor.ts'
import { kernelBtf } from './kernel-btf.ts'
import { attach } from './link.ts'
import type { Link } from './link.ts'
import type { AttachOptions } from './attach.ts'
import { attachStructOps } from './links/struct-ops.ts'
import { attachUsdt, UsdtSpecs } from './links/usdt.ts'
import type { BpfMap } from './map.ts'
import { Program } from './program.ts'
import type { LoadContext } from './program-load.ts'
import { createStructOps, kernelStructOps, memberOf, structOpsValue } from './struct-ops.ts'
import type { KernelStructOps } from './struct-ops.ts'
import type { Variable } from './variable.ts'

export interface LoadOptions {
  /** The types to relocate for; the running kernel's by default. */
  kernelBtf?: Btf
  /** Global variables by name, set before loading; constants can be set only so. */
  variables?: Readonly<Record<string, unknown>>
  /** By program name: the program that it replaces (freplace) or traces (fentry, fexit of a program). */
  targets?: Readonly<Record<string, { fd: number }>>
  /** Which programs are loaded; by default all but those of `SEC("?…")`. */
  programs?: (spec: ProgramSpec) => boolean
  /** The bpf file system's directory for maps that are pinned by name; /sys/fs/bpf by default. */
  pinDirectory?: string
  /** A delegated permission (6.9). */
  token?: { fd: number }
}

/**
 * A Spec in the kernel. A program that cannot be loaded or attached costs only itself: it is in `failures`, the others work.
 */
export class Collection {
  readonly spec: Spec
  readonly maps = new Map<string, BpfMap>()
  readonly programs = new Map<string, Program>()
  /** By program name; by map name for struct_ops. */
  readonly links = new Map<string, Link>()
  /** Global variables by name; those of one name in several files of an object are `section:name`. */
  readonly variables = new Map<string, Variable>()
  /** By program name: why it was not loaded, or later not attached. */
  readonly failures = new Map<string, Error>()
  /** By map name: why the kernel did not make it; the programs that use it fail with the same error. */
  readonly mapFailures = new Map<string, Error>()
  /** Why the Spec's BTF was refused: its programs then have no line information. */
  btfFailure: Error | undefined
  #btf: Descriptor | undefined
  readonly #local: Btf | undefined
  readonly #options: LoadOptions
  readonly #tables = new Map<string, KernelStructOps>()
  #usdtSpecs: UsdtSpecs | undefined

  private constructor(spec: Spec, options: LoadOptions) {
    this.spec = spec
    this.#options = options
    this.#local = spec.btf === null ? undefined : Btf.parse(spec.btf)
  }

  static load(spec: Spec, options: LoadOptions = {}): Collection {
    const collection = new Collection(spec, options)
    try {
      collection.#loadTypes()
      for (const map of spec.maps) collection.#create(map)
      const wanted = options.programs ?? ((program) => program.autoload !== false)
      const context = collection.#context()
      for (const program of spec.programs) if (wanted(program)) collection.#load(program, context)
      for (const map of collection.maps.values()) collection.#fillSlots(map)
      return collection
    } catch (error) {
      collection.close()
      throw error
    }
  }

  /** @throws the error that kept it from being made; Error that lists what the Spec has, if there is no such map */
  map<K = any, V = any>(name: string): BpfMap<K, V> {
    const map = this.maps.get(name)
    if (map === undefined) throw this.mapFailures.get(name) ?? new Error(`'${this.spec.name}' has no map '${name}', only: ${[...this.maps.keys()].join(', ') || 'none'}`)
    return map
  }

  /** A global variable. @throws Error that lists what the Spec has, if there is no such variable */
  variable<T = any>(name: string): Variable<T> {
    const found = this.variables.get(name)
    if (found === undefined) throw new Error(`'${this.spec.name}' has no variable '${name}', only: ${[...this.variables.keys()].join(', ') || 'none'}`)
    return found
  }

  /**
   * Attaches every loaded program to the hook it names, and every table of struct_ops; those not attached yet. Failures are in
   * `failures`. Programs whose place only the caller knows (an interface, a cgroup, a socket) are left alone.
   */
  attachAll(): void {
    for (const [name, program] of this.programs) {
      if (this.links.has(name) || !namesItsHook(program.spec.attach)) continue
      try {
        this.attach(name)
      } catch (error) {
        this.failures.set(name, asError(error))
      }
    }
    for (const [name, map] of this.maps) {
      if (map.spec.structOps === undefined || this.links.has(name)) continue
      try {
        this.attachStructOps(name)
      } catch (error) {
        this.mapFailures.set(name, asError(error))
      }
    }
  }

  /** Puts a table of struct_ops to work. @throws SysError, TargetError, or what kept the map or a program of it from being made */
  attachStructOps(name: string): Link {
    const map = this.map(name)
    const table = this.#tables.get(name)
    if (map.spec.structOps === undefined || table === undefined) throw new Error(`'${name}' is a ${map.spec.type}, not a table of struct_ops`)
    const value = structOpsValue(map.spec, this.#local!, table, (program) => this.#programFd(program))
    const link = attachStructOps(map, value, map.spec.structOps.link)
    this.links.set(name, link)
    return link
  }

  /** Attaches one program, to `target` instead of the hook it names if given. @throws what attach() throws */
  attach(name: string, target?: AttachTarget, options: AttachOptions = {}): Link {
    const program = this.programs.get(name)
    if (program === undefined) throw this.failures.get(name) ?? new Error(`'${this.spec.name}' has no program '${name}'`)
    if (this.links.has(name)) throw new Error(`program '${name}' is attached already`)
    const link = this.#attach(program, target ?? program.spec.attach, options)
    this.links.set(name, link)
    return link
  }

  /** Programs that include libbpf's usdt.bpf.h share a map of where their arguments are. */
  #attach(program: Program, target: AttachTarget, options: AttachOptions): Link {
    const specs = this.maps.get('__bpf_usdt_specs')
    if (target.kind !== 'usdt' || specs === undefined) return attach(program, target, options)
    this.#usdtSpecs ??= new UsdtSpecs(specs)
    return attachUsdt(program, target, { ...options, specs: this.#usdtSpecs })
  }

  /** Detaches one program; it stays loaded. */
  detach(name: string): void {
    this.links.get(name)?.close()
    this.links.delete(name)
  }

  /** All or nothing, for callers that want it: closes everything and throws if anything failed. */
  requireAll(): this {
    const errors = [...new Set([...this.mapFailures.values(), ...this.failures.values()])]
    if (errors.length === 0) return this
    this.close()
    throw errors.length === 1 ? errors[0]! : new AggregateError(errors, errors.map((error) => error.message).join('\n'))
  }

  /** Detaches, then unloads, then frees the maps with their readers. */
  close(): void {
    for (const link of this.links.values()) link.close()
    for (const program of this.programs.values()) program.close()
    for (const map of this.maps.values()) map.close()
    for (const table of this.#tables.values()) table.descriptor?.close()
    this.#btf?.close()
    this.links.clear()
    this.#tables.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #create(spec: MapSpec): void {
    if (spec.structOps?.optional === true) return
    try {
      const map = spec.structOps === undefined ? this.#make(spec) : this.#createStructOps(spec)
      this.maps.set(spec.name, map)
      for (const variable of variablesOf(map, this.#local, this.#mapOptions())) this.#addVariable(variable)
    } catch (error) {
      this.mapFailures.set(spec.name, asError(error))
    }
  }

  #make(spec: MapSpec): BpfMap {
    const creation = {
      ...(this.#btf === undefined ? {} : { btfFd: this.#btf.fd }),
      ...(this.#options.token === undefined ? {} : { tokenFd: this.#options.token.fd }),
    }
    return makeMap(this.spec, spec, this.#local, creation, this.#mapOptions())
  }

  #createStructOps(spec: MapSpec): BpfMap {
    if (this.#local === undefined) throw new Error(`the struct_ops map '${spec.name}' needs the types of its Spec`)
    const table = kernelStructOps(spec, this.#local, this.#kernelBtf())
    this.#tables.set(spec.name, table)
    return createStructOps(spec, table, this.#btf?.fd)
  }

  #addVariable(variable: Variable): void {
    const { name } = variable.spec
    const other = this.variables.get(name)
    if (other === undefined) {
      this.variables.set(name, variable)
      return
    }
    this.variables.set(`${variable.section}:${name}`, variable)
    this.variables.set(`${other.section}:${name}`, other)
  }

  #mapOptions(): MapOptions {
    return { variables: this.#options.variables ?? {}, pinDirectory: this.#options.pinDirectory ?? '/sys/fs/bpf' }
  }

  #load(spec: ProgramSpec, context: LoadContext): void {
    try {
      this.programs.set(spec.name, Program.load(spec, context))
    } catch (error) {
      this.failures.set(spec.name, asError(error))
    }
  }

  #fillSlots(map: BpfMap): void {
    try {
      fillSlots(map, (name) => this.map(name).fd, (name) => this.#programFd(name))
    } catch (error) {
      this.mapFailures.set(map.spec.name, asError(error))
    }
  }

  #programFd(name: string): number {
    const program = this.programs.get(name)
    if (program === undefined) throw this.failures.get(name) ?? new Error(`'${this.spec.name}' has no program '${name}'`)
    return program.fd
  }

  #kernelBtf(): Btf {
    return this.#options.kernelBtf ?? kernelBtf()
  }

  #context(): LoadContext {
    const { spec } = this
    const options = this.#options
    const local = this.#local
    const lacking = new Map<ProgramSpec, readonly PoisonedInstruction[]>()
    return {
      license: spec.license,
      btf: local,
      btfFd: this.#btf?.fd,
      externs: spec.externs ?? [],
      mapFd: (name) => this.map(name).fd,
      kernelBtf: () => this.#kernelBtf(),
      relocate: (program) => {
        if (local === undefined) throw new Error(`program '${program.name}' has CO-RE relocations, but its Spec has no BTF`)
        const { code, poisoned } = relocatorFor(local, this.#kernelBtf()).relocate(program)
        lacking.set(program, poisoned)
        return code
      },
      poisoned: (program) => lacking.get(program) ?? [],
      targetProgram: (program) => options.targets?.[program.name],
      structOpsMember: (program) => {
        for (const [name, table] of this.#tables) {
          const member = memberOf(this.spec.maps.find((map) => map.name === name)!, table, program)
          if (member !== undefined) return member
        }
        return undefined
      },
      ...(options.token === undefined ? {} : { tokenFd: options.token.fd }),
    }
  }

  /** Types make listings readable; without them programs have no line information, and maps show bytes. */
  #loadTypes(): void {
    const { spec } = this
    if (spec.btf === null) return
    const useful = spec.programs.some((program) => program.functions.length > 0)
      || spec.maps.some((map) => map.keyType !== undefined || map.valueType !== undefined || map.structOps !== undefined)
    if (!useful) return
    try {
      this.#btf = loadBtf(spec.name, loadableBtf(spec)!, this.#options.token?.fd)
    } catch (error) {
      this.btfFailure = asError(error)
    }
  }
}

/** Whether a program's Spec says all that attaching takes. */
function namesItsHook(target: AttachTarget): boolean {
  if (target.kind === 'given' || target.kind === 'struct_ops' || target.kind === 'lsm_cgroup') return false
  // Without a name it may be an offset in a file.
  return target.name !== '' || ((target.kind === 'uprobe' || target.kind === 'uretprobe') && target.path !== '')
}

/** Loads a Spec: its maps and types once, its programs each on its own. */
export function load(spec: Spec, options: LoadOptions = {}): Collection {
  return Collection.load(spec, options)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
