import { BtfError } from './error.ts'
import { kindNames } from './type.ts'

export interface TypeIndex {
  /** Where each type begins, from the start of the bytes. */
  offsets: Uint32Array
  /** Where its name begins, from the start of the strings. */
  names: Uint32Array
  count: number
}

/** Words of a type by kind (linux/btf.h): the low byte fixed, the high one for each of `vlen` elements. 0: no such kind. */
const WORDS = new Uint16Array(128).fill(3, 1, kindNames.length)
WORDS[1] = 4 // int
WORDS[3] = 6 // array
WORDS[4] = WORDS[5] = 3 | 3 << 8 // struct, union
WORDS[6] = 3 | 2 << 8 // enum
WORDS[13] = 3 | 2 << 8 // funcProto
WORDS[14] = 4 // var
WORDS[15] = 3 | 3 << 8 // datasec
WORDS[17] = 4 // declTag
WORDS[19] = 3 | 3 << 8 // enum64

/** Bytes that follow the 12 common ones of a type. */
export function tailBytes(kind: number, vlen: number): number {
  const words = WORDS[kind]!
  return ((words & 0xff) - 3 + (words >> 8) * vlen) * 4
}

/** The file's own table of sizes (7.x): for each kind the bytes after the common ones, those of an element, two unused. */
export type KindLayout = Uint8Array

/** The table with the kinds that only the file knows. */
function wordsOf(layout: KindLayout): Uint16Array {
  if (layout.length === 0) return WORDS
  const words = WORDS.slice()
  for (let kind = kindNames.length; kind < words.length && kind * 4 < layout.length; kind++) {
    const [fixed, each] = [layout[kind * 4]!, layout[kind * 4 + 1]!]
    if (fixed % 4 === 0 && each % 4 === 0) words[kind] = 3 + fixed / 4 | each / 4 << 8
  }
  return words
}

const SMALLEST_TYPE_BYTES = 12

/** Notes where each type begins and what its name is, in one pass over the section. */
export function indexTypes(bytes: Uint8Array, start: number, length: number, layout: KindLayout): TypeIndex {
  const sizes = wordsOf(layout)
  const words = aligned(bytes, start, length)
  const end = words.length
  // Room for the most types that there can be; pages that are not written to take no memory.
  const room = Math.ceil(length / SMALLEST_TYPE_BYTES)
  const offsets = new Uint32Array(room)
  const names = new Uint32Array(room)
  let count = 0
  let at = 0
  // More than a hundred thousand rounds in code that runs for the first time: each step is one of the interpreter.
  while (at < end) {
    // info: bits 0-23 vlen (0-15 before 7.x), 24-30 kind, 31 flag; undefined at the end counts as kind 0
    const info = words[at + 1]!
    const size = sizes[(info >>> 24) & 0x7f]!
    if (size === 0) throw problem(words, at)
    offsets[count] = start + at * 4
    names[count++] = words[at]!
    at += (size & 0xff) + (size >> 8) * (info & 0xff_ffff)
  }
  if (at > end) throw new BtfError('types', offsets[count - 1]! - start, 'the type reaches beyond the section')
  return { offsets: offsets.subarray(0, count), names: names.subarray(0, count), count }
}

function problem(words: Uint32Array, at: number): BtfError {
  if (at + 1 >= words.length) return new BtfError('types', at * 4, 'the last type is cut off')
  return new BtfError('types', at * 4, `kind ${(words[at + 1]! >>> 24) & 0x7f} is not known`)
}

/** The section as words; copied where it does not lie on a multiple of four, as it may in a file. */
function aligned(bytes: Uint8Array, start: number, length: number): Uint32Array {
  if (length % 4 !== 0) throw new BtfError('types', length - length % 4, 'the last type is cut off')
  const from = bytes.byteOffset + start
  if (from % 4 === 0) return new Uint32Array(bytes.buffer, from, length / 4)
  return new Uint32Array(bytes.slice(start, start + length).buffer)
}
