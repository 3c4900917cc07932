import {
  ELF_HEADER_BYTES, EM_BPF, ET_REL, REL_BYTES, SECTION_HEADER_BYTES, SectionType, SHN_XINDEX, SYMBOL_BYTES,
} from './constants.ts'
import { ObjectError } from './error.ts'

export interface ElfSection {
  index: number
  name: string
  type: number
  flags: number
  /** Bytes; those of a section without contents (NOBITS) are not in the file. */
  size: number
  /** A view of the file; empty for NOBITS. */
  bytes: Uint8Array
  link: number
  info: number
}

export interface ElfSymbol {
  index: number
  name: string
  bind: number
  type: number
  visibility: number
  /** 0: undefined, an extern. */
  section: number
  /** Bytes from the start of its section. */
  value: number
  size: number
}

export interface ElfRelocation {
  /** Bytes from the start of the section that is relocated. */
  offset: number
  symbol: ElfSymbol
  type: number
}

/** Mangled names of C++ and Rust are long, but not that long. */
const MAX_NAME = 4096

/** The sections, symbols and relocations of a BPF object. Everything is checked to lie inside of the file; nothing is copied. */
export class ElfFile {
  readonly sections: ElfSection[]
  readonly symbols: ElfSymbol[]
  readonly #view: DataView
  /** By the section that they relocate. */
  readonly #relocationTables: Map<number, ElfSection[]>
  readonly #symbolsOf: Map<number, ElfSymbol[]>
  readonly #byName = new Map<string, ElfSection>()

  /** @throws ObjectError when it is no little-endian ELF64 file for BPF, or when something lies outside */
  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    checkHeader(bytes, this.#view)
    this.sections = readSections(bytes, this.#view)
    this.symbols = readSymbols(this.sections)
    const tables = this.sections.filter(({ type }) => type === SectionType.rel || type === SectionType.rela)
    this.#relocationTables = groupBy(tables, ({ info }) => info)
    this.#symbolsOf = groupBy(this.symbols, ({ section }) => section)
    for (const section of this.sections) if (!this.#byName.has(section.name)) this.#byName.set(section.name, section)
  }

  /** The first section of a name. */
  section(name: string): ElfSection | undefined {
    return this.#byName.get(name)
  }

  /** Symbols that are defined in a section. */
  symbolsOf(section: ElfSection): readonly ElfSymbol[] {
    return this.#symbolsOf.get(section.index) ?? []
  }

  /** Relocations of a section, by offset. @throws ObjectError */
  relocationsOf(section: ElfSection): ElfRelocation[] {
    const found: ElfRelocation[] = []
    for (const table of this.#relocationTables.get(section.index) ?? []) {
      if (table.type === SectionType.rela) {
        throw new ObjectError(table.name, 0, 'relocations with addends (RELA) are not those of BPF')
      }
      if (table.size % REL_BYTES !== 0) {
        throw new ObjectError(table.name, table.size, `${table.size} bytes are no whole number of relocations`)
      }
      const view = viewOf(table.bytes)
      for (let at = 0; at < table.size; at += REL_BYTES) {
        const offset = number(view, at, table.name)
        const symbol = this.symbols[view.getUint32(at + 12, true)]
        if (symbol === undefined) {
          throw new ObjectError(table.name, at + 12, `there is no symbol ${view.getUint32(at + 12, true)}`)
        }
        if (offset >= section.size) throw new ObjectError(table.name, at, `offset ${offset} is beyond ${section.name}`)
        found.push({ offset, symbol, type: view.getUint32(at + 8, true) })
      }
    }
    return found.sort((a, b) => a.offset - b.offset)
  }
}

function groupBy<T>(all: readonly T[], key: (one: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const one of all) {
    const group = groups.get(key(one))
    if (group === undefined) groups.set(key(one), [one])
    else group.push(one)
  }
  return groups
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A NUL-terminated string; what is not UTF-8 is replaced. @throws ObjectError outside of the section, or if it does not end */
export function stringAt(section: ElfSection, offset: number): string {
  if (offset >= section.bytes.length) {
    throw new ObjectError(section.name, offset, `there are ${section.bytes.length} bytes of strings`)
  }
  const end = section.bytes.subarray(offset, offset + MAX_NAME).indexOf(0)
  if (end < 0) throw new ObjectError(section.name, offset, `the string does not end within ${MAX_NAME} bytes`)
  return new TextDecoder().decode(section.bytes.subarray(offset, offset + end))
}

function checkHeader(bytes: Uint8Array, view: DataView): void {
  const fail = (offset: number, problem: string): never => { throw new ObjectError('ELF header', offset, problem) }
  if (bytes.length < ELF_HEADER_BYTES) fail(0, `${bytes.length} bytes are too few for an object`)
  if (view.getUint32(0, false) !== 0x7f454c46) fail(0, 'this is no ELF file')
  if (bytes[4] !== 2) fail(4, 'a 32-bit object; BPF objects are ELF64')
  if (bytes[5] !== 1) fail(5, 'a big-endian object; compile for -target bpfel')
  if (bytes[6] !== 1) fail(6, `ELF version ${bytes[6]} is not known`)
  if (view.getUint16(16, true) !== ET_REL) fail(16, 'no relocatable object: do not link it, or link with bpftool gen object')
  const machine = view.getUint16(18, true)
  // Compilers of the first years left the machine open.
  if (machine !== EM_BPF && machine !== 0) fail(18, `an object for machine ${machine}, not for BPF; compile with -target bpf`)
}

function readSections(bytes: Uint8Array, view: DataView): ElfSection[] {
  const table = number(view, 40, 'ELF header')
  const fail = (offset: number, problem: string): never => { throw new ObjectError('section headers', offset, problem) }
  if (view.getUint16(58, true) !== SECTION_HEADER_BYTES) fail(58, `section headers of ${view.getUint16(58, true)} bytes`)
  if (table === 0 || table + SECTION_HEADER_BYTES > bytes.length) {
    fail(40, `the section headers (at ${table}) lie outside of the file`)
  }
  // Large counts are kept in the first section header.
  const count = view.getUint16(60, true) || number(view, table + 32, 'section headers')
  const names = view.getUint16(62, true) === SHN_XINDEX ? view.getUint32(table + 40, true) : view.getUint16(62, true)
  if (count === 0 || count > (bytes.length - table) / SECTION_HEADER_BYTES) {
    fail(60, `${count} section headers do not fit into the file`)
  }
  const nameOffsets: number[] = []
  const sections = Array.from({ length: count }, (_, index): ElfSection => {
    const at = table + index * SECTION_HEADER_BYTES
    nameOffsets.push(view.getUint32(at, true))
    const type = view.getUint32(at + 4, true)
    const offset = number(view, at + 24, 'section headers')
    const size = index === 0 ? 0 : number(view, at + 32, 'section headers')
    const stored = type === SectionType.nobits || type === SectionType.null ? 0 : size
    if (stored > 0 && offset + stored > bytes.length) {
      fail(at, `section ${index} (${size} bytes at ${offset}) reaches beyond the file`)
    }
    return {
      index, name: '', type, flags: view.getUint32(at + 8, true), size, bytes: bytes.subarray(offset, offset + stored),
      link: view.getUint32(at + 40, true), info: view.getUint32(at + 44, true),
    }
  })
  const strings = sections[names]
  if (strings === undefined || strings.type !== SectionType.strtab) {
    fail(62, `section ${names} does not hold the names of sections`)
  }
  sections.forEach((section, index) => { section.name = index === 0 ? '' : stringAt(strings!, nameOffsets[index]!) })
  return sections
}

function readSymbols(sections: ElfSection[]): ElfSymbol[] {
  const table = sections.find((section) => section.type === SectionType.symtab)
  if (table === undefined) return []
  if (table.size % SYMBOL_BYTES !== 0) {
    throw new ObjectError(table.name, table.size, `${table.size} bytes are no whole number of symbols`)
  }
  const strings = sections[table.link]
  if (strings === undefined || strings.type !== SectionType.strtab) {
    throw new ObjectError(table.name, 0, 'its strings are missing')
  }
  const view = viewOf(table.bytes)
  return Array.from({ length: table.size / SYMBOL_BYTES }, (_, index) => {
    const at = index * SYMBOL_BYTES
    const info = view.getUint8(at + 4)
    const section = view.getUint16(at + 6, true)
    if (section === SHN_XINDEX) throw new ObjectError(table.name, at, 'the object has more than 65,279 sections; split it')
    return {
      index, name: stringAt(strings, view.getUint32(at, true)), bind: info >> 4, type: info & 15,
      visibility: view.getUint8(at + 5) & 3, section,
      value: number(view, at + 8, table.name), size: number(view, at + 16, table.name),
    }
  })
}

/** A 64-bit number that a file of this world can mean. */
function number(view: DataView, at: number, section: string): number {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
  if (value > Number.MAX_SAFE_INTEGER) throw new ObjectError(section, at, `0x${value.toString(16)} is no size or offset`)
  return value
}
