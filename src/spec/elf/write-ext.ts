import type { BtfBuilder } from '../../btf/builder.ts'
import { CoreKind, type CoreRelocation, type FunctionInfo, type LineInfo } from '../spec.ts'

/** What belongs to the instructions of one section; slots count from its start. */
export interface SectionRecords { functions: FunctionInfo[]; lines: LineInfo[]; relocations: CoreRelocation[] }

const MAGIC = 0xeb9f
const HEADER_BYTES = 32

/** The bytes of .BTF.ext, or null if there is nothing to say. Strings go into the types that are being built. */
export function writeExtension(sections: ReadonlyMap<string, SectionRecords>, types: BtfBuilder): Uint8Array | null {
  const tables = [
    table(2, ({ functions }) => functions.map(({ slot, type }) => [slot * 8, type])),
    table(4, ({ lines }) => lines.map(({ slot, file, text, line, column }) =>
      [slot * 8, file, text, (line << 10 | Math.min(column, 1023)) >>> 0])),
    table(4, ({ relocations }) => relocations.map(({ slot, type, access, kind }) => [slot * 8, type, types.string(access),
      CoreKind[kind]])),
  ]
  if (tables.every((words) => words.length === 0)) return null
  const bytes = new Uint8Array(HEADER_BYTES + tables.reduce((sum, words) => sum + words.length * 4, 0))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, MAGIC, true)
  view.setUint8(2, 1)
  view.setUint32(4, HEADER_BYTES, true)
  let at = 0
  tables.forEach((words, index) => {
    view.setUint32(8 + index * 8, at, true)
    view.setUint32(12 + index * 8, words.length * 4, true)
    for (const word of words) {
      view.setUint32(HEADER_BYTES + at, word, true)
      at += 4
    }
  })
  return bytes

  /** The size of a record; then for each section its name, the number of records, and the records. */
  function table(width: number, of: (records: SectionRecords) => number[][]): number[] {
    const words: number[] = []
    for (const [name, records] of sections) {
      const found = of(records)
      if (found.length === 0) continue
      if (words.length === 0) words.push(width * 4)
      words.push(types.string(name), found.length)
      for (const record of found) words.push(...record)
    }
    return words
  }
}
