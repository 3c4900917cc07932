import { layOut, type Type } from '../types/type.ts'

/** A value out of a record or a map, with its type. */
export type Value =
  | { kind: 'int'; value: bigint; bits: number; signed: boolean }
  | { kind: 'bool'; value: boolean }
  | { kind: 'enum'; value: bigint; name: string | undefined }
  | { kind: 'string'; value: string; truncated: boolean }
  | { kind: 'buffer'; bytes: Uint8Array }
  | { kind: 'pointer'; value: bigint }
  | { kind: 'array'; elements: Value[] }
  | { kind: 'fields'; fields: [string, Value][] }
  | { kind: 'tuple'; elements: Value[] }
  | { kind: 'stack'; type: Type & { kind: 'stack' }; id: bigint; pid: number; tid: number }
  | { kind: 'ksym'; address: bigint }
  | { kind: 'usym'; address: bigint; pid: number }
  | { kind: 'inet'; bytes: Uint8Array }
  | { kind: 'mac'; bytes: Uint8Array }
  | { kind: 'username'; uid: number }
  | { kind: 'cgroupPath'; id: bigint }
  | { kind: 'time'; ns: bigint; base: 'boot' | 'tai'; format: string }
  | { kind: 'none' }

const latin = new TextDecoder('utf-8')

/** How long strings may be at most: longer ones end with the trailer. */
export interface StringLimit { maxLength: number }

/** Reads a value of the type at an offset. */
export function decode(bytes: DataView, offset: number, type: Type, limit: StringLimit): Value {
  switch (type.kind) {
    case 'int': return {
      kind: 'int', value: integer(bytes, offset, type.bits, type.signed), bits: type.bits, signed: type.signed,
    }
    case 'bool': return { kind: 'bool', value: bytes.getUint8(offset) !== 0 }
    case 'enum': {
      const value = integer(bytes, offset, type.bits, type.signed)
      return { kind: 'enum', value, name: type.values.get(value) }
    }
    case 'string': return text(bytes, offset, type.size, limit)
    case 'buffer': {
      const size = Math.min(type.size, bytes.getUint32(offset, true))
      return { kind: 'buffer', bytes: slice(bytes, offset + 4, size) }
    }
    case 'pointer': return { kind: 'pointer', value: bytes.getBigUint64(offset, true) }
    case 'array': {
      const size = elementSize(type)
      return {
        kind: 'array', elements: Array.from(
          { length: type.length }, (_, index) => decode(bytes, offset + index * size, type.element, limit),
        ),
      }
    }
    case 'struct': return { kind: 'fields', fields: type.definition.fields.filter(({ name }) => !name.startsWith('$')).map((field): [string, Value] => [field.name, field.bits === null
      ? decode(bytes, offset + field.offset, field.type, limit) : bitfield(
        bytes, offset + field.offset, field.bits, field.type,
      )]) }
    case 'tuple': {
      const { offsets } = layOut(type.elements)
      return {
        kind: 'tuple', elements: type.elements.map((element, index) => decode(bytes, offset + offsets[index]!, element, limit)),
      }
    }
    case 'record': {
      const { offsets } = layOut(type.fields.map((field) => field.type))
      return {
        kind: 'fields', fields: type.fields.map(
          (field, index): [string, Value] => [field.name, decode(bytes, offset + offsets[index]!, field.type, limit)],
        ),
      }
    }
    case 'stack': return {
      kind: 'stack', type, id: bytes.getBigInt64(offset, true), pid: Number(bytes.getBigUint64(offset + 8, true)), tid: Number(bytes.getBigUint64(offset + 16, true)),
    }
    case 'ksym': return { kind: 'ksym', address: bytes.getBigUint64(offset, true) }
    case 'usym': return {
      kind: 'usym', address: bytes.getBigUint64(offset, true), pid: Number(bytes.getBigUint64(offset + 8, true)),
    }
    case 'inet': return { kind: 'inet', bytes: slice(bytes, offset + 8, bytes.getBigUint64(offset, true) === 10n ? 16 : 4) }
    case 'mac': return { kind: 'mac', bytes: slice(bytes, offset, 6) }
    case 'username': return { kind: 'username', uid: bytes.getUint32(offset, true) }
    case 'cgroupPath': return { kind: 'cgroupPath', id: bytes.getBigUint64(offset, true) }
    case 'timestamp': return {
      kind: 'time', ns: bytes.getBigUint64(offset, true), base: type.base === 'tai' ? 'tai' : 'boot', format: type.format ?? '',
    }
    case 'void': case 'none': case 'word': case 'float': case 'aggregate': return { kind: 'none' }
  }
}

function elementSize(type: Type & { kind: 'array' }): number {
  return layOut([type.element, type.element]).offsets[1]!
}

export function integer(bytes: DataView, offset: number, bits: number, signed: boolean): bigint {
  switch (bits) {
    case 8: return BigInt(signed ? bytes.getInt8(offset) : bytes.getUint8(offset))
    case 16: return BigInt(signed ? bytes.getInt16(offset, true) : bytes.getUint16(offset, true))
    case 32: return BigInt(signed ? bytes.getInt32(offset, true) : bytes.getUint32(offset, true))
    default: return signed ? bytes.getBigInt64(offset, true) : bytes.getBigUint64(offset, true)
  }
}

function bitfield(bytes: DataView, offset: number, bits: { offset: number; size: number }, type: Type): Value {
  let word = 0n
  for (let index = Math.ceil((bits.offset + bits.size) / 8) - 1; index >= 0; index--) word = (word << 8n) | BigInt(bytes.getUint8(offset + index))
  const raw = (word >> BigInt(bits.offset)) & ((1n << BigInt(bits.size)) - 1n)
  const signed = type.kind === 'int' && type.signed
  return { kind: 'int', value: signed ? BigInt.asIntN(bits.size, raw) : raw, bits: bits.size, signed }
}

function text(bytes: DataView, offset: number, size: number, { maxLength }: StringLimit): Value {
  let length = 0
  while (length < size && bytes.getUint8(offset + length) !== 0) length++
  return { kind: 'string', value: latin.decode(slice(bytes, offset, length)), truncated: size > maxLength && length >= maxLength }
}

function slice(bytes: DataView, offset: number, size: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, size)
}
