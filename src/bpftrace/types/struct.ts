import type { Type } from './type.ts'

export interface StructField {
  name: string
  type: Type
  /** Bytes from the start. */
  offset: number
  /** Set for bitfields: bits from the byte at `offset`, and how many. */
  bits: { offset: number; size: number } | null
  /** How CO-RE finds it: member indexes from the BTF struct inwards. */
  path: number[] | null
  /** Tracepoints: the field holds where in the record its data lie. */
  dataLoc?: boolean
}

/** A struct or union, from the program's C, from BTF, or the arguments of a probe. Fields are made when asked for: structs refer to each other. */
export class StructDefinition {
  readonly name: string
  readonly union: boolean
  /** Id in the kernel's BTF; null for those of the program. */
  readonly btfId: number | null
  #make: (() => { fields: StructField[]; size: number; align: number }) | null
  #made: { fields: StructField[]; size: number; align: number } | null = null

  constructor(name: string, union: boolean, btfId: number | null, make: () => { fields: StructField[]; size: number; align: number }) {
    this.name = name
    this.union = union
    this.btfId = btfId
    this.#make = make
  }

  #get(): { fields: StructField[]; size: number; align: number } {
    if (this.#made === null) {
      const make = this.#make!
      this.#make = () => ({ fields: [], size: 0, align: 1 })
      this.#made = make()
    }
    return this.#made
  }

  get fields(): StructField[] { return this.#get().fields }
  get size(): number { return this.#get().size }
  get align(): number { return this.#get().align }

  field(name: string): StructField | undefined {
    for (const field of this.fields) {
      if (field.name === name) return field
      if (field.name !== '' || field.type.kind !== 'struct') continue
      const inner = field.type.definition.field(name)
      if (inner !== undefined) {
        return {
          ...inner, offset: field.offset + inner.offset, path: field.path === null || inner.path === null ? null : [...field.path, ...inner.path],
        }
      }
    }
    return undefined
  }
}
