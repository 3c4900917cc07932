import { BtfError } from './error.ts'
import { kindNames } from './type.ts'

export interface TypeIndex {
  /** Where each type begins, from the start of the bytes. */
  offsets: Uint32Array
  /** Where its name begins, from the start of the strings. */
  names: Uint32Array
  count: number
}

/** Words of a type, fixed and for each of `vlen` elements, by kind (linux/btf.h). */
const WORDS = new Uint8Array(32).fill(3)
const WORDS_EACH = new Uint8Array(32)
WORDS[1] = 4 // int
WORDS[3] = 6 // array
WORDS_EACH[4] = WORDS_EACH[5] = 3 // struct, union
WORDS_EACH[6] = 2 // enum
WORDS_EACH[13] = 2 // funcProto
WORDS[14] = 4 // var
WORDS_EACH[15] = 3 // datasec
WORDS[17] = 4 // declTag
WORDS_EACH[19] = 3 // enum64

/** Notes where each type begins and what its name is, in one pass over the section. */
export function indexTypes(bytes: Uint8Array, start: number, length: number): TypeIndex {
  const words = aligned(bytes, start, length)
  const end = words.length
  let offsets = new Uint32Array(Math.max(16, length / 24))
  let names = new Uint32Array(offsets.length)
  let count = 0
  // One round a type and some hundred thousand types, before the code is compiled: every step of it counts.
  for (let at = 0; at < end;) {
    if (at + 3 > end) throw new BtfError('types', at * 4, 'the last type is cut off')
    // info: bits 0-15 vlen, 24-28 kind, 31 flag
    const info = words[at + 1]!
    const kind = (info >>> 24) & 0x1f
    if (kind === 0 || kind >= kindNames.length) throw new BtfError('types', at * 4, `kind ${kind} is not known`)
    if (count === offsets.length) {
      offsets = doubled(offsets)
      names = doubled(names)
    }
    offsets[count] = start + at * 4
    names[count++] = words[at]!
    at += WORDS[kind]! + WORDS_EACH[kind]! * (info & 0xffff)
  }
  if (count > 0) checkEnd(words, offsets[count - 1]! - start)
  return { offsets: offsets.subarray(0, count), names: names.subarray(0, count), count }
}

/** All types before the last one end where the next begins; the last one must not reach beyond the section. */
function checkEnd(words: Uint32Array, last: number): void {
  const info = words[last / 4 + 1]!
  const kind = (info >>> 24) & 0x1f
  if (last / 4 + WORDS[kind]! + WORDS_EACH[kind]! * (info & 0xffff) > words.length) throw new BtfError('types', last, 'the type reaches beyond the section')
}

/** The section as words; copied where it does not lie on a multiple of four, as it may in a file. */
function aligned(bytes: Uint8Array, start: number, length: number): Uint32Array {
  if (length % 4 !== 0) throw new BtfError('types', length - length % 4, 'the last type is cut off')
  const from = bytes.byteOffset + start
  if (from % 4 === 0) return new Uint32Array(bytes.buffer, from, length / 4)
  return new Uint32Array(bytes.slice(start, start + length).buffer)
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2)
  larger.set(array)
  return larger
}
