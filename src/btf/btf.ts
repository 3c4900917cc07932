import { BtfError } from './error.ts'
import { essentialName, FLAVOUR_MARK } from './flavours.ts'
import { indexTypes, type KindLayout, type TypeIndex } from './index-types.ts'
import { inflate } from './inflate.ts'
import { HEADER_BYTES, HEADER_BYTES_WITH_LAYOUT, kindNames, MAGIC, type BtfKind, type BtfType, type MemberPath } from './type.ts'

export { BtfError } from './error.ts'
export type { BtfKind, BtfMember, BtfType, MemberPath } from './type.ts'

/** Typedefs of typedefs and arrays of arrays end after this many steps, or are a cycle. */
const MAX_DEPTH = 64
/** Bytes of the names of types, members and the like; kernels take 511. Hostile types could repeat a long one very often. */
const MAX_NAME = 4096
/** Bytes of lines of source code, which are strings too. */
const MAX_TEXT = 65_536
/** Anonymous structs inside one struct that a search for a member enters. */
const MAX_STRUCTS = 1000

interface Sections { types: number; typesLength: number; strings: number; stringsLength: number; layout: KindLayout }

/** The table of sizes of all kinds, empty where the header is the older one. */
function layoutOf(bytes: Uint8Array, view: DataView, header: number): KindLayout {
  if (header < HEADER_BYTES_WITH_LAYOUT) return bytes.subarray(0, 0)
  const [at, length] = [header + view.getUint32(24, true), view.getUint32(28, true)]
  if (at + length > bytes.length) throw new BtfError('header', 24, 'the layout does not lie inside')
  return bytes.subarray(at, at + length - length % 4)
}

/**
 * The kernel's types, lazily: one pass notes where each type begins and what its name is; a type becomes an object
 * when it is asked for; names stay bytes until then, and are searched as bytes. The bytes are not copied,
 * so they must outlive this object (they may be a mapping of /sys/kernel/btf/vmlinux).
 */
export class Btf {
  /** Ids are 1 … typeCount - 1; 0 is void. Split BTF continues its base's ids. */
  readonly typeCount: number
  readonly base: Btf | null
  readonly #bytes: Buffer
  readonly #words: DataView
  readonly #types: TypeIndex
  readonly #strings: number
  readonly #stringsLength: number
  readonly #firstId: number
  readonly #firstString: number
  readonly #inflated = new Map<number, BtfType>()
  readonly #members = new Map<number, Map<string, MemberPath | undefined>>()
  readonly #named = new Map<string, number[]>()
  #flavours: Map<string, number[]> | null = null

  private constructor(bytes: Uint8Array, base: Btf | null, section: Sections) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.base = base
    this.#firstId = base === null ? 1 : base.typeCount
    this.#firstString = base === null ? 0 : base.#firstString + base.#stringsLength
    this.#strings = section.strings
    this.#stringsLength = section.stringsLength
    this.#types = indexTypes(bytes, section.types, section.typesLength, section.layout)
    this.typeCount = this.#firstId + this.#types.count
  }

  /** @throws BtfError when the bytes are not BTF, are truncated or of the other byte order. */
  static parse(bytes: Uint8Array, base: Btf | null = null): Btf {
    if (bytes.length < HEADER_BYTES) throw new BtfError('header', 0, `${bytes.length} bytes are too few for a header`)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const magic = view.getUint16(0, true)
    if (magic !== MAGIC) {
      throw new BtfError('header', 0, magic === 0x9feb ? 'the types are of a big-endian kernel, which is not supported' : `magic 0x${magic.toString(16)} instead of 0x${MAGIC.toString(16)}`)
    }
    if (bytes[2] !== 1) throw new BtfError('header', 2, `version ${bytes[2]} is not known`)
    const header = view.getUint32(4, true)
    if (header < HEADER_BYTES || header > bytes.length) throw new BtfError('header', 4, `a header of ${header} bytes`)
    const [typesAt, typesLength, stringsAt, stringsLength] = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [number, number, number, number]
    if (header + typesAt + typesLength > bytes.length || typesAt % 4 !== 0) throw new BtfError('header', 8, 'the types do not lie inside')
    if (header + stringsAt + stringsLength > bytes.length) throw new BtfError('header', 16, 'the strings do not lie inside')
    const strings = header + stringsAt
    if (base === null && (stringsLength === 0 || bytes[strings] !== 0)) throw new BtfError('strings', 0, 'the first string is not empty')
    if (stringsLength > 0 && bytes[strings + stringsLength - 1] !== 0) throw new BtfError('strings', stringsLength - 1, 'the last string does not end')
    const layout = layoutOf(bytes, view, header)
    return new Btf(bytes, base, { types: header + typesAt, typesLength, strings, stringsLength, layout })
  }

  /** A string by its offset; those of the base come first. @throws BtfError outside of the section, or beyond 64 KB. */
  string(offset: number): string {
    return this.#text(offset, MAX_TEXT)
  }

  #text(offset: number, most: number): string {
    if (offset === 0) return ''
    if (offset < this.#firstString) return this.base!.#text(offset, most)
    const at = this.#stringAt(offset)
    const end = this.#bytes.indexOf(0, at)
    if (end - at > most) throw new BtfError('strings', offset, `the string has more than ${most} bytes`)
    return this.#bytes.toString('utf8', at, end)
  }

  #stringAt(offset: number): number {
    const local = offset - this.#firstString
    if (local < 0 || local >= this.#stringsLength) throw new BtfError('strings', offset, `there are ${this.#firstString + this.#stringsLength} bytes of strings`)
    return this.#strings + local
  }

  #offsetOf(id: number): number {
    if (!Number.isInteger(id) || id < this.#firstId || id >= this.typeCount) throw new BtfError('types', 0, `no type has the id ${id}; there are ${this.typeCount}`)
    return this.#types.offsets[id - this.#firstId]!
  }

  /** Byte offset of a type in the bytes that this BTF was parsed from. @throws BtfError for types of the base */
  offsetOf(id: number): number {
    return this.#offsetOf(id)
  }

  nameOf(id: number): string {
    if (id === 0) return ''
    if (id < this.#firstId) return this.base!.nameOf(id)
    return this.#text(this.#words.getUint32(this.#offsetOf(id), true), MAX_NAME)
  }

  kindOf(id: number): BtfKind {
    if (id === 0) return 'void'
    if (id < this.#firstId) return this.base!.kindOf(id)
    return kindNames[this.#bytes[this.#offsetOf(id) + 7]! & 0x7f] ?? 'other'
  }

  /** The type as an object, made once. @throws BtfError for ids that do not exist. */
  type(id: number): BtfType {
    if (id === 0) return { kind: 'void', id: 0 }
    if (id < this.#firstId) return this.base!.type(id)
    let type = this.#inflated.get(id)
    if (type === undefined) {
      type = inflate(this.#words, this.#offsetOf(id), id, (offset) => this.#text(offset, MAX_NAME))
      this.#inflated.set(id, type)
    }
    return type
  }

  /** The id behind typedefs, qualifiers and type tags. @throws BtfError on a cycle. */
  resolve(id: number): number {
    for (let at = id, step = 0; ; step++) {
      if (at === 0) return 0
      const type = this.type(at)
      switch (type.kind) {
        case 'typedef': case 'const': case 'volatile': case 'restrict': case 'typeTag':
          if (step > MAX_DEPTH) throw new BtfError('types', 0, `type ${id} is defined by itself`)
          at = type.type
          break
        default: return at
      }
    }
  }

  /** Bytes of a value of the type; 0 for void and functions. @throws BtfError on cycles. */
  sizeOf(id: number): number {
    return this.#sizeOf(id, 0)
  }

  #sizeOf(id: number, depth: number): number {
    if (depth > MAX_DEPTH) throw new BtfError('types', 0, `type ${id} contains itself`)
    const type = this.type(this.resolve(id))
    switch (type.kind) {
      case 'ptr': return 8
      case 'array': return type.length * this.#sizeOf(type.element, depth + 1)
      case 'int': case 'struct': case 'union': case 'enum': case 'enum64': case 'float': case 'datasec': return type.size
      case 'var': return this.#sizeOf(type.type, depth + 1)
      default: return 0
    }
  }

  /** Id of the first type with this name and one of the kinds (any when none is given); 0 if there is none. */
  find(name: string, ...kinds: BtfKind[]): number {
    return this.findAll(name, ...kinds)[0] ?? 0
  }

  /** Ids of all types with this name and one of the kinds, in order. */
  findAll(name: string, ...kinds: BtfKind[]): number[] {
    const above = this.base === null ? [] : this.base.findAll(name, ...kinds)
    if (name === '' || name.includes('\0')) return above
    let own = this.#named.get(name)
    if (own === undefined) this.#named.set(name, own = this.#search(name))
    return above.concat(kinds.length === 0 ? own : own.filter((id) => kinds.includes(this.kindOf(id))))
  }

  /**
   * Ids of this BTF's own types of a name, in order. Writers of BTF keep each string once and whole: the search ends at the
   * first one that names a type, and a name that is only the tail of another string is not found.
   */
  #search(name: string): number[] {
    const wanted = Buffer.from(`\0${name}\0`)
    const inBase = this.base === null ? 0 : this.base.#offsetOfString(wanted)
    const found = inBase === 0 ? [] : this.#typesNamed(inBase)
    if (found.length > 0) return found
    for (const at of this.#occurrences(wanted)) {
      const types = this.#typesNamed(at + 1)
      if (types.length > 0) return types
    }
    return []
  }

  /** Ids of this BTF's own types whose name stands there. */
  #typesNamed(offset: number): number[] {
    const { names } = this.#types
    const found: number[] = []
    for (let at = names.indexOf(offset); at >= 0; at = names.indexOf(offset, at + 1)) found.push(this.#firstId + at)
    return found
  }

  /** Where the first such string begins, the base's before its own; 0 if there is none. */
  #offsetOfString(wanted: Buffer): number {
    const above = this.base === null ? 0 : this.base.#offsetOfString(wanted)
    if (above !== 0) return above
    for (const at of this.#occurrences(wanted)) return at + 1
    return 0
  }

  /** Offsets of these bytes among its own strings. Native code searches: a millisecond for all strings of a kernel. */
  * #occurrences(wanted: Buffer): Generator<number> {
    const strings = this.#bytes.subarray(this.#strings, this.#strings + this.#stringsLength)
    // A split BTF's first string has no NUL before it.
    if (wanted[0] === 0 && this.#firstString > 0 && strings.subarray(0, wanted.length - 1).equals(wanted.subarray(1))) yield this.#firstString - 1
    for (let at = strings.indexOf(wanted); at >= 0; at = strings.indexOf(wanted, at + 1)) yield this.#firstString + at
  }

  /**
   * Ids of all types of the kinds whose name without its flavour (`___suffix`) is `essential`, in order:
   * the candidates for a CO-RE relocation.
   */
  findFlavours(essential: string, ...kinds: BtfKind[]): number[] {
    const plain = this.findAll(essential, ...kinds)
    const suffixed = this.#flavoursOf(essential).filter((id) => kinds.length === 0 || kinds.includes(this.kindOf(id)))
    return suffixed.length === 0 ? plain : plain.concat(suffixed).sort((a, b) => a - b)
  }

  #flavoursOf(essential: string): number[] {
    this.#flavours ??= this.#indexFlavours()
    const above = this.base === null ? [] : this.base.#flavoursOf(essential)
    return above.concat(this.#flavours.get(essential) ?? [])
  }

  #indexFlavours(): Map<string, number[]> {
    const index = new Map<string, number[]>()
    for (const offset of this.#markedStrings()) {
      const name = this.string(offset)
      const essential = essentialName(name)
      if (essential === name) continue
      const ids = this.#typesNamed(offset)
      if (ids.length > 0) index.set(essential, (index.get(essential) ?? []).concat(ids))
    }
    return index
  }

  /** Offsets of the strings that have three underscores in a row; a split BTF's types may bear names of its base. */
  #markedStrings(): Set<number> {
    const offsets = this.base === null ? new Set<number>() : this.base.#markedStrings()
    for (const at of this.#occurrences(Buffer.from(FLAVOUR_MARK))) {
      const before = this.#bytes.lastIndexOf(0, this.#strings + at - this.#firstString)
      offsets.add(Math.max(before + 1 - this.#strings, 0) + this.#firstString)
    }
    return offsets
  }

  /** A member of a struct or union by name, looking through anonymous members. */
  member(structId: number, name: string): MemberPath | undefined {
    let known = this.#members.get(structId)
    if (known === undefined) this.#members.set(structId, (known = new Map()))
    if (known.has(name)) return known.get(name)
    const found = this.#member(structId, name, new Set())
    known.set(name, found)
    return found
  }

  /** `seen`: structs searched already, in vain; hostile types contain each other very often. */
  #member(structId: number, name: string, seen: Set<number>): MemberPath | undefined {
    const type = this.type(structId)
    if ((type.kind !== 'struct' && type.kind !== 'union') || seen.has(structId) || seen.size > MAX_STRUCTS) return undefined
    seen.add(structId)
    const index = type.members.findIndex((member) => member.name === name)
    if (index >= 0) {
      const { type: id, bitOffset, bitSize } = type.members[index]!
      return { type: id, bitOffset, bitSize, path: [index] }
    }
    for (const [at, member] of type.members.entries()) {
      if (member.name !== '') continue
      const inner = this.#member(this.resolve(member.type), name, seen)
      if (inner !== undefined) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset, path: [at, ...inner.path] }
    }
    return undefined
  }
}
