import { BtfError } from './error.ts'
import { hash } from './name-hash.ts'

export interface TypeIndex { /** Byte offset of each type. */ offsets: Uint32Array; count: number; named: number }

/** Bytes after the 12 common ones, fixed and for each of `vlen` elements, by kind (linux/btf.h). */
const FIXED = new Uint8Array(128)
const EACH = new Uint8Array(128)
FIXED[1] = 4 // int
FIXED[3] = 12 // array
EACH[4] = EACH[5] = 12 // struct, union
EACH[6] = 8 // enum
EACH[13] = 8 // funcProto
FIXED[14] = 4 // var
EACH[15] = 12 // datasec
FIXED[17] = 4 // declTag
EACH[19] = 12 // enum64

/** Kinds that this reader knows. */
const KNOWN = 20

/** Bytes that follow the 12 common ones of a type of a known kind. */
export function tailBytes(kind: number, vlen: number): number {
  return FIXED[kind]! + EACH[kind]! * vlen
}

/** The file's own table of sizes: for each kind the fixed bytes, those of each element, and two unused ones. */
export type KindLayout = Uint8Array

/** Notes where each type begins, in one pass over the section. */
export function indexTypes(bytes: Uint8Array, start: number, length: number, layout: KindLayout): TypeIndex {
  const end = start + length
  let offsets = new Uint32Array(Math.max(16, length >> 5))
  let count = 0
  let named = 0
  for (let at = start; at < end;) {
    if (at + 12 > end) throw new BtfError('types', at - start, 'the last type is cut off')
    // info: bits 0-23 vlen (0-15 before 7.x), 24-30 kind, 31 flag
    const kind = bytes[at + 7]! & 0x7f
    const told = layout[kind * 4] !== undefined
    if (kind === 0 || (kind >= KNOWN && !told)) throw new BtfError('types', at - start, `kind ${kind} is not known`)
    const vlen = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16)
    if (count === offsets.length) {
      const larger = new Uint32Array(count * 2)
      larger.set(offsets)
      offsets = larger
    }
    offsets[count++] = at
    if ((bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) !== 0) named++
    at += 12 + (kind < KNOWN ? tailBytes(kind, vlen) : layout[kind * 4]! + layout[kind * 4 + 1]! * vlen)
    if (at > end) throw new BtfError('types', offsets[count - 1]! - start, 'the type reaches beyond the section')
  }
  return { offsets, count, named }
}

/** Open-addressed table of type numbers (plus 1) by the hash of their names; no string is decoded. */
export function indexNames(bytes: Uint8Array, types: TypeIndex, stringAt: (offset: number) => number): { table: Uint32Array; mask: number } {
  let size = 64
  while (size < types.named * 2) size *= 2
  const table = new Uint32Array(size)
  const mask = size - 1
  for (let index = 0; index < types.count; index++) {
    const at = types.offsets[index]!
    const name = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
    if (name === 0) continue
    const from = stringAt(name)
    if (from < 0) continue
    let to = from
    while (bytes[to] !== 0) to++
    let slot = hash(bytes, from, to) & mask
    while (table[slot] !== 0) slot = (slot + 1) & mask
    table[slot] = index + 1
  }
  return { table, mask }
}
