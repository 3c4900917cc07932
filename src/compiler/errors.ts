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

/** A refusal at the user's own line. */
export class CompileError extends Error {
  override readonly name = 'CompileError'
  readonly code: ErrorCode
  readonly what: string
  readonly fix: string
  readonly span: Span

  constructor(code: ErrorCode, what: string, fix: string, span: Span) {
    super(render(code, what, fix, span))
    this.code = code
    this.what = what
    this.fix = fix
    this.span = span
  }
}

function render(code: ErrorCode, what: string, fix: string, span: Span): string {
  const { file, line, column, text } = positionOf(span)
  const first = span.fn.source.slice(span.start, span.end).split('\n', 1)[0] ?? ''
  const gutter = String(line)
  // The record's source begins at the function, so its first line has lost what stood before it.
  const indent = line === span.fn.line ? ' '.repeat(span.fn.column - 1) : ''
  return [
    `${file}:${line}:${column}: ${code}: ${what}`,
    `  ${gutter} | ${indent}${text}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(column - 1)}${'^'.repeat(Math.max(1, first.length))}`,
    `  fix: ${fix}`,
  ].join('\n')
}
