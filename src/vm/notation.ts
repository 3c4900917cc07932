import type { Instruction } from '../asm/instruction.ts'
import { print } from '../asm/print.ts'
import { hexadecimal } from './memory.ts'

/** One instruction of a program in the kernel verifier's notation. */
export function instructionText(bytes: Uint8Array, slot: number): string {
  const at = slot * 8
  if (at < 0 || at + 8 > bytes.length) return '(outside of the program)'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const instruction: Instruction = {
    code: bytes[at]!, dst: bytes[at + 1]! & 15, src: bytes[at + 1]! >> 4, off: view.getInt16(at + 2, true), imm: view.getInt32(at + 4, true),
  }
  if (instruction.code === 0x18 && at + 16 <= bytes.length) {
    instruction.imm64 = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 4, true))
  }
  return print(instruction)
}

/** r0 to r10 in hexadecimal. */
export function registersText(R: Int32Array): string {
  return Array.from({ length: 11 }, (_, register) => `r${register}=${hexadecimal(R[register * 2]!, R[register * 2 + 1]!)}`).join(' ')
}
