import type { BtfBuilder } from '../btf/builder.ts'
import type { CoreReference } from './ir/ir.ts'
import type { LocalStruct, LocalType, LocalTypes } from './lower/local-types.ts'

/** The local types of CO-RE as they stand in the Spec's BTF. */
export interface WrittenTypes {
  /** BTF id of a local struct. */
  id(struct: number): number
  /** Access string of a reference: its members counted in the order in which they were written. */
  access(reference: CoreReference): string
}

/**
 * Writes the local types into the Spec's BTF. The kernel wants members in order of their offsets, while programs
 * found them in any order; and a union's members at offset 0, which those of a flattened anonymous struct are not.
 */
export function writeLocalTypes(builder: BtfBuilder, types: LocalTypes): WrittenTypes {
  const ids = types.structs.map((struct) => builder.declareStruct(struct.name, struct.size, struct.union && !struct.members.some(({ bitOffset }) => bitOffset > 0)))
  const orders = types.structs.map(orderOf)
  types.structs.forEach((struct, index) => {
    const members = orders[index]!.map((at) => struct.members[at]!)
    builder.completeStruct(ids[index]!, members.map((member) => ({ name: member.name, type: typeId(member.type), bitOffset: member.bitOffset, bitSize: member.bitSize })))
  })
  return { id: (struct) => ids[struct]!, access }

  function typeId(type: LocalType): number {
    switch (type.kind) {
      case 'int': return builder.int(`${type.signed ? '' : 'unsigned '}int${type.size * 8}`, type.size, { signed: type.signed })
      case 'enum': return builder.enum('', type.size, type.signed, [{ name: 'any', value: 0n }])
      case 'ptr': return builder.ptr(0)
      case 'array': return builder.array(typeId(type.element), builder.int('unsigned int32', 4, {}), type.length)
      case 'struct': return ids[type.struct]!
    }
  }

  function access({ type, access }: CoreReference): string {
    const [first, ...steps] = access.split(':').map(Number)
    let at: LocalType = { kind: 'struct', struct: type }
    const written = steps.map((step) => {
      if (at.kind === 'array') {
        at = at.element
        return step
      }
      if (at.kind !== 'struct') throw new Error(`local types: '${access}' goes into a ${at.kind}`)
      const { struct } = at
      at = types.structs[struct]!.members[step]!.type
      return orders[struct]!.indexOf(step)
    })
    return [first, ...written].join(':')
  }
}

/** Indexes of the members by offset. */
function orderOf({ members }: LocalStruct): number[] {
  return members.map((_, index) => index).sort((a, b) => members[a]!.bitOffset - members[b]!.bitOffset || a - b)
}
