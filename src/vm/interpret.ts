import {
  divide, divide32, divideSigned, divideSigned32, multiply, remainder, remainder32, remainderSigned, remainderSigned32,
  shiftLeft, shiftRight, shiftSigned, swap16, swap32, upper,
} from './arithmetic.ts'
import { atomic } from './atomic.ts'
import type { Code } from './code.ts'
import type { Machine } from './machine.ts'
import { loadPacket } from './packet.ts'

/**
 * Runs from `m.pc` until the frame at depth `base` exits (true), or `steps` instructions are done (false; call again to go on).
 * The numbers of the cases are those of Operation in code.ts: literals, so that the engine makes a jump table of them.
 * Registers must be known to be set (registers.ts), or be checked between steps.
 * @throws VmFault with `m.pc` at the instruction
 */
export function interpret(m: Machine, code: Code, base: number, steps: number): boolean {
  const P = code.words
  const R = code.registers
  const { memory } = m
  const { loaded } = memory
  let { u8, i8, i32 } = memory
  let left = m.left
  const stop = left - steps
  let p = m.pc * 4
  try {
    for (;;) {
      if (left <= stop) {
        m.pc = p >> 2
        m.left = left
        return false
      }
      left--
      const d = P[p + 1]!
      const s = P[p + 2]!
      const operation = P[p]!
      p += 4
      switch (operation) {
        case 1: { // add
          const low = R[d]! + R[s]! | 0
          R[d + 1] = R[d + 1]! + R[s + 1]! + (low >>> 0 < R[s]! >>> 0 ? 1 : 0)
          R[d] = low
          continue
        }
        case 2: { // sub
          const borrow = R[d]! >>> 0 < R[s]! >>> 0 ? 1 : 0
          R[d] = R[d]! - R[s]!
          R[d + 1] = R[d + 1]! - R[s + 1]! - borrow
          continue
        }
        case 3: R[d] = multiply(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!); R[d + 1] = upper[0]!; continue // mul
        case 4: R[d] = divide(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!); R[d + 1] = upper[0]!; continue // div
        case 5: R[d] = divideSigned(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!); R[d + 1] = upper[0]!; continue // sdiv
        case 11: R[d] = remainder(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!); R[d + 1] = upper[0]!; continue // mod
        case 12: R[d] = remainderSigned(R[d]!, R[d + 1]!, R[s]!, R[s + 1]!); R[d + 1] = upper[0]!; continue // smod
        case 6: R[d] = R[d]! | R[s]!; R[d + 1] = R[d + 1]! | R[s + 1]!; continue // or
        case 7: R[d] = R[d]! & R[s]!; R[d + 1] = R[d + 1]! & R[s + 1]!; continue // and
        case 13: R[d] = R[d]! ^ R[s]!; R[d + 1] = R[d + 1]! ^ R[s + 1]!; continue // xor
        case 8: R[d] = shiftLeft(R[d]!, R[d + 1]!, R[s]! & 63); R[d + 1] = upper[0]!; continue // lsh
        case 9: R[d] = shiftRight(R[d]!, R[d + 1]!, R[s]! & 63); R[d + 1] = upper[0]!; continue // rsh
        case 15: R[d] = shiftSigned(R[d]!, R[d + 1]!, R[s]! & 63); R[d + 1] = upper[0]!; continue // arsh
        case 10: R[d + 1] = ~R[d + 1]! + (R[d] === 0 ? 1 : 0); R[d] = -R[d]!; continue // neg
        case 14: R[d + 1] = R[s + 1]!; R[d] = R[s]!; continue // mov
        case 16: R[d] = R[s]! << 24 >> 24; R[d + 1] = R[d]! >> 31; continue // movsx8
        case 17: R[d] = R[s]! << 16 >> 16; R[d + 1] = R[d]! >> 31; continue // movsx16
        case 18: R[d] = R[s]!; R[d + 1] = R[d]! >> 31; continue // movsx32
        case 19: R[d + 1] = R[s + 1]!; R[d] = R[s]!; p += 4; continue // wide
        case 21: R[d] = R[d]! + R[s]!; R[d + 1] = 0; continue // add32
        case 22: R[d] = R[d]! - R[s]!; R[d + 1] = 0; continue // sub32
        case 23: R[d] = Math.imul(R[d]!, R[s]!); R[d + 1] = 0; continue // mul32
        case 24: R[d] = divide32(R[d]!, R[s]!); R[d + 1] = 0; continue // div32
        case 25: R[d] = divideSigned32(R[d]!, R[s]!); R[d + 1] = 0; continue // sdiv32
        case 26: R[d] = R[d]! | R[s]!; R[d + 1] = 0; continue // or32
        case 27: R[d] = R[d]! & R[s]!; R[d + 1] = 0; continue // and32
        case 28: R[d] = R[d]! << R[s]!; R[d + 1] = 0; continue // lsh32
        case 29: R[d] = R[d]! >>> R[s]!; R[d + 1] = 0; continue // rsh32
        case 30: R[d] = -R[d]!; R[d + 1] = 0; continue // neg32
        case 31: R[d] = remainder32(R[d]!, R[s]!); R[d + 1] = 0; continue // mod32
        case 32: R[d] = remainderSigned32(R[d]!, R[s]!); R[d + 1] = 0; continue // smod32
        case 33: R[d] = R[d]! ^ R[s]!; R[d + 1] = 0; continue // xor32
        case 34: R[d] = R[s]!; R[d + 1] = 0; continue // mov32
        case 35: R[d] = R[d]! >> R[s]!; R[d + 1] = 0; continue // arsh32
        case 36: R[d] = R[s]! << 24 >> 24; R[d + 1] = 0; continue // movsx8w
        case 37: R[d] = R[s]! << 16 >> 16; R[d + 1] = 0; continue // movsx16w
        case 40: R[d] = R[d]! & 0xffff; R[d + 1] = 0; continue // keep16
        case 41: R[d + 1] = 0; continue // keep32
        case 42: R[d] = swap16(R[d]!); R[d + 1] = 0; continue // swap16
        case 43: R[d] = swap32(R[d]!); R[d + 1] = 0; continue // swap32
        case 44: { // swap64
          const low = swap32(R[d + 1]!)
          R[d + 1] = swap32(R[d]!)
          R[d] = low
          continue
        }
        case 50: if (R[d] === R[s] && R[d + 1] === R[s + 1]) p = P[p - 1]! * 4; continue // jeq
        case 51: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 > R[s]! >>> 0 : R[d + 1]! >>> 0 > R[s + 1]! >>> 0) p = P[p - 1]! * 4; continue // jgt
        case 52: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 >= R[s]! >>> 0 : R[d + 1]! >>> 0 > R[s + 1]! >>> 0) p = P[p - 1]! * 4; continue // jge
        case 53: if (((R[d]! & R[s]!) | (R[d + 1]! & R[s + 1]!)) !== 0) p = P[p - 1]! * 4; continue // jset
        case 54: if (R[d] !== R[s] || R[d + 1] !== R[s + 1]) p = P[p - 1]! * 4; continue // jne
        case 55: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 > R[s]! >>> 0 : R[d + 1]! > R[s + 1]!) p = P[p - 1]! * 4; continue // jsgt
        case 56: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 >= R[s]! >>> 0 : R[d + 1]! > R[s + 1]!) p = P[p - 1]! * 4; continue // jsge
        case 57: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 < R[s]! >>> 0 : R[d + 1]! >>> 0 < R[s + 1]! >>> 0) p = P[p - 1]! * 4; continue // jlt
        case 58: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 <= R[s]! >>> 0 : R[d + 1]! >>> 0 < R[s + 1]! >>> 0) p = P[p - 1]! * 4; continue // jle
        case 59: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 < R[s]! >>> 0 : R[d + 1]! < R[s + 1]!) p = P[p - 1]! * 4; continue // jslt
        case 60: if (R[d + 1] === R[s + 1] ? R[d]! >>> 0 <= R[s]! >>> 0 : R[d + 1]! < R[s + 1]!) p = P[p - 1]! * 4; continue // jsle
        case 70: if (R[d] === R[s]) p = P[p - 1]! * 4; continue // jeq32
        case 71: if (R[d]! >>> 0 > R[s]! >>> 0) p = P[p - 1]! * 4; continue // jgt32
        case 72: if (R[d]! >>> 0 >= R[s]! >>> 0) p = P[p - 1]! * 4; continue // jge32
        case 73: if ((R[d]! & R[s]!) !== 0) p = P[p - 1]! * 4; continue // jset32
        case 74: if (R[d] !== R[s]) p = P[p - 1]! * 4; continue // jne32
        case 75: if (R[d]! > R[s]!) p = P[p - 1]! * 4; continue // jsgt32
        case 76: if (R[d]! >= R[s]!) p = P[p - 1]! * 4; continue // jsge32
        case 77: if (R[d]! >>> 0 < R[s]! >>> 0) p = P[p - 1]! * 4; continue // jlt32
        case 78: if (R[d]! >>> 0 <= R[s]! >>> 0) p = P[p - 1]! * 4; continue // jle32
        case 79: if (R[d]! < R[s]!) p = P[p - 1]! * 4; continue // jslt32
        case 80: if (R[d]! <= R[s]!) p = P[p - 1]! * 4; continue // jsle32
        case 81: p = P[p - 1]! * 4; continue // jump
        case 82: if (m.mayGoto()) p = P[p - 1]! * 4; continue // mayGoto
        case 90: { // load8
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 1)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else {
            R[d] = u8[a]!
            R[d + 1] = 0
          }
          continue
        }
        case 91: { // load16
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 2)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else {
            R[d] = u8[a]! | u8[a + 1]! << 8
            R[d + 1] = 0
          }
          continue
        }
        case 92: { // load32
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 4)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else {
            R[d] = (a & 3) === 0 ? i32[a >> 2]! : u8[a]! | u8[a + 1]! << 8 | u8[a + 2]! << 16 | u8[a + 3]! << 24
            R[d + 1] = 0
          }
          continue
        }
        case 94: { // loadSigned8
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 1)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else {
            R[d] = i8[a]!
            R[d + 1] = R[d]! >> 31
          }
          continue
        }
        case 95: { // loadSigned16
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 2)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else {
            R[d] = u8[a]! | i8[a + 1]! << 8
            R[d + 1] = R[d]! >> 31
          }
          continue
        }
        case 96: { // loadSigned32
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 4)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else {
            R[d] = (a & 3) === 0 ? i32[a >> 2]! : u8[a]! | u8[a + 1]! << 8 | u8[a + 2]! << 16 | u8[a + 3]! << 24
            R[d + 1] = R[d]! >> 31
          }
          continue
        }
        case 93: { // load64
          const a = memory.toLoad(R[s]!, R[s + 1]!, P[p - 1]!, 8)
          if (a < 0) {
            R[d + 1] = loaded[1]!
            R[d] = loaded[0]!
          } else if ((a & 3) === 0) {
            R[d] = i32[a >> 2]!
            R[d + 1] = i32[(a >> 2) + 1]!
          } else {
            R[d] = u8[a]! | u8[a + 1]! << 8 | u8[a + 2]! << 16 | u8[a + 3]! << 24
            R[d + 1] = u8[a + 4]! | u8[a + 5]! << 8 | u8[a + 6]! << 16 | u8[a + 7]! << 24
          }
          continue
        }
        case 100: u8[memory.toStore(R[d]!, R[d + 1]!, P[p - 1]!, 1)] = R[s]!; continue // store8
        case 101: { // store16
          const a = memory.toStore(R[d]!, R[d + 1]!, P[p - 1]!, 2)
          u8[a] = R[s]!
          u8[a + 1] = R[s]! >> 8
          continue
        }
        case 102: { // store32
          const a = memory.toStore(R[d]!, R[d + 1]!, P[p - 1]!, 4)
          if ((a & 3) === 0) i32[a >> 2] = R[s]!
          else memory.putWord(a, R[s]!)
          continue
        }
        case 103: { // store64
          const a = memory.toStore(R[d]!, R[d + 1]!, P[p - 1]!, 8)
          if ((a & 3) === 0) {
            i32[a >> 2] = R[s]!
            i32[(a >> 2) + 1] = R[s + 1]!
          } else {
            memory.putWord(a, R[s]!)
            memory.putWord(a + 4, R[s + 1]!)
          }
          continue
        }
        case 110: atomic(memory, R, d, s, P[p - 1]!); continue
        case 111: loadPacket(m, R, s, P[p - 1]!, code.spec.code[((p >> 2) - 1) * 8]!); continue
        case 120: // call
        case 122: { // callKernel
          m.left = left
          m.pc = (p >> 2) - 1
          if (operation === 120) m.callHelper(P[p - 1]!, R)
          else m.callKernel(P[p - 1]!, R)
          left = m.left
          u8 = memory.u8
          i8 = memory.i8
          i32 = memory.i32
          continue
        }
        case 121: // callLocal
          m.push(R, p >> 2)
          p = P[p - 1]! * 4
          continue
        case 123: // exit
        case 124: // tailCall
          if (operation === 124) {
            m.left = left
            m.pc = (p >> 2) - 1
            const reached = m.tailCall(R)
            left = m.left
            u8 = memory.u8
            i8 = memory.i8
            i32 = memory.i32
            // The target has run in this frame's place: what is left is to return.
            if (!reached) continue
          }
          if (m.depth === base) {
            m.pc = (p >> 2) - 1
            m.left = left
            return true
          }
          p = m.pop(R) * 4
          continue
        default: throw new Error(`operation ${operation} at slot ${(p >> 2) - 1} of '${code.name}'`)
      }
    }
  } catch (error) {
    m.pc = (p >> 2) - 1
    m.left = left
    throw error
  }
}
