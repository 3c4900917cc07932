import { LDDW } from '../../asm/encode.ts'
import { PseudoCall, PseudoLoad } from '../../asm/opcode.ts'
import type { CoreRelocation, ExternReference, FunctionInfo, LineInfo, MapReference, ProgramSpec } from '../spec.ts'
import { ObjectError } from './error.ts'

const CALL = 0x85

/** A function as the writer places it; slots count from its start. */
export interface Piece {
  name: string
  /** Copied, with what relocations set cleared. */
  code: Uint8Array
  maps: MapReference[]
  externs: ExternReference[]
  relocations: CoreRelocation[]
  functions: FunctionInfo[]
  lines: LineInfo[]
  /** `piece` is an index of the program's pieces; the program itself is the first. */
  calls: { slot: number; piece: number; address: boolean }[]
}

/** Takes a linked program apart again: into itself and the functions that it calls. @throws ObjectError */
export function splitProgram(program: ProgramSpec): Piece[] {
  const slots = program.code.length / 8
  const targets = callsOf(program)
  const starts = new Map<number, string>([[0, program.name]])
  for (const { target } of targets) if (!starts.has(target)) starts.set(target, `${program.name}_${target}`)
  for (const { slot, name } of program.subprograms ?? []) starts.set(slot, name)
  const bounds = [...starts.keys()].sort((a, b) => a - b)
  const indexOf = new Map(bounds.map((start, index) => [start, index]))
  const pieces = bounds.map((start, index): Piece => {
    const end = bounds[index + 1] ?? slots
    const own = <T extends { slot: number }>(all: readonly T[] | undefined): T[] =>
      (all ?? []).filter(({ slot }) => slot >= start && slot < end).map((one) => ({ ...one, slot: one.slot - start }))
    return {
      name: starts.get(start)!, code: new Uint8Array(program.code.subarray(start * 8, end * 8)), maps: own(program.maps),
        externs: own(program.externs),
      relocations: own(program.relocations), functions: own(program.functions), lines: own(program.lines),
      calls: own(targets).map(({ slot, target, address }) => ({ slot, piece: indexOf.get(target)!, address })),
    }
  })
  for (const piece of pieces) {
    checkReferences(piece)
    clear(piece)
  }
  return pieces
}

function callsOf({ name, code, externs }: ProgramSpec): { slot: number; target: number; address: boolean }[] {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
  const open = new Set((externs ?? []).map(({ slot }) => slot))
  const calls: { slot: number; target: number; address: boolean }[] = []
  for (let slot = 0; slot < code.length / 8; slot++) {
    const [opcode, source] = [code[slot * 8]!, code[slot * 8 + 1]! >> 4]
    const address = opcode === LDDW && source === PseudoLoad.function
    if (!open.has(slot) && (address || (opcode === CALL && source === PseudoCall.local))) {
      const target = slot + 1 + view.getInt32(slot * 8 + 4, true)
      if (target <= 0 || target >= code.length / 8) {
        throw new ObjectError(name, slot * 8, `the call leads to slot ${target}, outside of the program's functions`)
      }
      calls.push({ slot, target, address })
    }
    if (opcode === LDDW) slot++
  }
  return calls
}

function checkReferences({ name, code, maps, externs }: Piece): void {
  const wide = (slot: number) => code[slot * 8] === LDDW && slot * 8 + 16 <= code.length
  for (const { slot, map } of maps) {
    if (!wide(slot)) throw new ObjectError(name, slot * 8, `the instruction is no 64-bit load that could name the map '${map}'`)
  }
  for (const { slot, extern } of externs) {
    if (!wide(slot) && code[slot * 8] !== CALL) {
      throw new ObjectError(name, slot * 8, `the instruction cannot refer to '${extern}'`)
    }
  }
}

/** What a loader sets is written as compilers do: calls of -1, addresses of 0 or of an offset. */
function clear({ code, maps, externs, calls }: Piece): void {
  const view = new DataView(code.buffer)
  const setAddress = (slot: number, offset: number) => {
    code[slot * 8 + 1]! &= 15
    view.setInt32(slot * 8 + 4, offset, true)
    view.setInt32(slot * 8 + 12, 0, true)
  }
  for (const { slot, offset } of maps) setAddress(slot, offset ?? 0)
  for (const { slot, address } of calls) {
    if (address) setAddress(slot, 0)
    else view.setInt32(slot * 8 + 4, -1, true)
  }
  for (const { slot } of externs) {
    if (code[slot * 8] === LDDW) {
      setAddress(slot, 0)
    } else {
      code[slot * 8 + 1] = PseudoCall.local << 4
      view.setInt16(slot * 8 + 2, 0, true)
      view.setInt32(slot * 8 + 4, -1, true)
    }
  }
}

/**
 * Which functions of different programs are the same one: equal in name, code and references, and calling functions that are
 * the same. Gives a class number for each piece of each program; pieces that are programs are left apart.
 */
export function classify(programs: readonly Piece[][]): number[][] {
  const firstKey = (piece: Piece, index: number, program: number) => (index === 0 ? `program ${program}` : shallowKey(piece))
  let classes = programs.map((pieces, program) => pieces.map((piece, index) => firstKey(piece, index, program)))
  for (let count = 0; ;) {
    const numbers = new Map<string, number>()
    const numbered = classes.map((keys) => keys.map((key) => {
      if (!numbers.has(key)) numbers.set(key, numbers.size)
      return numbers.get(key)!
    }))
    // As long as calling different functions tells more of them apart, callers may differ too.
    if (numbers.size === count) return numbered
    count = numbers.size
    classes = programs.map((pieces, program) => {
      const own = numbered[program]!
      return pieces.map(({ calls }, index) => [own[index], ...calls.map(({ slot, piece }) => `${slot}:${own[piece]}`)].join())
    })
  }
}

function shallowKey({ name, code, maps, externs, relocations }: Piece): string {
  return JSON.stringify([name, [...code], maps, externs, relocations])
}
