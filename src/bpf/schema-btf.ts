import { BtfBuilder } from '../btf/builder.ts'
import type { Schema } from '../spec/schema.ts'

/** The types of a map's key and value as BTF: the kernel wants them for storages, and tools show entries by them. */
export interface SchemaTypes { bytes: Uint8Array; key: number; value: number }

export function schemaTypes(key: Schema, value: Schema): SchemaTypes {
  const builder = new BtfBuilder()
  const ids = { key: typeOf(builder, key, 'key'), value: typeOf(builder, value, 'value') }
  return { bytes: builder.build(), ...ids }
}

function typeOf(builder: BtfBuilder, schema: Schema, name: string): number {
  switch (schema.kind) {
    case 'int': return builder.int(schema.name, schema.size, { signed: schema.signed })
    case 'bool': return builder.int('bool', 1, { bool: true })
    case 'chars': return arrayOf(builder, builder.int('char', 1, { signed: true, char: true }), schema.length)
    case 'bytes': return arrayOf(builder, builder.int('u8', 1), schema.length)
    case 'array': return arrayOf(builder, typeOf(builder, schema.element, `${name}_element`), schema.length)
    case 'struct': {
      const members = schema.fields.map((field) => ({
        name: field.name, type: typeOf(builder, field.schema, `${name}_${field.name}`), bitOffset: field.offset * 8,
      }))
      return builder.struct(identifier(schema.name === '' ? name : schema.name), schema.size, members)
    }
  }
}

function arrayOf(builder: BtfBuilder, element: number, length: number): number {
  return builder.array(element, builder.int('u32', 4), length)
}

/** The kernel refuses names that C would. */
function identifier(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d)/, '_')
}
