import type { ArraySchema, CharsSchema, IntSchema, Schema, StructSchema, ValueOf } from './schema.ts'
import { StringCache } from './string-cache.ts'

/**
 * Typed-array views over one stretch of memory. All start at the same address, which is a multiple of 4;
 * offsets given to decoders count bytes from there.
 */
export interface RecordView {
  readonly u8: Uint8Array
  readonly i8: Int8Array
  readonly u16: Uint16Array
  readonly i16: Int16Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
}

/** Views over `buffer` from `byteOffset` (a multiple of 4) on; trailing bytes beyond a whole word are in `u8` only. */
export function recordView(buffer: ArrayBuffer, byteOffset = 0, length = buffer.byteLength - byteOffset): RecordView {
  return {
    u8: new Uint8Array(buffer, byteOffset, length),
    i8: new Int8Array(buffer, byteOffset, length),
    u16: new Uint16Array(buffer, byteOffset, length >> 1),
    i16: new Int16Array(buffer, byteOffset, length >> 1),
    u32: new Uint32Array(buffer, byteOffset, length >> 2),
    i32: new Int32Array(buffer, byteOffset, length >> 2),
  }
}

export type Decoder<T> = (view: RecordView, byteOffset: number) => T
export type Encoder<T> = (value: T, target: Uint8Array, byteOffset: number) => void

const decoders = new WeakMap<Schema, Decoder<any>>()
const encoders = new WeakMap<Schema, Encoder<any>>()

/**
 * A function that reads one value of the schema, compiled to typed-array reads (little endian).
 * 64-bit integers become numbers, exact to 2^53; a negative one is exact down to -2^53. Strings are interned:
 * the same bytes give the same string without decoding again. Any byte offset works; multiples of the schema's
 * alignment (at most 4) are fast.
 */
export function decoder<S extends Schema>(schema: S): Decoder<ValueOf<S>> {
  let found = decoders.get(schema)
  if (found === undefined) {
    found = compile(schema)
    decoders.set(schema, found)
  }
  return found
}

/**
 * A function that writes one value of the schema, padding zeroed.
 * It throws a CodecError that names the field which is missing, of the wrong type or out of range.
 * 64-bit integers may be given as number or bigint.
 */
export function encoder<S extends Schema>(schema: S): Encoder<ValueOf<S>> {
  let found = encoders.get(schema)
  if (found === undefined) {
    const write = writer(schema)
    found = (value, target, byteOffset) => {
      target.fill(0, byteOffset, byteOffset + schema.size)
      write(value, target, byteOffset, '')
    }
    encoders.set(schema, found)
  }
  return found
}

/** A value that does not fit its schema. */
export class CodecError extends TypeError {
  override readonly name = 'CodecError'
  /** The place in the value: 'peer.port', 'slots[3]', or '' for the value itself. */
  readonly path: string

  constructor(path: string, problem: string) {
    super(`${path === '' ? 'the value' : `'${path}'`} ${problem}`)
    this.path = path
  }
}

/* Decoding */

/** Runtime pieces that generated code refers to, by index. */
interface Unit { constants: unknown[]; aligned: boolean }

function compile(schema: Schema): Decoder<unknown> {
  const aligned = functionFor(schema, true)
  const mask = Math.min(4, schema.align) - 1
  if (mask === 0) return aligned
  let unaligned: Decoder<unknown> | undefined
  return (view, offset) => {
    if ((offset & mask) === 0) return aligned(view, offset)
    unaligned ??= functionFor(schema, false)
    return unaligned(view, offset)
  }
}

function functionFor(schema: Schema, aligned: boolean): Decoder<unknown> {
  const unit: Unit = { constants: [], aligned }
  const body = expression(schema, 0, unit)
  const views = ['u8', 'i8', 'u16', 'i16', 'u32', 'i32'].filter((name) => new RegExp(`\\b${name}\\b`).test(body))
  const source = views.map((name) => `const ${name} = v.${name};`).join(' ')
  return new Function('c', `return function decode(v, o) { ${source} return ${body} }`)(unit.constants)
}

function expression(schema: Schema, offset: number, unit: Unit): string {
  switch (schema.kind) {
    case 'int': return unit.aligned ? alignedInt(schema, offset) : byteInt(schema, offset)
    case 'bool': return `u8[o + ${offset}] !== 0`
    case 'chars': return `c[${constant(unit, new StringCache(schema.length))}].read(u8, o + ${offset})`
    case 'bytes': return `u8.slice(o + ${offset}, o + ${offset + schema.length})`
    case 'array': return arrayExpression(schema, offset, unit)
    case 'struct': {
      const fields = schema.fields.map((field) => `[${JSON.stringify(field.name)}]: ${expression(field.schema, offset + field.offset, unit)}`)
      // A computed key is what makes '__proto__' an ordinary field; plain keys compile better.
      const plain = fields.map((text) => text.replace(/^\[("[A-Za-z_$][\w$]*")\]/, (all, key) => key === '"__proto__"' ? all : key))
      return `{ ${plain.join(', ')} }`
    }
  }
}

function constant(unit: Unit, value: unknown): number {
  return unit.constants.push(value) - 1
}

function arrayExpression(schema: ArraySchema, offset: number, unit: Unit): string {
  const { element, length } = schema
  const small = element.kind === 'int' && length <= 16
  if (small) {
    const items = Array.from({ length }, (_, index) => expression(element, offset + index * element.size, unit))
    return `[${items.join(', ')}]`
  }
  const read = functionFor(element, unit.aligned)
  const each = (view: RecordView, start: number) => {
    const result = new Array<unknown>(length)
    for (let index = 0; index < length; index++) result[index] = read(view, start + index * element.size)
    return result
  }
  return `c[${constant(unit, each)}](v, o + ${offset})`
}

function alignedInt(schema: IntSchema, offset: number): string {
  const sign = schema.signed ? 'i' : 'u'
  switch (schema.bits) {
    case 8: return `${sign}8[o + ${offset}]`
    case 16: return `${sign}16[(o + ${offset}) >> 1]`
    case 32: return `${sign}32[(o + ${offset}) >> 2]`
    case 64: return `(${sign}32[(o + ${offset + 4}) >> 2] * 4294967296 + u32[(o + ${offset}) >> 2])`
  }
}

function byteInt(schema: IntSchema, offset: number): string {
  const byte = (index: number) => `u8[o + ${offset + index}]`
  const half = (index: number) => `(${byte(index)} | ${byte(index + 1)} << 8)`
  const word = (index: number) => `(${half(index)} | ${half(index + 2)} << 16)`
  switch (schema.bits) {
    case 8: return schema.signed ? `i8[o + ${offset}]` : byte(0)
    case 16: return schema.signed ? `(${half(0)} << 16 >> 16)` : half(0)
    case 32: return schema.signed ? word(0) : `(${word(0)} >>> 0)`
    case 64: return `(${schema.signed ? word(4) : `(${word(4)} >>> 0)`} * 4294967296 + (${word(0)} >>> 0))`
  }
}

/* Encoding */

type Writer = (value: any, target: Uint8Array, offset: number, path: string) => void

function writer(schema: Schema): Writer {
  switch (schema.kind) {
    case 'int': return intWriter(schema)
    case 'bool': return (value, target, offset, path) => {
      if (typeof value !== 'boolean') throw new CodecError(path, `must be true or false, not ${describe(value)}`)
      target[offset] = value ? 1 : 0
    }
    case 'chars': return charsWriter(schema)
    case 'bytes': return (value, target, offset, path) => {
      if (!(value instanceof Uint8Array)) throw new CodecError(path, `must be a Uint8Array, not ${describe(value)}`)
      if (value.length !== schema.length) throw new CodecError(path, `must hold ${schema.length} bytes, not ${value.length}`)
      target.set(value, offset)
    }
    case 'array': return arrayWriter(schema)
    case 'struct': return structWriter(schema)
  }
}

function intWriter(schema: IntSchema): Writer {
  const { bits, signed, name, size } = schema
  const least = signed ? -(2n ** BigInt(bits - 1)) : 0n
  const most = 2n ** BigInt(signed ? bits - 1 : bits) - 1n
  return (value, target, offset, path) => {
    if (typeof value === 'number') {
      if (!Number.isInteger(value)) throw new CodecError(path, `must be an integer (${name}), not ${describe(value)}`)
      if (bits === 64 && !Number.isSafeInteger(value)) {
        throw new CodecError(path, `is beyond 2^53 (${value}): give a bigint to say exactly which ${name} is meant`)
      }
    } else if (typeof value !== 'bigint' || bits !== 64) {
      throw new CodecError(path, `must be a number (${name}), not ${describe(value)}`)
    }
    if (value < least || value > most) throw new CodecError(path, `is out of range: ${value} is no ${name} (${least} to ${most})`)
    if (bits === 64) {
      let rest = BigInt.asUintN(64, BigInt(value))
      for (let index = 0; index < 8; index++, rest >>= 8n) target[offset + index] = Number(rest & 255n)
    } else {
      for (let index = 0; index < size; index++) target[offset + index] = Number(value) >> (8 * index)
    }
  }
}

const utf8 = new TextEncoder()

function charsWriter(schema: CharsSchema): Writer {
  return (value, target, offset, path) => {
    if (typeof value !== 'string') throw new CodecError(path, `must be a string, not ${describe(value)}`)
    if (value.includes('\0')) throw new CodecError(path, 'contains a NUL, which would end it early')
    if (/\p{Surrogate}/u.test(value)) throw new CodecError(path, 'contains half of a surrogate pair, which has no UTF-8 form')
    const encoded = utf8.encode(value)
    if (encoded.length >= schema.length) {
      throw new CodecError(path, `is ${encoded.length} bytes long; chars(${schema.length}) holds ${schema.length - 1} and a NUL`)
    }
    target.set(encoded, offset)
  }
}

function arrayWriter(schema: ArraySchema): Writer {
  const write = writer(schema.element)
  const step = schema.element.size
  return (value, target, offset, path) => {
    if (!Array.isArray(value)) throw new CodecError(path, `must be an array, not ${describe(value)}`)
    if (value.length !== schema.length) throw new CodecError(path, `must have ${schema.length} elements, not ${value.length}`)
    for (let index = 0; index < schema.length; index++) write(value[index], target, offset + index * step, `${path}[${index}]`)
  }
}

function structWriter(schema: StructSchema): Writer {
  const fields = schema.fields.map((field) => ({ ...field, write: writer(field.schema) }))
  const known = new Set(fields.map((field) => field.name))
  return (value, target, offset, path) => {
    if (typeof value !== 'object' || value === null) throw new CodecError(path, `must be an object, not ${describe(value)}`)
    const prefix = path === '' ? '' : `${path}.`
    for (const field of fields) {
      if (!Object.hasOwn(value, field.name)) throw new CodecError(prefix + field.name, 'is missing')
      field.write(value[field.name], target, offset + field.offset, prefix + field.name)
    }
    for (const name of Object.keys(value)) {
      if (!known.has(name)) throw new CodecError(prefix + name, `is not a field of ${schema.name === '' ? 'the struct' : schema.name}`)
    }
  }
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object') return 'an object'
  if (typeof value === 'string') return 'a string'
  return String(value)
}
