import type { Schema } from '../../spec/schema.ts'
import type { IntType, PointerType, Size, Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'

/** The type of a piece of memory: one of our schemas, or a type of the kernel's BTF (resolved id). */
export type MemoryType = { from: 'schema'; schema: Schema } | { from: 'btf'; id: number }

/** How a place inside a kernel object was reached: what a CO-RE relocation is made of. */
export interface AccessPath { root: number; steps: (string | number)[] }

/** Memory that has not been read: base register plus constant offset. */
export interface Place {
  kind: 'place'
  base: Value
  offset: number
  type: MemoryType
  /** For kernel objects. */
  path: AccessPath | null
  /** For bitfields: bytes of the integer at `offset`, and how far to shift it up and down. */
  bits?: { size: Size; left: number; right: number; signed: boolean }
}

/** An object literal, with where it and its fields are written: perhaps in the caller of the function that stores it. */
export interface Aggregate { kind: 'aggregate'; fields: Map<string, Operand>; span: Span; spans: Map<string, Span> }

/** What an expression stands for while it is lowered. */
export type Operand =
  /** A value of module scope, known while compiling. */
  | { kind: 'host'; value: unknown }
  | { kind: 'scalar'; value: Value; type: IntType }
  /** A kernel pointer; `pointee` null for void. */
  | { kind: 'pointer'; value: Value; pointee: MemoryType | null }
  /** The result of a look-up: perhaps nothing. `copy` is the value of a scalar, 0 when there is nothing. */
  | { kind: 'optional'; pointer: Value; content: MemoryType; copy: Value | null }
  | Place
  | Aggregate
  /** range(): only to be walked through. */
  | { kind: 'range'; from: Operand; to: Operand }
  | { kind: 'void' }

export const int = (bits: 8 | 16 | 32 | 64, signed: boolean): IntType => ({ kind: 'int', bits, signed })
export const U8 = int(8, false)
export const U16 = int(16, false)
export const U32 = int(32, false)
export const U64 = int(64, false)
export const I32 = int(32, true)
export const I64 = int(64, true)
export const pointerTo = (origin: PointerType['origin'], nullable = false): PointerType => ({ kind: 'pointer', origin, nullable })

export function host(value: unknown): Operand {
  return { kind: 'host', value }
}

/** For messages. */
export function describe(operand: Operand): string {
  switch (operand.kind) {
    case 'host': return hostName(operand.value)
    case 'scalar': return typeName(operand.type)
    case 'pointer': return 'a kernel pointer'
    case 'optional': return 'the result of a map look-up'
    case 'place': return operand.type.from === 'schema' ? schemaName(operand.type.schema) : 'a kernel struct or array'
    case 'aggregate': return 'an object literal'
    case 'range': return 'a range'
    case 'void': return 'nothing'
  }
}

/** A schema for messages: 'struct key (16 bytes)'. */
export function schemaName(schema: Schema): string {
  const name = schema.kind === 'struct' && schema.name !== '' ? ` '${schema.name}'` : ''
  return `a ${schema.kind}${name} of ${schema.size} bytes`
}

function hostName(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'function') return `the JavaScript function '${value.name || 'anonymous'}'`
  return `a JavaScript ${typeof value}`
}

export function typeName(type: IntType): string {
  return `${type.signed ? 'i' : 'u'}${type.bits}`
}
