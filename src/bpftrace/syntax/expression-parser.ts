import { ProgramError } from '../diagnostic.ts'
import { Source, type Span } from '../source.ts'
import {
  type AssignOperator, type BinaryOperator, type Block, type Expression, type Of, type Statement, type TypeNode, type UnaryOperator,
} from './ast.ts'
import type { Define } from './c-preamble.ts'
import { precedence } from './precedence.ts'
import { isBuiltinType } from './type-names.ts'
import { TokenParser } from './token-parser.ts'

const assignments = new Set(['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='])
const keywords = new Set(['if', 'else', 'while', 'for', 'unroll', 'return', 'break', 'continue', 'let', 'macro', 'fn'])

export class ExpressionParser extends TokenParser {
  /** Object-like #defines of the preamble. */
  readonly defines = new Map<string, Define>()
  /** Defines that are being expanded, against recursion. */
  expanding: string[] = []
  /** Inside a predicate `/` ends the expression. */
  #inPredicate = false

  predicate(): Expression {
    this.#inPredicate = true
    const expression = this.expression()
    this.#inPredicate = false
    this.expect('/')
    return expression
  }

  expression(): Expression {
    const condition = this.#binary(1)
    if (this.takeOperator('?:')) return this.#ternaryEnd(condition, null)
    if (!this.takeOperator('?')) return condition
    if (this.takeOperator(':')) return this.#ternaryEnd(condition, null)
    const then = this.expression()
    this.expect(':')
    return this.#ternaryEnd(condition, then)
  }

  #ternaryEnd(condition: Expression, then: Expression | null): Expression {
    const otherwise = this.expression()
    return { kind: 'ternary', condition, then, otherwise, span: { start: condition.span.start, end: otherwise.span.end } }
  }

  #binary(least: number): Expression {
    let left = this.#unary()
    for (;;) {
      const token = this.peek()
      if (token.kind !== 'operator') return left
      if (this.#inPredicate && token.text === '/' && this.#endsPredicate(token.end)) return left
      const strength = precedence[token.text as BinaryOperator]
      if (strength === undefined || strength < least) return left
      this.next()
      const right = this.#binary(strength + 1)
      left = {
        kind: 'binary', operator: token.text as BinaryOperator, left, right,
        operatorSpan: { start: token.start, end: token.end }, span: { start: left.span.start, end: right.span.end },
      }
    }
  }

  /** A `/` before `{` ends the predicate; a division goes on. */
  #endsPredicate(after: number): boolean {
    return this.lexer.text[this.lexer.skip(after)] === '{'
  }

  #unary(): Expression {
    const token = this.peek()
    if (token.kind === 'identifier' && token.text === 'comptime') {
      this.next()
      const operand = this.#unary()
      return { kind: 'comptime', operand, span: { start: token.start, end: operand.span.end } }
    }
    if (token.kind !== 'operator') return this.#postfix()
    switch (token.text) {
      case '++': case '--': case '-': case '+': case '!': case '~': case '*': case '&': {
        this.next()
        const operand = this.#unary()
        return this.#prefix(token.text, operand, { start: token.start, end: operand.span.end })
      }
      case '(': {
        const cast = this.attempt(() => this.#cast())
        if (cast !== null) return cast
      }
    }
    return this.#postfix()
  }

  #prefix(operator: UnaryOperator, operand: Expression, span: Span): Expression {
    if (operator === '+') return operand
    if ((operator === '++' || operator === '--') && !isTarget(operand)) {
      throw new ProgramError(`The ${operator} operator must be applied to a map or variable`, span)
    }
    if (operator === '&' && operand.kind !== 'variable' && operand.kind !== 'map' && operand.kind !== 'mapAccess') {
      throw new ProgramError('The & operator must be applied to a map or variable', span)
    }
    if (operator === '-' && operand.kind === 'integer' && !operand.folded) {
      if (operand.value > 1n << 63n) throw new ProgramError(`negative literal out of range: -${operand.text}`, span)
      return { kind: 'integer', value: -operand.value, text: `-${operand.text}`, folded: true, span }
    }
    return { kind: 'unary', operator, operand, postfix: false, span }
  }

  #cast(): Expression | null {
    const start = this.next().start
    const to = this.attempt(() => this.type())
    if (to === null || !this.takeOperator(')')) return null
    const next = this.peek()
    const bare = to.kind === 'named' && to.tag === undefined && !isBuiltinType(to.name)
    const operand = next.kind === 'operator'
      ? next.text === '(' || next.text === '!' || next.text === '~' || next.text === '{' && !bare || (!bare && ['-', '*', '&', '++', '--', '+'].includes(next.text))
      : next.kind === 'identifier' ? !keywords.has(next.text) || next.text === 'if' : next.kind !== 'end'
    if (!operand) return null
    const value = this.#unary()
    return { kind: 'cast', to, operand: value, span: { start, end: value.span.end } }
  }

  #postfix(): Expression {
    let operand = this.#primary()
    for (;;) {
      const token = this.peek()
      if (token.kind !== 'operator') return operand
      switch (token.text) {
        case '.': case '->': {
          this.next()
          operand = this.#member(operand, token.text === '->')
          break
        }
        case '[': {
          this.next()
          const index = this.expression()
          const end = this.expect(']').end
          operand = { kind: 'index', operand, index, span: { start: operand.span.start, end } }
          break
        }
        case '++': case '--':
          if (!isTarget(operand)) return operand
          this.next()
          operand = {
            kind: 'unary', operator: token.text, operand, postfix: true, span: { start: operand.span.start, end: token.end },
          }
          return operand
        default: return operand
      }
    }
  }

  #member(operand: Expression, arrow: boolean): Expression {
    const token = this.next()
    const span = { start: operand.span.start, end: token.end }
    if (token.kind === 'integer' && /^[0-9]+$/.test(token.text)) {
      return { kind: 'tupleField', operand, index: Number(token.value), span }
    }
    if (token.kind !== 'identifier') throw this.unexpected(token, 'identifier or integer')
    return { kind: 'field', operand, name: token.text, arrow, span }
  }

  #primary(): Expression {
    const token = this.next()
    const span: Span = { start: token.start, end: token.end }
    switch (token.kind) {
      case 'integer': return { kind: 'integer', value: token.value, text: token.text, span }
      case 'string': return this.#adjacentStrings(token.value, span)
      case 'variable': return { kind: 'variable', name: token.text, span }
      case 'positional': return { kind: 'positional', index: token.index, span }
      case 'positionalCount': return { kind: 'positionalCount', span }
      case 'map': return this.#map(token.text, span)
      case 'identifier': return this.#word(token.text, span)
      case 'operator':
        if (token.text === '(') return this.#parenthesis(span.start)
        if (token.text === '{') {
          this.lexer.at = token.start
          return this.block()
        }
    }
    throw this.unexpected(token, 'expression')
  }

  #adjacentStrings(value: string, span: Span): Expression {
    return { kind: 'string', value, span }
  }

  #map(name: string, span: Span): Expression {
    // A blank before `[` is allowed.
    if (!this.isOperator('[')) return { kind: 'map', name, span }
    this.next()
    const elements = [this.expression()]
    while (this.takeOperator(',')) elements.push(this.expression())
    const end = this.expect(']').end
    const key: Expression = elements.length === 1 ? elements[0]!
      : { kind: 'tuple', elements, span: { start: elements[0]!.span.start, end: elements.at(-1)!.span.end } }
    return { kind: 'mapAccess', map: name, mapSpan: span, key, span: { start: span.start, end } }
  }

  #parenthesis(start: number): Expression {
    if (this.isOperator(')')) return { kind: 'tuple', elements: [], span: { start, end: this.next().end } }
    const first = this.peek()
    if (first.kind === 'identifier' && this.isRecordField()) return this.#record(start)
    const inside = this.#inPredicate
    this.#inPredicate = false
    const elements = [this.expression()]
    let tuple = false
    while (this.takeOperator(',')) {
      tuple = true
      if (this.isOperator(')')) break
      elements.push(this.expression())
    }
    this.#inPredicate = inside
    const end = this.expect(')').end
    if (tuple) return { kind: 'tuple', elements, span: { start, end } }
    return { ...elements[0]!, span: elements[0]!.kind === 'block' ? elements[0]!.span : { start, end } }
  }

  #record(start: number): Expression {
    const fields: Of<'record'>['fields'] = []
    while (!this.isOperator(')')) {
      const name = this.expectIdentifier()
      if (fields.some((field) => field.name === name.text)) throw new ProgramError(`Duplicate field name: ${name.text}`, name)
      this.expect('=')
      fields.push({ name: name.text, value: this.expression() })
      if (!this.takeOperator(',')) break
    }
    const end = this.expect(')').end
    return { kind: 'record', fields, span: { start, end } }
  }

  #word(name: string, span: Span): Expression {
    switch (name) {
      case 'true': case 'false': return { kind: 'bool', value: name === 'true', span }
      case 'sizeof': if (this.isOperator('(')) return { kind: 'sizeof', ...this.#typeOperand(span) }; break
      case 'typeof': if (this.isOperator('(')) return { kind: 'typeof', ...this.#typeOperand(span) }; break
      case 'typeinfo': if (this.isOperator('(')) return { kind: 'typeinfo', ...this.#typeOperand(span) }; break
      case 'offsetof': if (this.isOperator('(')) return this.#offsetof(span); break
      case 'if': return this.#if(span.start)
    }
    if (keywords.has(name)) throw new ProgramError(`syntax error, unexpected ${name}`, span)
    if (this.isOperator('(')) return this.#call(name, span)
    const define = this.defines.get(name)
    if (define !== undefined) return this.#define(define, span)
    return { kind: 'identifier', name, span }
  }

  /** The text of a #define as an expression, at the place where its name stands. */
  #define(define: Define, span: Span): Expression {
    if (this.expanding.includes(define.name)) {
      throw new ProgramError(`Macro recursion: ${[...this.expanding, define.name].join('->')}`, span)
    }
    const inner = new ExpressionParser(new Source(this.lexer.source.name, define.text))
    for (const [name, one] of this.defines) inner.defines.set(name, one)
    inner.expanding = [...this.expanding, define.name]
    try {
      const expression = inner.expression()
      if (inner.peek().kind !== 'end') throw inner.unexpected(inner.peek(), 'end of macro')
      return moved(expression, span)
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error
      throw new ProgramError(`unable to expand macro as an expression: ${define.text}`, span)
    }
  }

  #call(name: string, nameSpan: Span): Expression {
    this.expect('(')
    const inside = this.#inPredicate
    this.#inPredicate = false
    const args: Expression[] = []
    while (!this.isOperator(')')) {
      args.push(this.expression())
      if (!this.takeOperator(',')) break
    }
    this.#inPredicate = inside
    const end = this.expect(')').end
    return { kind: 'call', name, args, nameSpan, span: { start: nameSpan.start, end } }
  }

  #typeOperand(start: Span): { operand: Expression | TypeNode; span: Span } {
    this.expect('(')
    const operand = this.typeOrExpression([')'])
    const end = this.expect(')').end
    return { operand, span: { start: start.start, end } }
  }

  #offsetof(start: Span): Expression {
    this.expect('(')
    const operand = this.typeOrExpression([','])
    this.expect(',')
    const first = this.peek()
    const path: string[] = []
    let pathExpression: Expression | undefined
    if (first.kind === 'identifier' && !this.followedBy(first.text, '(')) {
      path.push(this.expectIdentifier().text)
      while (this.takeOperator('.')) path.push(this.expectIdentifier().text)
    } else pathExpression = this.expression()
    const end = this.expect(')').end
    return { kind: 'offsetof', operand, path, ...(pathExpression && { pathExpression }), span: { start: start.start, end } }
  }

  /** A type where one can be read up to one of the tokens; a bare name may be either and is an identifier. */
  typeOrExpression(ends: readonly string[]): Expression | TypeNode {
    const type = this.attempt(() => {
      const node = this.type()
      return ends.some((end) => this.isOperator(end)) ? node : null
    })
    if (type === null) return this.expression()
    if (type.kind === 'named' && type.tag === undefined && !isBuiltinType(type.name)) {
      const define = this.defines.get(type.name)
      return define === undefined ? { kind: 'identifier', name: type.name, span: type.span } : this.#define(define, type.span)
    }
    return type
  }

  type(): TypeNode {
    const token = this.expectIdentifier()
    const start = token.start
    let node: TypeNode
    if (token.text === 'struct' || token.text === 'union' || token.text === 'enum') {
      const name = this.expectIdentifier()
      node = { kind: 'named', name: name.text, tag: token.text, span: { start, end: name.end } }
    } else if (token.text === 'typeof' && this.isOperator('(')) {
      this.next()
      const operand = this.typeOrExpression([')'])
      node = { kind: 'typeof', operand, span: { start, end: this.expect(')').end } }
    } else node = this.#namedType(token.text, { start, end: token.end })
    for (;;) {
      if (this.isOperator('*')) node = { kind: 'pointer', to: node, span: { start, end: this.next().end } }
      else if (this.isOperator('[')) {
        this.next()
        const length = this.isOperator(']') ? null : this.next()
        if (length !== null && length.kind !== 'integer') throw this.unexpected(length, 'integer')
        node = {
          kind: 'array', element: node, length: length === null ? null : Number(length.value), span: { start, end: this.expect(']').end },
        }
      } else return node
    }
  }

  #namedType(name: string, span: Span): TypeNode {
    if ((name === 'string' || name === 'buffer' || name === 'inet') && this.isOperator('[')) {
      this.next()
      const length = this.next()
      if (length.kind !== 'integer') throw this.unexpected(length, 'integer')
      return { kind: 'sized', name, length: Number(length.value), span: { start: span.start, end: this.expect(']').end } }
    }
    return { kind: 'named', name, span }
  }

  #if(start: number): Expression {
    const condition = this.#condition()
    const then = this.block()
    let otherwise: Block | null = null
    if (this.isWord('else')) {
      this.next()
      if (this.isWord('if')) {
        const from = this.next().start
        const nested = this.#if(from)
        otherwise = { kind: 'block', statements: [], result: nested, span: nested.span }
      } else otherwise = this.block()
    }
    return { kind: 'if', condition, then, otherwise, span: { start, end: (otherwise ?? then).span.end } }
  }

  #condition(): Expression {
    const condition = this.#unary()
    if (condition.kind === 'record') {
      throw new ProgramError('syntax error, a record is no condition; compare with ==', condition.span)
    }
    if (!this.isOperator('{')) throw this.unexpected(this.peek(), '{')
    return condition
  }

  /** Statements in braces; an expression that ends without `;` is the result. */
  block(): Block {
    const start = this.expect('{').start
    const inside = this.#inPredicate
    this.#inPredicate = false
    const statements: Statement[] = []
    let result: Expression | null = null
    while (!this.isOperator('}')) {
      if (this.takeOperator(';')) continue
      if (result !== null) {
        statements.push({ kind: 'expression', expression: result, span: result.span })
        result = null
      }
      const statement = this.#statement()
      if (this.takeOperator(';')) statements.push(statement)
      else if (this.isOperator('}')) {
        if (statement.kind === 'expression') result = statement.expression
        else statements.push(statement)
      } else if (endsItself(statement)) {
        if (statement.kind === 'expression') result = statement.expression
        else statements.push(statement)
      } else throw this.unexpected(this.peek(), '; or }')
    }
    const end = this.expect('}').end
    this.#inPredicate = inside
    return { kind: 'block', statements, result, span: { start, end } }
  }

  #statement(): Statement {
    const token = this.peek()
    const start = token.start
    if (token.kind === 'identifier') {
      switch (token.text) {
        case 'while': {
          this.next()
          const condition = this.#condition()
          return { kind: 'while', condition, body: this.block(), span: this.#since(start) }
        }
        case 'unroll': {
          this.next()
          const count = this.#condition()
          return { kind: 'unroll', count, body: this.block(), span: this.#since(start) }
        }
        case 'for': return this.#for(start)
        case 'break': case 'continue': case 'return': {
          this.next()
          const value = token.text === 'return' && !this.isOperator(';') && !this.isOperator('}') ? this.expression() : null
          return { kind: 'jump', jump: token.text, value, span: this.#since(start) }
        }
        case 'let': return this.#let(start)
        case 'import': {
          this.next()
          const path = this.next()
          if (path.kind !== 'string') throw this.unexpected(path, 'a string')
          return { kind: 'import', path: path.value, span: this.#since(start) }
        }
        case '_':
          if (this.followedBy('_', '=')) {
            this.next()
            this.next()
            const value = this.expression()
            return { kind: 'discard', value, span: this.#since(start) }
          }
      }
    }
    const expression = this.expression()
    const operator = this.peek()
    if (operator.kind !== 'operator' || !assignments.has(operator.text)) {
      return { kind: 'expression', expression, span: expression.span }
    }
    return this.#assignment(expression, start)
  }

  #assignment(target: Expression, start: number): Statement {
    const operator = this.next() as { text: AssignOperator } & Span
    if (target.kind === 'variable') {
      const value = this.expression()
      return {
        kind: 'assignVariable', name: target.name, nameSpan: target.span, operator: operator.text, value, span: this.#since(start),
      }
    }
    if (target.kind === 'map' || target.kind === 'mapAccess') {
      const value = this.expression()
      return { kind: 'assignMap', target, operator: operator.text, value, span: this.#since(start) }
    }
    if (target.kind === 'tupleField') {
      throw new ProgramError(
        'Tuples are immutable once created. Consider creating a new tuple and assigning it instead.', target.span,
      )
    }
    throw new ProgramError(`syntax error, unexpected ${operator.text}`, operator)
  }

  #let(start: number): Statement {
    this.next()
    const name = this.next()
    if (name.kind !== 'variable') throw this.unexpected(name, 'variable')
    const nameSpan = { start: name.start, end: name.end }
    const to = this.takeOperator(':') ? this.type() : null
    if (!this.takeOperator('=')) return { kind: 'declare', name: name.text, nameSpan, to, span: this.#since(start) }
    const value = this.expression()
    return { kind: 'assignVariable', name: name.text, nameSpan, operator: '=', value, declared: { to }, span: this.#since(start) }
  }

  #for(start: number): Statement {
    this.next()
    const parenthesis = this.takeOperator('(')
    const name = this.next()
    if (name.kind !== 'variable') throw this.unexpected(name, 'variable')
    this.expect(':')
    const from = this.#unary()
    const more = { variable: name.text, variableSpan: { start: name.start, end: name.end } }
    if (!this.takeOperator('..')) {
      if (parenthesis) this.expect(')')
      if (from.kind !== 'map') throw new ProgramError('syntax error, expecting a map or a range', from.span)
      return { kind: 'forMap', ...more, map: from, body: this.block(), span: this.#since(start) }
    }
    const to = this.#unary()
    if (parenthesis) this.expect(')')
    return { kind: 'forRange', ...more, from, to, body: this.block(), span: this.#since(start) }
  }

  #since(start: number): Span {
    return { start, end: this.lexer.at }
  }
}

function isTarget(expression: Expression): boolean {
  return expression.kind === 'variable' || expression.kind === 'map' || expression.kind === 'mapAccess' || expression.kind === 'identifier'
}

/** Statements that end with a block need no `;`. */
function endsItself(statement: Statement): boolean {
  switch (statement.kind) {
    case 'while': case 'unroll': case 'forMap': case 'forRange': return true
    case 'expression': return statement.expression.kind === 'if' || statement.expression.kind === 'block'
    default: return false
  }
}

/** The tree with every span replaced. */
function moved<T extends Expression | TypeNode>(node: T, span: Span): T {
  return JSON.parse(JSON.stringify(
    node, (_, value) => (typeof value === 'bigint' ? { $big: String(value) } : value),
  ), (key, value) => {
    if (value !== null && typeof value === 'object' && '$big' in value) return BigInt(value.$big as string)
    return key === 'span' || key.endsWith('Span') ? span : value
  })
}
