import { HEADER_BYTES, kindNumber, MAGIC, type BtfKind } from './type.ts'

export interface BuiltMember { name: string; type: number; bitOffset: number; /** 0 or absent unless a bitfield. */ bitSize?: number }

const encoder = new TextEncoder()

interface Entry { kind: BtfKind; name: number; vlen: number; flag: boolean; word: number; tail: number[] }

/** Writes BTF: types get their ids in order from 1, equal simple types are written once. */
export class BtfBuilder {
  readonly #entries: Entry[] = []
  readonly #known = new Map<string, number>()
  readonly #strings = new Map<string, number>([['', 0]])
  readonly #text: string[] = ['']
  #textBytes = 1

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

  #add(kind: BtfKind, name: string, word: number, options: { vlen?: number; flag?: boolean; tail?: number[] } = {}): number {
    this.#entries.push({ kind, name: this.string(name), word, vlen: options.vlen ?? 0, flag: options.flag ?? false, tail: options.tail ?? [] })
    return this.#entries.length
  }

  #once(kind: BtfKind, name: string, word: number, tail: number[] = []): number {
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

  datasec(name: string, size: number, vars: { type: number; offset: number; size: number }[]): number {
    return this.#add('datasec', name, size, { vlen: vars.length, tail: vars.flatMap(({ type, offset, size: bytes }) => [type, offset, bytes]) })
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
    new TextEncoder().encodeInto(`${this.#text.join('\0')}\0`, bytes.subarray(at))
    return bytes
  }
}
