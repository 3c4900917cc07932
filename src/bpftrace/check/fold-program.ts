import type { Diagnostics } from '../diagnostic.ts'
import { ProgramError } from '../diagnostic.ts'
import { parseInteger } from '../syntax/lexer.ts'
import type { Block, Expression, Of, Probe, Statement } from '../syntax/ast.ts'
import type { AnyNode } from '../syntax/walk.ts'
import { foldExpression, integer, isLiteral, truth, type Parameters } from './fold.ts'

const bodies = new Set(['then', 'otherwise', 'body'])

/** Folds a whole tree from the leaves up, with the program's parameters put in; errors are collected. */
export class Folder {
  readonly #parameters: Parameters
  readonly #diagnostics: Diagnostics
  readonly #constant: (name: string) => { value: bigint; enum?: string } | undefined

  constructor(parameters: Parameters, diagnostics: Diagnostics, constant: (name: string) => { value: bigint; enum?: string } | undefined = () => undefined) {
    this.#parameters = parameters
    this.#diagnostics = diagnostics
    this.#constant = constant
  }

  probe(probe: Probe): void {
    if (probe.predicate !== null) probe.predicate = this.fold(probe.predicate)
    this.#inside(probe.body as unknown as Record<string, unknown>)
  }

  body(body: Block): void {
    this.#body(body)
  }

  fold<T>(node: T): T {
    if (Array.isArray(node)) return node.map((one) => this.fold(one)) as T
    if (node === null || typeof node !== 'object') return node
    if ('kind' in node && 'span' in node) return this.#node(node as unknown as AnyNode) as T
    this.#inside(node as Record<string, unknown>)
    return node
  }

  #inside(node: Record<string, unknown>): void {
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'span' && key !== 'type' && !key.endsWith('Span') && typeof value === 'object') {
        node[key] = bodies.has(key) ? this.#body(value as Block | null) : this.fold(value)
      }
    }
  }

  /** Bodies stay blocks, whatever is in them. */
  #body(body: Block | null): Block | null {
    if (body !== null && body.kind === 'block') this.#inside(body as unknown as Record<string, unknown>)
    return body !== null && body.kind !== 'block' ? this.fold(body) : body
  }

  #node(node: AnyNode): unknown {
    if (node.kind === 'call' && (node as Of<'call'>).name === 'str') {
      // str($1) is the parameter's text, str($1 + 1) the rest of it.
      const text = this.#textOf((node as Of<'call'>).args[0])
      if (text !== null && (node as Of<'call'>).args.length === 1) return { kind: 'string', value: text, span: node.span }
    }
    if (node.kind === 'expression' && (node as Statement & { kind: 'expression' }).expression.kind === 'if') {
      const statement = node as Statement & { kind: 'expression' }
      const folded = this.fold(statement.expression)
      return { ...statement, expression: folded }
    }
    const comptime = node.kind === 'if' && (node as Of<'if'>).condition.kind === 'comptime'
    this.#inside(node as unknown as Record<string, unknown>)
    try {
      return node.kind === 'if' ? comptime ? this.#if(node as Of<'if'>) : node : this.#folded(node as Expression)
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error
      this.#diagnostics.add(error.diagnostic)
      return node
    }
  }

  #folded(node: Expression): Expression {
    switch (node.kind) {
      case 'positional': return this.#positional(node)
      case 'positionalCount': return integer(BigInt(this.#parameters.positional.length), node.span)
      case 'identifier': {
        const constant = this.#constant(node.name)
        return constant === undefined ? node : {
          kind: 'integer', value: constant.value, text: node.name, folded: true, ...(constant.enum !== undefined && { enum: constant.enum }), span: node.span,
        }
      }
      case 'comptime': {
        const { operand } = node
        return isLiteral(operand) ? operand : node
      }
      case 'block':
        // { 1 } is 1.
        return node.statements.length === 0 && node.result !== null && isLiteral(node.result) ? node.result : node
      default: return foldExpression(node)
    }
  }

  #if(node: Of<'if'>): Expression {
    // Only a comptime condition has become a literal on purpose; others keep both sides for the checker.
    if (!isLiteral(node.condition) || node.condition.kind === 'tuple') return node
    if (truth(node.condition)) return node.then
    return node.otherwise ?? { kind: 'block', statements: [], result: null, span: node.span }
  }

  #positional(node: Of<'positional'>): Expression {
    const text = this.#parameters.positional[node.index - 1]
    if (text === undefined) return integer(0n, node.span)
    if (!/^-?[0-9]/.test(text)) return { kind: 'string', value: text, span: node.span }
    try {
      const value = text.startsWith('-') ? -parseInteger(text.slice(1), node.span) : parseInteger(text, node.span)
      return { kind: 'integer', value, text, folded: true, span: node.span }
    } catch {
      return { kind: 'string', value: text, span: node.span }
    }
  }

  #textOf(argument: Expression | undefined): string | null {
    if (argument === undefined) return null
    if (argument.kind === 'positional') return this.#parameters.positional[argument.index - 1] ?? ''
    if (argument.kind === 'positionalCount') return String(this.#parameters.positional.length)
    if (argument.kind !== 'binary' || argument.operator !== '+') return null
    const text = this.#textOf(argument.left)
    const offset = this.fold(argument.right)
    if (text === null || offset.kind !== 'integer') return null
    if (offset.value > BigInt(text.length)) {
      throw new ProgramError(`cannot use offset that exceeds string size (${offset.value} > ${text.length})`, argument.span)
    }
    return text.slice(Number(offset.value))
  }
}
