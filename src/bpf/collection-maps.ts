import type { Btf } from '../btf/btf.ts'
import type { MapSpec, Spec } from '../spec/spec.ts'
import { kconfigContents } from './externs.ts'
import { BpfMap } from './map.ts'
import type { MapCreation } from './map-create.ts'
import { Arena } from './maps/arena.ts'
import { typeSchema } from './type-schema.ts'
import { arenaMemory, arrayMemory, initialContents, Variable, variableSchema } from './variable.ts'

export interface MapOptions {
  /** Variables by name, set before loading; constants (.rodata) can be set only so. */
  variables: Readonly<Record<string, unknown>>
  /** Where maps that are to be pinned by name are looked for and pinned. */
  pinDirectory: string
}

/** A Spec's map with schemas for what its types describe. */
export function withSchemas(spec: MapSpec, btf: Btf | undefined): MapSpec {
  if (btf === undefined) return spec
  const schema = (given: MapSpec['key'], type: number | undefined, size: number) => {
    if (given !== undefined || type === undefined || type === 0) return given
    const found = typeSchema(btf, type)
    return found?.size === size ? found : undefined
  }
  const key = schema(spec.key, spec.keyType, spec.keySize)
  const value = spec.data === undefined ? schema(spec.value, spec.valueType, spec.valueSize) : spec.value
  const inner = spec.inner === undefined ? undefined : withSchemas(spec.inner, btf)
  return {
    ...spec, ...(key === undefined ? {} : { key }), ...(value === undefined ? {} : { value }), ...(inner === undefined ? {} : { inner }),
  }
}

/**
 * Makes one map of a Spec with what it holds from the start, or opens the one that is pinned under its name.
 * @throws as BpfMap.create and BpfMap.openPinned; KconfigError
 */
export function makeMap(spec: Spec, wanted: MapSpec, btf: Btf | undefined, creation: MapCreation, options: MapOptions): BpfMap {
  const map = withSchemas(wanted, btf)
  const path = `${options.pinDirectory}/${map.name}`
  if (map.pinning === 'byName') {
    const pinned = BpfMap.openPinned(path, map)
    if (pinned !== undefined) return pinned
  }
  const made = BpfMap.create(map, creation)
  try {
    if (map.data !== undefined && map.type === 'array') fill(spec, made, btf, options)
    if (map.pinning === 'byName') made.pin(path)
    return made
  } catch (error) {
    made.close()
    throw error
  }
}

function fill(spec: Spec, map: BpfMap, btf: Btf | undefined, options: MapOptions): void {
  const data = map.spec.data!
  const contents = data.section === '.kconfig' && data.contents === null
    ? kconfigContents(spec, map.spec.valueSize) : initialContents(map.spec, btf, options.variables)
  map.setRaw(new Uint8Array(4), contents)
  if (data.frozen) map.freeze()
}

/** The variables of a map that is a section of them; none for others. An arena is mapped for it. */
export function variablesOf(map: BpfMap, btf: Btf | undefined, options: MapOptions): Variable[] {
  const { data } = map.spec
  if (data === undefined) return []
  let memory
  if (map.spec.type === 'arena') {
    const arena = new Arena(map)
    arena.view.u8.set(initialContents(map.spec, btf, options.variables))
    memory = arenaMemory(arena)
  } else {
    memory = arrayMemory(map)
  }
  return data.variables.map((variable) => new Variable(variable, data.section, variableSchema(btf, variable), memory))
}

/** Puts maps and programs into the slots that name them. @throws what the maps say of it */
export function fillSlots(map: BpfMap, mapFd: (name: string) => number, programFd: (name: string) => number): void {
  for (const slot of map.spec.slots ?? []) {
    const fd = slot.map === undefined ? programFd(slot.program!) : mapFd(slot.map)
    const key = new Uint8Array(map.spec.keySize)
    key.set(new Uint8Array(new Uint32Array([slot.key]).buffer).subarray(0, key.length))
    map.setRaw(key, new Uint8Array(new Uint32Array([fd]).buffer))
  }
}
