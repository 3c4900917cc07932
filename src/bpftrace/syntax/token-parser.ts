import { ProgramError } from '../diagnostic.ts'
import type { Source, Span } from '../source.ts'
import { Lexer, type Token } from './lexer.ts'

/** What all parts of the parser do with tokens. */
export class TokenParser {
  readonly lexer: Lexer

  constructor(source: Source) {
    this.lexer = new Lexer(source)
  }

  peek(): Token {
    return this.lexer.peek()
  }

  next(): Token {
    return this.lexer.next()
  }

  isOperator(text: string): boolean {
    const token = this.peek()
    return token.kind === 'operator' && token.text === text
  }

  isWord(text: string): boolean {
    const token = this.peek()
    return token.kind === 'identifier' && token.text === text
  }

  /** Whether the word ahead is followed by the text. */
  followedBy(word: string, text: string): boolean {
    const after = this.lexer.skip(this.lexer.skip() + word.length)
    return this.lexer.text.startsWith(text, after) && !(text === '=' && this.lexer.text[after + 1] === '=')
  }

  /** Whether the word ahead is followed by another one. */
  followedByWord(): boolean {
    return /^[A-Za-z_]+\s+[A-Za-z_]/.test(this.lexer.text.slice(this.lexer.skip()))
  }

  /** `name =` but not `name ==`. */
  isRecordField(): boolean {
    return /^[A-Za-z_][A-Za-z0-9_]*\s*=(?!=)/.test(this.lexer.text.slice(this.lexer.skip()))
  }

  takeOperator(text: string): boolean {
    if (!this.isOperator(text)) return false
    this.next()
    return true
  }

  expect(text: string): Span {
    if (!this.isOperator(text)) throw this.unexpected(this.peek(), text)
    return this.next()
  }

  expectIdentifier(): { text: string } & Span {
    const token = this.next()
    if (token.kind !== 'identifier') throw this.unexpected(token, 'identifier')
    return token
  }

  unexpected(token: Token, expected: string): ProgramError {
    return new ProgramError(
      `syntax error, unexpected ${describe(token)}, expecting ${expected}`, {
        start: token.start, end: Math.max(token.end, token.start + 1),
      },
    )
  }

  /** What the function reads, or null with nothing read when it fails or gives null. */
  attempt<T>(read: () => T | null): T | null {
    const from = this.lexer.at
    try {
      const result = read()
      if (result !== null) return result
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error
    }
    this.lexer.at = from
    return null
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'end': return 'end of file'
    case 'string': return 'string'
    case 'integer': return `integer ${token.text}`
    case 'positional': return `$${token.index}`
    case 'positionalCount': return '$#'
    default: return token.text
  }
}
