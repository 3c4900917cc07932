import { Btf } from './btf.ts'
import { BtfError } from './error.ts'
import { tailBytes } from './index-types.ts'
import { HEADER_BYTES, kindNames, kindNumber, MAGIC, type BtfKind } from './type.ts'

export interface BuiltMember { name: string; type: number; bitOffset: number; /** 0 or absent unless a bitfield. */ bitSize?: number }

export interface PlacedVariable { type: number; offset: number; size: number }

const encoder = new TextEncoder()

type Written = Exclude<BtfKind, 'other'>
interface Entry { kind: Written; name: number; vlen: number; flag: boolean; word: number; tail: number[] }

/** Writes BTF: types get their ids in order from 1, equal simple types are written once. */
export class BtfBuilder {
  readonly #entries: Entry[] = []
  readonly #known = new Map<string, number>()
  readonly #strings = new Map<string, number>([['', 0]])
  /** Strings that were there before; they keep their offsets. */
  #firstStrings = new Uint8Array(1)
  readonly #text: string[] = []
  #textBytes = 1

  /** A builder that goes on where existing BTF ends: ids and string offsets stay. @throws BtfError */
  static from(bytes: Uint8Array): BtfBuilder {
    const btf = Btf.parse(bytes)
    const builder = new BtfBuilder()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const strings = view.getUint32(4, true) + view.getUint32(16, true)
    builder.#firstStrings = new Uint8Array(bytes.subarray(strings, strings + view.getUint32(20, true)))
    builder.#textBytes = builder.#firstStrings.length
    for (let at = 0, end; at < builder.#textBytes; at = end + 1) {
      end = builder.#firstStrings.indexOf(0, at)
      const text = new TextDecoder().decode(builder.#firstStrings.subarray(at, end))
      if (!builder.#strings.has(text)) builder.#strings.set(text, at)
    }
    for (let id = 1; id < btf.typeCount; id++) {
      const at = btf.offsetOf(id)
      const info = view.getUint32(at + 4, true)
      const [kind, vlen] = [(info >>> 24) & 0x7f, info & 0xff_ffff]
      if (kindNames[kind] === undefined) throw new BtfError('types', at, `kind ${kind} is newer than this writer`)
      const tail = Array.from({ length: tailBytes(kind, vlen) / 4 }, (_, index) => view.getUint32(at + 12 + index * 4, true))
      builder.#entries.push({
        kind: kindNames[kind]!, name: view.getUint32(at, true), vlen, flag: info >>> 31 === 1, word: view.getUint32(at + 8, true), tail,
      })
    }
    return builder
  }

  /** Offset of a string in the string section. A NUL inside would end it, so it is replaced. */
  string(text: string): number {
    const clean = text.replaceAll('\0', ' ')
    let offset = this.#strings.get(clean)
    if (offset === undefined) {
      offset = this.#textBytes
      this.#strings.set(clean, offset)
      this.#text.push(clean)
      this.#textBytes += encoder.encode(clean).length + 1
    }
    return offset
  }

  #add(kind: Written, name: string, word: number, options: { vlen?: number; flag?: boolean; tail?: number[] } = {}): number {
    this.#entries.push({ kind, name: this.string(name), word, vlen: options.vlen ?? 0, flag: options.flag ?? false, tail: options.tail ?? [] })
    return this.#entries.length
  }

  #once(kind: Written, name: string, word: number, tail: number[] = []): number {
    const key = `${kind} ${name} ${word} ${tail.join()}`
    let id = this.#known.get(key)
    if (id === undefined) this.#known.set(key, (id = this.#add(kind, name, word, { tail })))
    return id
  }

  int(name: string, size: number, encoding: { signed?: boolean; char?: boolean; bool?: boolean } = {}): number {
    const flags = (encoding.signed ? 1 : 0) | (encoding.char ? 2 : 0) | (encoding.bool ? 4 : 0)
    return this.#once('int', name, size, [(flags << 24) | (size * 8)])
  }

  ptr(type: number): number { return this.#once('ptr', '', type) }
  const(type: number): number { return this.#once('const', '', type) }
  volatile(type: number): number { return this.#once('volatile', '', type) }
  restrict(type: number): number { return this.#once('restrict', '', type) }
  /** 5.13. */
  float(name: string, size: number): number { return this.#once('float', name, size) }
  /** 5.17: an attribute of the type that it wraps. */
  typeTag(name: string, type: number): number { return this.#once('typeTag', name, type) }
  /** 5.16: an attribute of a declaration; `component`: of its member or parameter with that index, -1: of itself. */
  declTag(name: string, type: number, component = -1): number { return this.#add('declTag', name, type, { tail: [component >>> 0] }) }
  typedef(name: string, type: number): number { return this.#once('typedef', name, type) }
  array(element: number, index: number, length: number): number { return this.#once('array', '', 0, [element, index, length]) }
  fwd(name: string, union: boolean): number { return this.#add('fwd', name, 0, { flag: union }) }

  /** An id for a struct whose members come later, so that types may refer to each other. */
  declareStruct(name: string, size: number, union = false): number {
    return this.#add(union ? 'union' : 'struct', name, size)
  }

  completeStruct(id: number, members: BuiltMember[]): void {
    const entry = this.#entries[id - 1]
    if (entry === undefined || (entry.kind !== 'struct' && entry.kind !== 'union')) throw new RangeError(`BTF type ${id} is no declared struct`)
    entry.flag = members.some((member) => (member.bitSize ?? 0) > 0)
    entry.vlen = members.length
    entry.tail = members.flatMap(({ name, type, bitOffset, bitSize = 0 }) => [this.string(name), type, entry.flag ? ((bitSize << 24) | bitOffset) >>> 0 : bitOffset])
  }

  struct(name: string, size: number, members: BuiltMember[]): number {
    const id = this.declareStruct(name, size)
    this.completeStruct(id, members)
    return id
  }

  union(name: string, size: number, members: BuiltMember[]): number {
    const id = this.declareStruct(name, size, true)
    this.completeStruct(id, members)
    return id
  }

  /** Values of 8-byte enums need ENUM64, which kernels know from 6.0 on. */
  enum(name: string, size: number, signed: boolean, values: { name: string; value: bigint }[]): number {
    const wide = size === 8
    const key = `enum ${name} ${size} ${signed} ${values.map((value) => `${value.name}=${value.value}`).join()}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const tail = values.flatMap(({ name: valueName, value }) => [this.string(valueName), Number(BigInt.asUintN(32, value)), ...(wide ? [Number(BigInt.asUintN(32, value >> 32n))] : [])])
    const id = this.#add(wide ? 'enum64' : 'enum', name, size, { vlen: values.length, flag: signed, tail })
    this.#known.set(key, id)
    return id
  }

  funcProto(returns: number, params: { name: string; type: number }[]): number {
    return this.#add('funcProto', '', returns, { vlen: params.length, tail: params.flatMap(({ name, type }) => [this.string(name), type]) })
  }

  func(name: string, proto: number, linkage: 'static' | 'global' | 'extern' = 'static'): number {
    return this.#add('func', name, proto, { vlen: ['static', 'global', 'extern'].indexOf(linkage) })
  }

  var(name: string, type: number, linkage: number): number { return this.#add('var', name, type, { tail: [linkage] }) }

  datasec(name: string, size: number, vars: PlacedVariable[]): number {
    return this.#add('datasec', name, size, { vlen: vars.length, tail: placed(vars) })
  }

  /** Replaces what a DATASEC holds. */
  setDatasec(id: number, size: number, vars: PlacedVariable[]): void {
    Object.assign(this.#entry(id, 'datasec'), { word: size, vlen: vars.length, tail: placed(vars) })
  }

  setVar(id: number, type: number, linkage: number): void {
    Object.assign(this.#entry(id, 'var'), { word: type, tail: [linkage] })
  }

  /** 0: static, 1: global, 2: extern. */
  setLinkage(id: number, linkage: number): void {
    this.#entry(id, 'func').vlen = linkage
  }

  setParams(id: number, params: { name: string; type: number }[]): void {
    const tail = params.flatMap(({ name, type }) => [this.string(name), type])
    Object.assign(this.#entry(id, 'funcProto'), { vlen: params.length, tail })
  }

  #entry(id: number, kind: Written): Entry {
    const entry = this.#entries[id - 1]
    if (entry?.kind !== kind) throw new RangeError(`BTF type ${id} is no ${kind}`)
    return entry
  }

  build(): Uint8Array {
    const typeBytes = this.#entries.reduce((sum, entry) => sum + 12 + entry.tail.length * 4, 0)
    const bytes = new Uint8Array(HEADER_BYTES + typeBytes + this.#textBytes)
    const view = new DataView(bytes.buffer)
    view.setUint16(0, MAGIC, true)
    view.setUint8(2, 1)
    ;[HEADER_BYTES, 0, typeBytes, typeBytes, this.#textBytes].forEach((word, index) => view.setUint32(4 + index * 4, word, true))
    let at = HEADER_BYTES
    for (const { kind, name, vlen, flag, word, tail } of this.#entries) {
      const info = ((flag ? 0x8000_0000 : 0) | (kindNumber[kind] << 24) | vlen) >>> 0
      for (const value of [name, info, word, ...tail]) {
        view.setUint32(at, value, true)
        at += 4
      }
    }
    bytes.set(this.#firstStrings, at)
    encoder.encodeInto(this.#text.map((text) => `${text}\0`).join(''), bytes.subarray(at + this.#firstStrings.length))
    return bytes
  }
}

function placed(vars: PlacedVariable[]): number[] {
  return vars.flatMap(({ type, offset, size }) => [type, offset, size])
}
