import type { Instruction } from './instruction.ts'

/** Opcode of the 64-bit immediate load, the only instruction of two slots. */
export const LDDW = 0x18

/** Slots of 8 bytes that an instruction takes. */
export function slotsOf(instruction: Instruction): 1 | 2 {
  return instruction.code === LDDW ? 2 : 1
}

/**
 * The bytes of a program, 8 a slot, little endian (RFC 9669 §3).
 * @throws RangeError that names the instruction whose field does not fit its width
 */
export function encode(instructions: readonly Instruction[]): Uint8Array {
  let slots = 0
  for (const instruction of instructions) slots += slotsOf(instruction)
  const bytes = new Uint8Array(slots * 8)
  const view = new DataView(bytes.buffer)
  let at = 0
  instructions.forEach((instruction, index) => {
    checkFields(instruction, index)
    bytes[at] = instruction.code
    bytes[at + 1] = instruction.dst | (instruction.src << 4)
    view.setInt16(at + 2, instruction.off, true)
    if (instruction.code !== LDDW) {
      view.setInt32(at + 4, instruction.imm, true)
      at += 8
      return
    }
    const value = instruction.imm64 ?? BigInt(instruction.imm)
    view.setUint32(at + 4, Number(BigInt.asUintN(32, value)), true)
    view.setUint32(at + 12, Number(BigInt.asUintN(32, value >> 32n)), true)
    at += 16
  })
  return bytes
}

function checkFields({ code, dst, src, off, imm }: Instruction, index: number): void {
  const within = (field: string, value: number, least: number, most: number) => {
    if (!Number.isInteger(value) || value < least || value > most) {
      throw new RangeError(`instruction ${index}: ${field} is ${value}, outside of ${least}…${most}`)
    }
  }
  within('code', code, 0, 0xff)
  within('dst', dst, 0, 15)
  within('src', src, 0, 15)
  within('off', off, -0x8000, 0x7fff)
  // An immediate may be written as signed or as its unsigned bits.
  within('imm', imm, -0x8000_0000, 0xffff_ffff)
}
