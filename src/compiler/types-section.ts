import type { BtfBuilder } from '../btf/builder.ts'
import type { LocalType, LocalTypes } from './lower/local-types.ts'

/** Writes the local types of CO-RE into the Spec's BTF; gives the BTF id of each struct. */
export function writeLocalTypes(builder: BtfBuilder, types: LocalTypes): number[] {
  const ids = types.structs.map((struct) => builder.declareStruct(struct.name, struct.size, struct.union))
  types.structs.forEach((struct, index) => {
    builder.completeStruct(ids[index]!, struct.members.map((member) => ({ name: member.name, type: typeId(member.type), bitOffset: member.bitOffset })))
  })
  return ids

  function typeId(type: LocalType): number {
    switch (type.kind) {
      case 'int': return builder.int(`${type.signed ? '' : 'unsigned '}int${type.size * 8}`, type.size, { signed: type.signed })
      case 'enum': return builder.enum('', type.size, type.signed, [{ name: 'any', value: 0n }])
      case 'ptr': return builder.ptr(0)
      case 'array': return builder.array(typeId(type.element), builder.int('unsigned int32', 4, {}), type.length)
      case 'struct': return ids[type.struct]!
    }
  }
}
