import type { BinaryOperator, Comparison, Size } from '../ir/ir.ts'

/** Opcode bytes of RFC 9669 that the back end emits. */

export const Alu32 = 0x04
export const Alu64 = 0x07
/** The source is a register. */
export const FromRegister = 0x08

export const AluOperation: Record<BinaryOperator, number> = {
  add: 0x00, sub: 0x10, mul: 0x20, div: 0x30, sdiv: 0x30, or: 0x40, and: 0x50, shl: 0x60, shr: 0x70, mod: 0x90, smod: 0x90, xor: 0xa0, sar: 0xc0,
}

export const Code = {
  mov64Imm: 0xb7, mov64: 0xbf, mov32Imm: 0xb4, mov32: 0xbc, loadImm64: 0x18,
  neg64: 0x87, neg32: 0x84,
  add64Imm: 0x07, and64Imm: 0x57, shl64Imm: 0x67, shr64Imm: 0x77, sar64Imm: 0xc7,
  /** Swaps on a little-endian machine. */
  toBigEndian: 0xdc,
  /** Swaps on any machine; v4. */
  byteSwap: 0xd7,
  jump: 0x05,
  call: 0x85, exit: 0x95,
} as const

/** rX = *(uN *)(rY + off) */
export const LoadCode: Record<Size, number> = { 1: 0x71, 2: 0x69, 4: 0x61, 8: 0x79 }
/** Sign-extending; v4. */
export const LoadSignedCode: Record<1 | 2 | 4, number> = { 1: 0x91, 2: 0x89, 4: 0x81 }
export const StoreCode: Record<Size, number> = { 1: 0x73, 2: 0x6b, 4: 0x63, 8: 0x7b }
export const StoreImmCode: Record<Size, number> = { 1: 0x72, 2: 0x6a, 4: 0x62, 8: 0x7a }
export const AtomicCode: Record<4 | 8, number> = { 4: 0xc3, 8: 0xdb }

export const Jump64 = 0x05
export const Jump32 = 0x06
export const JumpOperation: Record<Comparison, number> = {
  exhausted: 0xe0, eq: 0x10, gt: 0x20, ge: 0x30, test: 0x40, ne: 0x50, sgt: 0x60, sge: 0x70, lt: 0xa0, le: 0xb0, slt: 0xc0, sle: 0xd0,
}

/** The comparison with its sides exchanged. */
export const Mirrored: Record<Comparison, Comparison> = {
  exhausted: 'exhausted', eq: 'eq', ne: 'ne', test: 'test', lt: 'gt', gt: 'lt', le: 'ge', ge: 'le', slt: 'sgt', sgt: 'slt', sle: 'sge', sge: 'sle',
}

/** The comparison that holds exactly when the other does not; there is none for `test`. */
export const Opposite: Record<Comparison, Comparison | null> = {
  exhausted: null, eq: 'ne', ne: 'eq', test: null, lt: 'ge', ge: 'lt', gt: 'le', le: 'gt', slt: 'sge', sge: 'slt', sgt: 'sle', sle: 'sgt',
}
