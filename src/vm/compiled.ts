import {
  divide, divide32, divideSigned, divideSigned32, multiply, remainder, remainder32, remainderSigned, remainderSigned32,
  shiftLeft, shiftRight, shiftSigned, swap16, swap32, upper,
} from './arithmetic.ts'
import { atomic } from './atomic.ts'
import type { Code, CompiledFunction } from './code.ts'
import { functionSource } from './compiled-source.ts'
import type { Machine } from './machine.ts'
import { loadPacket } from './packet.ts'

/** Programs beyond this many slots stay with the interpreter: the engine would not optimise such functions. */
const MOST_SLOTS = 16_384

/** What generated code refers to by name. */
const library = {
  divide, divide32, divideSigned, divideSigned32, multiply, remainder, remainder32, remainderSigned, remainderSigned32,
  shiftLeft, shiftRight, shiftSigned, swap16, swap32, upper, atomic, loadPacket,
}

/**
 * The program as JavaScript functions: registers become variables, blocks the cases of a switch. The same checks, faults and counts
 * as the interpreter; a fault does not show registers. Null for programs that must be watched instruction by instruction.
 */
export function compileCode(m: Machine, code: Code): ReadonlyMap<number, CompiledFunction> | null {
  if (!code.safe || code.slots > MOST_SLOTS) return null
  const names = Object.keys(library)
  const source = code.functions.map((start) => functionSource(code, start, (id) => m.handedTo(id)))
  const body = `'use strict'\nconst { memory } = m, R = code.registers, L = memory.loaded, F = new Map()
function toLoad(low, high, off, size, slot) { m.pc = slot; return memory.toLoad(low, high, off, size) }
function toStore(low, high, off, size, slot) { m.pc = slot; return memory.toStore(low, high, off, size) }
${code.functions.map((start, index) => `F.set(${start}, ${source[index]!})`).join('\n')}
return F`
  return new Function('m', 'code', ...names, body)(m, code, ...Object.values(library)) as Map<number, CompiledFunction>
}
