/**
 * Schemas: the types of map keys, map values, event records and labels, as plain data.
 * A schema is a type for the compiler, a codec for the readers and a TypeScript type for the editor.
 * Layout follows C on 64-bit targets (natural alignment, trailing padding).
 */
export interface IntSchema<T = number> {
  readonly kind: 'int'
  readonly name: string
  readonly bits: 8 | 16 | 32 | 64
  readonly signed: boolean
  readonly size: number
  readonly align: number
  readonly [ValueType]?: T
}
export interface BoolSchema { readonly kind: 'bool'; readonly name: 'bool'; readonly size: 1; readonly align: 1; readonly [ValueType]?: boolean }
/** A NUL-terminated string in a fixed buffer of `length` bytes. */
export interface CharsSchema { readonly kind: 'chars'; readonly length: number; readonly size: number; readonly align: 1; readonly [ValueType]?: string }
/** `length` raw bytes: addresses, hashes. */
export interface BytesSchema { readonly kind: 'bytes'; readonly length: number; readonly size: number; readonly align: 1; readonly [ValueType]?: Uint8Array }
export interface ArraySchema<E extends Schema = Schema> {
  readonly kind: 'array'
  readonly element: E
  readonly length: number
  readonly size: number
  readonly align: number
  readonly [ValueType]?: ValueOf<E>[]
}
export interface StructField { readonly name: string; readonly schema: Schema; readonly offset: number }
export interface StructSchema<T = unknown> {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: readonly StructField[]
  readonly size: number
  readonly align: number
  readonly [ValueType]?: T
}
export type Schema = IntSchema<number> | BoolSchema | CharsSchema | BytesSchema | ArraySchema<any> | StructSchema<any>

declare const ValueType: unique symbol
/** The TypeScript type of a schema's decoded value. 64-bit integers are numbers: exact to 2^53. */
export type ValueOf<S> = S extends { readonly [ValueType]?: infer T } ? T : never
export type FieldsOf<F extends Record<string, Schema>> = { [K in keyof F]: ValueOf<F[K]> }

const int = (name: string, bits: 8 | 16 | 32 | 64, signed: boolean): IntSchema =>
  Object.freeze({ kind: 'int', name, bits, signed, size: bits / 8, align: bits / 8 })

export const u8 = int('u8', 8, false)
export const u16 = int('u16', 16, false)
export const u32 = int('u32', 32, false)
export const u64 = int('u64', 64, false)
export const i8 = int('i8', 8, true)
export const i16 = int('i16', 16, true)
export const i32 = int('i32', 32, true)
export const i64 = int('i64', 64, true)
/** The same names as types: `value as u64` in a kernel function is a conversion. */
export type u8 = number
export type u16 = number
export type u32 = number
export type u64 = number
export type i8 = number
export type i16 = number
export type i32 = number
export type i64 = number
export const bool: BoolSchema = Object.freeze({ kind: 'bool', name: 'bool', size: 1, align: 1 })

function checkLength(what: string, length: number): void {
  if (!Number.isInteger(length) || length < 1 || length > 65_536) {
    throw new RangeError(`${what}: the length must be an integer from 1 to 65536, not ${length}`)
  }
}

/** A NUL-terminated string of at most `length - 1` bytes. */
export function chars(length: number): CharsSchema {
  checkLength('chars', length)
  return Object.freeze({ kind: 'chars', length, size: length, align: 1 })
}
/** `length` raw bytes. */
export function bytes(length: number): BytesSchema {
  checkLength('bytes', length)
  return Object.freeze({ kind: 'bytes', length, size: length, align: 1 })
}
/** A fixed array. */
export function array<E extends Schema>(element: E, length: number): ArraySchema<E> {
  checkLength('array', length)
  return Object.freeze({ kind: 'array', element, length, size: element.size * length, align: element.align }) as ArraySchema<E>
}
/** A struct with C layout; field order is declaration order. */
export function struct<F extends Record<string, Schema>>(fields: F, name = ''): StructSchema<FieldsOf<F>> {
  let offset = 0
  let align = 1
  const laid: StructField[] = []
  for (const [field, schema] of Object.entries(fields)) {
    if (schema === undefined || typeof schema.size !== 'number') {
      throw new TypeError(`struct: the field '${field}' has no schema; give one such as u64 or chars(16)`)
    }
    offset = roundUp(offset, schema.align)
    laid.push({ name: field, schema, offset })
    offset += schema.size
    align = Math.max(align, schema.align)
  }
  return Object.freeze({ kind: 'struct', name, fields: laid, size: roundUp(offset, align), align })
}

function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align
}
