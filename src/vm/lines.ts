import type { Btf } from '../btf/btf.ts'
import { positionOf, type Span } from '../compiler/span.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import type { SourceLine } from './fault.ts'

/** Where a program's instructions come from. */
export interface SourceLines {
  readonly spec: ProgramSpec
  /** The Spec's own types: they hold the strings of the line records. */
  readonly btf: Btf | null
  /** By slot, when the Spec was compiled here: the very expression that an instruction belongs to. */
  readonly spans: readonly (Span | undefined)[] | null
}

/** Spans by slot; the compiler gives one an instruction. */
export function spansBySlot(code: Uint8Array, spans: readonly Span[]): (Span | undefined)[] {
  const bySlot: (Span | undefined)[] = []
  for (const span of spans) {
    const wide = code[bySlot.length * 8] === 0x18
    bySlot.push(span)
    if (wide) bySlot.push(span)
  }
  return bySlot
}

/** The line that an instruction comes from; null if nobody knows. */
export function sourceOf(lines: SourceLines | undefined, slot: number): SourceLine | null {
  if (lines === undefined) return null
  const span = lines.spans?.[slot]
  return span === undefined ? lineRecord(lines, slot) : exactly(span)
}

function exactly(span: Span): SourceLine {
  const { file, line, column, text } = positionOf(span)
  // The first line of a function's text begins with the function.
  const start = column - (line === span.fn.line ? span.fn.column : 1)
  const indent = text.length - text.trimStart().length
  const [first] = span.fn.source.slice(span.start, span.end).split('\n', 1)
  return { file, line, column, text: text.trim(), mark: { start: Math.max(0, start - indent), length: Math.max(1, first!.length) } }
}

/** The last record at or before the slot. */
function lineRecord({ spec, btf }: SourceLines, slot: number): SourceLine | null {
  if (btf === null) return null
  let low = -1
  let high = spec.lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (spec.lines[middle]!.slot <= slot) low = middle
    else high = middle - 1
  }
  const record = spec.lines[low]
  if (record === undefined) return null
  return { file: btf.string(record.file), line: record.line, column: record.column, text: btf.string(record.text) }
}
