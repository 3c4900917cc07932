import type { ProgramSpec } from '../spec/spec.ts'
import { checkProgram, type CheckOptions } from './check.ts'
import { VmRefusal } from './fault.ts'

/**
 * A program in compact form. Four words a slot: operation, destination, source, extra. Registers are given as the index of their
 * low half in `registers` (the high half follows). Immediates are registers too, set once: so the register
 * and the immediate form of an instruction are one operation.
 */
export interface Code {
  readonly name: string
  readonly spec: ProgramSpec
  /** Four words a slot; `extra` is an offset, an absolute slot to jump to, or the number of a helper. */
  readonly words: Int32Array
  /** r0–r10, then the immediates; two words each. */
  readonly registers: Int32Array
  /** Slots where functions begin: 0, targets of calls and callbacks. Sorted. */
  readonly functions: readonly number[]
  /** Functions whose address is taken. */
  readonly callbacks: readonly number[]
  readonly slots: number
  /** Registers that have a value when the program starts, as bits. */
  readonly entry: number
  /** No register is read before it is set, on any path: nothing to check while it runs. */
  safe: boolean
  /** The compiled form of each function by its first slot, once made (compiled.ts). */
  compiled: ReadonlyMap<number, CompiledFunction> | null
}

/** Runs one function of a program in the machine's current frame; arguments and result are in `registers`. */
export type CompiledFunction = () => void

/** Index of r10's low half; immediates come after it. */
export const FRAME_POINTER = 20

/** Operations: the numbers that the executors switch on. */
export const alu64 = 1
export const alu32 = 21
/** By RFC 9669's operation code; 0x3 and 0x9 are followed by their signed forms. */
const arithmeticOperation: Record<number, number> = {
  0x0: 0, 0x1: 1, 0x2: 2, 0x3: 3, 0x4: 5, 0x5: 6, 0x6: 7, 0x7: 8, 0x8: 9, 0x9: 10, 0xa: 12, 0xb: 13, 0xc: 14,
}
export const Operation = {
  add: 1, sub: 2, mul: 3, div: 4, sdiv: 5, or: 6, and: 7, lsh: 8, rsh: 9, neg: 10, mod: 11, smod: 12, xor: 13, mov: 14, arsh: 15,
  movsx8: 16, movsx16: 17, movsx32: 18,
  /** The 64-bit load: mov, of two slots. */
  wide: 19,
  add32: 21, sub32: 22, mul32: 23, div32: 24, sdiv32: 25, or32: 26, and32: 27, lsh32: 28, rsh32: 29, neg32: 30, mod32: 31, smod32: 32,
  xor32: 33, mov32: 34, arsh32: 35, movsx8w: 36, movsx16w: 37,
  keep16: 40, keep32: 41, swap16: 42, swap32: 43, swap64: 44,
  jeq: 50, jgt: 51, jge: 52, jset: 53, jne: 54, jsgt: 55, jsge: 56, jlt: 57, jle: 58, jslt: 59, jsle: 60,
  jeq32: 70, jgt32: 71, jge32: 72, jset32: 73, jne32: 74, jsgt32: 75, jsge32: 76, jlt32: 77, jle32: 78, jslt32: 79, jsle32: 80,
  jump: 81, mayGoto: 82,
  load8: 90, load16: 91, load32: 92, load64: 93, loadSigned8: 94, loadSigned16: 95, loadSigned32: 96,
  store8: 100, store16: 101, store32: 102, store64: 103,
  atomic: 110, packet: 111, call: 120, callLocal: 121, callKernel: 122, exit: 123, tailCall: 124,
} as const

const jumpOperation: Record<number, number> = {
  0x1: 50, 0x2: 51, 0x3: 52, 0x4: 53, 0x5: 54, 0x6: 55, 0x7: 56, 0xa: 57, 0xb: 58, 0xc: 59, 0xd: 60,
}
/** bpf_tail_call (4.2): the one helper that does not return. */
export const TAIL_CALL = 12
/** By the size bits of the opcode: w, h, b, dw. */
const sizeOrder = [2, 1, 0, 3]

/** What a 64-bit load of a kind other than 0 means: the value of the register. Kinds as in linux/bpf.h (BPF_PSEUDO_*). */
export type ResolveLoad = (slot: number, kind: number, low: number, high: number) => bigint

export interface DecodeOptions extends CheckOptions {
  resolve?: ResolveLoad
  /** Registers that have a value when the program starts, as bits; r1 and r10 if not given. */
  entry?: number
}

/** @throws VmRefusal where RFC 9669 demands it */
export function decodeProgram(spec: ProgramSpec, options: DecodeOptions = {}): Code {
  const bytes = spec.code
  checkProgram(bytes, { program: spec.name, ...options })
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const slots = bytes.length / 8
  const words = new Int32Array(slots * 4)
  const immediates = new Map<bigint, number>()
  // What the loader would fill in.
  const open = new Set([...spec.maps, ...spec.externs ?? []].map(({ slot }) => slot))
  const functions = new Set([0])
  const callbacks = new Set<number>()
  /** The register that holds a constant. */
  const constant = (value: bigint): number => {
    const key = BigInt.asUintN(64, value)
    let index = immediates.get(key)
    if (index === undefined) immediates.set(key, (index = FRAME_POINTER + 2 + immediates.size * 2))
    return index
  }
  for (let slot = 0; slot < slots; slot++) {
    const code = bytes[slot * 8]!
    const [dst, src] = [(bytes[slot * 8 + 1]! & 15) * 2, (bytes[slot * 8 + 1]! >> 4) * 2]
    const off = view.getInt16(slot * 8 + 2, true)
    const imm = view.getInt32(slot * 8 + 4, true)
    const put = (operation: number, d: number, s: number, extra: number) => words.set([operation, d, s, extra], slot * 4)
    const size = sizeOrder[code >> 3 & 3]!
    switch (code & 7) {
      case 0: {
        if (code !== 0x18) {
          put(Operation.packet, 0, (code & 0xe0) === 0x40 ? src : -1, imm)
          break
        }
        const high = view.getInt32(slot * 8 + 12, true)
        const kind = open.has(slot) && src === 0 ? 1 : src / 2
        if (kind === 4) callbacks.add(slot + 1 + imm)
        const value = kind === 0 ? (BigInt(high) << 32n) | BigInt(imm >>> 0) : resolved(options, spec, slot, kind, imm, high)
        put(Operation.wide, dst, constant(value), 0)
        // The second slot: nothing jumps there.
        slot++
        break
      }
      case 1: put(((code & 0xe0) === 0x80 ? Operation.loadSigned8 : Operation.load8) + size, dst, src, off); break
      case 2: put(Operation.store8 + size, dst, constant(BigInt(imm)), off); break
      case 3:
        if ((code & 0xe0) === 0x60) put(Operation.store8 + size, dst, src, off)
        else put(Operation.atomic, dst, src, (off << 16) | (size << 12) | imm)
        break
      case 4: case 7: decodeArithmetic(code, dst, src, off, imm, put, constant); break
      default: {
        const operation = code >> 4
        const right = (code & 8) !== 0 ? src : constant(BigInt(imm))
        if (code === 0x95) put(Operation.exit, 0, 0, 0)
        else if (code === 0x85 && src === 2) {
          functions.add(slot + 1 + imm)
          put(Operation.callLocal, 0, 0, slot + 1 + imm)
        } else if (code === 0x85) put(
          src !== 0 ? Operation.callKernel : imm === TAIL_CALL ? Operation.tailCall : Operation.call, 0, 0, imm,
        )
        else if (operation === 0) put(Operation.jump, 0, 0, slot + 1 + (code === 0x06 ? imm : off))
        else if (operation === 0xe) put(Operation.mayGoto, 0, 0, slot + 1 + off)
        else put(jumpOperation[operation]! + ((code & 7) === 6 ? 20 : 0), dst, right, slot + 1 + off)
      }
    }
  }
  const registers = new Int32Array(FRAME_POINTER + 2 + immediates.size * 2)
  for (const [value, index] of immediates) {
    registers[index] = Number(BigInt.asIntN(32, value))
    registers[index + 1] = Number(BigInt.asIntN(32, value >> 32n))
  }
  const starts = [...new Set([...functions, ...callbacks])].sort((a, b) => a - b)
  return {
    name: spec.name, spec, words, registers, functions: starts, callbacks: [...callbacks], slots, entry: options.entry
      ?? 0b100_0000_0010, safe: false, compiled: null,
  }
}

function resolved(options: DecodeOptions, spec: ProgramSpec, slot: number, kind: number, low: number, high: number): bigint {
  if (options.resolve === undefined) {
    throw new VmRefusal(slot, 'it names a map, variable or function, and there is none', spec.name)
  }
  return options.resolve(slot, kind, low, high)
}

type Put = (operation: number, d: number, s: number, extra: number) => void

function decodeArithmetic(
  code: number, dst: number, src: number, off: number, imm: number, put: Put, constant: (value: bigint) => number,
): void {
  const wide = (code & 7) === 7
  const register = (code & 8) !== 0
  const operation = code >> 4
  if (operation === 0xd) {
    const swaps = wide || register
    if (imm === 64) put(swaps ? Operation.swap64 : Operation.mov, dst, dst, 0)
    else if (imm === 32) put(swaps ? Operation.swap32 : Operation.keep32, dst, dst, 0)
    else put(swaps ? Operation.swap16 : Operation.keep16, dst, dst, 0)
    return
  }
  const right = register ? src : constant(BigInt(imm))
  if (operation === 0xb && off !== 0) {
    // addr_space_cast (off 1, only with an arena) moves: one address space here.
    put(off === 1 ? Operation.mov : (wide ? Operation.movsx8 : Operation.movsx8w) + Math.log2(off) - 3, dst, right, 0)
    return
  }
  const signed = off === 1 ? 1 : 0
  put((wide ? alu64 : alu32) + arithmeticOperation[operation]! + signed, dst, right, 0)
}
