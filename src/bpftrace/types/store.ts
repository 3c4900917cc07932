import type { Btf } from '../../btf/btf.ts'
import type { CDefinition, CType, Preamble } from '../syntax/ast.ts'
import { StructDefinition, type StructField } from './struct.ts'
import { alignOf, bool, int, pointerTo, sizeOf, voidType, type AddressSpace, type Type } from './type.ts'

/** All named types: those of the program's C first, then the kernel's. */
export class TypeStore {
  readonly btf: Btf | null
  readonly #structs = new Map<string, StructDefinition>()
  readonly #typedefs = new Map<string, CType>()
  readonly #enums = new Map<string, Type>()
  readonly #values = new Map<string, { value: bigint; type: Type }>()
  readonly #fromBtf = new Map<number, StructDefinition>()
  readonly #btfEnums = new Map<number, Type>()
  #btfValues: Map<string, { value: bigint; type: Type }> | null = null

  constructor(btf: Btf | null, preambles: readonly Preamble[]) {
    this.btf = btf
    for (const preamble of preambles) for (const definition of preamble.definitions) this.define(definition)
  }

  define(definition: CDefinition): void {
    if (definition.kind === 'typedef') this.#typedefs.set(definition.name, definition.type)
    else if (definition.kind === 'enum') this.#defineEnum(definition)
    else if (definition.name !== '') this.#structs.set(definition.name, this.#structOf(definition))
  }

  #defineEnum(definition: CDefinition & { kind: 'enum' }): Type {
    const negative = definition.values.some(({ value }) => value < 0n)
    const wide = definition.values.some(({ value }) => value > 0xffff_ffffn || value < -0x8000_0000n)
    const type: Type = {
      kind: 'enum', name: definition.name, bits: wide ? 64 : 32, signed: negative, values: new Map(
        definition.values.map(({ name, value }) => [value, name]),
      ),
    }
    if (definition.name !== '') this.#enums.set(definition.name, type)
    for (const { name, value } of definition.values) this.#values.set(name, { value, type })
    return type
  }

  struct(name: string): StructDefinition | undefined {
    const own = this.#structs.get(name)
    if (own !== undefined) return own
    const id = this.btf?.find(name, 'struct', 'union') ?? 0
    return id === 0 ? undefined : this.btfStruct(id)
  }

  enum(name: string): Type | undefined {
    const own = this.#enums.get(name)
    if (own !== undefined) return own
    const id = this.btf?.find(name, 'enum', 'enum64') ?? 0
    return id === 0 ? undefined : this.ofBtf(id)
  }

  typedef(name: string): Type | undefined {
    const own = this.#typedefs.get(name)
    if (own !== undefined) return this.ofC(own)
    const id = this.btf?.find(name, 'typedef', 'int') ?? 0
    if (id !== 0) return this.ofBtf(id)
    const definition = this.#structs.get(name)
    return definition === undefined ? undefined : { kind: 'struct', definition }
  }

  /** An enumerator by its name. Those of the kernel are indexed at the first miss. */
  enumerator(name: string): { value: bigint; type: Type } | undefined {
    const own = this.#values.get(name)
    if (own !== undefined || this.btf === null) return own
    if (this.#btfValues === null) {
      this.#btfValues = new Map()
      for (let id = 1; id < this.btf.typeCount; id++) {
        const kind = this.btf.kindOf(id)
        if (kind !== 'enum' && kind !== 'enum64') continue
        const type = this.btf.type(id)
        if (type.kind !== 'enum' && type.kind !== 'enum64') continue
        for (const value of type.values) if (!this.#btfValues.has(value.name)) this.#btfValues.set(
          value.name, { value: value.value, type: this.ofBtf(id) },
        )
      }
    }
    return this.#btfValues.get(name)
  }

  #structOf(definition: CDefinition & { kind: 'struct' }): StructDefinition {
    return new StructDefinition(definition.name, definition.union, null, () => this.#layOut(definition))
  }

  #layOut(definition: CDefinition & { kind: 'struct' }): { fields: StructField[]; size: number; align: number } {
    const fields: StructField[] = []
    let bit = 0
    let align = 1
    let most = 0
    for (const field of definition.fields) {
      const type = this.ofC(field.type)
      const own = definition.packed ? 1 : alignOf(type)
      if (definition.union) bit = 0
      if (field.bits !== null) {
        const unit = sizeOf(type) * 8
        if (field.bits === 0) bit = Math.ceil(bit / unit) * unit
        else {
          if (!definition.packed && Math.floor(bit / unit) !== Math.floor((bit + field.bits - 1) / unit)) {
            bit = Math.ceil(bit / unit) * unit
          }
          const offset = Math.floor(bit / 8)
          if (field.name !== '') {
            fields.push({ name: field.name, type, offset, bits: { offset: bit - offset * 8, size: field.bits }, path: null })
          }
          bit += field.bits
        }
        align = Math.max(align, own)
      } else {
        bit = Math.ceil(bit / (own * 8)) * own * 8
        fields.push({ name: field.name, type, offset: bit / 8, bits: null, path: null })
        bit += sizeOf(type) * 8
        align = Math.max(align, own)
      }
      most = Math.max(most, bit)
    }
    if (definition.aligned !== null) align = Math.max(align, definition.aligned)
    const size = Math.ceil(Math.max(most, bit) / 8)
    return { fields, size: Math.ceil(size / align) * align, align }
  }

  ofC(type: CType, space: AddressSpace = 'unknown'): Type {
    switch (type.kind) {
      case 'int': return type.bool ? bool : int(type.bits, type.signed)
      case 'float': return { kind: 'float', bits: type.bits }
      case 'void': case 'function': return voidType
      case 'pointer': return pointerTo(this.ofC(type.to, space), space)
      case 'array': return type.element.kind === 'int' && type.element.char === true
        ? { kind: 'string', size: type.length } : { kind: 'array', element: this.ofC(type.element, space), length: type.length }
      case 'inline':
        if (type.definition.kind === 'enum') return this.#defineEnum(type.definition)
        if (type.definition.kind === 'struct') return { kind: 'struct', definition: this.#structOf(type.definition) }
        return voidType
      case 'named': {
        if (type.tag === 'enum') return this.enum(type.name) ?? int(32, false)
        if (type.tag === null) return this.typedef(type.name) ?? int(64, false)
        const definition = this.struct(type.name)
        return {
          kind: 'struct', definition: definition ?? new StructDefinition(
            type.name, type.tag === 'union', null, () => ({ fields: [], size: 0, align: 1 }),
          ),
        }
      }
    }
  }

  btfStruct(id: number): StructDefinition {
    let known = this.#fromBtf.get(id)
    if (known === undefined) {
      const type = this.btf!.type(id)
      if (type.kind !== 'struct' && type.kind !== 'union') throw new Error(`BTF type ${id} is no struct`)
      known = new StructDefinition(type.name, type.kind === 'union', id, () => {
        const fields = type.members.map((member, index): StructField => {
          const offset = member.bitSize === 0 ? member.bitOffset >> 3 : member.bitOffset >> 3
          return {
            name: member.name, type: this.ofBtf(member.type), offset, path: [index],
            bits: member.bitSize === 0 ? null : { offset: member.bitOffset - offset * 8, size: member.bitSize },
          }
        })
        const align = type.size % 8 === 0 ? 8 : type.size % 4 === 0 ? 4 : type.size % 2 === 0 ? 2 : 1
        return { fields, size: type.size, align }
      })
      this.#fromBtf.set(id, known)
    }
    return known
  }

  /** A kernel type. Pointers tagged `user` point there; the others to the kernel. */
  ofBtf(id: number): Type {
    const { btf } = this
    if (btf === null || id === 0) return voidType
    const target = btf.resolve(id)
    if (target === 0) return voidType
    const type = btf.type(target)
    switch (type.kind) {
      case 'int': return type.bool ? bool : int(type.size * 8, type.signed)
      case 'float': return { kind: 'float', bits: type.size * 8 }
      case 'enum': case 'enum64': return this.#btfEnum(target)
      case 'struct': case 'union': {
        // A struct that the program defines itself hides the kernel's.
        const own = type.name === '' ? undefined : this.#structs.get(type.name)
        return { kind: 'struct', definition: own ?? this.btfStruct(target) }
      }
      case 'fwd': return {
        kind: 'struct', definition: this.#structs.get(type.name) ?? this.struct(type.name) ?? new StructDefinition(
          type.name, type.union, null, () => ({ fields: [], size: 0, align: 1 }),
        ),
      }
      case 'array': {
        const element = btf.type(btf.resolve(type.element))
        if (element.kind === 'int' && element.size === 1 && (element.char || element.name === 'char')) {
          return { kind: 'string', size: type.length }
        }
        return { kind: 'array', element: this.ofBtf(type.element), length: type.length }
      }
      case 'ptr': return pointerTo(this.#pointee(type.type), this.#isUser(type.type) ? 'user' : 'kernel')
      default: return voidType
    }
  }

  #pointee(id: number): Type {
    const target = this.btf!.resolve(id)
    return target === 0 || this.btf!.kindOf(target) === 'funcProto' ? voidType : this.ofBtf(target)
  }

  #isUser(id: number): boolean {
    for (let at = id, steps = 0; at !== 0 && steps < 8; steps++) {
      const type = this.btf!.type(at)
      if (type.kind === 'typeTag') {
        if (type.name === 'user') return true
        at = type.type
      } else if (type.kind === 'const' || type.kind === 'volatile' || type.kind === 'restrict') at = type.type
      else return false
    }
    return false
  }

  #btfEnum(id: number): Type {
    let known = this.#btfEnums.get(id)
    if (known === undefined) {
      const type = this.btf!.type(id)
      if (type.kind !== 'enum' && type.kind !== 'enum64') throw new Error(`BTF type ${id} is no enum`)
      known = {
        kind: 'enum', name: type.name, bits: type.size * 8, signed: type.signed, values: new Map(
          type.values.map(({ name, value }) => [value, name]),
        ),
      }
      this.#btfEnums.set(id, known)
    }
    return known
  }
}
