import { Btf } from '../../btf/btf.ts'
import { BtfBuilder, type PlacedVariable } from '../../btf/builder.ts'
import type { MapSpec, ProgramSpec, Spec } from '../spec.ts'
import { RelocationType, SectionFlag, SectionType, SymbolBind, SymbolType } from './constants.ts'
import { ElfBuilder, type BuiltSymbol } from './elf-builder.ts'
import { ObjectError } from './error.ts'
import { SUBPROGRAMS } from './functions.ts'
import { readDefinition } from './map-definitions.ts'
import { writeMapType } from './map-types.ts'
import { sectionNameOf } from './section-names.ts'
import { classify, splitProgram, type Piece } from './split.ts'
import { writeExtension, type SectionRecords } from './write-ext.ts'

const VAR_STATIC = 0
const VAR_GLOBAL = 1
const POINTER = 8

/**
 * Writes a Spec as a BPF object (`.bpf.o`) that libbpf, bpftool and `readObject` load: programs in the sections that say what
 * they are, functions in `.text`, maps in `.maps`, relocations left to be applied. Names of maps become C identifiers.
 * @throws ObjectError when the Spec holds what no object can say
 */
export function writeObject(spec: Spec): Uint8Array {
  return new ObjectWriter(spec).write()
}

/** Bytes of a section that grows, with the records that belong to its instructions. */
interface Code { parts: Uint8Array[]; length: number; records: SectionRecords }

class ObjectWriter {
  readonly #spec: Spec
  readonly #elf = new ElfBuilder()
  readonly #types: BtfBuilder
  readonly #known: Btf | null
  readonly #symbols = new Map<string, BuiltSymbol>()
  readonly #mapSymbols = new Map<string, BuiltSymbol>()
  readonly #externSymbols = new Map<string, BuiltSymbol>()
  readonly #code = new Map<string, Code>()

  constructor(spec: Spec) {
    this.#spec = spec
    this.#known = spec.btf === null ? null : Btf.parse(spec.btf)
    this.#types = spec.btf === null ? new BtfBuilder() : BtfBuilder.from(spec.btf)
  }

  write(): Uint8Array {
    const { license, kernelVersion, externs = [] } = this.#spec
    for (const { name, weak } of externs) {
      const bind = weak ? SymbolBind.weak : SymbolBind.global
      this.#externSymbols.set(name, this.#symbol({ name, bind, type: SymbolType.none, section: null }))
    }
    this.#defineMaps()
    for (const map of this.#spec.maps) if (map.data !== undefined && map.name !== '.kconfig') this.#defineData(map)
    this.#writePrograms()
    this.#fillMaps()
    this.#writeStructOps()
    this.#elf.section({ name: 'license', flags: SectionFlag.alloc | SectionFlag.write,
      bytes: new TextEncoder().encode(`${license}\0`) })
    if (kernelVersion !== undefined) {
      this.#elf.section({ name: 'version', flags: SectionFlag.alloc, bytes: words([kernelVersion]) })
    }
    this.#nameVariables()
    const records = new Map([...this.#code].map(([name, code]) => [name, code.records]))
    const extension = writeExtension(records, this.#types)
    this.#elf.section({ name: '.BTF', bytes: this.#types.build() })
    if (extension !== null) this.#elf.section({ name: '.BTF.ext', bytes: extension })
    return this.#elf.build()
  }

  #symbol(symbol: BuiltSymbol): BuiltSymbol {
    if (symbol.bind !== SymbolBind.local) {
      if (this.#symbols.has(symbol.name)) {
        throw new ObjectError('.symtab', 0, `two things of the Spec are called '${symbol.name}'; rename one`)
      }
      this.#symbols.set(symbol.name, symbol)
    }
    return this.#elf.symbol(symbol)
  }

  /** libbpf wants a symbol for each variable that the types call global: those of sections not written become static. */
  #nameVariables(): void {
    const btf = this.#known
    if (btf === null) return
    for (let id = 1; id < btf.typeCount; id++) {
      const type = btf.type(id)
      if (type.kind !== 'datasec' || type.name === '.kconfig' || type.name === '.ksyms') continue
      for (const { type: variable, offset, size } of type.vars) {
        const found = btf.type(variable)
        if (found.kind !== 'var' || found.linkage !== VAR_GLOBAL || this.#symbols.has(found.name)) continue
        if (type.name !== 'license' && type.name !== 'version') this.#types.setVar(variable, found.type, VAR_STATIC)
        else this.#symbol({ name: found.name, bind: SymbolBind.global, type: SymbolType.object, section: type.name,
          value: offset, size })
      }
    }
  }

  /** Describes a section, in place of what the Spec's types said of it. */
  #datasec(name: string, size: number, vars: PlacedVariable[]): void {
    const known = this.#known?.find(name, 'datasec') ?? 0
    if (known === 0) this.#types.datasec(name, size, vars)
    else this.#types.setDatasec(known, size, vars)
  }

  #definedMaps(): MapSpec[] {
    return this.#spec.maps.filter((map) => (map.data === undefined || map.type === 'arena') && map.structOps === undefined)
  }

  #defineMaps(): void {
    const vars: PlacedVariable[] = []
    let offset = 0
    for (const map of this.#definedMaps()) {
      const { variable, bytes } = this.#mapVariable(map)
      const slots = Math.max(0, ...(map.slots ?? []).map(({ key }) => key + 1))
      const size = bytes + slots * POINTER
      const name = identifier(map.name)
      vars.push({ type: variable, offset, size })
      const symbol = this.#symbol({ name, bind: SymbolBind.global, type: SymbolType.object, section: '.maps', value: offset,
        size })
      this.#mapSymbols.set(map.name, symbol)
      offset += size
    }
    if (vars.length === 0) return
    this.#datasec('.maps', offset, vars)
    this.#elf.section({ name: '.maps', flags: SectionFlag.alloc | SectionFlag.write, bytes: new Uint8Array(offset) })
  }

  /** The variable that defines a map: that of the Spec's types if it says the same, else a new one. */
  #mapVariable(map: MapSpec): { variable: number; bytes: number } {
    const btf = this.#known
    const section = btf === null ? undefined : btf.type(btf.find('.maps', 'datasec'))
    for (const { type } of section?.kind === 'datasec' ? section.vars : []) {
      const variable = btf!.type(type)
      if (variable.kind !== 'var' || variable.name !== map.name) continue
      const { spec, bytes } = readDefinition(btf!, variable.name, variable.type, 0)
      if (definitionKey(spec) === definitionKey(map)) return { variable: type, bytes }
    }
    const { type, bytes } = writeMapType(this.#types, map)
    return { variable: this.#types.var(identifier(map.name), type, VAR_GLOBAL), bytes }
  }

  /** Addresses of what maps of maps and of programs hold from the start: the last bytes of their definitions. */
  #fillMaps(): void {
    for (const map of this.#definedMaps()) {
      const { value = 0, size = 0 } = this.#mapSymbols.get(map.name)!
      const slots = Math.max(0, ...(map.slots ?? []).map(({ key }) => key + 1))
      for (const { key, map: inner, program } of map.slots ?? []) {
        const symbol = inner === undefined ? this.#symbols.get(program ?? '') : this.#mapSymbols.get(inner)
        if (symbol === undefined) {
          throw new ObjectError('.maps', value, `slot ${key} of '${map.name}' holds '${inner ?? program}', which the Spec lacks`)
        }
        this.#elf.relocate('.maps', { offset: value + size - (slots - key) * POINTER, symbol, type: RelocationType.pointer })
      }
    }
  }

  #defineData({ data, valueSize, type }: MapSpec): void {
    const { section, contents, variables } = data!
    const end = Math.max(contents?.length ?? 0, ...variables.map(({ offset, size }) => offset + size))
    const size = type === 'arena' ? end : valueSize
    if (end > size) throw new ObjectError(section, size, `its variables take ${end} bytes, but its map has ${size}`)
    const writable = section.startsWith('.rodata') ? 0 : SectionFlag.write
    const bytes = new Uint8Array(contents === null ? 0 : size)
    if (contents !== null) bytes.set(contents)
    const kind = contents === null ? SectionType.nobits : SectionType.progbits
    this.#elf.section({ name: section, type: kind, flags: SectionFlag.alloc | writable, bytes, size })
    for (const variable of variables) {
      const bind = variable.static ? SymbolBind.local : SymbolBind.global
      this.#symbol({ name: variable.name, bind, type: SymbolType.object, section, value: variable.offset, size: variable.size })
    }
  }

  #writePrograms(): void {
    const split = this.#spec.programs.map((program) => ({ program, section: sectionOf(program), pieces: splitProgram(program) }))
    const classes = classify(split.map(({ pieces }) => pieces))
    /** Functions by class, placed once. */
    const placed = new Map<number, BuiltSymbol>()
    const waiting: { piece: Piece; section: string; at: number; program: number }[] = []
    split.forEach(({ program, section, pieces }, index) => pieces.forEach((piece, part) => {
      const number = classes[index]![part]!
      if (placed.has(number)) return
      const home = part === 0 ? section : SUBPROGRAMS
      const name = part === 0 ? program.name : this.#free(piece.name)
      const at = this.#place(home, piece)
      const symbol = { name, bind: SymbolBind.global, type: SymbolType.func, section: home, value: at, size: piece.code.length }
      placed.set(number, this.#symbol(symbol))
      waiting.push({ piece, section: home, at, program: index })
    }))
    for (const { piece, section, at, program } of waiting) {
      for (const { slot, piece: called, address } of piece.calls) {
        const symbol = placed.get(classes[program]![called]!)!
        this.#elf.relocate(section, { offset: at + slot * 8, symbol,
          type: address ? RelocationType.address : RelocationType.call })
      }
      this.#relocateReferences(piece, section, at)
    }
    for (const [name, { parts, length }] of this.#code) {
      const bytes = new Uint8Array(length)
      let end = 0
      for (const part of parts) {
        bytes.set(part, end)
        end += part.length
      }
      this.#elf.section({ name, flags: SectionFlag.alloc | SectionFlag.exec, bytes })
    }
  }

  #place(section: string, { code, functions, lines, relocations }: Piece): number {
    let home = this.#code.get(section)
    if (home === undefined) this.#code.set(section, (home = emptyCode()))
    const at = home.length
    const moved = <T extends { slot: number }>(all: readonly T[]) => all.map((one) => ({ ...one, slot: one.slot + at / 8 }))
    home.parts.push(code)
    home.length += code.length
    home.records.functions.push(...moved(functions))
    home.records.lines.push(...moved(lines))
    home.records.relocations.push(...moved(relocations))
    return at
  }

  #relocateReferences({ maps, externs, code }: Piece, section: string, at: number): void {
    for (const { slot, map, offset } of maps) {
      const symbol = this.#mapTarget(section, at + slot * 8, map, offset)
      this.#elf.relocate(section, { offset: at + slot * 8, symbol, type: RelocationType.address })
    }
    for (const { slot, extern } of externs) {
      const symbol = this.#externSymbols.get(extern)
      if (symbol === undefined) throw new ObjectError(section, at + slot * 8, `the Spec has no extern '${extern}'`)
      const type = code[slot * 8] === 0x85 ? RelocationType.call : RelocationType.address
      this.#elf.relocate(section, { offset: at + slot * 8, symbol, type })
    }
  }

  #mapTarget(section: string, at: number, name: string, offset: number | undefined): BuiltSymbol {
    const fail = (problem: string): never => { throw new ObjectError(section, at, problem) }
    const map = this.#spec.maps.find((one) => one.name === name)
    if (map === undefined) return fail(`the Spec has no map '${name}'`)
    if (offset === undefined) {
      return this.#mapSymbols.get(name) ?? fail(`the section ${name} cannot be named as a map in an object`)
    }
    if (name === '.kconfig') {
      const extern = this.#spec.externs?.find((one) => one.kind === 'kconfig' && one.offset === offset)
      return extern === undefined ? fail(`no option lies at ${offset} of .kconfig`) : this.#externSymbols.get(extern.name)!
    }
    return this.#elf.sectionSymbol(map.data?.section ?? fail(`'${name}' is no section of variables`))
  }

  #writeStructOps(): void {
    const groups = new Map<string, MapSpec[]>()
    for (const map of this.#spec.maps) {
      if (map.structOps === undefined) continue
      const name = `${map.structOps.optional ? '?' : ''}.struct_ops${map.structOps.link ? '.link' : ''}`
      groups.set(name, [...groups.get(name) ?? [], map])
    }
    for (const [section, maps] of groups) {
      const vars: PlacedVariable[] = []
      let end = 0
      const parts = maps.map((map) => {
        const { type, contents, programs } = map.structOps!
        const offset = end
        const name = identifier(map.name)
        end = Math.ceil((offset + contents.length) / 8) * 8
        vars.push({ type: this.#variable(section, name, type), offset, size: contents.length })
        this.#symbol({ name, bind: SymbolBind.global, type: SymbolType.object, section, value: offset, size: contents.length })
        for (const { offset: inside, program } of programs) {
          const symbol = this.#symbols.get(program)
          if (symbol === undefined) throw new ObjectError(section, offset + inside, `the Spec has no program '${program}'`)
          this.#elf.relocate(section, { offset: offset + inside, symbol, type: RelocationType.pointer })
        }
        return { offset, contents }
      })
      const bytes = new Uint8Array(end)
      for (const { offset, contents } of parts) bytes.set(contents, offset)
      this.#datasec(section, end, vars)
      this.#elf.section({ name: section, flags: SectionFlag.alloc | SectionFlag.write, bytes })
    }
  }

  /** The variable that the Spec's types have in a section, or a new one. */
  #variable(section: string, name: string, type: number): number {
    const found = this.#known?.type(this.#known.find(section, 'datasec'))
    for (const entry of found?.kind === 'datasec' ? found.vars : []) {
      const variable = this.#known!.type(entry.type)
      if (variable.kind === 'var' && variable.name === name && variable.type === type) return entry.type
    }
    return this.#types.var(name, type, VAR_GLOBAL)
  }

  /** A name that nothing else has. */
  #free(name: string): string {
    const taken = (one: string) => this.#symbols.has(one) || this.#spec.programs.some((program) => program.name === one)
    if (!taken(name)) return name
    for (let count = 2; ; count++) if (!taken(`${name}_${count}`)) return `${name}_${count}`
  }
}

const emptyCode = (): Code => ({ parts: [], length: 0, records: { functions: [], lines: [], relocations: [] } })

function sectionOf(program: ProgramSpec): string {
  try {
    return sectionNameOf(program)
  } catch (error) {
    throw new ObjectError(program.section ?? '.symtab', 0, `program '${program.name}': ${(error as Error).message}`)
  }
}

/** What a definition says of a map; schemas are for readers of the map, slots and variables lie elsewhere. */
function definitionKey({ key: _key, value: _value, slots: _slots, data: _data, ...map }: MapSpec): string {
  return JSON.stringify(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function identifier(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_]/g, '_')
  return /^\d/.test(clean) || clean === '' ? `_${clean}` : clean
}

function words(values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => view.setUint32(index * 4, value, true))
  return bytes
}
