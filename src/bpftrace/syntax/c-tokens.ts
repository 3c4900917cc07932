import { ProgramError } from '../diagnostic.ts'
import { parseInteger, type Lexer } from './lexer.ts'

/** Tokens of C, on the text of a lexer. */
export class CTokens {
  readonly lexer: Lexer

  constructor(lexer: Lexer) {
    this.lexer = lexer
  }

  is(text: string): boolean {
    return this.lexer.text.startsWith(text, this.lexer.skip())
  }

  take(text: string): boolean {
    if (!this.is(text)) return false
    this.lexer.at = this.lexer.skip() + text.length
    return true
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.unexpected(`'${text}'`)
  }

  peekWord(): string | null {
    return /^[A-Za-z_]\w*/.exec(this.lexer.text.slice(this.lexer.skip(), this.lexer.skip() + 200))?.[0] ?? null
  }

  word(): string {
    const word = this.peekWord()
    if (word === null) throw this.unexpected('identifier')
    this.lexer.at = this.lexer.skip() + word.length
    return word
  }

  number(): bigint | null {
    const start = this.lexer.skip()
    const text = /^[0-9]\w*/.exec(this.lexer.text.slice(start, start + 64))?.[0]
    if (text === undefined) return null
    this.lexer.at = start + text.length
    return parseInteger(text, { start, end: this.lexer.at })
  }

  /** `struct X;` */
  isForward(): boolean {
    const match = /^(struct|union|enum)\s+\w+\s*;/.exec(this.lexer.text.slice(this.lexer.at))
    if (match === null) return false
    this.lexer.at += match[0].length
    return true
  }

  /** The names in `__attribute__((a, b(1)))`, one after the other. */
  attributes(): string[] {
    const found: string[] = []
    while (this.peekWord() === '__attribute__') {
      this.word()
      const start = this.lexer.skip()
      const text = this.skipParentheses()
      const inner = /^\(\s*\((.*)\)\s*\)$/s.exec(text)
      if (inner === null) throw new ProgramError("expected '((' after __attribute__", { start, end: this.lexer.at })
      found.push(...inner[1]!.split(/,(?![^(]*\))/).map((one) => one.trim().replace(/^__(\w+)__/, '$1')))
    }
    return found
  }

  /** Skips a parenthesis with all that is inside; gives its text. */
  skipParentheses(): string {
    const start = this.lexer.skip()
    let depth = 0
    for (let at = start; at < this.lexer.text.length; at++) {
      const char = this.lexer.text[at]
      if (char === '(') depth++
      else if (char === ')' && --depth === 0) {
        this.lexer.at = at + 1
        return this.lexer.text.slice(start, at + 1)
      } else if (depth === 0 || char === '{') break
    }
    throw this.unexpected("')'")
  }

  unexpected(expected: string): ProgramError {
    const start = this.lexer.skip()
    return new ProgramError(`expected ${expected}`, { start, end: start + 1 })
  }
}
