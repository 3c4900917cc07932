import { expansions, sources, type Diagnostics } from '../diagnostic.ts'
import { librarySource } from '../library/library.ts'
import type { Span } from '../source.ts'
import {
  isTypeNode, type Block, type Expression, type Macro, type Of, type Probe, type Statement, type TypeNode,
} from '../syntax/ast.ts'
import { rebuild, visit, type AnyNode } from '../syntax/walk.ts'

/** Replaces calls of macros by their bodies, with variables of their own. */
export class MacroExpander {
  readonly #macros = new Map<string, Macro[]>()
  readonly #library = new Map<string, Macro[]>()
  readonly #diagnostics: Diagnostics
  readonly #isFunction: (name: string) => boolean
  #serial = 0

  constructor(macros: readonly Macro[], diagnostics: Diagnostics, isFunction: (name: string) => boolean) {
    this.#diagnostics = diagnostics
    this.#isFunction = isFunction
    for (const macro of macros) {
      const seen = new Set<string>()
      for (const param of macro.params) {
        if (seen.has(param.name)) diagnostics.error(`Duplicate macro argument: '${param.name}'`, param.span)
        seen.add(param.name)
      }
      const table = macro.library ? this.#library : this.#macros
      const known = table.get(macro.name)
      const twin = known?.find((one) => signature(one) === signature(macro))
      if (twin !== undefined) diagnostics.error(`Redefinition of macro: ${macro.name}`, macro.span)
      if (known === undefined) table.set(macro.name, [macro])
      else known.push(macro)
    }
  }

  expandProbe(probe: Probe): void {
    if (probe.predicate !== null) probe.predicate = this.#expand(probe.predicate, [], false)
    probe.body = this.#expand(probe.body, [], false) as Block
  }

  #named(name: string, library: boolean): Macro[] {
    // What the library calls means the library's own macros, whatever the program defines.
    if (library) return this.#library.get(name) ?? []
    const own = this.#macros.get(name) ?? []
    return [...own, ...(this.#library.get(name) ?? [])]
  }

  #expand<T>(tree: T, stack: readonly Macro[], library: boolean): T {
    return rebuild(tree, (node, key) => {
      if (node.kind === 'call') return this.#call(node as Of<'call'>, stack, library)
      if (node.kind === 'identifier' && key !== 'operand') return this.#bare(node as Of<'identifier'>, stack, library)
      if (node.kind === 'identifier' && key === 'operand') return this.#bare(node as Of<'identifier'>, stack, library)
      if ((node.kind === 'sizeof' || node.kind === 'offsetof' || node.kind === 'typeinfo') && 'operand' in node && (node.operand as AnyNode).kind === 'identifier') {
        return { ...node }
      }
      return undefined
    })
  }

  #bare(node: Of<'identifier'>, stack: readonly Macro[], library: boolean): Expression | undefined {
    const macro = this.#named(node.name, library).find(({ params }) => params.length === 0)
    return macro === undefined ? undefined : this.#apply(macro, [], node.span, stack)
  }

  #call(node: Of<'call'>, stack: readonly Macro[], library: boolean): Expression {
    const candidates = this.#named(node.name, library)
    const args = node.args.map((arg) => this.#expand(arg, stack, library))
    const plain: Expression = { ...node, args }
    if (candidates.length === 0) return plain
    const sameArity = candidates.filter(({ params }) => params.length === args.length)
    const fitting = sameArity.filter((macro) => macro.params.every((param, index) => fits(param.kind, args[index]!)))
    const best = fitting.sort((a, b) => specificity(b) - specificity(a))[0]
    if (best !== undefined) return this.#apply(best, args, node.span, stack)
    if (this.#isFunction(node.name)) return plain
    if (sameArity.length === 0) {
      const wanted = [...new Set(candidates.map(({ params }) => params.length))].join(' or ')
      this.#diagnostics.error(
        `Call to macro '${node.name}' has wrong number arguments. Expected: ${wanted} but got ${args.length}`, node.span,
      )
      return plain
    }
    const [macro] = sameArity as [Macro]
    const wrong = macro.params.findIndex((param, index) => !fits(param.kind, args[index]!))
    const what = macro.params[wrong]!.kind === 'map' ? 'map' : 'variable'
    this.#diagnostics.error(`Mismatched arg. ${node.name} expects a ${what} for arg ${wrong + 1}`, args[wrong]!.span)
    return plain
  }

  #apply(macro: Macro, args: readonly Expression[], call: Span, stack: readonly Macro[]): Expression {
    if (stack.includes(macro)) {
      const path = [...stack.slice(stack.indexOf(macro)), macro].map(({ name }) => name).join(' > ')
      this.#diagnostics.error(`Recursive macro call detected. Call chain: ${path}`, call)
      return { kind: 'integer', value: 0n, text: '0', span: call }
    }
    const serial = ++this.#serial
    const given = new Map(macro.params.map((param, index) => [param.name, args[index]!]))
    const from = [call, ...(expansions.get(call) ?? [])]
    const span = (old: Span): Span => {
      const fresh = { ...old }
      if (macro.library) sources.set(fresh, librarySource)
      expansions.set(fresh, from)
      return fresh
    }
    const body = new Substitution(macro, given, serial, span, this.#diagnostics).block(macro.body)
    return this.#expand(body, [...stack, macro], macro.library ?? false)
  }
}

function signature(macro: Macro): string {
  return macro.params.map(({ kind }) => kind).join()
}

function fits(kind: 'variable' | 'map' | 'identifier', arg: Expression): boolean {
  return kind === 'identifier' || arg.kind === kind
}

function specificity(macro: Macro): number {
  return macro.params.filter(({ kind }) => kind !== 'identifier').length * 2 + (macro.library ? 0 : 1)
}

/** The body of one macro with its parameters replaced. */
class Substitution {
  readonly #macro: Macro
  readonly #given: Map<string, Expression>
  readonly #serial: number
  readonly #span: (old: Span) => Span
  readonly #diagnostics: Diagnostics

  constructor(macro: Macro, given: Map<string, Expression>, serial: number, span: (old: Span) => Span, diagnostics: Diagnostics) {
    this.#macro = macro
    this.#given = given
    this.#serial = serial
    this.#span = span
    this.#diagnostics = diagnostics
  }

  block(body: Block): Block {
    return this.#tree(body)
  }

  #tree<T>(tree: T): T {
    return rebuild(tree, (node) => this.#node(node))
  }

  #node(node: AnyNode): unknown {
    switch (node.kind as string) {
      case 'span': return this.#span(node.span)
      case 'identifier': return this.#identifier(node as Of<'identifier'>)
      case 'variable': return this.#variable(node as Of<'variable'>)
      case 'map': return { ...node, name: this.#map((node as Of<'map'>).name, node.span), span: this.#span(node.span) }
      case 'mapAccess': {
        const access = node as Of<'mapAccess'>
        return {
          ...access, map: this.#map(access.map, access.mapSpan), key: this.#tree(access.key), span: this.#span(access.span), mapSpan: this.#span(access.mapSpan),
        }
      }
      case 'named': return this.#type(node as TypeNode & { kind: 'named' })
      case 'offsetof': return this.#offsetof(node as Of<'offsetof'>)
      case 'assignVariable': case 'declare': case 'forMap': case 'forRange': return this.#binding(node as Statement)
      default: return undefined
    }
  }

  #identifier(node: Of<'identifier'>): Expression | undefined {
    const arg = this.#given.get(node.name)
    return arg === undefined ? undefined : rebuild(arg, () => undefined)
  }

  #variable(node: Of<'variable'>): Expression {
    const arg = this.#given.get(node.name)
    if (arg !== undefined) return { ...arg }
    return { ...node, name: this.#own(node.name), span: this.#span(node.span) }
  }

  #own(name: string): string {
    return `$$${this.#macro.name}_${this.#serial}_${name.slice(1)}`
  }

  #map(name: string, span: Span): string {
    const arg = this.#given.get(name)
    if (arg?.kind === 'map') return arg.name
    this.#diagnostics.error(`Unhygienic access to map: ${name}. Maps must be passed into the macro as arguments.`, span)
    return name
  }

  #type(node: TypeNode & { kind: 'named' }): TypeNode | undefined {
    const arg = this.#given.get(node.name)
    if (arg === undefined) return undefined
    if (node.tag !== undefined) {
      this.#diagnostics.error(`${node.tag} ${node.name}: a macro argument cannot stand for the name of a ${node.tag}`, node.span)
      return undefined
    }
    if (arg.kind === 'typeof') {
      return isTypeNode(arg.operand) ? rebuild(arg.operand, () => undefined) : {
        kind: 'typeof', operand: arg.operand, span: arg.span,
      }
    }
    return { kind: 'typeof', operand: arg, span: arg.span }
  }

  #offsetof(node: Of<'offsetof'>): Expression {
    let { path } = node
    const arg = path.length === 1 ? this.#given.get(path[0]!) : undefined
    if (arg !== undefined) {
      const fields = pathOf(arg)
      if (fields === null) this.#diagnostics.error('offsetof expects the path of a field', arg.span)
      else path = fields
    }
    return { ...node, path, operand: this.#tree({ operand: node.operand }).operand, span: this.#span(node.span) }
  }

  #binding(node: Statement): unknown {
    const name = node.kind === 'assignVariable' || node.kind === 'declare' ? node.name : (node as { variable: string }).variable
    const arg = this.#given.get(name)
    const declares = node.kind === 'declare' || (node.kind === 'assignVariable' && node.declared !== undefined)
    if (arg !== undefined && declares) this.#diagnostics.error(`Variable declaration shadows macro arg ${name}`, node.span)
    const replaced = arg?.kind === 'variable' ? arg.name : this.#own(name)
    const copy: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(node)) copy[key] = rebuild(value as unknown, (inner) => this.#node(inner), key)
    copy[node.kind === 'assignVariable' || node.kind === 'declare' ? 'name' : 'variable'] = replaced
    return copy
  }
}

function pathOf(expression: Expression): string[] | null {
  if (expression.kind === 'identifier') return [expression.name]
  if (expression.kind !== 'field') return null
  const outer = pathOf(expression.operand)
  return outer === null ? null : [...outer, expression.name]
}

/** Types as arguments are only for macros: what is left of them after expansion is an error. */
export function refuseTypeArguments(probe: Probe, diagnostics: Diagnostics, allowed: (name: string) => boolean): void {
  visit([probe.predicate, probe.body], (node) => {
    if (node.kind !== 'call') return
    const call = node as Of<'call'>
    for (const arg of call.args) {
      if ((arg as { kind: string }).kind !== 'typeof' || allowed(call.name)) continue
      diagnostics.error(`typeof cannot be used as an argument of ${call.name}; only macros take types`, arg.span)
    }
  })
}
