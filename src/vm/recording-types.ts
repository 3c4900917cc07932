import { Btf } from '../btf/btf.ts'
import { BtfBuilder, type BuiltMember } from '../btf/builder.ts'
import type { FieldType } from '../compiler/kernel-field.ts'
import { bytesOf, type Recording } from './recording.ts'

/** Objects that are seen as several structs are of one that has all of them at offset 0. */
const viewsPrefix = 'skep_views_'

/** The struct that stands for what lies behind a pointer that was not looked into. */
export const opaque = 'skep_opaque'

/** The field of a struct that is copied as a whole. */
export const wholeField = 'skep_bytes'

/** Fields of a struct by the first part of their names. */
interface Branch { leaf: { type: FieldType; bitOffset: number } | null; readonly branches: Map<string, Branch> }

/** The types of the kernel that was recorded, as far as the recording has them. */
export class RecordingTypes {
  readonly btf: Btf
  /** Struct → the struct that it is a view of. */
  readonly #family = new Map<string, string>()
  readonly #views = new Set<string>()

  constructor(recording: Recording) {
    const { structs } = recording.header
    for (const name of Object.keys(structs)) this.#family.set(name, familyOf(structs, name))
    for (const [name, family] of this.#family) if (name !== family) this.#views.add(family)
    this.btf = Btf.parse(this.#build(recording))
  }

  /** What all pointers to a struct, and to what it is cast to, have in common. */
  familyOf(struct: string): string {
    return this.#family.get(struct) ?? opaque
  }

  /** The struct that an object of a family is laid out as. */
  objectOf(family: string): string {
    return this.#views.has(family) ? `${viewsPrefix}${family}` : family
  }

  /** Whether objects of the family hold each struct under its name. */
  hasViews(family: string): boolean {
    return this.#views.has(family)
  }

  #build({ header, types, fields }: Recording): Uint8Array {
    const builder = new BtfBuilder()
    const ids = new Map(Object.entries(header.structs).map(([name, { size }]) => [name, builder.declareStruct(name, size)]))
    const writer = new TypeWriter(builder, ids)
    for (const [name, struct] of Object.entries(header.structs)) {
      const root: Branch = { leaf: null, branches: new Map() }
      for (const [path, [, bitOffset]] of Object.entries(struct.fields)) add(root, path.split('.'), { type: fields.get(name)!.get(path)!, bitOffset })
      builder.completeStruct(ids.get(name)!, writer.members(root, 0))
    }
    for (const family of this.#views) {
      const members = [...this.#family].filter(([, of]) => of === family).map(([name]) => name)
      const size = Math.max(...members.map((name) => header.structs[name]!.size))
      builder.struct(`${viewsPrefix}${family}`, size, members.map((name) => ({ name, type: ids.get(name)!, bitOffset: 0 })))
    }
    builder.struct(opaque, 8, [])
    header.hooks.forEach(({ name, arguments: args }, hook) => {
      const params = [{ name: '__data', type: builder.ptr(0) }, ...args.map((one, index) => ({ name: one.name, type: writer.type(types[hook]![index]!) }))]
      builder.typedef(`btf_trace_${name}`, builder.ptr(builder.funcProto(0, params)))
    })
    return builder.build()
  }
}

function familyOf(structs: Recording['header']['structs'], name: string): string {
  let at = name
  for (let step = 0; step < 16; step++) {
    const next = structs[at]!.of
    if (next === undefined || next === name) return at
    at = next
  }
  return name
}

function add(root: Branch, path: string[], leaf: NonNullable<Branch['leaf']>): void {
  let at = root
  for (const name of path) {
    let next = at.branches.get(name)
    if (next === undefined) at.branches.set(name, next = { leaf: null, branches: new Map() })
    at = next
  }
  at.leaf = leaf
}

class TypeWriter {
  readonly #builder: BtfBuilder
  readonly #ids: ReadonlyMap<string, number>

  constructor(builder: BtfBuilder, ids: ReadonlyMap<string, number>) {
    this.#builder = builder
    this.#ids = ids
  }

  /** Members in order of their offsets; `base`: the bit that the struct begins at. */
  members(of: Branch, base: number): BuiltMember[] {
    return [...of.branches].map(([name, branch]): BuiltMember => {
      const first = firstBit(branch)
      const { leaf } = branch
      if (branch.branches.size === 0 && leaf !== null) {
        const bitSize = leaf.type.kind === 'int' ? leaf.type.bits ?? 0 : 0
        return { name, type: this.type(leaf.type), bitOffset: leaf.bitOffset - base, bitSize }
      }
      const start = first - first % 8
      const size = Math.ceil((lastBit(branch) - start) / 8)
      const whole = leaf === null ? [] : [{ name: wholeField, type: this.#bytes(bytesOf(leaf.type)), bitOffset: leaf.bitOffset - start }]
      return { name, type: this.#builder.struct('', size, [...whole, ...this.members(branch, start)]), bitOffset: start - base }
    }).sort((a, b) => a.bitOffset - b.bitOffset)
  }

  type(type: FieldType): number {
    const builder = this.#builder
    switch (type.kind) {
      case 'int': return this.#int(type)
      case 'chars': return builder.array(this.#char(), this.#index(), type.length)
      case 'text': return builder.ptr(this.#char())
      case 'bytes': return builder.struct(this.#ids.has(type.struct) ? '' : type.struct, type.length, [{ name: wholeField, type: this.#bytes(type.length), bitOffset: 0 }])
      case 'array': return builder.array(this.#int(type), this.#index(), type.length)
      case 'pointer': return builder.ptr(this.#ids.get(type.struct) ?? 0)
    }
  }

  #int({ size, signed }: { size: number; signed: boolean }): number { return this.#builder.int(`${signed ? 's' : 'u'}${size * 8}`, size, { signed }) }
  #char(): number { return this.#builder.int('char', 1, { signed: true, char: true }) }
  #index(): number { return this.#builder.int('u32', 4, {}) }
  #bytes(length: number): number { return this.#builder.array(this.#builder.int('u8', 1, {}), this.#index(), length) }
}

function firstBit({ leaf, branches }: Branch): number {
  return Math.min(leaf?.bitOffset ?? Infinity, ...[...branches.values()].map(firstBit))
}

function lastBit({ leaf, branches }: Branch): number {
  const own = leaf === null ? 0 : leaf.bitOffset + (leaf.type.kind === 'int' && leaf.type.bits !== undefined ? leaf.type.bits : bytesOf(leaf.type) * 8)
  return Math.max(own, ...[...branches.values()].map(lastBit))
}
