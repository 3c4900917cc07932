import { ProgramError } from '../diagnostic.ts'
import type { Source, Span } from '../source.ts'
import type { Comment } from './ast.ts'

export type Token = Span & (
  | { kind: 'identifier'; text: string }
  | { kind: 'variable'; text: string }
  | { kind: 'map'; text: string }
  | { kind: 'positional'; index: number }
  | { kind: 'positionalCount' }
  | { kind: 'integer'; value: bigint; text: string }
  | { kind: 'string'; value: string }
  | { kind: 'operator'; text: string }
  | { kind: 'end' }
)

const operators = [
  '<<=', '>>=', '++', '--', '->', '<<', '>>', '<=', '>=', '==', '!=', '&&', '||', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '?:', '..',
  '+', '-', '*', '/', '%', '&', '|', '^', '~', '!', '<', '>', '=', '?', ':', ';', ',', '.', '(', ')', '[', ']', '{', '}', '#',
]
const identifierStart = /[A-Za-z_]/
const identifierPart = /[A-Za-z0-9_]/
const durations: Record<string, bigint> = {
  ns: 1n, us: 1000n, ms: 1_000_000n, s: 1_000_000_000n, m: 60_000_000_000n, h: 3_600_000_000_000n, d: 86_400_000_000_000n,
}
export const maxU64 = (1n << 64n) - 1n

/**
 * Tokens on demand: the parser moves `at` itself where a text is not made of tokens (attach points, C).
 * Tokens are kept by where they begin, so that going back costs nothing.
 */
export class Lexer {
  readonly source: Source
  readonly text: string
  readonly comments: Comment[] = []
  at = 0
  readonly #tokens = new Map<number, Token>()
  readonly #commentStarts = new Set<number>()

  constructor(source: Source) {
    this.source = source
    this.text = source.text
  }

  /** Skips blanks and comments from `at`; gives where something begins. */
  skip(from = this.at): number {
    const { text } = this
    let at = from
    for (;;) {
      while (at < text.length && /\s/.test(text[at]!)) at++
      if (text.startsWith('//', at)) {
        const end = text.indexOf('\n', at)
        at = this.#comment(at, end < 0 ? text.length : end)
      } else if (text.startsWith('/*', at)) {
        const end = text.indexOf('*/', at + 2)
        if (end < 0) throw new ProgramError('end of file during comment', { start: at, end: at + 2 })
        at = this.#comment(at, end + 2)
      } else return at
    }
  }

  #comment(start: number, end: number): number {
    if (!this.#commentStarts.has(start)) {
      this.#commentStarts.add(start)
      const lineStart = this.text.lastIndexOf('\n', start - 1) + 1
      this.comments.push({
        start, end, text: this.text.slice(start, end), ownLine: this.text.slice(lineStart, start).trim() === '',
      })
    }
    return end
  }

  peek(): Token {
    const start = this.skip()
    let token = this.#tokens.get(start)
    if (token === undefined) this.#tokens.set(start, (token = this.#read(start)))
    return token
  }

  next(): Token {
    const token = this.peek()
    this.at = token.end
    return token
  }

  #read(start: number): Token {
    const { text } = this
    const char = text[start]
    if (char === undefined) return { kind: 'end', start, end: start }
    if (identifierStart.test(char)) {
      const end = this.#while(identifierPart, start)
      return { kind: 'identifier', text: text.slice(start, end), start, end }
    }
    if (char === '@') {
      const end = this.#while(identifierPart, start + 1)
      return { kind: 'map', text: text.slice(start, end), start, end }
    }
    if (char === '$') return this.#dollar(start)
    if (char >= '0' && char <= '9') return this.#number(start)
    if (char === '"') return this.#string(start)
    for (const operator of operators) {
      if (text.startsWith(operator, start)) return { kind: 'operator', text: operator, start, end: start + operator.length }
    }
    throw new ProgramError(`syntax error, unexpected invalid character '${char}'`, { start, end: start + 1 })
  }

  #while(pattern: RegExp, from: number): number {
    let at = from
    while (at < this.text.length && pattern.test(this.text[at]!)) at++
    return at
  }

  #dollar(start: number): Token {
    const { text } = this
    const next = text[start + 1] ?? ''
    if (next === '#') return { kind: 'positionalCount', start, end: start + 2 }
    if (/[0-9]/.test(next)) {
      const end = this.#while(/[0-9]/, start + 1)
      const index = Number(text.slice(start + 1, end))
      if (index === 0) throw new ProgramError('param $0 is out of integer range [1, 18446744073709551615]', { start, end })
      return { kind: 'positional', index, start, end }
    }
    if (identifierStart.test(next)) {
      const end = this.#while(identifierPart, start + 1)
      return { kind: 'variable', text: text.slice(start, end), start, end }
    }
    throw new ProgramError("syntax error, unexpected '$'", { start, end: start + 1 })
  }

  #number(start: number): Token {
    const end = this.#while(/[0-9A-Za-z_]/, start)
    const text = this.text.slice(start, end)
    return { kind: 'integer', value: parseInteger(text, { start, end }), text, start, end }
  }

  #string(start: number): Token {
    const { text } = this
    let value = ''
    let at = start + 1
    for (;;) {
      const char = text[at]
      if (char === undefined || char === '\n') throw new ProgramError('unterminated string', { start, end: at })
      if (char === '"') return { kind: 'string', value, start, end: at + 1 }
      if (char !== '\\') {
        value += char
        at++
        continue
      }
      const escape = readEscape(text, at)
      if (escape === null) throw new ProgramError(`invalid escape character '\\${text[at + 1] ?? ''}'`, { start, end: at + 2 })
      value += escape.value
      at = escape.end
    }
  }
}

const escapes: Record<string, string> = {
  n: '\n', t: '\t', r: '\r', '\\': '\\', '"': '"', a: '\x07', b: '\b', f: '\f', v: '\v', e: '\x1b',
}

function readEscape(text: string, at: number): { value: string; end: number } | null {
  const char = text[at + 1]
  if (char === undefined) return null
  if (/[0-7]/.test(char)) {
    const digits = /^[0-7]{1,3}/.exec(text.slice(at + 1))![0]
    return { value: String.fromCharCode(parseInt(digits, 8) & 0xff), end: at + 1 + digits.length }
  }
  if (char === 'x') {
    const digits = /^[0-9a-fA-F]{1,2}/.exec(text.slice(at + 2))?.[0]
    return digits === undefined ? null : { value: String.fromCharCode(parseInt(digits, 16)), end: at + 2 + digits.length }
  }
  if (char === '\n') return { value: '', end: at + 2 }
  const value = escapes[char]
  return value === undefined ? null : { value, end: at + 2 }
}

/** An integer as the language writes it: bases, separators, exponents, C suffixes, durations. */
export function parseInteger(text: string, span: Span): bigint {
  const invalid = () => new ProgramError(`invalid integer literal: ${text}`, span)
  const check = (value: bigint) => {
    if (value > maxU64) throw new ProgramError(`Failed to parse integer: out of range: ${text}`, span)
    return value
  }
  const plain = text.replaceAll('_', '')
  if (/^0[xX]/.test(plain)) {
    const digits = /^0[xX]([0-9a-fA-F]+)(?:u?l{0,2}|l{1,2}u)$/i.exec(plain)
    if (digits === null) throw invalid()
    return check(BigInt(`0x${digits[1]}`))
  }
  const exponent = /^([0-9]+)[eE]([0-9]+)$/.exec(plain)
  if (exponent !== null) {
    if (exponent[1]!.length !== 1) throw new ProgramError(`coefficient part of scientific literal must be 1-9: ${text}`, span)
    if (Number(exponent[2]) > 16) throw new ProgramError(`exponent will overflow integer range: ${text}`, span)
    return check(BigInt(exponent[1]!) * 10n ** BigInt(exponent[2]!))
  }
  const parts = /^([0-9]+)([A-Za-z]*)$/.exec(plain)
  if (parts === null) throw invalid()
  const [, digits, suffix] = parts as unknown as [string, string, string]
  const octal = /^0[0-7]+$/.test(digits)
  const value = octal ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits)
  if (suffix === '' || /^(u|l|ul|ll|ull|lu|llu)$/i.test(suffix)) return check(value)
  const duration = durations[suffix]
  if (duration === undefined) throw invalid()
  return check(value * duration)
}
