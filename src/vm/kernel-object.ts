import type { Btf, MemberPath } from '../btf/btf.ts'

/**
 * Kernel objects as plain TypeScript, laid out by BTF. An object is a description: it gets its bytes and its address in each
 * simulation that uses it. Fields that are not given are not zero: reading one is a fault that names it.
 *
 * Values: numbers, bigints and booleans for integers and enums (enums also by name); strings for char arrays and char
 * pointers; null, another object, or the fields of one for a pointer to a struct; fields for an embedded struct; arrays, or
 * bytes.
 */
export type FieldValue = number | bigint | boolean | string | null | Uint8Array | KernelObject | MemberAddress | readonly FieldValue[] | Fields
export interface Fields { readonly [field: string]: FieldValue }

export interface KernelObjectOptions {
  /** What a field that is not given reads as: a fault, or zero. */
  unset?: 'fault' | 'zero'
}

/** Counts the changes of all objects, so that a simulation can tell at once that nothing has changed. */
export const changes = { count: 0 }

export class KernelObject {
  readonly btf: Btf
  readonly typeId: number
  readonly typeName: string
  readonly unset: 'fault' | 'zero'
  /** Counts changes, so that simulations lay it out anew. */
  version = 0
  #fields: Fields

  constructor(btf: Btf, typeId: number, fields: Fields, options: KernelObjectOptions = {}) {
    this.btf = btf
    this.typeId = typeId
    this.typeName = btf.nameOf(typeId) || 'an unnamed struct'
    this.unset = options.unset ?? 'fault'
    this.#fields = {}
    this.set(fields)
  }

  get fields(): Fields { return this.#fields }

  /** A field as it was given. */
  get(field: string): FieldValue | undefined {
    return this.#fields[field]
  }

  /** Gives or changes fields; for objects that point to each other. Gives the object. */
  set(fields: Fields): this {
    for (const field of Object.keys(fields)) memberOf(this.btf, this.typeId, field)
    this.#fields = { ...this.#fields, ...fields }
    this.version++
    changes.count++
    return this
  }

  /** The address of a field, such as a list head, as a value for another field. */
  at(...path: string[]): MemberAddress {
    return new MemberAddress(this, path)
  }
}

export class MemberAddress {
  readonly object: KernelObject
  readonly path: readonly string[]
  constructor(object: KernelObject, path: readonly string[]) {
    this.object = object
    this.path = path
    offsetOf(object.btf, object.typeId, path)
  }

  get offset(): number {
    return offsetOf(this.object.btf, this.object.typeId, this.path)
  }
}

/** A fixture that does not fit its type: says which field. */
export class FixtureError extends TypeError {
  override readonly name = 'FixtureError'
}

/**
 * A kernel object of a struct of the kernel: kernelObject(btf, 'task_struct', { pid: 7, comm: 'nginx' }).
 * @throws FixtureError for a struct or a field that the BTF does not have
 */
export function kernelObject(btf: Btf, type: string, fields: Fields, options: KernelObjectOptions = {}): KernelObject {
  const id = btf.find(type, 'struct', 'union')
  if (id === 0) throw new FixtureError(`the BTF has no struct '${type}'`)
  return new KernelObject(btf, id, fields, options)
}

export function memberOf(btf: Btf, typeId: number, field: string): MemberPath {
  const member = btf.member(typeId, field)
  if (member === undefined) throw new FixtureError(`${btf.nameOf(typeId) || 'the struct'} has no field '${field}'`)
  return member
}

function offsetOf(btf: Btf, typeId: number, path: readonly string[]): number {
  let offset = 0
  let type = typeId
  for (const field of path) {
    const member = memberOf(btf, type, field)
    offset += member.bitOffset / 8
    type = btf.resolve(member.type)
  }
  return offset
}

/** The field that holds a byte, such as `task_struct.se.vruntime`. */
export function nameOfByte(btf: Btf, typeId: number, offset: number): string {
  let name = btf.nameOf(typeId) || 'struct'
  let type = btf.resolve(typeId)
  let rest = offset
  for (let depth = 0; depth < 16; depth++) {
    const shape = btf.type(type)
    if (shape.kind === 'array') {
      const size = btf.sizeOf(shape.element)
      if (size <= 1) return name
      name += `[${Math.floor(rest / size)}]`
      rest %= size
      type = btf.resolve(shape.element)
      continue
    }
    if (shape.kind !== 'struct' && shape.kind !== 'union') return name
    const member = shape.members.find(({ type: id, bitOffset, bitSize }) => rest * 8 >= bitOffset - bitOffset % 8
      && rest * 8 < (bitSize > 0 ? bitOffset + bitSize : bitOffset + btf.sizeOf(id) * 8))
    if (member === undefined) return `byte ${rest} of ${name}`
    if (member.name !== '') name += `.${member.name}`
    rest -= Math.floor(member.bitOffset / 8)
    if (member.bitSize > 0) return name
    type = btf.resolve(member.type)
  }
  return name
}
