import { Diagnostics, ProgramError } from '../diagnostic.ts'
import type { Environment, Target } from '../environment.ts'
import { headerConstants } from '../library/constants.ts'
import { standardLibrary } from '../library/library.ts'
import type { Source } from '../source.ts'
import type { Block, Macro, Of, Probe, Program, Statement, Subprogram } from '../syntax/ast.ts'
import { parseProgram } from '../syntax/parser.ts'
import { rebuild, visit } from '../syntax/walk.ts'
import { TypeStore } from '../types/store.ts'
import type { Type } from '../types/type.ts'
import { argsOf } from './args.ts'
import { builtinNamed } from './builtins.ts'
import { readConfig, type Config } from './config.ts'
import { CheckContext, type CheckedProbe, type CheckedProgram } from './context.ts'
import { writtenType } from './expressions.ts'
import { Folder } from './fold-program.ts'
import { functionNamed, plainName } from './functions.ts'
import { MacroExpander, refuseTypeArguments } from './macros.ts'
import { checkMaps } from './map-declarations.ts'
import { predicateOf } from './predicate.ts'
import { checkBlock } from './statements.ts'
import { resolveProbe } from './targets.ts'

export type Stage = 'parse' | 'macro' | 'fold' | 'targets' | 'types'

export interface CheckOptions {
  environment: Environment
  /** Parameters of the program: positional, and `--name=value`. */
  positional?: readonly string[]
  named?: ReadonlyMap<string, string | true>
  /** Variables of the process: BPFTRACE_… */
  variables?: Readonly<Record<string, string | undefined>>
  config?: Partial<Config>
  unsafe?: boolean
  pid?: number | null
  /** Stop after this stage. */
  until?: Stage
  externs?: ReadonlyMap<string, { params: Type[]; returns: Type }>
  /** Text of an imported file; null if there is none. */
  read?: (path: string) => Source | null
  /** Leaves out probes whose name does not match. */
  filter?: RegExp
  /** Include test: and bench: probes only in these modes. */
  mode?: 'run' | 'test' | 'bench'
}

export interface Checked { program: Program | null; checked: CheckedProgram | null; diagnostics: Diagnostics }

/** The whole front end: from text to a tree in which every type is known. Never throws for what is wrong with the program. */
export function checkProgram(source: Source, options: CheckOptions): Checked {
  const diagnostics = new Diagnostics()
  try {
    return new FrontEnd(source, options, diagnostics).run()
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error
    diagnostics.add(error.diagnostic)
    return { program: null, checked: null, diagnostics }
  }
}

class FrontEnd {
  readonly #source: Source
  readonly #options: CheckOptions
  readonly #diagnostics: Diagnostics

  constructor(source: Source, options: CheckOptions, diagnostics: Diagnostics) {
    this.#source = source
    this.#options = options
    this.#diagnostics = diagnostics
  }

  run(): Checked {
    const { until, positional } = this.#options
    const diagnostics = this.#diagnostics
    const program = parseProgram(this.#source, { params: positional ?? null })
    const done = (stage: Stage) => until === stage || diagnostics.failed
    if (done('parse')) return { program, checked: null, diagnostics }
    const config = readConfig(program, this.#options.variables ?? {}, diagnostics, this.#options.config)
    const imported = this.#imports(program)
    this.#expandMacros(program, imported)
    if (done('macro')) return { program, checked: null, diagnostics }
    const store = new TypeStore(this.#options.environment.btf, [...imported.map(({ preamble }) => preamble), program.preamble])
    this.#fold(program, store)
    if (done('fold')) return { program, checked: null, diagnostics }
    const probes = this.#targets(program, config, store)
    if (done('targets')) return { program, checked: null, diagnostics }
    const checked = this.#types(program, probes, store, config)
    return { program, checked: diagnostics.failed ? null : checked, diagnostics }
  }

  /** Imported programs; their items come first. */
  #imports(program: Program): Program[] {
    const found: Program[] = []
    const seen = new Set<string>()
    const read = (from: Program) => {
      for (const { path, span } of from.imports) {
        if (seen.has(path)) continue
        seen.add(path)
        const source = path.startsWith('stdlib/') ? null : this.#options.read?.(path) ?? null
        if (path.startsWith('stdlib/')) continue
        if (source === null) {
          this.#diagnostics.error(`No such file or directory: ${path}`, span)
          continue
        }
        const imported = parseProgram(source, { params: this.#options.positional ?? null })
        read(imported)
        found.push(imported)
      }
    }
    read(program)
    for (const imported of found.toReversed()) program.items.unshift(...imported.items)
    return found
  }

  #expandMacros(program: Program, _imported: readonly Program[]): void {
    const macros: Macro[] = [...standardLibrary()]
    for (const item of program.items) if (item.kind === 'macro') macros.push(item.macro)
    const known = (name: string) => functionNamed(plainName(name)) !== undefined || builtinNamed(plainName(name)) !== undefined || this.#options.externs?.has(name) === true
    const expander = new MacroExpander(macros, this.#diagnostics, known)
    for (const item of program.items) {
      if (item.kind !== 'probe') continue
      expander.expandProbe(item.probe)
      refuseTypeArguments(item.probe, this.#diagnostics, (name) => name === 'container_of' || name.startsWith('is_'))
    }
  }

  #fold(program: Program, store: TypeStore): void {
    const constant = (name: string) => {
      if (builtinNamed(plainName(name)) !== undefined) return undefined
      const known = store.enumerator(name)
      if (known !== undefined) return { value: known.value, enum: name }
      // What a header that the script includes would define.
      return program.preamble.includes.length > 0 && Object.hasOwn(headerConstants, name) ? { value: headerConstants[name]! } : undefined
    }
    const folder = new Folder({ positional: this.#options.positional ?? [] }, this.#diagnostics, constant)
    for (const item of program.items) {
      if (item.kind === 'probe') folder.probe(item.probe)
      else if (item.kind === 'subprogram') folder.body(item.subprogram.body)
    }
  }

  #targets(program: Program, config: Config, store: TypeStore): CheckedProbe[] {
    const { environment, filter, mode = 'run' } = this.#options
    const probes: CheckedProbe[] = []
    const names = new Set<string>()
    for (const item of program.items) {
      if (item.kind !== 'probe') continue
      const { probe } = item
      if (probe.points.length > 1 && probe.points.some(({ provider }) => provider === 'iter')) {
        this.#diagnostics.error('Only single iter attach point is allowed.', probe.span)
      }
      let targets = resolveProbe(
        probe, environment, {
          missing: config.missing_probes, unsafe: this.#options.unsafe ?? false, pid: this.#options.pid ?? null,
        }, this.#diagnostics,
      )
      for (const target of targets) {
        if (target.kind !== 'test' && target.kind !== 'bench') continue
        if (names.has(target.display)) {
          this.#diagnostics.error(
            `"${target.name}" was used as the name for more than one ${target.kind.toUpperCase()} probe`, probe.span,
          )
        }
        names.add(target.display)
      }
      if (targets.length === 0 && config.missing_probes !== 'error') {
        this.#diagnostics.warn(
          'Probe has no valid attach points. It is being removed which may cause issues with program behavior.', probe.span,
        )
      }
      targets = targets.filter(
        (target) => wanted(target, mode) && (filter === undefined || target.kind === 'begin' || target.kind === 'end' || filter.test(target.display)),
      )
      probes.push(...this.#split(probe, targets, store))
    }
    return probes
  }

  /** A probe whose code depends on where it hangs becomes one probe a target. */
  #split(probe: Probe, targets: Target[], store: TypeStore): CheckedProbe[] {
    const args = (target: Target | undefined) => (target === undefined ? null : argsOf(target, store, this.#options.environment))
    if (targets.length < 2 || !dependsOnTarget(probe)) {
      return targets.length === 0 ? [] : [{ probe, targets, args: args(targets[0]) }]
    }
    return targets.map(
      (target, index) => ({
        probe: index === 0 ? probe : rebuild(probe, () => undefined), targets: [target], args: args(target),
      }),
    )
  }

  #types(program: Program, probes: CheckedProbe[], store: TypeStore, config: Config): CheckedProgram {
    const { environment } = this.#options
    const c = new CheckContext({
      store, environment, config, diagnostics: this.#diagnostics, unsafe: this.#options.unsafe ?? false, positional: this.#options.positional ?? [],
      ...(this.#options.externs && { externs: this.#options.externs }), ...(this.#options.named && { named: this.#options.named }),
    })
    const subprograms = program.items.flatMap((item) => (item.kind === 'subprogram' ? [item.subprogram] : []))
    for (const item of program.items) if (item.kind === 'map') c.map(item.map.name, item.map.span).declaration = item.map
    this.#infer(c, probes, subprograms)
    c.deciding = false
    c.reporting = true
    pass(c, probes, subprograms)
    checkMaps(c)
    return { probes, maps: c.maps, variables: c.variables, subprograms, named: c.named, store, config }
  }

  /** Passes until nothing changes; then one comptime condition is decided, and so on. */
  #infer(c: CheckContext, probes: readonly CheckedProbe[], subprograms: readonly Subprogram[]): void {
    const most = 200
    for (let round = 0; round < most; round++) {
      c.changed = false
      c.deciding = false
      pass(c, probes, subprograms)
      if (c.changed) continue
      c.deciding = true
      pass(c, probes, subprograms)
      if (!c.changed) return
    }
  }
}

function pass(c: CheckContext, probes: readonly CheckedProbe[], subprograms: readonly Subprogram[]): void {
  for (const subprogram of subprograms) checkSubprogram(c, subprogram)
  for (const probe of probes) {
    c.enter(probe)
    c.scoped(probe, () => {
      if (probe.probe.predicate !== null) predicateOf(c, probe.probe.predicate)
      checkBlock(c, probe.probe.body, { unused: true })
    })
  }
  c.probe = null
}

function checkSubprogram(c: CheckContext, subprogram: Subprogram): void {
  c.subprogram = subprogram
  c.scoped(subprogram, () => {
    for (const param of subprogram.params) c.declare(param.name, { kind: 'none' })
    for (const param of subprogram.params) {
      const info = c.variable(param.name)!
      const type = writtenType(c, param.type)
      if (type.kind !== 'none' && info.type.kind === 'none') {
        info.type = type
        c.changed = true
      }
    }
    const returns = writtenType(c, subprogram.returns)
    checkBlock(c, subprogram.body, { unused: true })
    if (returns.kind !== 'void' && !alwaysReturns(subprogram.body)) {
      c.error(`Not all code paths returned a value`, subprogram.span)
    }
  })
  c.subprogram = null
}

function alwaysReturns(block: Block): boolean {
  const last: Statement | undefined = block.result === null ? block.statements.at(-1) : {
    kind: 'expression', expression: block.result, span: block.result.span,
  }
  if (last === undefined) return false
  if (last.kind === 'jump') return last.jump === 'return'
  if (last.kind !== 'expression') return false
  const { expression } = last
  if (expression.kind === 'block') return alwaysReturns(expression)
  return expression.kind === 'if' && expression.otherwise !== null && alwaysReturns(expression.then) && alwaysReturns(expression.otherwise)
}

function wanted(target: Target, mode: 'run' | 'test' | 'bench'): boolean {
  if (target.kind === 'test') return mode === 'test'
  if (target.kind === 'bench') return mode === 'bench'
  return true
}

/** Whether the tree reads what differs between targets. */
function dependsOnTarget(probe: Probe): boolean {
  let found = false
  visit([probe.predicate, probe.body], (node) => {
    const name = node.kind === 'identifier' ? plainName((node as Of<'identifier'>).name) : node.kind === 'call' ? plainName((node as Of<'call'>).name) : ''
    if (name === 'args' || name === 'retval' || name === 'ctx' || name === 'func' || name === 'uaddr' || /^arg\d+$/.test(name)) {
      found = true
    }
  })
  return found
}
