import type { Btf } from '../btf/btf.ts'
import { array, bool, bytes, chars, i16, i32, i64, i8, u16, u32, u64, u8 } from '../spec/schema.ts'
import type { Schema, StructField, StructSchema } from '../spec/schema.ts'

const unsigned: Record<number, Schema> = { 1: u8, 2: u16, 4: u32, 8: u64 }
const signed: Record<number, Schema> = { 1: i8, 2: i16, 4: i32, 8: i64 }
const deepest = 16

/**
 * The schema of a type, so that keys, values, variables and records of an object can be read and written as objects.
 * Pointers are numbers, enums their values, arrays of char strings. What no schema says (unions, bitfields, packed and 16-byte
 * members) is bytes. Undefined for types without a size and for those longer than 64 KiB.
 */
export function typeSchema(btf: Btf, id: number): Schema | undefined {
  return schemaOf(btf, id, 0)
}

function schemaOf(btf: Btf, id: number, depth: number): Schema | undefined {
  const type = btf.type(btf.resolve(id))
  switch (type.kind) {
    case 'int':
      if (type.bool && type.size === 1) return bool
      return (type.signed ? signed : unsigned)[type.size] ?? raw(type.size)
    case 'enum': case 'enum64': return (type.signed ? signed : unsigned)[type.size] ?? raw(type.size)
    case 'ptr': return u64
    case 'float': case 'union': return raw(type.size)
    case 'array': return arraySchema(btf, type.element, type.length, depth)
    case 'struct': return depth < deepest ? structSchema(btf, btf.resolve(id), depth) : raw(type.size)
    default: return undefined
  }
}

function raw(size: number): Schema | undefined {
  return size >= 1 && size <= 65_536 ? bytes(size) : undefined
}

function arraySchema(btf: Btf, element: number, length: number, depth: number): Schema | undefined {
  const item = btf.type(btf.resolve(element))
  const size = btf.sizeOf(element) * length
  if (length < 1 || size > 65_536) return undefined
  if (item.kind === 'int' && item.size === 1 && !item.bool) return item.char || item.name === 'char' ? chars(length) : bytes(length)
  const schema = schemaOf(btf, element, depth + 1)
  return schema === undefined ? raw(size) : array(schema, length)
}

function structSchema(btf: Btf, id: number, depth: number): Schema | undefined {
  const type = btf.type(id)
  if (type.kind !== 'struct') return undefined
  const fields: StructField[] = []
  let align = 1
  for (const member of type.members) {
    const schema = schemaOf(btf, member.type, depth + 1)
    const offset = member.bitOffset / 8
    // An array of unknown length at the end takes no room.
    if (schema === undefined && btf.type(btf.resolve(member.type)).kind === 'array') continue
    if (schema === undefined || member.bitSize !== 0 || member.name === '' || offset % schema.align !== 0) return raw(type.size)
    fields.push({ name: member.name, schema, offset })
    align = Math.max(align, schema.align)
  }
  if (type.size % align !== 0 || type.size < 1) return raw(type.size)
  const struct: StructSchema = { kind: 'struct', name: type.name, fields, size: type.size, align }
  return Object.freeze(struct)
}
