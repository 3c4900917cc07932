import type { ExternSpec, KconfigExtern, MapSpec, ProgramSpec, Spec } from '../spec.ts'
import { readExtension, type ExtensionInfo } from './btf-ext.ts'
import { viewOf } from './elf-file.ts'
import { ObjectError } from './error.ts'
import { readExterns } from './externs.ts'
import { readFunctions, SUBPROGRAMS, type ObjectFunction } from './functions.ts'
import { Linker } from './link.ts'
import { placeOf, readLegacyMaps, readMaps, readSlots } from './map-definitions.ts'
import { inTypes, ObjectFile } from './object.ts'
import { meaningOf, sectionNames, type SectionMeaning } from './section-names.ts'
import { readStructOps } from './struct-ops.ts'
import { kconfigMap, readArena, readData } from './variables.ts'

export { ObjectError } from './error.ts'

export interface ReadOptions {
  /** Name of the Spec, as a rule that of the file. */
  name?: string
}

/**
 * Reads a BPF object (`.bpf.o`, ELF64 little endian), as clang, Rust and others make them for libbpf. Nothing of the running
 * kernel is asked. Programs come with the functions that they call; CO-RE relocations stay to be applied.
 * @throws ObjectError that names the section and the offset of what is wrong; memory stays proportional to the file
 */
export function readObject(bytes: Uint8Array, { name = 'object' }: ReadOptions = {}): Spec {
  return inTypes(() => {
    const object = new ObjectFile(bytes)
    const externs = readExterns(object)
    const named = [...readMaps(object), ...readLegacyMaps(object)]
    readSlots(object, named)
    const data = readData(object)
    const defined = [...named, ...data, ...readArena(object, named)]
    const places = new Map(defined.map((map) => [placeOf(map.section, map.offset), map]))
    const functions = readFunctions(object, { maps: places, externs })
    const kconfig = kconfigMap(object, [...externs.values()].filter(isKconfig))
    const structOps = readStructOps(object, functions)
    const maps: MapSpec[] = [...named, ...data].map(({ spec }) => spec)
    if (kconfig !== undefined) maps.push(kconfig)
    maps.push(...structOps)
    requireUnique('.maps', maps.map((map) => map.name), 'map')
    return {
      name,
      license: licenseOf(object),
      maps,
      programs: readPrograms(object, functions, structOps),
      btf: object.btfBytes,
      ...(externs.size > 0 ? { externs: [...externs.values()] } : {}),
      ...versionOf(object),
    }
  })
}

function isKconfig(extern: ExternSpec): extern is KconfigExtern {
  return extern.kind === 'kconfig'
}

function readPrograms(object: ObjectFile, functions: readonly ObjectFunction[], structOps: readonly MapSpec[]): ProgramSpec[] {
  const linker = new Linker(functions, extensionOf(object))
  const programs = functions.filter(({ section }) => section.name !== SUBPROGRAMS)
  requireUnique('.symtab', programs.map((program) => program.name), 'program')
  const callbacks = new Map(structOps.flatMap((map) => map.structOps!.programs).map(({ program, member }) => [program, member]))
  return programs.map((one): ProgramSpec => {
    const meaning = sectionMeaning(one)
    const linked = linker.link(one)
    if (meaning.attach.kind === 'struct_ops' && meaning.attach.name === '') {
      meaning.attach.name = callbacks.get(one.name) ?? ''
    }
    return { name: one.name, section: one.section.name, ...meaning, ...linked }
  })
}

function sectionMeaning({ name, section, start }: ObjectFunction): SectionMeaning {
  const fail = (problem: string): never => { throw new ObjectError(section.name, start * 8, problem) }
  let meaning: SectionMeaning | undefined
  try {
    meaning = meaningOf(section.name)
  } catch (error) {
    fail((error as Error).message)
  }
  const some = sectionNames.slice(0, 12).join(', ')
  return meaning ?? fail(`the section of '${name}' names no type of program; sections begin with ${some} and the like`)
}

function extensionOf(object: ObjectFile): ExtensionInfo {
  const section = object.elf.section('.BTF.ext')
  if (section === undefined || section.size === 0) return { functions: new Map(), lines: new Map(), relocations: new Map() }
  const types = object.types('.BTF.ext')
  const strings = new Map<number, string>()
  return readExtension(section, (offset) => {
    let text = strings.get(offset)
    if (text === undefined) strings.set(offset, (text = types.string(offset)))
    return text
  })
}

function licenseOf(object: ObjectFile): string {
  const section = object.elf.section('license')
  if (section === undefined) return ''
  const end = section.bytes.indexOf(0)
  if (section.bytes.length > 128) throw new ObjectError('license', 128, 'the licence is longer than the kernel reads')
  return new TextDecoder().decode(end < 0 ? section.bytes : section.bytes.subarray(0, end))
}

function versionOf(object: ObjectFile): { kernelVersion?: number } {
  const section = object.elf.section('version')
  if (section === undefined) return {}
  if (section.bytes.length !== 4) throw new ObjectError('version', 0, `a version of ${section.bytes.length} bytes instead of 4`)
  return { kernelVersion: viewOf(section.bytes).getUint32(0, true) }
}

function requireUnique(section: string, names: string[], what: string): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) throw new ObjectError(section, 0, `two ${what}s are called '${name}'`)
    seen.add(name)
  }
}
