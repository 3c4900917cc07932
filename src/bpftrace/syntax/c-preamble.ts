import { ProgramError } from '../diagnostic.ts'
import type { Span } from '../source.ts'
import type { CDefinition, CField, CType, Preamble } from './ast.ts'
import { CTokens } from './c-tokens.ts'
import type { Lexer } from './lexer.ts'

/** An object-like macro. */
export interface Define { name: string; text: string; span: Span }
export interface ParsedPreamble extends Preamble { defines: Define[] }

/** Reads the C definitions that a program may begin with; leaves the lexer behind them. */
export function parsePreamble(lexer: Lexer): ParsedPreamble {
  const start = lexer.skip()
  lexer.at = start
  const preamble: ParsedPreamble = { text: '', span: { start, end: start }, definitions: [], includes: [], defines: [] }
  const parser = new CParser(lexer, preamble)
  while (parser.definition()) preamble.span.end = lexer.at
  preamble.text = lexer.text.slice(start, preamble.span.end)
  return preamble
}

/** C definitions of a text of their own, such as an imported header. */
export class CParser extends CTokens {
  readonly #preamble: ParsedPreamble
  readonly #constants = new Map<string, bigint>()

  constructor(lexer: Lexer, preamble: ParsedPreamble) {
    super(lexer)
    this.#preamble = preamble
  }

  /** Reads one directive or definition; false where something else begins. */
  definition(): boolean {
    const { lexer } = this
    const at = lexer.skip()
    if (lexer.text[at] === '#') return this.#directive(at)
    if (lexer.text[at] === ';' && this.#preamble.span.end > this.#preamble.span.start) {
      lexer.at = at + 1
      return true
    }
    const word = /^(struct|union|enum|typedef)\b/.exec(lexer.text.slice(at))?.[1]
    if (word === undefined) return false
    if (word === 'typedef') return this.#typedef(at)
    if (!/^(struct|union)\s+([A-Za-z_]\w*)?(\s|__attribute__\s*\(\([^{]*\)\))*(\{|;)|^enum\s*([A-Za-z_]\w*)?\s*\{/.test(lexer.text.slice(at))) {
      return false
    }
    lexer.at = at
    if (this.isForward()) return true
    this.#record()
    this.take(';')
    return true
  }

  #directive(at: number): boolean {
    const { lexer } = this
    let end = at
    for (;;) {
      const line = lexer.text.indexOf('\n', end)
      end = line < 0 ? lexer.text.length : line
      if (line < 0 || lexer.text[line - 1] !== '\\') break
      end++
    }
    const text = lexer.text.slice(at, end).replaceAll('\\\n', ' ')
    const span = { start: at, end }
    const include = /^#\s*include\s*([<"])([^>"]+)[>"]/.exec(text)
    const define = /^#\s*define\s+([A-Za-z_]\w*)(\(?)(.*)$/s.exec(text)
    if (include !== null) this.#preamble.includes.push({
      name: include[2]!, system: include[1] === '<', span, line: lexer.source.position(at).line,
    })
    else if (define !== null) {
      const value = define[3]!.replace(/\/\*.*?\*\/|\/\/.*$/g, '').trim()
      if (define[2] === '' && value !== '') this.#preamble.defines.push({ name: define[1]!, text: value, span })
    } else if (!/^#\s*(pragma|undef|ifdef|ifndef|if|else|endif|error|warning|$)/.test(text)) return false
    lexer.at = end
    return true
  }

  #typedef(at: number): boolean {
    this.lexer.at = at
    this.word()
    const base = this.#base()
    for (;;) {
      const { name, type } = this.#declarator(base)
      this.#preamble.definitions.push({ kind: 'typedef', name, type, span: { start: at, end: this.lexer.at } })
      if (!this.take(',')) break
    }
    this.expect(';')
    return true
  }

  /** `struct X {…}`, `enum {…}`; defines it and gives its type. */
  #record(): CType {
    const start = this.lexer.skip()
    const tag = this.word() as 'struct' | 'union' | 'enum'
    const before = this.attributes()
    const name = this.peekWord() === null ? '' : this.word()
    const middle = this.attributes()
    if (!this.is('{')) return { kind: 'named', name, tag }
    const span: Span = { start, end: start }
    if (tag === 'enum') {
      const definition: CDefinition = { kind: 'enum', name, values: this.#values(), span }
      span.end = this.lexer.at
      return this.#define(definition, name)
    }
    const fields = this.#fields()
    const after = this.attributes()
    const attributes = [...before, ...middle, ...after]
    span.end = this.lexer.at
    const aligned = attributes.find((one) => one.startsWith('aligned'))
    return this.#define({
      kind: 'struct', name, union: tag === 'union', fields, span,
      packed: attributes.includes('packed'), aligned: aligned === undefined ? null : Number(/\d+/.exec(aligned)?.[0] ?? 16),
    }, name)
  }

  #define(definition: CDefinition, name: string): CType {
    this.#preamble.definitions.push(definition)
    if (name === '') return { kind: 'inline', definition }
    return {
      kind: 'named', name, tag: definition.kind === 'enum' ? 'enum' : definition.kind === 'struct' && definition.union ? 'union' : 'struct',
    }
  }

  #values(): { name: string; value: bigint }[] {
    this.expect('{')
    const values: { name: string; value: bigint }[] = []
    let next = 0n
    while (!this.is('}')) {
      const name = this.word()
      if (this.take('=')) next = this.#constant()
      values.push({ name, value: next })
      this.#constants.set(name, next++)
      if (!this.take(',')) break
    }
    this.expect('}')
    return values
  }

  #fields(): CField[] {
    this.expect('{')
    const fields: CField[] = []
    while (!this.take('}')) {
      if (this.take(';')) continue
      const base = this.#base()
      if (this.is(';')) {
        // An anonymous struct or union; its members belong to the outer one.
        fields.push({ name: '', type: base, bits: null })
        this.expect(';')
        continue
      }
      for (;;) {
        if (this.take(':')) fields.push({ name: '', type: base, bits: Number(this.#constant()) })
        else {
          const { name, type } = this.#declarator(base)
          fields.push({ name, type, bits: this.take(':') ? Number(this.#constant()) : null })
        }
        this.attributes()
        if (!this.take(',')) break
      }
      // The last one may come without.
      if (!this.is('}')) this.expect(';')
    }
    return fields
  }

  #base(): CType {
    const words: string[] = []
    let record: CType | null = null
    for (;;) {
      this.attributes()
      const word = this.peekWord()
      if (word === null) break
      if ([
        'const', 'volatile', '__user', '__rcu', '__percpu', '__kernel', 'static', 'extern', 'register', '__restrict', 'restrict', '__extension__',
      ].includes(word)) {
        this.word()
        continue
      }
      if (record !== null) break
      if (word === 'struct' || word === 'union' || word === 'enum') {
        record = this.#record()
        continue
      }
      if (words.length > 0 && !(intWords.has(word) && words.every((one) => intWords.has(one)))) break
      words.push(this.word())
    }
    if (record !== null) return record
    if (words.length === 0) throw this.unexpected('a type')
    return baseType(words)
  }

  #declarator(base: CType): { name: string; type: CType } {
    let type = base
    while (this.take('*')) {
      type = { kind: 'pointer', to: type }
      while (['const', 'volatile', '__user', '__rcu', 'restrict'].includes(this.peekWord() ?? '')) this.word()
    }
    if (this.take('(')) {
      // A pointer to a function or to an array.
      this.expect('*')
      const name = this.peekWord() === null ? '' : this.word()
      const lengths = this.#lengths()
      this.expect(')')
      if (this.is('(')) {
        this.skipParentheses()
        type = { kind: 'pointer', to: { kind: 'function' } }
      } else type = { kind: 'pointer', to: arrayOf(type, this.#lengths()) }
      return { name, type: arrayOf(type, lengths) }
    }
    const name = this.word()
    return { name, type: arrayOf(type, this.#lengths()) }
  }

  #lengths(): number[] {
    const lengths: number[] = []
    while (this.take('[')) {
      lengths.push(this.is(']') ? 0 : Number(this.#constant()))
      this.expect(']')
    }
    return lengths
  }

  #constant(): bigint {
    let value = this.#term()
    for (;;) {
      if (this.take('<<')) value <<= this.#term()
      else if (this.take('>>')) value >>= this.#term()
      else if (this.take('+')) value += this.#term()
      else if (this.take('-')) value -= this.#term()
      else if (this.take('*')) value *= this.#term()
      else if (this.take('/')) value /= this.#term()
      else if (this.take('|')) value |= this.#term()
      else return value
    }
  }

  #term(): bigint {
    if (this.take('-')) return -this.#term()
    if (this.take('~')) return ~this.#term()
    if (this.take('(')) {
      const value = this.#constant()
      this.expect(')')
      return value
    }
    const number = this.number()
    if (number !== null) return number
    const name = this.word()
    const known = this.#constants.get(name)
    if (known !== undefined) return known
    const define = this.#preamble.defines.findLast((one) => one.name === name)
    const digits = define === undefined ? null : /^\(?\s*(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\s*\)?$/.exec(define.text)
    if (digits !== null) return BigInt(digits[1]!)
    throw new ProgramError(`use of undeclared identifier '${name}'`, { start: this.lexer.at - name.length, end: this.lexer.at })
  }
}

function arrayOf(type: CType, lengths: number[]): CType {
  return lengths.reduceRight<CType>((element, length) => ({ kind: 'array', element, length }), type)
}

const intWords = new Set(['unsigned', 'signed', 'long', 'short', 'int', 'char', 'double'])

function baseType(words: string[]): CType {
  const count = (word: string) => words.filter((one) => one === word).length
  const [first] = words as [string]
  if (first === 'void') return { kind: 'void' }
  if (first === '_Bool' || first === 'bool') return { kind: 'int', bits: 8, signed: false, bool: true }
  if (first === 'float') return { kind: 'float', bits: 32 }
  if (words.includes('double')) return { kind: 'float', bits: 64 }
  const signed = !words.includes('unsigned')
  if (words.includes('char')) return { kind: 'int', bits: 8, signed, char: true }
  if (words.includes('short')) return { kind: 'int', bits: 16, signed }
  if (count('long') > 0) return { kind: 'int', bits: 64, signed }
  if (intWords.has(first)) return { kind: 'int', bits: 32, signed }
  const fixed = fixedInts[first]
  return fixed ?? { kind: 'named', name: first, tag: null }
}

const fixedInts: Record<string, CType> = Object.fromEntries([
  ...[8, 16, 32, 64].flatMap((bits) => [[`int${bits}_t`, true], [`uint${bits}_t`, false], [`__u${bits}`, false], [`__s${bits}`, true], [`u${bits}`, false], [`s${bits}`, true],
    [`int${bits}`, true], [`uint${bits}`, false], [`__le${bits}`, false], [`__be${bits}`, false]]
    .map(([name, signed]) => [name, { kind: 'int', bits, signed }])),
  ['size_t', { kind: 'int', bits: 64, signed: false }], ['ssize_t', { kind: 'int', bits: 64, signed: true }],
  ['uintptr_t', { kind: 'int', bits: 64, signed: false }], ['intptr_t', { kind: 'int', bits: 64, signed: true }],
  ['timestamp', { kind: 'int', bits: 64, signed: false }],
]) as Record<string, CType>
