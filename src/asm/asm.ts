/** Instructions of eBPF: as data, as bytes, as text. */
export type { Instruction } from './instruction.ts'
export { encode, LDDW, slotsOf } from './encode.ts'
export { decode, DecodeError } from './decode.ts'
export { print, printProgram, type PrintNames } from './print.ts'
export { helperCount, helperNameOf, helperNumberOf } from './helper-names.ts'
export * from './opcode.ts'
