import type { Btf } from '../btf/btf.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import type { SourceLine } from './fault.ts'

/** Line info of a program: in slot order, strings looked up in the Spec's own BTF. */
export interface SourceLines { readonly spec: ProgramSpec; readonly btf: Btf }

/** The line that an instruction comes from; null without line info. */
export function sourceOf(lines: SourceLines | undefined, slot: number): SourceLine | null {
  if (lines === undefined) return null
  const records = lines.spec.lines
  let low = -1
  let high = records.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (records[middle]!.slot <= slot) low = middle
    else high = middle - 1
  }
  const record = records[low]
  if (record === undefined) return null
  return { file: lines.btf.string(record.file), line: record.line, column: record.column, text: lines.btf.string(record.text) }
}
