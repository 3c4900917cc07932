import { MapFlag, type DataSection, type KconfigExtern, type MapSpec, type VariableSpec } from '../spec.ts'
import { SectionType, SymbolBind, SymbolType } from './constants.ts'
import type { ElfSection } from './elf-file.ts'
import { ObjectError } from './error.ts'
import type { DefinedMap } from './map-definitions.ts'
import { dataSectionKind, type ObjectFile } from './object.ts'

const VAR_STATIC = 0
const LARGEST = 0xffff_ffff

/** Sections of global variables as arrays of one value. @throws ObjectError */
export function readData(object: ObjectFile): DefinedMap[] {
  return object.elf.sections.flatMap((section): DefinedMap[] => {
    const kind = dataSectionKind(section)
    if (kind === undefined || section.size === 0) return []
    if (section.type !== SectionType.progbits && section.type !== SectionType.nobits) return []
    const variables = variablesOf(object, section)
    const contents = section.type === SectionType.nobits ? null : section.bytes.slice()
    const spec = dataMap(section.name, section.size, { contents, frozen: kind === 'rodata', variables })
    const described = object.datasec(section.name)
    if (described !== undefined) spec.valueType = described.id
    return [{ spec, section: section.index, offset: 0 }]
  })
}

/** The map `.kconfig`: its bytes are known when the loader has read the kernel's configuration. */
export function kconfigMap(object: ObjectFile, externs: KconfigExtern[]): MapSpec | undefined {
  if (externs.length === 0) return undefined
  const size = Math.max(...externs.map((extern) => extern.offset + extern.size))
  const variables = externs.map((extern): VariableSpec =>
    ({ name: extern.name, offset: extern.offset, size: extern.size, type: extern.type, static: false }))
  const spec = dataMap('.kconfig', size, { contents: null, frozen: true, variables })
  spec.valueType = object.datasec('.kconfig')!.id
  return spec
}

/** Variables of an arena (`.addr_space.1`) lie at its beginning. @throws ObjectError */
export function readArena(object: ObjectFile, maps: DefinedMap[]): DefinedMap[] {
  const section = object.elf.section('.addr_space.1')
  if (section === undefined || section.size === 0) return []
  const arena = maps.find((map) => map.spec.type === 'arena')
  if (arena === undefined) throw new ObjectError(section.name, 0, 'it holds variables of an arena, but no map is one')
  const contents = section.type === SectionType.nobits ? null : section.bytes.slice()
  arena.spec.data = { section: section.name, contents, frozen: false, variables: variablesOf(object, section) }
  return [{ spec: arena.spec, section: section.index, offset: 0 }]
}

function dataMap(section: string, size: number, data: Omit<DataSection, 'section'>): MapSpec {
  if (size > LARGEST) throw new ObjectError(section, 0, `${size} bytes are more than a map's value can have`)
  // Variables that nobody outside can see need no mapping.
  const mapped = data.variables.some((variable) => !variable.static)
  const flags = (data.frozen ? MapFlag.readOnlyProgram : 0) | (mapped ? MapFlag.mmapable : 0)
  return { name: section, type: 'array', keySize: 4, valueSize: size, maxEntries: 1, flags, data: { section, ...data } }
}

/** By types where there are some, else by symbols. */
function variablesOf(object: ObjectFile, section: ElfSection): VariableSpec[] {
  const described = object.datasec(section.name)
  const found = described === undefined
    ? object.elf.symbolsOf(section)
      .filter((symbol) => symbol.type === SymbolType.object && symbol.name !== '')
      .map((symbol): VariableSpec => ({
        name: symbol.name, offset: symbol.value, size: symbol.size, type: 0, static: symbol.bind === SymbolBind.local,
      }))
    : described.vars.map(({ type, offset, size }): VariableSpec => {
      const variable = object.variable(section.name, type)
      return { name: variable.name, offset, size, type: variable.type, static: variable.linkage === VAR_STATIC }
    })
  for (const { name, offset, size } of found) {
    if (offset + size > section.size) {
      throw new ObjectError(section.name, offset, `the variable '${name}' (${size} bytes) reaches beyond the section`)
    }
  }
  return found.sort((a, b) => a.offset - b.offset)
}
