import type { ProgramSpec } from '../spec.ts'
import type { ExtensionInfo } from './btf-ext.ts'
import { ObjectError } from './error.ts'
import { SUBPROGRAMS, type ObjectFunction } from './functions.ts'

/** Instructions of one program that any kernel takes (BPF_COMPLEXITY_LIMIT_INSNS). */
const MAX_SLOTS = 1_000_000
/** Instructions and records of all programs of an object together: an object whose programs share large functions grows. */
const MAX_TOTAL = 8_000_000

type Linked = Pick<ProgramSpec, 'code' | 'maps' | 'externs' | 'relocations' | 'functions' | 'lines' | 'subprograms'>

/** Joins programs with the functions that they call, each once, in the order in which libbpf does. */
export class Linker {
  /** Functions of `.text` by their first slot. */
  readonly #functions: Map<number, ObjectFunction>
  readonly #records: Map<ObjectFunction, Pick<Linked, 'functions' | 'lines' | 'relocations'>>
  #total = 0

  constructor(functions: readonly ObjectFunction[], extension: ExtensionInfo) {
    this.#functions = new Map(functions.filter(({ section }) => section.name === SUBPROGRAMS).map((one) => [one.start, one]))
    const infos = bySlot(extension.functions)
    const lines = bySlot(extension.lines)
    const relocations = bySlot(extension.relocations)
    this.#records = new Map(functions.map((one) =>
      [one, { functions: within(infos, one), lines: within(lines, one), relocations: within(relocations, one) }]))
  }

  /** @throws ObjectError when a call leads nowhere, or when the program grows beyond what a kernel takes */
  link(program: ObjectFunction): Linked {
    const pieces = this.#collect(program)
    const slots = [...pieces].reduce((end, [piece, base]) => Math.max(end, base + piece.slots), 0)
    const linked: Linked & Required<Pick<Linked, 'externs' | 'subprograms'>> = {
      code: new Uint8Array(slots * 8), maps: [], externs: [], relocations: [], functions: [], lines: [], subprograms: [],
    }
    const view = new DataView(linked.code.buffer)
    for (const [piece, base] of pieces) {
      linked.code.set(piece.code, base * 8)
      for (const { slot, target } of piece.calls) {
        view.setInt32((base + slot) * 8 + 4, pieces.get(this.#functions.get(target)!)! - (base + slot) - 1, true)
      }
      const at = <T extends { slot: number }>(all: readonly T[]) => all.map((one) => ({ ...one, slot: base + one.slot }))
      const { functions, lines, relocations } = this.#records.get(piece)!
      linked.maps.push(...at(piece.maps))
      linked.externs.push(...at(piece.externs))
      linked.functions.push(...at(functions))
      for (const line of at(lines)) linked.lines.push(line)
      for (const relocation of at(relocations)) linked.relocations.push(relocation)
      if (piece !== program) linked.subprograms.push({ slot: base, name: piece.name })
    }
    const { externs, subprograms, ...rest } = linked
    return { ...rest, ...(externs.length > 0 ? { externs } : {}), ...(subprograms.length > 0 ? { subprograms } : {}) }
  }

  /** The program's functions with their first slots: what a call reaches first is appended, then what that one calls. */
  #collect(program: ObjectFunction): Map<ObjectFunction, number> {
    const placed = new Map([[program, 0]])
    const path = [{ piece: program, next: 0 }]
    let end = program.slots
    this.#count(program)
    while (path.length > 0) {
      const top = path[path.length - 1]!
      const call = top.piece.calls[top.next++]
      if (call === undefined) {
        path.pop()
        continue
      }
      const called = this.#functions.get(call.target)
      if (called === undefined) {
        const offset = (top.piece.start + call.slot) * 8
        const what = `'${top.piece.name}' calls what is no function (${SUBPROGRAMS} at ${call.target * 8})`
        throw new ObjectError(top.piece.section.name, offset, what)
      }
      if (placed.has(called)) continue
      placed.set(called, end)
      end += called.slots
      this.#count(called)
      if (end > MAX_SLOTS) {
        throw new ObjectError(program.section.name, program.start * 8, `'${program.name}' exceeds ${MAX_SLOTS} instructions`)
      }
      path.push({ piece: called, next: 0 })
    }
    return placed
  }

  #count(piece: ObjectFunction): void {
    const { functions, lines, relocations } = this.#records.get(piece)!
    this.#total += piece.slots + functions.length + lines.length + relocations.length
    if (this.#total > MAX_TOTAL) {
      throw new ObjectError(piece.section.name, piece.start * 8, 'the programs share so much that the object grows beyond reason')
    }
  }
}

type AtSlot<T> = Omit<T, 'offset'> & { slot: number }

/** The records of each section, in the order of its slots. */
function bySlot<T extends { offset: number }>(all: ReadonlyMap<string, T[]>): Map<string, AtSlot<T>[]> {
  return new Map([...all].map(([section, records]) => [section, records.map(({ offset, ...record }) => {
    if (offset % 8 !== 0) throw new ObjectError('.BTF.ext', 0, `${section}: a record at ${offset}, between instructions`)
    return { ...record, slot: offset / 8 }
  }).sort((a, b) => a.slot - b.slot)]))
}

/** The records of one function, by its own slots. */
function within<T>(all: ReadonlyMap<string, AtSlot<T>[]>, { section, start, slots }: ObjectFunction): AtSlot<T>[] {
  const records = all.get(section.name) ?? []
  const own = records.slice(firstFrom(records, start), firstFrom(records, start + slots))
  return own.map((record) => ({ ...record, slot: record.slot - start }))
}

/** Index of the first record at the slot or after it. */
function firstFrom(records: readonly { slot: number }[], slot: number): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (records[middle]!.slot < slot) low = middle + 1
    else high = middle
  }
  return low
}
