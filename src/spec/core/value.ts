import type { Btf } from '../../btf/btf.ts'
import type { CoreKindName } from '../spec.ts'
import { sized, type CoreAccess } from './access.ts'
import { CoreProblem } from './error.ts'

/** What a relocation amounts to in one BTF; undefined where the thing is absent and the instruction must not run. */
export interface CoreValue {
  value: bigint
  /** Whether the compiler is known to have written the local value into the instruction. */
  validate: boolean
  /** Bytes of the field that a load or store at the offset reads; 0 where it does not matter. */
  size: number
  /** The type of that field. */
  type: number
}

/** `access` undefined: no candidate has it. @throws CoreProblem for what cannot be computed */
export function valueOf(kind: CoreKindName, access: CoreAccess | undefined): CoreValue | undefined {
  const plain = (value: number | bigint, validate = true): CoreValue => ({ value: BigInt(value), validate, size: 0, type: 0 })
  switch (kind) {
    case 'fieldExists': case 'enumvalExists': case 'typeExists': case 'typeMatches': return plain(access === undefined ? 0 : 1)
    case 'typeSize': return plain(access === undefined ? 0 : sized(access.btf, access.root))
    // Ids change when objects are linked, so what the compiler wrote says nothing.
    case 'typeIdLocal': case 'typeIdTarget': return plain(access === undefined ? 0 : access.root, false)
    case 'enumvalValue': return access === undefined ? undefined : plain(enumValue(access))
    default: return access === undefined ? undefined : fieldValue(kind, access)
  }
}

/** 32-bit enums are taken as signed whatever they say, as libbpf and compilers do. */
function enumValue({ btf, accessors: [first] }: CoreAccess): bigint {
  const type = btf.type(first!.type)
  if (type.kind !== 'enum' && type.kind !== 'enum64') throw new CoreProblem(`a ${type.kind} has no enum values`)
  const { value } = type.values[first!.index]!
  return type.kind === 'enum' ? BigInt.asIntN(32, value) : BigInt.asUintN(64, value)
}

type FieldKind = 'fieldByteOffset' | 'fieldByteSize' | 'fieldSigned' | 'fieldShiftLeft' | 'fieldShiftRight'

function fieldValue(kind: FieldKind, access: CoreAccess): CoreValue {
  const { btf, accessors, bitOffset } = access
  const last = accessors[accessors.length - 1]!
  if (last.name === null) return elementValue(kind, access, last.type)
  const struct = btf.type(last.type)
  if (struct.kind !== 'struct' && struct.kind !== 'union') throw new CoreProblem(`a ${struct.kind} has no members`)
  const member = struct.members[last.index]!
  const type = btf.type(btf.resolve(member.type))
  const bitfield = member.bitSize > 0
  const bytes = sized(btf, type.id)
  const place = bitfield ? bitfieldPlace(bitOffset, member.bitSize, bytes) : { bytes, offset: Math.floor(bitOffset / 8) }
  const bits = bitfield ? member.bitSize : place.bytes * 8
  // Compilers may load a bitfield otherwise than we would, so what they wrote is not checked.
  const result = (value: number, validate: boolean): CoreValue => ({ value: BigInt(value), validate, size: 0, type: 0 })
  switch (kind) {
    case 'fieldByteOffset': {
      const element = elementOf(btf, type.id)
      return { ...result(place.offset, !bitfield), ...(bitfield ? {} : { size: sized(btf, element), type: element }) }
    }
    case 'fieldByteSize': return result(place.bytes, !bitfield)
    case 'fieldSigned': return result(('signed' in type && type.signed) ? 1 : 0, true)
    case 'fieldShiftLeft': return result(64 - (bitOffset + bits - place.offset * 8), !bitfield)
    case 'fieldShiftRight': return result(64 - bits, true)
  }
}

function elementValue(kind: FieldKind, { btf, bitOffset }: CoreAccess, type: number): CoreValue {
  const size = sized(btf, type)
  switch (kind) {
    case 'fieldByteOffset': return { value: BigInt(Math.floor(bitOffset / 8)), validate: true, size, type }
    case 'fieldByteSize': return { value: BigInt(size), validate: true, size: 0, type: 0 }
    default: throw new CoreProblem(`${kind} cannot be asked of an element of an array, only of a member`)
  }
}

/** The smallest aligned integer that holds a bitfield: its bytes and its offset. */
function bitfieldPlace(bitOffset: number, bitSize: number, typeBytes: number): { bytes: number; offset: number } {
  const aligned = (bytes: number) => Math.floor(bitOffset / 8 / bytes) * bytes
  let bytes = Math.max(1, typeBytes)
  while (bitOffset + bitSize - aligned(bytes) * 8 > bytes * 8) {
    if (bytes >= 8) throw new CoreProblem(`no load of 8 bytes holds the bitfield of ${bitSize} bits at bit ${bitOffset}`)
    bytes *= 2
  }
  return { bytes, offset: aligned(bytes) }
}

/** What the elements of an array are, through arrays of arrays; other types are their own element. */
function elementOf(btf: Btf, id: number): number {
  let at = btf.resolve(id)
  for (let depth = 0; depth < 64; depth++) {
    const type = btf.type(at)
    if (type.kind !== 'array') return at
    at = btf.resolve(type.element)
  }
  throw new CoreProblem('an array contains itself')
}
