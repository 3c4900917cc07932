const text = new TextEncoder()
const HEADER = 16
const NLA_F_NESTED = 0x8000
const NLA_TYPE_MASK = 0x3fff

/** A netlink request as bytes: header, the family's own struct, attributes. Everything lies on multiples of 4. */
export class NetlinkMessage {
  readonly name: string
  #bytes = new Uint8Array(256)
  #length = HEADER

  /**
   * @param name for errors: 'RTM_SETLINK'
   * @param flags NLM_F_*; request and acknowledgement are implied
   */
  constructor(name: string, type: number, flags: number, head: Uint8Array) {
    this.name = name
    this.#u16(4, type)
    this.#u16(6, flags | 0x01 | 0x04)
    this.#append(head)
  }

  u32(type: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setUint32(0, value, true)
    return this.bytes(type, bytes)
  }

  string(type: number, value: string): this {
    return this.bytes(type, text.encode(`${value}\0`))
  }

  bytes(type: number, value: Uint8Array): this {
    const start = this.#length
    this.#grow(4)
    this.#append(value)
    this.#u16(start, 4 + value.length)
    this.#u16(start + 2, type)
    return this
  }

  /** Attributes inside of one. */
  nest(type: number, fill: (message: this) => void): this {
    const start = this.#length
    this.#grow(4)
    fill(this)
    this.#u16(start, this.#length - start)
    this.#u16(start + 2, type | NLA_F_NESTED)
    return this
  }

  /** The finished message. */
  encode(sequence: number): Uint8Array {
    const view = new DataView(this.#bytes.buffer)
    view.setUint32(0, this.#length, true)
    view.setUint32(8, sequence, true)
    return this.#bytes.slice(0, this.#length)
  }

  #append(bytes: Uint8Array): void {
    const start = this.#length
    this.#grow(bytes.length + 3 & ~3)
    this.#bytes.set(bytes, start)
  }

  #grow(bytes: number): void {
    this.#length += bytes
    if (this.#length <= this.#bytes.length) return
    const larger = new Uint8Array(this.#length * 2)
    larger.set(this.#bytes)
    this.#bytes = larger
  }

  #u16(at: number, value: number): void {
    this.#bytes[at] = value & 0xff
    this.#bytes[at + 1] = value >> 8
  }
}

/** Attributes by type, from `offset` on; a type that comes twice keeps its last value. Ends at the first malformed one. */
export function readAttributes(bytes: Uint8Array, offset = 0): Map<number, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = new Map<number, Uint8Array>()
  while (offset + 4 <= bytes.length) {
    const length = view.getUint16(offset, true)
    if (length < 4 || offset + length > bytes.length) break
    found.set(view.getUint16(offset + 2, true) & NLA_TYPE_MASK, bytes.subarray(offset + 4, offset + length))
    offset += length + 3 & ~3
  }
  return found
}

/** The number in an attribute of up to 4 bytes. */
export function attributeNumber(bytes: Uint8Array): number {
  let value = 0
  for (let index = Math.min(bytes.length, 4) - 1; index >= 0; index--) value = value * 256 + bytes[index]!
  return value
}
