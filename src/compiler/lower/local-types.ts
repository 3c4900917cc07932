import type { Btf, BtfType } from '../../btf/btf.ts'
import type { CoreReference } from '../ir/ir.ts'
import type { AccessPath } from './operand.ts'

/**
 * The local types that CO-RE relocations name: of each kernel struct only the members that
 * the programs touch, under their own names. Anonymous members are flattened into their parent, which
 * matching by name sees through. Ids are provisional until `writeTo` puts the types into the Spec's BTF.
 */
export type LocalType =
  | { kind: 'int'; size: number; signed: boolean }
  | { kind: 'enum'; size: number; signed: boolean }
  | { kind: 'ptr' }
  | { kind: 'array'; element: LocalType; length: number }
  | { kind: 'struct'; struct: number }

export interface LocalStruct {
  name: string
  union: boolean
  size: number
  members: { name: string; type: LocalType; bitOffset: number; /** 0 unless a bitfield. */ bitSize: number }[]
}

export class LocalTypes {
  readonly structs: LocalStruct[] = []
  readonly #btf: Btf
  readonly #byKernelId = new Map<number, number>()

  constructor(btf: Btf) {
    this.#btf = btf
  }

  /** The relocation of a field's byte offset. */
  fieldOffset(path: AccessPath): CoreReference {
    const root = this.#structOf(path.root)
    const indexes = [0]
    let kernel = path.root
    for (const step of path.steps) {
      if (typeof step === 'number') {
        indexes.push(step)
        const type = this.#btf.type(kernel)
        if (type.kind !== 'array') throw new Error(`local types: index into ${type.kind}`)
        kernel = this.#btf.resolve(type.element)
      } else {
        const found = this.#member(kernel, step)
        indexes.push(found.index)
        kernel = found.kernel
      }
    }
    return { kind: 'fieldByteOffset', type: root, access: indexes.join(':') }
  }

  #structOf(kernelId: number): number {
    const known = this.#byKernelId.get(kernelId)
    if (known !== undefined) return known
    const type = this.#btf.type(kernelId)
    if (type.kind !== 'struct' && type.kind !== 'union') throw new Error(`local types: ${type.kind} is no struct`)
    const index = this.structs.length
    this.structs.push({ name: type.name, union: type.kind === 'union', size: type.size, members: [] })
    this.#byKernelId.set(kernelId, index)
    return index
  }

  #member(kernelStruct: number, name: string): { index: number; kernel: number } {
    const struct = this.structs[this.#structOf(kernelStruct)]!
    const found = this.#btf.member(kernelStruct, name)
    if (found === undefined) throw new Error(`local types: no member ${name}`)
    const kernel = this.#btf.resolve(found.type)
    let index = struct.members.findIndex((member) => member.name === name)
    if (index < 0) {
      index = struct.members.length
      struct.members.push({ name, type: this.#local(kernel), bitOffset: found.bitOffset, bitSize: found.bitSize })
    }
    return { index, kernel }
  }

  #local(kernelId: number): LocalType {
    const type: BtfType = this.#btf.type(kernelId)
    switch (type.kind) {
      case 'int': return { kind: 'int', size: type.size, signed: type.signed }
      case 'enum': case 'enum64': return { kind: 'enum', size: type.size, signed: type.signed }
      case 'ptr': return { kind: 'ptr' }
      case 'array': return { kind: 'array', element: this.#local(this.#btf.resolve(type.element)), length: type.length }
      case 'struct': case 'union': return { kind: 'struct', struct: this.#structOf(kernelId) }
      default: throw new Error(`local types: a field of kind ${type.kind} cannot be read`)
    }
  }
}
