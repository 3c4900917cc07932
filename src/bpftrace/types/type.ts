import type { StructDefinition } from './struct.ts'

/** What a literal may be: its type is the smallest that holds the whole range. */
export interface LiteralRange { least: bigint; most: bigint }
export type AggregateFunction = 'count' | 'sum' | 'avg' | 'min' | 'max' | 'stats' | 'hist' | 'lhist' | 'tseries'
export type AddressSpace = 'kernel' | 'user' | 'own' | 'unknown' | 'context'
export type StackMode = 'bpftrace' | 'perf' | 'raw' | 'build_id'

export type Type =
  /** Not known yet. */
  | { kind: 'none' }
  | { kind: 'void' }
  | { kind: 'int'; bits: number; signed: boolean; range?: LiteralRange }
  | { kind: 'bool' }
  | { kind: 'enum'; name: string; bits: number; signed: boolean; values: ReadonlyMap<bigint, string> }
  /** `size` is capacity with the NUL. */
  | { kind: 'string'; size: number; literal?: boolean; space?: AddressSpace }
  | { kind: 'buffer'; size: number }
  | { kind: 'pointer'; to: Type; space: AddressSpace }
  | { kind: 'array'; element: Type; length: number }
  | { kind: 'struct'; definition: StructDefinition }
  | { kind: 'tuple'; elements: Type[] }
  | { kind: 'record'; fields: { name: string; type: Type }[] }
  | { kind: 'stack'; user: boolean; mode: StackMode; limit: number }
  | { kind: 'ksym' } | { kind: 'usym' } | { kind: 'inet' } | { kind: 'mac' } | { kind: 'username' } | { kind: 'cgroupPath' }
  | { kind: 'timestamp'; base: 'boot' | 'monotonic' | 'tai' | 'none'; /** For strftime. */ format?: string }
  | { kind: 'aggregate'; fn: AggregateFunction; signed: boolean; options: readonly bigint[]; merge?: string }
  /** A word that only some functions understand: `perf`, `monotonic`. */
  | { kind: 'word' }
  | { kind: 'float'; bits: number }
export type TypeKind = Type['kind']
export type IntType = Extract<Type, { kind: 'int' }>

export const none: Type = { kind: 'none' }
export const voidType: Type = { kind: 'void' }
export const bool: Type = { kind: 'bool' }
export const u8: IntType = int(8, false)
export const u32: IntType = int(32, false)
export const u64: IntType = int(64, false)
export const i32: IntType = int(32, true)
export const i64: IntType = int(64, true)

export function int(bits: number, signed: boolean): IntType {
  return { kind: 'int', bits, signed }
}

export function pointerTo(to: Type, space: AddressSpace = 'unknown'): Type {
  return { kind: 'pointer', to, space }
}

/** The type of an integer literal. */
export function literal(value: bigint): IntType {
  return ofRange({ least: value, most: value })
}

export function ofRange(range: LiteralRange): IntType {
  for (const bits of [8, 16, 32, 64]) {
    const half = 1n << BigInt(bits - 1)
    if (range.least >= -half && range.most < half) return { kind: 'int', bits, signed: true, range }
  }
  return { kind: 'int', bits: 64, signed: false, range }
}

/** Whether every value of the range fits the type. */
export function holds(type: IntType, range: LiteralRange): boolean {
  const { least, most } = limitsOf(type)
  return range.least >= least && range.most <= most
}

export function limitsOf({ bits, signed }: { bits: number; signed: boolean }): LiteralRange {
  const size = BigInt(bits)
  return signed ? { least: -(1n << (size - 1n)), most: (1n << (size - 1n)) - 1n } : { least: 0n, most: (1n << size) - 1n }
}

/** Bytes of a value in memory. */
export function sizeOf(type: Type): number {
  switch (type.kind) {
    case 'int': case 'enum': case 'float': return type.bits / 8
    case 'bool': return 1
    case 'string': case 'buffer': return type.kind === 'buffer' ? type.size + 4 : type.size
    case 'pointer': return 8
    case 'array': return sizeOf(type.element) * type.length
    case 'struct': return type.definition.size
    case 'tuple': return layOut(type.elements).size
    case 'record': return layOut(type.fields.map((field) => field.type)).size
    case 'stack': return 24
    case 'ksym': case 'timestamp': case 'cgroupPath': return 8
    case 'usym': return 16
    case 'inet': return 24
    case 'mac': return 6
    case 'username': return 4
    case 'aggregate': return type.fn === 'stats' || type.fn === 'avg' || type.fn === 'min' || type.fn === 'max' ? 16 : 8
    case 'none': case 'void': case 'word': return 0
  }
}

export function alignOf(type: Type): number {
  switch (type.kind) {
    case 'int': case 'enum': case 'float': return type.bits / 8
    case 'bool': case 'string': case 'mac': return 1
    case 'buffer': case 'username': return 4
    case 'array': return alignOf(type.element)
    case 'struct': return type.definition.align
    case 'tuple': return layOut(type.elements).align
    case 'record': return layOut(type.fields.map((field) => field.type)).align
    default: return 8
  }
}

export interface Layout { size: number; align: number; offsets: number[] }

/** Natural layout, one after the other. */
export function layOut(types: readonly Type[]): Layout {
  let at = 0
  let align = 1
  const offsets = types.map((type) => {
    const one = alignOf(type)
    align = Math.max(align, one)
    at = Math.ceil(at / one) * one
    const offset = at
    at += sizeOf(type)
    return offset
  })
  return { size: Math.ceil(at / align) * align, align, offsets }
}

/** As bpftrace writes types in messages and `typeinfo`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case 'int': return `${type.signed ? '' : 'u'}int${type.bits}`
    case 'enum': return type.name === '' ? 'enum' : `enum ${type.name}`
    case 'string': return `string[${type.size}]`
    case 'buffer': return `buffer[${type.size}]`
    case 'pointer': return `${typeName(type.to)}*`
    case 'array': return `${typeName(type.element)}[${type.length}]`
    case 'struct': return `${type.definition.union ? 'union' : 'struct'} ${type.definition.name}`
    case 'tuple': return `(${type.elements.map(typeName).join(',')})`
    case 'record': return `record { ${type.fields.map((field) => `.${field.name} = ${typeName(field.type)}`).join(', ')} }`
    case 'stack': return type.user ? 'ustack_t' : 'kstack_t'
    case 'ksym': case 'usym': case 'username': case 'timestamp': return `${type.kind}_t`
    case 'inet': return 'inet'
    case 'mac': return 'macaddr_t'
    case 'cgroupPath': return 'cgroup_path_t'
    case 'aggregate': return `${type.fn === 'count' || type.signed || ['hist', 'lhist', 'tseries'].includes(type.fn) ? '' : 'u'}${type.fn}_t`
    case 'float': return type.bits === 32 ? 'float' : 'double'
    default: return type.kind
  }
}

export function isIntLike(type: Type): type is IntType | Extract<Type, { kind: 'bool' | 'enum' }> {
  return type.kind === 'int' || type.kind === 'bool' || type.kind === 'enum'
}

/** Aggregates that are one number, and can be read as one. */
export function isCastableAggregate(type: Type): boolean {
  return type.kind === 'aggregate' && ['count', 'sum', 'avg', 'min', 'max'].includes(type.fn)
}

/** The number that a castable aggregate is read as. */
export function asNumber(type: Type): Type {
  return isCastableAggregate(type) ? int(64, (type as { signed: boolean }).signed) : type
}

/** Whether two types are one, whatever range their literals have. */
export function sameType(a: Type, b: Type): boolean {
  if (a.kind !== b.kind) return false
  switch (a.kind) {
    case 'int': return b.kind === 'int' && a.bits === b.bits && a.signed === b.signed && a.range?.least === b.range?.least && a.range?.most === b.range?.most
    case 'enum': return b.kind === 'enum' && a.name === b.name
    case 'string': case 'buffer': return a.size === (b as { size: number }).size
    case 'pointer': return b.kind === 'pointer' && a.space === b.space && sameType(a.to, b.to)
    case 'array': return b.kind === 'array' && a.length === b.length && sameType(a.element, b.element)
    case 'struct': return b.kind === 'struct' && a.definition === b.definition
    case 'tuple': return b.kind === 'tuple' && a.elements.length === b.elements.length && a.elements.every(
      (element, index) => sameType(element, b.elements[index]!),
    )
    case 'record': return b.kind === 'record' && a.fields.length === b.fields.length
      && a.fields.every((field, index) => field.name === b.fields[index]!.name && sameType(field.type, b.fields[index]!.type))
    case 'stack': return b.kind === 'stack' && a.user === b.user && a.mode === b.mode && a.limit === b.limit
    case 'aggregate': return b.kind === 'aggregate' && a.fn === b.fn && a.signed === b.signed
    default: return true
  }
}
