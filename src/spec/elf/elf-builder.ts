import {
  ELF_HEADER_BYTES, EM_BPF, ET_REL, REL_BYTES, SECTION_HEADER_BYTES, SectionType, SHN_LORESERVE, SYMBOL_BYTES, SymbolBind,
    SymbolType,
} from './constants.ts'
import { ObjectError } from './error.ts'

export interface BuiltSection { name: string; type?: number; flags?: number; bytes: Uint8Array; /** Of NOBITS. */ size?: number }
export interface BuiltSymbol {
  name: string
  bind: number
  type: number
  /** Name of its section; null for an extern. */
  section: string | null
  value?: number
  size?: number
}
export interface BuiltRelocation { offset: number; symbol: BuiltSymbol; type: number }

interface Header extends Required<BuiltSection> { link: number; info: number; align: number; entry: number }

/** Puts sections, symbols and relocations into an ELF64 file for BPF. */
export class ElfBuilder {
  readonly #sections: BuiltSection[] = []
  readonly #symbols: BuiltSymbol[] = []
  readonly #relocations = new Map<string, BuiltRelocation[]>()
  readonly #sectionSymbols = new Map<string, BuiltSymbol>()

  section(section: BuiltSection): void {
    this.#sections.push(section)
  }

  symbol(symbol: BuiltSymbol): BuiltSymbol {
    this.#symbols.push(symbol)
    return symbol
  }

  /** The symbol that stands for a section itself. */
  sectionSymbol(section: string): BuiltSymbol {
    let symbol = this.#sectionSymbols.get(section)
    if (symbol === undefined) {
      symbol = this.symbol({ name: '', bind: SymbolBind.local, type: SymbolType.section, section })
      this.#sectionSymbols.set(section, symbol)
    }
    return symbol
  }

  relocate(section: string, relocation: BuiltRelocation): void {
    const known = this.#relocations.get(section)
    if (known === undefined) this.#relocations.set(section, [relocation])
    else known.push(relocation)
  }

  /** @throws ObjectError when there are more sections than the format numbers */
  build(): Uint8Array {
    const numbers = new Map(this.#sections.map(({ name }, index) => [name, index + 1]))
    // Symbols that are local come first, as the format wants it.
    const symbols = [...this.#symbols].sort((a, b) => Number(a.bind !== SymbolBind.local) - Number(b.bind !== SymbolBind.local))
    const indexes = new Map(symbols.map((symbol, index) => [symbol, index + 1]))
    const headers = this.#sections.map((section): Header => header(section))
    const symtab = headers.length + this.#relocations.size + 1
    for (const [section, relocations] of this.#relocations) {
      headers.push({
        ...header({ name: `.rel${section}`, type: SectionType.rel, bytes: relocationBytes(relocations, indexes) }),
        link: symtab, info: numbers.get(section)!, entry: REL_BYTES,
      })
    }
    const strings = new Strings()
    const table = symbolBytes(symbols, numbers, strings)
    const locals = symbols.filter(({ bind }) => bind === SymbolBind.local).length + 1
    headers.push({ ...header({ name: '.symtab', type: SectionType.symtab, bytes: table }), link: symtab + 1, info: locals,
      entry: SYMBOL_BYTES })
    const names = headers.map(({ name }) => strings.add(name)).concat(strings.add('.strtab'))
    headers.push(header({ name: '.strtab', type: SectionType.strtab, bytes: strings.bytes() }))
    if (headers.length >= SHN_LORESERVE) throw new ObjectError('section headers', 0, `${headers.length} sections are too many`)
    return file(headers, names)
  }
}

function header({ name, type = SectionType.progbits, flags = 0, bytes, size = bytes.length }: BuiltSection): Header {
  const table = type === SectionType.strtab || name === 'license'
  return { name, type, flags, bytes, size, link: 0, info: 0, align: table ? 1 : 8, entry: 0 }
}

function relocationBytes(relocations: BuiltRelocation[], indexes: ReadonlyMap<BuiltSymbol, number>): Uint8Array {
  const bytes = new Uint8Array(relocations.length * REL_BYTES)
  const view = new DataView(bytes.buffer)
  relocations.sort((a, b) => a.offset - b.offset).forEach(({ offset, symbol, type }, index) => {
    view.setUint32(index * REL_BYTES, offset, true)
    view.setUint32(index * REL_BYTES + 8, type, true)
    view.setUint32(index * REL_BYTES + 12, indexes.get(symbol)!, true)
  })
  return bytes
}

function symbolBytes(symbols: readonly BuiltSymbol[], numbers: ReadonlyMap<string, number>, strings: Strings): Uint8Array {
  const bytes = new Uint8Array((symbols.length + 1) * SYMBOL_BYTES)
  const view = new DataView(bytes.buffer)
  symbols.forEach(({ name, bind, type, section, value = 0, size = 0 }, index) => {
    const at = (index + 1) * SYMBOL_BYTES
    view.setUint32(at, strings.add(name), true)
    view.setUint8(at + 4, (bind << 4) | type)
    view.setUint16(at + 6, section === null ? 0 : numbers.get(section)!, true)
    view.setUint32(at + 8, value, true)
    view.setUint32(at + 16, size, true)
  })
  return bytes
}

function file(headers: readonly Header[], names: readonly number[]): Uint8Array {
  let end = ELF_HEADER_BYTES
  const offsets = headers.map(({ type, bytes, align }) => {
    const at = Math.ceil(end / align) * align
    if (type !== SectionType.nobits) end = at + bytes.length
    return at
  })
  const table = Math.ceil(end / 8) * 8
  const bytes = new Uint8Array(table + (headers.length + 1) * SECTION_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
  view.setUint16(16, ET_REL, true)
  view.setUint16(18, EM_BPF, true)
  view.setUint32(20, 1, true)
  view.setUint32(40, table, true)
  view.setUint16(52, ELF_HEADER_BYTES, true)
  view.setUint16(58, SECTION_HEADER_BYTES, true)
  view.setUint16(60, headers.length + 1, true)
  view.setUint16(62, headers.length, true)
  headers.forEach((section, index) => {
    const at = table + (index + 1) * SECTION_HEADER_BYTES
    if (section.type !== SectionType.nobits) bytes.set(section.bytes, offsets[index])
    ;[names[index]!, section.type, section.flags].forEach((word, part) => view.setUint32(at + part * 4, word, true))
    view.setUint32(at + 24, offsets[index]!, true)
    view.setUint32(at + 32, section.size >>> 0, true)
    view.setUint32(at + 36, Math.floor(section.size / 2 ** 32), true)
    ;[section.link, section.info, section.align].forEach((word, part) => view.setUint32(at + 40 + part * 4, word, true))
    view.setUint32(at + 56, section.entry, true)
  })
  return bytes
}

class Strings {
  readonly #offsets = new Map([['', 0]])
  #length = 1

  add(text: string): number {
    let offset = this.#offsets.get(text)
    if (offset === undefined) {
      offset = this.#length
      this.#offsets.set(text, offset)
      this.#length += new TextEncoder().encode(text).length + 1
    }
    return offset
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode([...this.#offsets.keys()].map((text) => `${text}\0`).join(''))
  }
}
