import type { Diagnostics } from '../diagnostic.ts'
import type { Environment, Target } from '../environment.ts'
import type { Span } from '../source.ts'
import type { MapDeclaration, Probe, Subprogram } from '../syntax/ast.ts'
import type { StructDefinition } from '../types/struct.ts'
import type { TypeStore } from '../types/store.ts'
import type { Type } from '../types/type.ts'
import type { Config } from './config.ts'

export interface VariableInfo {
  readonly name: string
  readonly id: number
  type: Type
  /** Written with `let $x : type`. */
  declared: Type | null
  /** Anything was assigned to it. */
  assigned: boolean
  /** Its type was looked at by `typeinfo` and may not change any more. */
  locked: boolean
}

export interface MapInfo {
  readonly name: string
  readonly id: number
  /** null: no key (scalar map); none: not known yet. */
  key: Type | null
  value: Type
  keyLocked: boolean
  valueLocked: boolean
  declaration: MapDeclaration | null
  /** The first use, for messages. */
  span: Span
}

/** A named parameter: `getopt("name", default)`. */
export interface NamedParameter { name: string; fallback: bigint | string | boolean; description: string | null; span: Span }

export interface CheckedProbe { probe: Probe; targets: Target[]; args: StructDefinition | null }

/** What the front end knows in the end: all that code generation needs. */
export interface CheckedProgram {
  probes: CheckedProbe[]
  maps: Map<string, MapInfo>
  /** Variable of each node that reads, writes or declares one. */
  variables: WeakMap<object, VariableInfo>
  subprograms: Subprogram[]
  named: Map<string, NamedParameter>
  store: TypeStore
  config: Config
}

/** Adds to a set of a map; whether it was new. */
function note(map: Map<object, Set<string>>, key: object, name: string): boolean {
  const known = map.get(key)
  if (known === undefined) map.set(key, new Set([name]))
  else if (known.has(name)) return false
  else known.add(name)
  return true
}

/** Where checking stands. One pass after the other over the whole program, until no type changes. */
export class CheckContext {
  readonly store: TypeStore
  readonly environment: Environment
  readonly config: Config
  readonly maps = new Map<string, MapInfo>()
  readonly variables = new WeakMap<object, VariableInfo>()
  readonly named = new Map<string, NamedParameter>()
  readonly externs: ReadonlyMap<string, { params: Type[]; returns: Type }>
  readonly unsafe: boolean
  readonly positional: readonly string[]
  readonly namedValues: ReadonlyMap<string, string | true>
  diagnostics: Diagnostics
  /** Set when any type changed in this pass. */
  changed = false
  /** The last pass reports; the ones before only infer. */
  reporting = false
  /** Whether undecided comptime conditions may be decided now. */
  deciding = false
  /** Decisions of comptime conditions, by node. */
  readonly decided = new Map<object, boolean>()
  probe: CheckedProbe | null = null
  subprogram: Subprogram | null = null
  /** Blocks around, innermost last; each has its variables. */
  readonly scopes: Map<string, VariableInfo>[] = []
  /** How deep in loops: `break` needs one. */
  loops = 0
  /** Inside a loop that runs as a function of its own, where the probe's context is not there. */
  callbacks = 0
  readonly #tables = new WeakMap<object, Map<string, VariableInfo>>()
  #ids = 0

  constructor(options: {
    store: TypeStore; environment: Environment; config: Config; diagnostics: Diagnostics; unsafe: boolean
    externs?: ReadonlyMap<string, { params: Type[]; returns: Type }>; positional?: readonly string[]; named?: ReadonlyMap<string, string | true>
  }) {
    this.store = options.store
    this.environment = options.environment
    this.config = options.config
    this.diagnostics = options.diagnostics
    this.unsafe = options.unsafe
    this.externs = options.externs ?? new Map()
    this.positional = options.positional ?? []
    this.namedValues = options.named ?? new Map()
  }

  error(message: string, span: Span, hint?: string): void {
    if (this.reporting) this.diagnostics.error(message, span, hint)
  }

  warn(message: string, span: Span, hint?: string): void {
    if (this.reporting) this.diagnostics.warn(message, span, hint)
  }

  /** Runs inside the scope of a block; its variables are the same in every pass. */
  scoped<T>(block: object, run: () => T): T {
    let table = this.#tables.get(block)
    if (table === undefined) this.#tables.set(block, (table = new Map()))
    this.scopes.push(table)
    // Names come again in each pass, in order, so that use before declaration is seen.
    const known = new Map(table)
    table.clear()
    this.#known.set(table, known)
    try {
      return run()
    } finally {
      this.scopes.pop()
    }
  }

  readonly #known = new WeakMap<Map<string, VariableInfo>, Map<string, VariableInfo>>()

  variable(name: string): VariableInfo | undefined {
    for (let at = this.scopes.length - 1; at >= 0; at--) {
      const found = this.scopes[at]!.get(name)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Names that a probe assigns somewhere inside, and those that it uses outside of that block, as scripts for old versions do. */
  readonly #assigned = new Map<object, Set<string>>()
  readonly #hoisted = new Map<object, Set<string>>()

  /** A pass begins with a probe: nothing is assigned yet. */
  enter(probe: CheckedProbe): void {
    this.probe = probe
    this.#assigned.delete(probe)
  }

  noteAssigned(name: string): void {
    if (this.probe !== null) note(this.#assigned, this.probe, name)
  }

  /** A name that is not known here but was assigned in a block before: from the next pass on it belongs to the whole probe. */
  hoist(name: string): boolean {
    if (this.probe === null || !this.#assigned.get(this.probe)?.has(name)) return false
    if (note(this.#hoisted, this.probe, name)) this.changed = true
    return true
  }

  isHoisted(name: string): boolean {
    return this.probe !== null && this.#hoisted.get(this.probe)?.has(name) === true
  }

  /** Brings a variable into the innermost scope, or into the probe's. */
  declare(name: string, type: Type, whole = false): VariableInfo {
    const scope = whole ? this.scopes[0]! : this.scopes.at(-1)!
    const known = this.#known.get(scope)?.get(name)
    const info = known ?? { name, id: this.#ids++, type, declared: null, assigned: false, locked: false }
    info.assigned = false
    scope.set(name, info)
    return info
  }

  map(name: string, span: Span): MapInfo {
    let info = this.maps.get(name)
    if (info === undefined) {
      info = {
        name, id: this.maps.size, key: { kind: 'none' }, value: { kind: 'none' }, keyLocked: false, valueLocked: false, declaration: null, span,
      }
      this.maps.set(name, info)
    }
    return info
  }
}
