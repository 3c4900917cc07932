const text = new TextDecoder('utf-8', { ignoreBOM: true })

/** Strings longer than this are seldom the same twice. */
const longestCached = 64
const slots = 512

/**
 * Decodes NUL-terminated strings from fixed buffers, remembering those seen: process names repeat by the thousand,
 * and comparing bytes is several times cheaper than decoding them.
 */
export class StringCache {
  readonly #length: number
  readonly #bytes: Uint8Array
  readonly #strings: (string | undefined)[]

  constructor(length: number) {
    this.#length = length
    const cached = length <= longestCached
    this.#bytes = new Uint8Array(cached ? slots * length : 0)
    this.#strings = new Array<string | undefined>(cached ? slots : 0).fill(undefined)
  }

  /** The string at `offset`: up to the first NUL or the buffer's end; malformed UTF-8 gives U+FFFD. */
  read(u8: Uint8Array, offset: number): string {
    const limit = offset + this.#length
    let end = offset
    let hash = 0
    for (let byte = 0; end < limit && (byte = u8[end]!) !== 0; end++) hash = Math.imul(hash ^ byte, 0x01000193)
    if (this.#strings.length === 0) return decode(u8, offset, end)
    const slot = (hash ^ hash >>> 15) & (slots - 1)
    const known = this.#strings[slot]
    const base = slot * this.#length
    if (known !== undefined && this.#holds(base, u8, offset, end)) return known
    const string = decode(u8, offset, end)
    this.#bytes.fill(0, base, base + this.#length)
    this.#bytes.set(u8.subarray(offset, end), base)
    this.#strings[slot] = string
    return string
  }

  #holds(base: number, u8: Uint8Array, offset: number, end: number): boolean {
    const bytes = this.#bytes
    const length = end - offset
    for (let index = 0; index < length; index++) if (bytes[base + index] !== u8[offset + index]) return false
    return length === this.#length || bytes[base + length] === 0
  }
}

function decode(u8: Uint8Array, start: number, end: number): string {
  if (end - start <= 32) {
    let result = ''
    for (let index = start; index < end; index++) {
      const byte = u8[index]!
      if (byte >= 0x80) return text.decode(u8.slice(start, end))
      result += String.fromCharCode(byte)
    }
    return result
  }
  return text.decode(u8.slice(start, end))
}
