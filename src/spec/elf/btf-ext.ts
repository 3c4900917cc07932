import { CoreKind, type CoreKindName } from '../spec.ts'
import { viewOf, type ElfSection } from './elf-file.ts'
import { ObjectError } from './error.ts'

/* .BTF.ext: for each section of code, which types, source lines and relocations belong to its instructions. */

/** Offsets are those of instructions in bytes from the start of the section. */
export interface FunctionRecord { offset: number; type: number }
export interface LineRecord { offset: number; file: number; text: number; line: number; column: number }
export interface CoreRecord { offset: number; kind: CoreKindName; type: number; access: string }

export interface ExtensionInfo {
  functions: Map<string, FunctionRecord[]>
  lines: Map<string, LineRecord[]>
  relocations: Map<string, CoreRecord[]>
}

interface Table { start: number; end: number; smallest: number }

const coreKinds = Object.keys(CoreKind) as CoreKindName[]
/** Of the header: magic, version, flags, length; two tables of offset and length; since 5.4 a third one for relocations. */
const HEADER_BYTES = 24
const HEADER_BYTES_WITH_CORE = 32

/** @throws ObjectError when a record lies outside or is of no known kind; what `string` throws */
export function readExtension(section: ElfSection, string: (offset: number) => string): ExtensionInfo {
  const { bytes, name } = section
  const view = viewOf(bytes)
  if (bytes.length < HEADER_BYTES) throw new ObjectError(name, 0, `${bytes.length} bytes are too few for a header`)
  if (view.getUint16(0, true) !== 0xeb9f) {
    throw new ObjectError(name, 0, `magic 0x${view.getUint16(0, true).toString(16)} instead of 0xeb9f`)
  }
  if (bytes[2] !== 1) throw new ObjectError(name, 2, `version ${bytes[2]} is not known`)
  const header = view.getUint32(4, true)
  if (header < HEADER_BYTES || header > bytes.length) throw new ObjectError(name, 4, `a header of ${header} bytes`)
  const table = (at: number, smallest: number) => {
    const start = header + view.getUint32(at, true)
    const end = start + view.getUint32(at + 4, true)
    if (end > bytes.length) throw new ObjectError(name, at, 'the records do not lie inside')
    return { start, end, smallest }
  }
  const functions = groups(table(8, 8), (at) => ({ offset: u32(at), type: u32(at + 4) }))
  const lines = groups(table(16, 16), (at) =>
    ({ offset: u32(at), file: u32(at + 4), text: u32(at + 8), line: u32(at + 12) >>> 10, column: u32(at + 12) & 1023 }))
  const relocations = header < HEADER_BYTES_WITH_CORE ? new Map<string, CoreRecord[]>() : groups(table(24, 16), (at) => {
    const kind = coreKinds[u32(at + 12)]
    if (kind === undefined) throw new ObjectError(name, at + 12, `relocation kind ${u32(at + 12)} is newer than this reader`)
    return { offset: u32(at), kind, type: u32(at + 4), access: string(u32(at + 8)) }
  })
  return { functions, lines, relocations }

  function u32(at: number): number {
    return view.getUint32(at, true)
  }

  /** A table: the size of its records, then for each section its name, a count and the records. */
  function groups<T>({ start, end, smallest }: Table, read: (at: number) => T): Map<string, T[]> {
    const found = new Map<string, T[]>()
    if (start === end) return found
    if (start + 4 > end) throw new ObjectError(name, start, 'the size of the records is cut off')
    const each = u32(start)
    if (each < smallest || each % 4 !== 0) throw new ObjectError(name, start, `records of ${each} bytes`)
    for (let at = start + 4; at < end;) {
      if (at + 8 > end) throw new ObjectError(name, at, 'the records of a section are cut off')
      const count = u32(at + 4)
      if (count === 0 || count > (end - at - 8) / each) {
        throw new ObjectError(name, at + 4, `${count} records of ${each} bytes do not fit`)
      }
      const code = string(u32(at))
      const records = found.get(code) ?? []
      for (let index = 0; index < count; index++) records.push(read(at + 8 + index * each))
      found.set(code, records)
      at += 8 + count * each
    }
    return found
  }
}
