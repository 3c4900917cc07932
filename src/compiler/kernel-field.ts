import type { Btf } from '../btf/btf.ts'

/** What a field of the kernel holds, as far as a program can read it. */
export type FieldType =
  /** `bits`: of a bitfield. */
  | { readonly kind: 'int'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean; readonly bits?: number }
  | { readonly kind: 'chars'; readonly length: number }
  /** A pointer to characters, read as a string of at most so many bytes, NUL included. */
  | { readonly kind: 'text'; readonly length: number }
  /** A struct that is copied as a whole; `struct`: its name. */
  | { readonly kind: 'bytes'; readonly length: number; readonly struct: string }
  | { readonly kind: 'array'; readonly size: 1 | 2 | 4 | 8; readonly signed: boolean; readonly length: number }
  | { readonly kind: 'pointer'; /** '' for what is no struct. */ readonly struct: string }

export interface FieldPlace { readonly type: FieldType; readonly bitOffset: number; /** Name of its typedef: '__be32'. */ readonly typedef: string }

const mostBytes = 4096

/** Where fields of a struct lie and what they hold; null for what cannot be read, or has no name. */
export function fieldPlaceOf(btf: Btf, { struct, fields }: { readonly struct: string; readonly fields: readonly string[] }): FieldPlace | null {
  let id = btf.find(struct, 'struct', 'union')
  let [bitOffset, bitSize, declared] = [0, 0, id]
  for (const field of fields) {
    const member = id === 0 ? undefined : btf.member(id, field)
    if (member === undefined) return null
    bitOffset += member.bitOffset
    bitSize = member.bitSize
    declared = member.type
    id = btf.resolve(member.type)
  }
  const type = fields.length === 0 ? null : typeOf(btf, id, bitSize)
  return type === null ? null : { type, bitOffset, typedef: btf.kindOf(declared) === 'typedef' ? btf.nameOf(declared) : '' }
}

export function fieldTypeOf(btf: Btf, hop: { readonly struct: string; readonly fields: readonly string[] } | undefined): FieldType | null {
  return hop === undefined ? null : fieldPlaceOf(btf, hop)?.type ?? null
}

/** The type of an argument or field by its resolved id; null for what cannot be read. */
export function typeOf(btf: Btf, id: number, bitSize = 0): FieldType | null {
  const type = btf.type(id)
  switch (type.kind) {
    case 'int': case 'enum': case 'enum64': {
      const { size } = type
      if (size !== 1 && size !== 2 && size !== 4 && size !== 8) return null
      return { kind: 'int', size, signed: type.signed, ...(bitSize > 0 && { bits: bitSize }) }
    }
    case 'ptr': {
      const target = btf.resolve(type.type)
      const isStruct = ['struct', 'union', 'fwd'].includes(btf.kindOf(target))
      return { kind: 'pointer', struct: isStruct ? btf.nameOf(target) : '' }
    }
    case 'array': {
      const element = btf.resolve(type.element)
      const inner = typeOf(btf, element)
      if (inner?.kind !== 'int' || inner.size * type.length > mostBytes || type.length === 0) return null
      if (btf.nameOf(element) === 'char') return { kind: 'chars', length: type.length }
      return { kind: 'array', size: inner.size, signed: inner.signed, length: type.length }
    }
    case 'struct': case 'union':
      return type.size === 0 || type.size > mostBytes ? null : { kind: 'bytes', length: type.size, struct: type.name }
    default: return null
  }
}

/** 'u32', 'i64', 'u32:5' (a bitfield), 'chars[16]', 'text[128]', 'bytes[16] in6_addr', 'u32[8]', '*task_struct', '*'. */
export function fieldTypeText(type: FieldType): string {
  switch (type.kind) {
    case 'int': return `${intText(type)}${type.bits === undefined ? '' : `:${type.bits}`}`
    case 'chars': case 'text': return `${type.kind}[${type.length}]`
    case 'bytes': return `bytes[${type.length}]${type.struct === '' ? '' : ` ${type.struct}`}`
    case 'array': return `${intText(type)}[${type.length}]`
    case 'pointer': return `*${type.struct}`
  }
}

function intText({ size, signed }: { size: number; signed: boolean }): string {
  return `${signed ? 'i' : 'u'}${size * 8}`
}

const written = /^(?:(?<sign>[ui])(?<int>8|16|32|64)(?::(?<bits>\d{1,2})|\[(?<count>\d{1,4})\])?|(?<text>chars|text|bytes)\[(?<length>\d{1,4})\](?: (?<of>\w{1,64}))?|\*(?<to>\w{0,64}))$/

/** Reads what fieldTypeText wrote; null for anything else. */
export function parseFieldType(text: string): FieldType | null {
  const parts = written.exec(text)?.groups
  if (parts === undefined) return null
  const { sign, int, bits, count, text: kind, length, of, to } = parts
  if (int !== undefined) {
    const whole = { size: Number(int) / 8 as 1 | 2 | 4 | 8, signed: sign === 'i' }
    if (count !== undefined) return inRange(count, mostBytes / whole.size) ? { kind: 'array', ...whole, length: Number(count) } : null
    if (bits === undefined) return { kind: 'int', ...whole }
    return inRange(bits, whole.size * 8) ? { kind: 'int', ...whole, bits: Number(bits) } : null
  }
  if (kind === undefined) return { kind: 'pointer', struct: to! }
  if (!inRange(length!, mostBytes) || (of !== undefined && kind !== 'bytes')) return null
  return kind === 'bytes' ? { kind, length: Number(length), struct: of ?? '' } : { kind: kind as 'chars' | 'text', length: Number(length) }
}

function inRange(text: string, most: number): boolean {
  return Number(text) >= 1 && Number(text) <= most
}
