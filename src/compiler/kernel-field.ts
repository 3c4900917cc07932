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
