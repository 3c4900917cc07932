import { decode } from '../asm/decode.ts'
import { slotsOf } from '../asm/encode.ts'
import type { Instruction } from '../asm/instruction.ts'

const R1 = 1 << 1
/** Helpers may change r0 to r5. */
const CALLER_SAVED = 0b11_1111
const SIZES: Record<number, number> = { 0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8 }

/**
 * How many bytes of its context a program may read: the end of the furthest load through r1 as it is at the beginning, or
 * through a copy of it. Infinity when the pointer goes where this does not follow: into memory, arithmetic or another function.
 */
export function contextBytes(code: Uint8Array): number {
  const instructions = decode(code)
  const slots: number[] = []
  let slot = 0
  for (const instruction of instructions) {
    slots.push(slot)
    slot += slotsOf(instruction)
  }
  const indexOf = new Map(slots.map((at, index) => [at, index]))
  /** Registers that may hold the context before each instruction, as bits; -1 where nothing leads. */
  const held = new Int32Array(instructions.length).fill(-1)
  let furthest = 0
  const pending: [index: number, registers: number][] = [[0, R1]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [index, registers] = next
    if (index < 0 || index >= instructions.length) continue
    const merged = held[index]! < 0 ? registers : held[index]! | registers
    if (merged === held[index]) continue
    held[index] = merged
    const instruction = instructions[index]!
    const reach = readThrough(instruction, merged)
    if (reach === Infinity) return Infinity
    furthest = Math.max(furthest, reach)
    const after = afterwards(instruction, merged)
    const end = slots[index]! + slotsOf(instruction)
    for (const target of successors(instruction, end)) pending.push([indexOf.get(target) ?? -1, after])
  }
  return furthest
}

/** Where the program goes on: the next slot, a jump's target, both, or nowhere. */
function successors({ code, off, imm }: Instruction, end: number): number[] {
  if (code === 0x95) return []
  if (code === 0x05) return [end + off]
  if (code === 0x06) return [end + imm]
  const conditional = ((code & 7) === 5 || (code & 7) === 6) && code !== 0x85
  return conditional ? [end, end + off] : [end]
}

const has = (registers: number, register: number) => (registers >> register & 1) === 1

/** The end of what an instruction reads of the context; Infinity when the pointer escapes. */
function readThrough({ code, dst, src, off }: Instruction, registers: number): number {
  const kind = code & 7
  if (kind === 1) return has(registers, src) ? off + SIZES[code & 0x18]! : 0
  if (kind === 3) return has(registers, src) ? Infinity : 0
  if (code === 0x85) return src === 0 ? 0 : (registers & 0b11_1110) === 0 ? 0 : Infinity
  const plainMove = code === 0xbf && off === 0
  if (kind === 4 || kind === 7) return (has(registers, dst) && (code & 0xf0) !== 0xb0) || (!plainMove && (code & 8) !== 0 && has(registers, src)) ? Infinity : 0
  return 0
}

function afterwards({ code, dst, src, off }: Instruction, registers: number): number {
  const kind = code & 7
  if (code === 0x85) return registers & ~CALLER_SAVED
  if (code === 0xbf && off === 0 && has(registers, src)) return registers | 1 << dst
  if (kind === 0 || kind === 1 || kind === 4 || kind === 7) return registers & ~(1 << dst)
  return registers
}
