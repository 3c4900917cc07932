import type { MapSpec, StructOps } from '../spec.ts'
import { RelocationType, SectionType } from './constants.ts'
import type { ElfSection } from './elf-file.ts'
import { ObjectError } from './error.ts'
import type { ObjectFunction } from './functions.ts'
import { placeOf } from './map-definitions.ts'
import type { ObjectFile } from './object.ts'

/** Section name → attached by a link, made only when asked for. */
const sections: Record<string, Pick<StructOps, 'link' | 'optional'>> = {
  '.struct_ops': { link: false, optional: false }, '.struct_ops.link': { link: true, optional: false },
  '?.struct_ops': { link: false, optional: true }, '?.struct_ops.link': { link: true, optional: true },
}

/** Tables of callbacks: each variable of these sections is a map. @throws ObjectError */
export function readStructOps(object: ObjectFile, functions: readonly ObjectFunction[]): MapSpec[] {
  return object.elf.sections.flatMap((section) => {
    const how = Object.hasOwn(sections, section.name) ? sections[section.name]! : undefined
    if (how === undefined || section.size === 0 || section.type !== SectionType.progbits) return []
    const datasec = object.datasec(section.name)
    if (datasec === undefined) throw new ObjectError(section.name, 0, 'no type describes it: compile with -g')
    const maps = datasec.vars.map(({ type, offset, size }): MapSpec & { structOps: StructOps } => {
      const variable = object.variable(section.name, type)
      const btf = object.types(section.name)
      const struct = btf.type(btf.resolve(variable.type))
      if (struct.kind !== 'struct') {
        throw new ObjectError(section.name, offset, `'${variable.name}' is a ${struct.kind}, not a struct of callbacks`)
      }
      if (offset + size > section.size) {
        throw new ObjectError(section.name, offset, `'${variable.name}' reaches beyond the section`)
      }
      return {
        name: variable.name, type: 'structOps', keySize: 4, valueSize: 0, maxEntries: 1, flags: 0,
        structOps: { type: struct.id, contents: section.bytes.slice(offset, offset + size), programs: [], ...how },
      }
    })
    const places = datasec.vars.map(({ offset, size }, index) => ({ offset, end: offset + size, map: maps[index]! }))
    fillPrograms(object, section, places, functions)
    return maps
  })
}

interface Place { offset: number; end: number; map: MapSpec & { structOps: StructOps } }

function fillPrograms(object: ObjectFile, section: ElfSection, places: Place[], functions: readonly ObjectFunction[]): void {
  const byPlace = new Map(functions.map((one) => [placeOf(one.section.index, one.start * 8), one]))
  let index = 0
  // Both are sorted by offset.
  for (const { offset, symbol, type } of object.elf.relocationsOf(section)) {
    const fail = (problem: string): never => { throw new ObjectError(section.name, offset, problem) }
    while (index < places.length && offset >= places[index]!.end) index++
    const place = places[index]
    if (place === undefined || offset < place.offset || type !== RelocationType.pointer) {
      return fail('this address belongs to no callback')
    }
    const { structOps, name } = place.map
    const struct = object.types(section.name).type(structOps.type)
    const inside = offset - place.offset
    const member = struct.kind === 'struct' ? struct.members.find((one) => one.bitOffset === inside * 8) : undefined
    const program = byPlace.get(placeOf(symbol.section, symbol.value))
    if (member === undefined) return fail(`'${name}' has no member at ${inside}`)
    if (program === undefined) return fail(`'${name}.${member.name}' is set to '${symbol.name}', which is no program`)
    structOps.programs.push({ offset: inside, member: member.name, program: program.name })
  }
}
