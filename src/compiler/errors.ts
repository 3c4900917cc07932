import { positionOf, type Span } from './span.ts'

/**
 * The catalogue of what the compiler refuses: a stable code each, with what it means.
 * A message says what and why at a place; `fix` says what to write instead.
 */
export const errorCodes = {
  'SKEP-C01': 'construct without a meaning in the kernel',
  'SKEP-C02': 'unknown name',
  'SKEP-C03': 'value that may be undefined',
  'SKEP-C04': 'type mismatch',
  'SKEP-C05': 'unknown field',
  'SKEP-C06': 'unknown hook',
  'SKEP-C07': 'wrong number of arguments',
  'SKEP-C08': 'number out of range',
  'SKEP-C09': 'not a kernel function',
  'SKEP-C10': 'assignment to something constant',
  'SKEP-C11': 'recursion',
  'SKEP-C12': 'stack over 512 bytes',
} as const
export type ErrorCode = keyof typeof errorCodes

/** A refusal at the user's own line, the first of a run. */
export class CompileError extends Error {
  override readonly name = 'CompileError'
  readonly code: ErrorCode
  readonly what: string
  readonly fix: string
  readonly span: Span
  /** The calls that lead to the place, the nearest first: the function may be someone else's. */
  readonly calls: readonly Span[]
  /** What else was found wrong in the same run, in order. */
  readonly others: readonly CompileError[]

  constructor(code: ErrorCode, what: string, fix: string, span: Span, more: { calls?: readonly Span[]; others?: readonly CompileError[] } = {}) {
    const { calls = [], others = [] } = more
    super([render(code, what, fix, span, calls), ...others.map((other) => other.message)].join('\n\n'))
    this.calls = calls
    this.others = others
    this.code = code
    this.what = what
    this.fix = fix
    this.span = span
  }
}

/** What follows from an error that has been noted, and need not be said again. */
export class ConsequentError extends Error {
  override readonly name = 'ConsequentError'
}

/** The errors of one run. */
export class ErrorList {
  readonly #errors: CompileError[] = []

  /** How often something could not be compiled, errors already known and what follows from them too. */
  failures = 0

  get isEmpty(): boolean { return this.#errors.length === 0 }

  /** Notes an error once; a helper function is compiled at each of its calls. Anything else is thrown on. */
  note(error: unknown): void {
    this.failures++
    if (error instanceof ConsequentError && !this.isEmpty) return
    if (!(error instanceof CompileError)) throw error
    // Where a condition could not be compiled, what it teaches is not known: such errors may be wrong.
    if (error.code === 'SKEP-C03' && !this.isEmpty) return
    const { fn, start, end } = error.span
    if (this.#errors.some(({ span, what }) => span.fn === fn && span.start === start && span.end === end && what === error.what)) return
    this.#errors.push(error)
  }

  /** @throws CompileError with all errors, if there are any */
  throwIfAny(): void {
    const [first, ...others] = this.#errors
    if (first === undefined) return
    throw others.length === 0 ? first : new CompileError(first.code, first.what, first.fix, first.span, { calls: first.calls, others })
  }
}

function render(code: ErrorCode, what: string, fix: string, span: Span, calls: readonly Span[]): string {
  const { file, line, column, text } = positionOf(span)
  const first = span.fn.source.slice(span.start, span.end).split('\n', 1)[0] ?? ''
  const gutter = String(line)
  // The record's source begins at the function, so its first line has lost what stood before it.
  const indent = line === span.fn.line ? ' '.repeat(span.fn.column - 1) : ''
  return [
    `${file}:${line}:${column}: ${code}: ${what}`,
    `  ${gutter} | ${indent}${text}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(column - 1)}${'^'.repeat(Math.max(1, first.length))}`,
    ...calls.map((call) => {
      const { file, line, column } = positionOf(call)
      return `  called at ${file}:${line}:${column}`
    }),
    `  fix: ${fix}`,
  ].join('\n')
}
