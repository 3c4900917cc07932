import { LDDW } from './encode.ts'
import type { Instruction } from './instruction.ts'

/** Bytes that are no program: `slot` tells where. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly slot: number

  constructor(slot: number, problem: string) {
    super(`instruction slot ${slot}: ${problem}`)
    this.slot = slot
  }
}

/**
 * The instructions of a program's bytes; `encode` gives the same bytes back. Opcodes are not judged here.
 * @throws DecodeError if a slot is cut off, or if the second slot of a 64-bit load has more than its immediate
 */
export function decode(bytes: Uint8Array): Instruction[] {
  if (bytes.length % 8 !== 0) throw new DecodeError(bytes.length >> 3, `${bytes.length % 8} bytes instead of 8`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const instructions: Instruction[] = []
  for (let at = 0; at < bytes.length; at += 8) {
    const instruction: Instruction = {
      code: bytes[at]!, dst: bytes[at + 1]! & 15, src: bytes[at + 1]! >> 4,
      off: view.getInt16(at + 2, true), imm: view.getInt32(at + 4, true),
    }
    if (instruction.code === LDDW) {
      if (at + 16 > bytes.length) throw new DecodeError(at >> 3, 'a 64-bit load lacks its second slot')
      if (view.getUint32(at + 8, true) !== 0) {
        throw new DecodeError((at >> 3) + 1, 'the second slot of a 64-bit load holds more than an immediate')
      }
      instruction.imm64 = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 4, true))
      at += 8
    }
    instructions.push(instruction)
  }
  return instructions
}
