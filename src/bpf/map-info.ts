import { readFileSync } from 'node:fs'
import { MapType } from '../spec/spec.ts'
import type { MapSpec, MapTypeName } from '../spec/spec.ts'
import { readU64 } from '../sys/memory.ts'
import { objectInfo, readName } from './command.ts'
import { MapFlags } from './map-layout.ts'

/** What the kernel says of a map. Names have 15 characters at most. */
export interface MapInfo {
  id: number
  name: string
  /** `enum bpf_map_type`; `typeName` is its name in a Spec, or undefined for types younger than skep. */
  type: number
  typeName: MapTypeName | undefined
  keySize: number
  valueSize: number
  maxEntries: number
  flags: number
  /** Hash functions of a bloom filter, address of an arena (5.16). */
  mapExtra: number
  /** The interface whose hardware holds it; 0: none. */
  interfaceIndex: number
  /** The BTF object that its key and value types are in; 0: none. */
  btfId: number
  keyType: number
  valueType: number
}

const typeNames = new Map<number, MapTypeName>(Object.entries(MapType).map(([name, number]) => [number, name as MapTypeName]))

/** `enum bpf_map_type` as a Spec names it. */
export const mapTypeName = (type: number): MapTypeName | undefined => typeNames.get(type)

/** `struct bpf_map_info` of a descriptor (4.13). */
export function mapInfo(fd: number): MapInfo {
  return objectInfo(fd, 88, ({ u32, u8 }) => ({
    type: u32[0]!, typeName: mapTypeName(u32[0]!), id: u32[1]!, keySize: u32[2]!, valueSize: u32[3]!, maxEntries: u32[4]!,
    flags: u32[5]!, name: readName(u8, 24), interfaceIndex: u32[10]!, btfId: u32[16]!, keyType: u32[17]!, valueType: u32[18]!,
    mapExtra: readU64(u32, 80),
  }))
}

/** A Spec of a map that is there already: without schemas, keys and values are bytes. */
export function specOf(info: MapInfo): MapSpec {
  if (info.typeName === undefined) throw new Error(`map ${info.id} '${info.name}' is of type ${info.type}, which is not known`)
  return {
    name: info.name, type: info.typeName, keySize: info.keySize, valueSize: info.valueSize, maxEntries: info.maxEntries, flags: info.flags,
    ...(info.mapExtra === 0 ? {} : { mapExtra: info.mapExtra }),
  }
}

/** Flags that the kernel sets or hides by itself, or that do not change what the map is. */
const incidental = MapFlags.numaNode | MapFlags.tokenFd

/** What in an existing map is not as a Spec wants it: 'valueSize is 8, not 16'; empty if it can be used. */
export function mismatches(spec: MapSpec, info: MapInfo): string[] {
  const found: string[] = []
  const compare = (what: string, is: number | string | undefined, wanted: number | string) => {
    if (is !== wanted) found.push(`${what} is ${is}, not ${wanted}`)
  }
  compare('type', info.typeName ?? info.type, spec.type)
  compare('keySize', info.keySize, spec.keySize)
  compare('valueSize', info.valueSize, spec.valueSize)
  if (spec.maxEntries !== 0) compare('maxEntries', info.maxEntries, spec.maxEntries)
  // The kernel makes maps of interfaces read-only for programs by itself.
  const implied = spec.type === 'devmap' || spec.type === 'devmapHash' ? MapFlags.readOnlyProgram : 0
  compare('flags', info.flags & ~incidental, (spec.flags | implied) & ~incidental)
  if (spec.mapExtra !== undefined) compare('mapExtra', info.mapExtra, spec.mapExtra)
  return found
}

/** What /proc says of a map's descriptor: bytes of memory (exact from 6.4) and whether it is frozen. */
export function mapState(fd: number): { memoryBytes: number; frozen: boolean } {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? '0')
  return { memoryBytes: field('memlock'), frozen: field('frozen') !== 0 }
}
