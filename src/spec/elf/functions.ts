import { LDDW } from '../../asm/encode.ts'
import { PseudoCall, PseudoLoad } from '../../asm/opcode.ts'
import type { ExternReference, ExternSpec, MapReference } from '../spec.ts'
import { SectionFlag, SectionType, SHN_LORESERVE, SymbolBind, SymbolType } from './constants.ts'
import { viewOf, type ElfRelocation, type ElfSection, type ElfSymbol } from './elf-file.ts'
import { ObjectError } from './error.ts'
import { placeOf, type DefinedMap } from './map-definitions.ts'
import { dataSectionKind, type ObjectFile } from './object.ts'

const CALL = 0x85
/** Functions that programs call are in this section; those in others are programs. */
export const SUBPROGRAMS = '.text'

/** A call of a function in `.text`, or an lddw of its address. Slots count from the start of the section. */
export interface FunctionReference { slot: number; target: number }

/** One function of the object. Slots of its references count from its own start. */
export interface ObjectFunction {
  name: string
  section: ElfSection
  /** First slot in its section. */
  start: number
  slots: number
  /** Its instructions, references prepared for the loader. */
  code: Uint8Array
  maps: MapReference[]
  externs: ExternReference[]
  calls: { slot: number; target: number }[]
}

/** What instructions can refer to: maps by `placeOf` where they are defined, externs by name. */
export interface Definitions { maps: ReadonlyMap<string, DefinedMap>; externs: ReadonlyMap<string, ExternSpec> }

/** All functions of the sections that hold code, by section and place. @throws ObjectError */
export function readFunctions(object: ObjectFile, definitions: Definitions): ObjectFunction[] {
  return object.elf.sections.filter(isCode).flatMap((section) => {
    if (section.size % 8 !== 0) {
      throw new ObjectError(section.name, section.size, `${section.size} bytes are no whole number of instructions`)
    }
    const functions = boundaries(object, section)
    const relocations = object.elf.relocationsOf(section)
    let at = 0
    for (const one of functions) {
      const resolver = new References(one, object, definitions)
      while (at < relocations.length && relocations[at]!.offset < one.start * 8) at++
      const end = (one.start + one.slots) * 8
      for (; at < relocations.length && relocations[at]!.offset < end; at++) resolver.add(relocations[at]!)
      resolver.addLocalCalls()
    }
    return functions
  })
}

function isCode(section: ElfSection): boolean {
  return section.type === SectionType.progbits && (section.flags & SectionFlag.exec) !== 0 && section.size > 0
}

function boundaries(object: ObjectFile, section: ElfSection): ObjectFunction[] {
  const symbols = object.elf.symbolsOf(section)
    .filter((symbol) => symbol.type === SymbolType.func)
    .sort((a, b) => a.value - b.value)
  let end = 0
  return symbols.map((symbol): ObjectFunction => {
    const { name, value, size } = symbol
    const fail = (problem: string): never => { throw new ObjectError(section.name, value, `the function '${name}' ${problem}`) }
    if (value % 8 !== 0 || size % 8 !== 0 || size === 0) {
      fail(`begins at ${value} with ${size} bytes: no whole number of instructions`)
    }
    if (value + size > section.size) fail(`(${size} bytes) reaches beyond the section`)
    if (value < end) fail('overlaps with the one before')
    if (symbol.bind === SymbolBind.local && section.name !== SUBPROGRAMS) fail('is static: programs must be global')
    end = value + size
    return {
      name, section, start: value / 8, slots: size / 8, code: section.bytes.slice(value, value + size),
      maps: [], externs: [], calls: [],
    }
  })
}

/** Turns relocations of one function into references. */
class References {
  readonly #function: ObjectFunction
  readonly #object: ObjectFile
  readonly #definitions: Definitions
  readonly #view: DataView
  /** Slots whose meaning a relocation has given. */
  readonly #relocated = new Set<number>()

  constructor(one: ObjectFunction, object: ObjectFile, definitions: Definitions) {
    this.#function = one
    this.#object = object
    this.#definitions = definitions
    this.#view = viewOf(one.code)
  }

  add({ offset, symbol }: ElfRelocation): void {
    const slot = offset / 8 - this.#function.start
    const fail = (problem: string): never => this.#fail(offset, problem)
    if (!Number.isInteger(slot)) fail(`the relocation of '${symbol.name}' is between instructions`)
    if (this.#relocated.has(slot)) fail('two relocations of one instruction')
    this.#relocated.add(slot)
    const code = this.#view.getUint8(slot * 8)
    if (code === CALL) this.#call(slot, symbol, fail)
    else if (code === LDDW && slot + 1 < this.#function.slots) this.#load(slot, symbol, fail)
    else fail(`'${symbol.name}' cannot be relocated in an instruction with code 0x${code.toString(16)}`)
  }

  /** Calls within `.text` need no relocation: the distance is in the instruction. */
  addLocalCalls(): void {
    const { slots, start, calls } = this.#function
    for (let slot = 0; slot < slots; slot++) {
      const code = this.#view.getUint8(slot * 8)
      if (code === CALL && this.#view.getUint8(slot * 8 + 1) >> 4 === PseudoCall.local && !this.#relocated.has(slot)) {
        calls.push({ slot, target: start + slot + 1 + this.#view.getInt32(slot * 8 + 4, true) })
      }
      if (code === LDDW) slot++
    }
    calls.sort((a, b) => a.slot - b.slot)
  }

  #fail(offset: number, problem: string): never {
    throw new ObjectError(this.#function.section.name, offset, `in '${this.#function.name}': ${problem}`)
  }

  #call(slot: number, symbol: ElfSymbol, fail: (problem: string) => never): void {
    if (symbol.section === 0) {
      const extern = this.#extern(symbol, fail)
      if (extern.kind !== 'ksym' || !extern.function) fail(`'${symbol.name}' is called, but is no function of the kernel`)
      this.#setSource(slot, PseudoCall.kfunc)
      this.#view.setInt16(slot * 8 + 2, 0, true)
      this.#view.setInt32(slot * 8 + 4, 0, true)
      this.#function.externs.push({ slot, extern: extern.name })
      return
    }
    if (this.#view.getUint8(slot * 8 + 1) >> 4 !== PseudoCall.local) fail(`the call of '${symbol.name}' is none of a function`)
    const { name } = this.#section(symbol, fail)
    if (name !== SUBPROGRAMS) fail(`'${symbol.name}' is called, but is in ${name}: functions to call must be in ${SUBPROGRAMS}`)
    if (symbol.value % 8 !== 0) fail(`'${symbol.name}' does not begin at an instruction`)
    // Static functions: the symbol is the section, the distance from its start is in the instruction.
    this.#function.calls.push({ slot, target: symbol.value / 8 + this.#view.getInt32(slot * 8 + 4, true) + 1 })
  }

  #load(slot: number, symbol: ElfSymbol, fail: (problem: string) => never): void {
    const inside = this.#view.getInt32(slot * 8 + 4, true)
    if (symbol.section === 0) return this.#loadExtern(slot, symbol, fail)
    const section = this.#section(symbol, fail)
    if (section.name === SUBPROGRAMS) {
      if ((symbol.value + inside) % 8 !== 0) fail(`the address of '${symbol.name}' is not that of an instruction`)
      this.#setSource(slot, PseudoLoad.function)
      this.#function.calls.push({ slot, target: (symbol.value + inside) / 8 })
      return
    }
    const global = dataSectionKind(section) !== undefined || section.name === '.addr_space.1'
    const map = this.#definitions.maps.get(placeOf(section.index, global ? 0 : symbol.value))
    if (map === undefined) return fail(`'${symbol.name}' in ${section.name} is neither a map nor a variable`)
    if (global) this.#loadVariable(slot, map.spec.name, symbol.value + inside)
    else this.#loadMap(slot, map.spec.name)
  }

  #loadExtern(slot: number, symbol: ElfSymbol, fail: (problem: string) => never): void {
    const extern = this.#extern(symbol, fail)
    if (extern.kind === 'kconfig') return this.#loadVariable(slot, '.kconfig', extern.offset)
    if (extern.function) fail(`the address of the kernel's function '${symbol.name}' cannot be taken; declare it as a variable`)
    this.#setSource(slot, PseudoLoad.constant)
    this.#setImmediates(slot, 0, 0)
    this.#function.externs.push({ slot, extern: extern.name })
  }

  #loadMap(slot: number, map: string): void {
    this.#setSource(slot, PseudoLoad.mapFd)
    this.#setImmediates(slot, 0, 0)
    this.#function.maps.push({ slot, map })
  }

  #loadVariable(slot: number, map: string, offset: number): void {
    this.#setSource(slot, PseudoLoad.mapValue)
    this.#setImmediates(slot, 0, offset)
    this.#function.maps.push({ slot, map, offset: offset | 0 })
  }

  #extern(symbol: ElfSymbol, fail: (problem: string) => never): ExternSpec {
    return this.#definitions.externs.get(symbol.name) ?? fail(`'${symbol.name}' is not defined`)
  }

  #section(symbol: ElfSymbol, fail: (problem: string) => never): ElfSection {
    const section = symbol.section >= SHN_LORESERVE ? undefined : this.#object.elf.sections[symbol.section]
    return section ?? fail(`'${symbol.name}' is in no section`)
  }

  #setSource(slot: number, source: number): void {
    this.#view.setUint8(slot * 8 + 1, (this.#view.getUint8(slot * 8 + 1) & 15) | (source << 4))
  }

  #setImmediates(slot: number, first: number, second: number): void {
    this.#view.setInt32(slot * 8 + 4, first, true)
    this.#view.setInt32(slot * 8 + 12, second, true)
  }
}
