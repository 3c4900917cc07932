import type { Btf, BtfMember } from '../../btf/btf.ts'
import { MapType, type MapSpec, type MapTypeName } from '../spec.ts'
import { RelocationType, SymbolType } from './constants.ts'
import { viewOf, type ElfSection } from './elf-file.ts'
import { ObjectError } from './error.ts'
import type { CompositeType, ObjectFile } from './object.ts'

/** A map with where it was defined, by which instructions name it. */
export interface DefinedMap { spec: MapSpec; section: number; offset: number }

export const placeOf = (section: number, offset: number) => `${section}:${offset}`

const typeNames = new Map<number, MapTypeName>(Object.entries(MapType).map(([name, number]) => [number, name as MapTypeName]))
const mapsOfMaps = new Set<MapTypeName>(['arrayOfMaps', 'hashOfMaps'])
/** Pointers to what slots hold, in `values`. */
const SLOT_BYTES = 8

/** Maps of `.maps`: each a struct whose members' types say what the map is. @throws ObjectError */
export function readMaps(object: ObjectFile): DefinedMap[] {
  const section = object.elf.section('.maps')
  if (section === undefined || section.size === 0) return []
  const btf = object.types('.maps')
  const datasec = object.datasec('.maps')
  if (datasec === undefined) throw new ObjectError('.maps', 0, 'no type describes it: compile with -g')
  return datasec.vars.map(({ type, offset, size }) => {
    const variable = object.variable('.maps', type)
    const { spec, bytes } = readDefinition(btf, variable.name, variable.type, offset)
    if (bytes > size || offset + size > section.size) {
      throw new ObjectError('.maps', offset, `the definition of '${variable.name}' is larger than its place`)
    }
    return { spec, section: section.index, offset }
  })
}

/** The map that a variable's type defines, and the bytes of that type. @throws ObjectError that names the offset */
export function readDefinition(btf: Btf, name: string, type: number, offset: number): { spec: MapSpec; bytes: number } {
  const reader = new Definition(btf, name, offset)
  const definition = reader.struct(type)
  return { spec: reader.read(definition, name), bytes: definition.size }
}

/** Fills `slots` of maps from the addresses in their `values`. @throws ObjectError */
export function readSlots(object: ObjectFile, maps: DefinedMap[]): void {
  const section = object.elf.section('.maps')
  if (section === undefined || section.size === 0) return
  const btf = object.types('.maps')
  const datasec = object.datasec('.maps')!
  const byPlace = new Map(maps.map((map) => [placeOf(map.section, map.offset), map]))
  let index = 0
  // Both are sorted by offset.
  for (const { offset, symbol, type } of object.elf.relocationsOf(section)) {
    while (index < datasec.vars.length && offset >= datasec.vars[index]!.offset + datasec.vars[index]!.size) index++
    const entry = datasec.vars[index]
    const map = entry === undefined ? undefined : byPlace.get(placeOf(section.index, entry.offset))
    const fail = (problem: string): never => { throw new ObjectError('.maps', offset, problem) }
    if (entry === undefined || map === undefined || offset < entry.offset) return fail('this address belongs to no map')
    if (type !== RelocationType.pointer) fail(`relocation ${type} is none of an address`)
    const struct = btf.type(btf.resolve(object.variable('.maps', entry.type).type)) as CompositeType
    const values = struct.members.find((member) => member.name === 'values')
    const start = entry.offset + (values?.bitOffset ?? 0) / 8
    if (values === undefined || offset < start || (offset - start) % SLOT_BYTES !== 0) {
      fail(`map '${map.spec.name}' has no slot here`)
    }
    const key = (offset - start) / SLOT_BYTES
    map.spec.slots ??= []
    if (map.spec.type === 'progArray') {
      if (symbol.type !== SymbolType.func) fail(`'${symbol.name}' is no program`)
      map.spec.slots.push({ key, program: symbol.name })
    } else {
      const inner = byPlace.get(placeOf(symbol.section, symbol.value))
      map.spec.slots.push({ key, map: inner?.spec.name ?? fail(`'${symbol.name}' is no map`) })
    }
  }
}

/** Maps of a section `maps`: structs of five numbers (libbpf before 1.0), more if they are zero. @throws ObjectError */
export function readLegacyMaps(object: ObjectFile): DefinedMap[] {
  const holdsMaps = ({ name, size }: ElfSection) => size > 0 && (name === 'maps' || name.startsWith('maps/'))
  return object.elf.sections.filter(holdsMaps).flatMap((section) => {
    const symbols = object.elf.symbolsOf(section)
      .filter((symbol) => symbol.name !== '' && symbol.type <= SymbolType.object)
      .sort((a, b) => a.value - b.value)
    return symbols.map((symbol, index): DefinedMap => {
      const end = symbols[index + 1]?.value ?? section.bytes.length
      return { spec: legacyMap(section, symbol.name, symbol.value, end), section: section.index, offset: symbol.value }
    })
  })
}

function legacyMap(section: ElfSection, name: string, offset: number, end: number): MapSpec {
  const fail = (problem: string): never => { throw new ObjectError(section.name, offset, `map '${name}': ${problem}`) }
  if (end - offset < 20 || end > section.bytes.length) fail('a definition has 20 bytes at least')
  const view = viewOf(section.bytes.subarray(offset, end))
  const word = (at: number) => view.getUint32(at, true)
  if (section.bytes.subarray(offset + 20, end).some((byte) => byte !== 0)) {
    fail('it says more than type, sizes, entries and flags, in a way that loaders do not agree on; define it in SEC(".maps")')
  }
  const type = typeNames.get(word(0)) ?? fail(`type ${word(0)} is not known`)
  return { name, type, keySize: word(4), valueSize: word(8), maxEntries: word(12), flags: word(16) }
}

/** Reads the struct that defines one map. */
class Definition {
  readonly #btf: Btf
  readonly #name: string
  readonly #offset: number

  constructor(btf: Btf, name: string, offset: number) {
    this.#btf = btf
    this.#name = name
    this.#offset = offset
  }

  fail(problem: string): never {
    throw new ObjectError('.maps', this.#offset, `map '${this.#name}': ${problem}`)
  }

  struct(id: number): CompositeType {
    const type = this.#btf.type(this.#btf.resolve(id))
    if (type.kind !== 'struct') this.fail(`it is a ${type.kind}, not a struct that defines a map`)
    return type as CompositeType
  }

  read(struct: CompositeType, name: string, inner = false): MapSpec {
    const numbers = new Map<string, number>()
    const types = new Map<string, number>()
    let values: BtfMember | undefined
    for (const member of struct.members) {
      switch (member.name) {
        case 'type': case 'max_entries': case 'map_flags': case 'numa_node': case 'key_size': case 'value_size':
        case 'map_extra': case 'pinning':
          numbers.set(member.name, this.#number(member))
          break
        case 'key': case 'value': types.set(member.name, this.#pointee(member)); break
        case 'values': values = member; break
        default: this.fail(`the field '${member.name}' is not known; there are type, key, value, max_entries and the like`)
      }
    }
    const number = numbers.get('type') ?? this.fail('it has no type')
    const type = typeNames.get(number) ?? this.fail(`type ${number} is not known`)
    const spec: MapSpec = {
      name, type, keySize: this.#size('key', types, numbers), valueSize: this.#size('value', types, numbers),
      maxEntries: numbers.get('max_entries') ?? 0, flags: numbers.get('map_flags') ?? 0,
    }
    if (types.has('key')) spec.keyType = types.get('key')!
    if (types.has('value')) spec.valueType = types.get('value')!
    if (numbers.has('map_extra')) spec.mapExtra = numbers.get('map_extra')!
    if (numbers.has('numa_node')) spec.numaNode = numbers.get('numa_node')!
    const pinning = numbers.get('pinning') ?? 0
    if (pinning > 1 || (pinning === 1 && inner)) this.fail(`pinning ${pinning} is not known here`)
    if (pinning === 1) spec.pinning = 'byName'
    if (values !== undefined) this.#values(spec, values, inner)
    return spec
  }

  #size(what: 'key' | 'value', types: Map<string, number>, numbers: Map<string, number>): number {
    const type = types.get(what)
    const said = numbers.get(`${what}_size`)
    if (type === undefined) return said ?? 0
    const size = this.#btf.sizeOf(type)
    if (size === 0 || size > 0xffff_ffff) this.fail(`the type of its ${what} has no size that fits`)
    if (said !== undefined && said !== size) this.fail(`its ${what} has ${size} bytes, but ${what}_size says ${said}`)
    return size
  }

  /** `int (*type)[5]` says 5, and so does a pointer to an enum with that one value. */
  #number(member: BtfMember): number {
    const type = this.#btf.type(this.#btf.resolve(member.type))
    const said = this.#btf.type(this.#btf.resolve(type.kind === 'ptr' ? type.type : member.type))
    if (type.kind === 'ptr' && said.kind === 'array') return said.length
    if ((said.kind === 'enum' || said.kind === 'enum64') && said.values.length === 1) {
      return Number(BigInt.asUintN(64, said.values[0]!.value))
    }
    return this.fail(`the field '${member.name}' says no number: write __uint(${member.name}, …)`)
  }

  #pointee(member: BtfMember): number {
    const type = this.#btf.type(this.#btf.resolve(member.type))
    if (type.kind !== 'ptr') return this.fail(`the field '${member.name}' says no type: write __type(${member.name}, …)`)
    return type.type
  }

  /** What the map's slots hold: pointers to maps like this one, or to programs. */
  #values(spec: MapSpec, member: BtfMember, inner: boolean): void {
    const array = this.#btf.type(this.#btf.resolve(member.type))
    if (array.kind !== 'array' || array.length !== 0) {
      return this.fail("'values' is no array without a length: write __array(values, …)")
    }
    const pointer = this.#btf.type(this.#btf.resolve(array.element))
    const held = pointer.kind === 'ptr' ? this.#btf.type(this.#btf.resolve(pointer.type)) : pointer
    if (mapsOfMaps.has(spec.type)) {
      if (held.kind !== 'struct') return this.fail("'values' holds no definition of a map")
      if (inner) return this.fail('maps of maps of maps do not exist')
      spec.inner = this.read(held, `${spec.name}.inner`, true)
    } else if (spec.type === 'progArray') {
      if (held.kind !== 'funcProto') return this.fail("'values' holds no functions")
    } else {
      return this.fail(`'values' is for maps of maps and of programs, not for ${spec.type}`)
    }
    // Slots hold descriptors.
    if (spec.valueSize !== 0 && spec.valueSize !== 4) this.fail(`its values are descriptors of 4 bytes, not ${spec.valueSize}`)
    spec.valueSize = 4
    if (spec.type === 'progArray' && spec.keySize === 0) spec.keySize = 4
  }
}
