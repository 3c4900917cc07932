import { ProgramError } from '../diagnostic.ts'
import type { Source, Span } from '../source.ts'
import type {
  AttachPoint, Block, ConfigEntry, Import, Item, Macro, MacroParameter, MapDeclaration, Preamble, Probe, Program, Subprogram,
} from './ast.ts'
import { readAttachPoint } from './attach-point.ts'
import { parsePreamble } from './c-preamble.ts'
import { ExpressionParser } from './expression-parser.ts'

export interface ParseOptions {
  /** Positional parameters, for attach points. null leaves them as written. */
  params?: readonly string[] | null
}

/** @throws ProgramError at the first thing that is not the language */
export function parseProgram(source: Source, options: ParseOptions = {}): Program {
  return new Parser(source, options).program()
}

/** The whole language. Expressions and statements are in the classes below this one. */
class Parser extends ExpressionParser {
  readonly #params: readonly string[] | null

  constructor(source: Source, options: ParseOptions) {
    super(source)
    this.#params = options.params ?? null
  }

  program(): Program {
    const shebang = /^#![^\n]*/.exec(this.lexer.text)?.[0] ?? null
    if (shebang !== null) this.lexer.at = shebang.length
    const preamble = this.#preamble()
    const program: Program = { preamble, config: null, imports: [], items: [], comments: this.lexer.comments, shebang }
    this.#header(program)
    while (this.peek().kind !== 'end') {
      if (this.takeOperator(';')) continue
      program.items.push(this.#item())
    }
    program.comments.sort((a, b) => a.start - b.start)
    return program
  }

  #preamble(): Preamble {
    const preamble = parsePreamble(this.lexer)
    for (const define of preamble.defines) this.defines.set(define.name, define)
    return preamble
  }

  #header(program: Program): void {
    for (;;) {
      const token = this.peek()
      if (this.isWord('config') && this.followedBy('config', '=')) {
        if (program.config !== null) throw new ProgramError('config block may only be given once', token)
        program.config = this.#config()
      } else if (this.isWord('import') && program.items.length === 0) program.imports.push(this.#import())
      else if (!this.takeOperator(';')) return
    }
  }

  #import(): Import {
    const start = this.next().start
    const path = this.next()
    if (path.kind !== 'string') throw new ProgramError('syntax error, expecting a string after import', path)
    const end = this.expect(';').end
    return { path: path.value, span: { start, end } }
  }

  #config(): Program['config'] {
    const start = this.next().start
    this.expect('=')
    this.expect('{')
    const entries: ConfigEntry[] = []
    while (!this.isOperator('}')) {
      const key = this.expectIdentifier()
      this.expect('=')
      const value = this.next()
      const span = { start: key.start, end: value.end }
      if (value.kind === 'integer') entries.push({ key: key.text, value: value.value, span })
      else if (value.kind === 'string') entries.push({ key: key.text, value: value.value, span })
      else if (value.kind === 'identifier') entries.push({
        key: key.text, value: value.text === 'true' ? true : value.text === 'false' ? false : value.text, span,
      })
      else throw this.unexpected(value, 'a value')
      if (!this.takeOperator(';') && !this.isOperator('}')) throw this.unexpected(this.peek(), '; or }')
    }
    const end = this.expect('}').end
    return { entries, span: { start, end } }
  }

  #item(): Item {
    const token = this.peek()
    if (token.kind === 'identifier') {
      switch (token.text) {
        case 'macro': if (this.followedByWord()) return { kind: 'macro', macro: this.#macro() }; break
        case 'fn': if (this.followedByWord()) return { kind: 'subprogram', subprogram: this.#subprogram() }; break
        case 'let': return { kind: 'map', map: this.#mapDeclaration() }
        case 'config': if (this.followedBy('config', '=')) throw new ProgramError(
          'syntax error, unexpected config: the config block must come before the first probe', token,
        ); break
        case 'import': throw new ProgramError('syntax error, unexpected import: imports must come before the first probe', token)
      }
    }
    return { kind: 'probe', probe: this.#probe() }
  }

  #macro(): Macro {
    const start = this.next().start
    const name = this.expectIdentifier()
    const params: MacroParameter[] = []
    this.expect('(')
    while (!this.isOperator(')')) {
      const token = this.next()
      const span: Span = { start: token.start, end: token.end }
      if (token.kind === 'variable' || token.kind === 'map' || token.kind === 'identifier') params.push({
        kind: token.kind, name: token.text, span,
      })
      else throw this.unexpected(token, 'a parameter')
      if (!this.takeOperator(',')) break
    }
    const end = this.expect(')').end
    return { name: name.text, params, body: this.block(), span: { start, end } }
  }

  #subprogram(): Subprogram {
    const start = this.next().start
    const name = this.expectIdentifier()
    const params: Subprogram['params'] = []
    this.expect('(')
    while (!this.isOperator(')')) {
      const token = this.next()
      if (token.kind !== 'variable') throw this.unexpected(token, 'a parameter')
      this.expect(':')
      params.push({ name: token.text, type: this.type(), span: { start: token.start, end: token.end } })
      if (!this.takeOperator(',')) break
    }
    this.expect(')')
    this.expect(':')
    const returns = this.type()
    return { name: name.text, params, returns, body: this.block(), span: { start, end: this.lexer.at } }
  }

  #mapDeclaration(): MapDeclaration {
    const start = this.next().start
    const name = this.next()
    if (name.kind !== 'map') throw this.unexpected(name, 'a map')
    this.expect('=')
    const type = this.expectIdentifier()
    this.expect('(')
    const size = this.next()
    if (size.kind !== 'integer') throw this.unexpected(size, 'the number of entries')
    this.expect(')')
    const end = this.expect(';').end
    return { name: name.text, type: type.text, size: Number(size.value), span: { start, end } }
  }

  #probe(): Probe {
    const start = this.lexer.skip()
    const name = this.#probeName()
    const points: AttachPoint[] = []
    for (;;) {
      points.push(...readAttachPoint(this.lexer, this.#params))
      if (!this.takeOperator(',')) break
      // A comma may end the list.
      if (this.isOperator('{') || this.isOperator('/')) break
    }
    let predicate = null
    if (this.isOperator('/')) {
      this.next()
      predicate = this.predicate()
    }
    if (!this.isOperator('{')) throw this.unexpected(this.peek(), '{')
    const body: Block = this.block()
    return { name, points, predicate, body, span: { start, end: this.lexer.at } }
  }

  #probeName(): string | null {
    const from = this.lexer.at
    const match = /^([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)/.exec(this.lexer.text.slice(this.lexer.skip()))
    if (match === null) return null
    this.lexer.at = this.lexer.skip(from) + match[0].length
    return match[1]!
  }
}
