import type { BtfBuilder, BuiltMember } from '../../btf/builder.ts'
import { MapType, type MapSpec } from '../spec.ts'

/** A struct type that defines a map, as `SEC(".maps")` has it; `bytes` without what `values` holds. */
export interface MapDefinition { type: number; bytes: number }

/** Largest number that a length of an array can say. */
const LARGEST = 0xffff_ffff

/** Writes the type that defines a map. */
export function writeMapType(builder: BtfBuilder, map: MapSpec): MapDefinition {
  const int = builder.int('int', 4, { signed: true })
  const members: BuiltMember[] = []
  let bytes = 0
  const add = (name: string, type: number, size = 8) => {
    members.push({ name, type, bitOffset: bytes * 8 })
    bytes += size
  }
  const number = (name: string, value: number) => {
    if (value <= LARGEST) add(name, builder.ptr(builder.array(int, int, value)))
    else add(name, builder.enum('', 8, false, [{ name: `${map.name}_${name}`, value: BigInt(value) }]))
  }
  number('type', MapType[map.type])
  const slots = map.inner !== undefined || map.slots !== undefined
  if (map.keyType !== undefined) add('key', builder.ptr(map.keyType))
  else if (map.keySize > 0) number('key_size', map.keySize)
  if (map.valueType !== undefined) add('value', builder.ptr(map.valueType))
  else if (map.valueSize > 0 && !slots) number('value_size', map.valueSize)
  if (map.maxEntries > 0) number('max_entries', map.maxEntries)
  if (map.flags > 0) number('map_flags', map.flags)
  if (map.numaNode !== undefined) number('numa_node', map.numaNode)
  if (map.mapExtra !== undefined) number('map_extra', map.mapExtra)
  if (map.pinning === 'byName') number('pinning', 1)
  if (slots) {
    const held = map.inner === undefined
      ? builder.funcProto(int, [{ name: '', type: builder.ptr(0) }])
      : writeMapType(builder, map.inner).type
    add('values', builder.array(builder.ptr(held), int, 0), 0)
  }
  return { type: builder.struct('', bytes, members), bytes }
}
