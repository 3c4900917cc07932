import { array, bytes, chars, i16, i32, i64, i8, u16, u32, u64, u8, type Schema, type StructField, type StructSchema } from '../../spec/schema.ts'

/** A string whose place in the record is given by a word: its offset in the low 16 bits, its length above. */
const located = new WeakSet<Schema>()

export function isLocated(schema: Schema): boolean {
  return located.has(schema)
}

const ints = { 1: [u8, i8], 2: [u16, i16], 4: [u32, i32], 8: [u64, i64] } as const
/** The kernel keeps the first bytes of the record from programs. */
const HIDDEN_BYTES = 8

/** The record of a tracepoint as a struct, from the text of its `format` file. */
export function parseFormat(name: string, text: string): StructSchema {
  const fields: StructField[] = []
  let size = HIDDEN_BYTES
  for (const match of text.matchAll(/^\s*field:([^;]+);\s*offset:(\d+);\s*size:(\d+);\s*signed:([01]);/gm)) {
    const [, declaration, offset, bytes, signed] = match as unknown as [string, string, string, string, string]
    const field = fieldOf(declaration, Number(bytes), signed === '1')
    if (Number(offset) < HIDDEN_BYTES || field === null) continue
    fields.push({ ...field, offset: Number(offset) })
    size = Math.max(size, Number(offset) + Number(bytes))
  }
  return { kind: 'struct', name, fields, size: Math.ceil(size / 8) * 8, align: 8 }
}

function fieldOf(declaration: string, size: number, signed: boolean): { name: string; schema: Schema } | null {
  const match = /^(.*?)\s*\b([A-Za-z_]\w*)(\[(\w*)\])?$/.exec(declaration.trim())
  if (match === null) return null
  const [, type, name, brackets] = match as unknown as [string, string, string, string | undefined]
  if (/__data_loc/.test(type)) {
    const schema = { ...u32 }
    located.add(schema)
    return { name, schema }
  }
  if (brackets !== undefined) return { name, schema: arrayOf(type, size, signed) }
  const pair = ints[size as 1]
  return { name, schema: pair === undefined ? bytes(size) : pair[signed ? 1 : 0] }
}

function arrayOf(type: string, size: number, signed: boolean): Schema {
  if (/\bchar$/.test(type) && !/unsigned/.test(type)) return chars(size)
  const element = /\b(long|u64|__u64|s64)\b/.test(type) ? 8 : /\b(int|u32|__u32|s32|__be32)\b/.test(type) ? 4 : /\b(short|u16|__u16)\b/.test(type) ? 2 : 1
  if (element === 1 || size % element !== 0) return bytes(size)
  return array(ints[element as 4][signed ? 1 : 0], size / element)
}
