import { Btf } from '../btf/btf.ts'
import { relocate } from '../spec/relocate.ts'
import type { AttachTarget, MapSpec, ProgramSpec, Spec } from '../spec/spec.ts'
import { allocate, release } from '../sys/memory.ts'
import { command, commandError } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { kernelBtf } from './kernel-btf.ts'
import { attach } from './link.ts'
import type { Link } from './link.ts'
import { BpfMap } from './map.ts'
import { Program } from './program.ts'
import type { LoadContext } from './program-load.ts'

export interface LoadOptions {
  /** The types to relocate for; the running kernel's by default. */
  kernelBtf?: Btf
}

/**
 * A Spec in the kernel. A program that cannot be loaded or attached costs only itself: it is in `failures`, the others work.
 */
export class Collection {
  readonly spec: Spec
  readonly maps = new Map<string, BpfMap>()
  readonly programs = new Map<string, Program>()
  readonly links = new Map<string, Link>()
  /** By program name: why it was not loaded, or later not attached. */
  readonly failures = new Map<string, Error>()
  /** By map name: why the kernel did not make it; the programs that use it fail with the same error. */
  readonly mapFailures = new Map<string, Error>()
  /** Why the Spec's BTF was refused: its programs then have no line information. */
  btfFailure: Error | undefined
  #btf: Descriptor | undefined

  private constructor(spec: Spec) {
    this.spec = spec
  }

  static load(spec: Spec, options: LoadOptions = {}): Collection {
    const collection = new Collection(spec)
    try {
      for (const map of spec.maps) collection.#create(map)
      const context = collection.#context(options)
      for (const program of spec.programs) collection.#load(program, context)
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

  /** Attaches every loaded program to the hook it names, those not attached yet. Failures are in `failures`. */
  attachAll(): void {
    for (const name of this.programs.keys()) {
      if (this.links.has(name)) continue
      try {
        this.attach(name)
      } catch (error) {
        this.failures.set(name, asError(error))
      }
    }
  }

  /** Attaches one program, to `target` instead of the hook it names if given. @throws what attach() throws */
  attach(name: string, target?: AttachTarget): Link {
    const program = this.programs.get(name)
    if (program === undefined) throw this.failures.get(name) ?? new Error(`'${this.spec.name}' has no program '${name}'`)
    if (this.links.has(name)) throw new Error(`program '${name}' is attached already`)
    const link = attach(program, target)
    this.links.set(name, link)
    return link
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
    this.#btf?.close()
    this.links.clear()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #create(spec: MapSpec): void {
    try {
      this.maps.set(spec.name, BpfMap.create(spec))
    } catch (error) {
      this.mapFailures.set(spec.name, asError(error))
    }
  }

  #load(spec: ProgramSpec, context: LoadContext): void {
    try {
      this.programs.set(spec.name, Program.load(spec, context))
    } catch (error) {
      this.failures.set(spec.name, asError(error))
    }
  }

  #context(options: LoadOptions): LoadContext {
    const { spec } = this
    const target = () => options.kernelBtf ?? kernelBtf()
    const local = spec.btf === null ? undefined : Btf.parse(spec.btf)
    if (spec.btf !== null && spec.programs.some((program) => program.functions.length > 0)) this.#loadBtf(spec.btf)
    return {
      license: spec.license,
      btf: local,
      btfFd: this.#btf?.fd,
      mapFd: (name) => this.map(name).fd,
      kernelBtf: target,
      relocate(program) {
        if (local === undefined) throw new Error(`program '${program.name}' has CO-RE relocations, but its Spec has no BTF`)
        return relocate(program, local, target())
      },
    }
  }

  #loadBtf(bytes: Uint8Array): void {
    const memory = allocate(bytes.length)
    try {
      memory.u8.set(bytes)
      const fd = command('BPF_BTF_LOAD', 28, (attr) => {
        attr.u64(0, memory.address)
        attr.u32(16, bytes.length)
      })
      if (fd >= 0) this.#btf = new Descriptor('btf', this.spec.name, fd)
      else this.btfFailure = commandError('BPF_BTF_LOAD', fd, `the types of '${this.spec.name}'`)
    } finally {
      release(memory)
    }
  }
}

/** Loads a Spec: its maps and types once, its programs each on its own. */
export function load(spec: Spec, options: LoadOptions = {}): Collection {
  return Collection.load(spec, options)
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
