import { readFileSync } from 'node:fs'

export interface ElfSymbol { name: string; /** Address in the file's own space. */ address: number; size: number }
interface Segment { address: number; offset: number; size: number; executable: boolean }
interface Section { name: string; type: number; address: number; offset: number; size: number; link: number; entrySize: number }

const FUNC = 2
const OBJECT = 1

/** Symbols and segments of an ELF file, read once. */
export class ElfSymbols {
  readonly path: string
  readonly functions: ElfSymbol[] = []
  readonly objects: ElfSymbol[] = []
  readonly segments: Segment[] = []
  readonly sections: Section[] = []
  readonly bytes: Buffer
  /** Position independent: loaded anywhere. */
  readonly relocatable: boolean

  private constructor(path: string, bytes: Buffer) {
    this.path = path
    this.bytes = bytes
    const at = (offset: number) => Number(bytes.readBigUInt64LE(offset))
    this.relocatable = bytes.readUInt16LE(16) === 3
    const [programs, sectionsAt] = [at(32), at(40)]
    const [programCount, sectionCount, names] = [bytes.readUInt16LE(56), bytes.readUInt16LE(60), bytes.readUInt16LE(62)]
    for (let index = 0; index < programCount; index++) {
      const header = programs + index * 56
      if (bytes.readUInt32LE(header) !== 1) continue
      this.segments.push({
        executable: (bytes.readUInt32LE(header + 4) & 1) !== 0, offset: at(header + 8), address: at(header + 16), size: at(header + 32),
      })
    }
    for (let index = 0; index < sectionCount; index++) {
      const header = sectionsAt + index * 64
      this.sections.push({
        name: String(bytes.readUInt32LE(header)), type: bytes.readUInt32LE(header + 4), address: at(header + 16), offset: at(header + 24), size: at(header + 32),
        link: bytes.readUInt32LE(header + 40), entrySize: at(header + 56),
      })
    }
    const strings = this.sections[names]
    if (strings !== undefined) {
      for (const section of this.sections) section.name = this.text(strings.offset + Number(section.name))
    }
    for (const section of this.sections) if (section.type === 2 || section.type === 11) this.#symbols(section)
    const order = (a: ElfSymbol, b: ElfSymbol) => a.address - b.address
    this.functions.sort(order)
    this.objects.sort(order)
  }

  /** null for what is no 64-bit little-endian ELF file, or cannot be read. */
  static read(path: string): ElfSymbols | null {
    try {
      const bytes = readFileSync(path)
      if (bytes.length < 64 || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) return null
      return new ElfSymbols(path, bytes)
    } catch {
      return null
    }
  }

  text(offset: number): string {
    const end = this.bytes.indexOf(0, offset)
    return this.bytes.toString('utf8', offset, end)
  }

  #symbols(section: Section): void {
    const strings = this.sections[section.link]
    if (strings === undefined || section.entrySize === 0) return
    const seen = new Set(this.functions.map(({ name, address }) => `${name}@${address}`))
    for (let at = section.offset; at < section.offset + section.size; at += section.entrySize) {
      const kind = this.bytes[at + 4]! & 15
      const address = Number(this.bytes.readBigUInt64LE(at + 8))
      if (address === 0 || (kind !== FUNC && kind !== OBJECT && kind !== 10)) continue
      const symbol = {
        name: this.text(strings.offset + this.bytes.readUInt32LE(at)), address, size: Number(this.bytes.readBigUInt64LE(at + 16)),
      }
      if (kind === OBJECT) this.objects.push(symbol)
      else if (!seen.has(`${symbol.name}@${address}`)) this.functions.push(symbol)
    }
  }

  /** Where in the file an address lies. */
  fileOffset(address: number): number {
    const segment = this.segments.find((one) => address >= one.address && address < one.address + one.size)
    return segment === undefined ? address : address - segment.address + segment.offset
  }

  addressOf(fileOffset: number): number {
    const segment = this.segments.find((one) => fileOffset >= one.offset && fileOffset < one.offset + one.size)
    return segment === undefined ? fileOffset : fileOffset - segment.offset + segment.address
  }

  /** The function that an address lies in. */
  functionAt(address: number): ElfSymbol | undefined {
    let [low, high] = [0, this.functions.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.functions[middle]!.address <= address) low = middle
      else high = middle - 1
    }
    const found = this.functions[low]
    return found !== undefined && found.address <= address && (found.size === 0 || address < found.address + found.size) ? found : undefined
  }
}

const files = new Map<string, ElfSymbols | null>()

/** The file's symbols, kept for as long as the process lives. */
export function elfSymbols(path: string): ElfSymbols | null {
  let known = files.get(path)
  if (known === undefined) files.set(path, (known = ElfSymbols.read(path)))
  return known
}
