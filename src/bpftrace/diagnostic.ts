import type { Source, Span } from './source.ts'

export type Severity = 'error' | 'warning'

/** A message at a place of the program, as bpftrace words and frames it. */
export interface Diagnostic {
  severity: Severity
  message: string
  span: Span
  hint?: string
  /** Without a place in the text. */
  plain?: boolean
  /** Where the macros were called that the place came from, innermost first. */
  expandedFrom?: Span[]
}

/** Collects what a run of the front end has to say; equal messages at one place count once. */
export class Diagnostics {
  readonly list: Diagnostic[] = []
  readonly #seen = new Set<string>()

  error(message: string, span: Span, hint?: string): void {
    this.add({ severity: 'error', message, span, ...(hint !== undefined && { hint }) })
  }

  warn(message: string, span: Span, hint?: string): void {
    this.add({ severity: 'warning', message, span, ...(hint !== undefined && { hint }) })
  }

  add(diagnostic: Diagnostic): void {
    const key = `${diagnostic.span.start}:${diagnostic.span.end}:${diagnostic.message}`
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    const from = expansions.get(diagnostic.span)
    this.list.push(from === undefined ? diagnostic : { ...diagnostic, expandedFrom: from })
  }

  get failed(): boolean {
    return this.list.some(({ severity }) => severity === 'error')
  }

  get warned(): boolean {
    return this.list.some(({ severity }) => severity === 'warning')
  }
}

/** Spans that are not of the script's own text: the standard library's. */
export const sources = new WeakMap<Span, Source>()

/** The calls that a span of an expanded macro stands for. */
export const expansions = new WeakMap<Span, Span[]>()

/** Thrown where the front end cannot go on; its diagnostic says why. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError'
  readonly diagnostic: Diagnostic

  constructor(message: string, span: Span, hint?: string) {
    super(message)
    this.diagnostic = { severity: 'error', message, span, ...(hint !== undefined && { hint }) }
  }
}

/** `name:line:column-column`, the place that begins a message; the end column is exclusive, as bpftrace counts. */
export function placeOf(script: Source, span: Span): string {
  const source = sources.get(span) ?? script
  const start = source.position(span.start)
  const end = source.position(span.end)
  if (start.line === end.line) return `${source.name}:${start.line}:${start.column}-${end.column}`
  return `${source.name}:${start.line}-${end.line}`
}

/** The message with its line of source and a row of `~` below it. */
export function renderDiagnostic(source: Source, { severity, message, span, hint, expandedFrom, plain }: Diagnostic): string {
  const word = severity === 'error' ? 'ERROR' : 'WARNING'
  if (plain) return `${word}: ${message}`
  const lines = [`${placeOf(source, span)}: ${word}: ${message}`, ...frameOf(source, span)]
  if (hint !== undefined) lines.push(`HINT: ${hint}`)
  for (const from of expandedFrom ?? []) lines.push(`${placeOf(source, from)}: ${word}: expanded from`, ...frameOf(source, from))
  return lines.join('\n')
}

export function frameOf(script: Source, span: Span): string[] {
  const source = sources.get(span) ?? script
  const start = source.position(span.start)
  const end = source.position(span.end)
  if (start.line !== end.line) return []
  const text = source.line(start.line)
  const visible = (part: string) => part.replaceAll('\t', '    ')
  return [
    visible(text), ' '.repeat(
      visible(text.slice(0, start.column - 1)).length,
    ) + '~'.repeat(Math.max(1, end.column - start.column)),
  ]
}
