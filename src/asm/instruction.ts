/**
 * One eBPF instruction as plain data, in the fields of RFC 9669 §3.
 *
 * A 64-bit immediate load (`lddw`, code 0x18) is ONE instruction here and two slots in
 * the encoding; `imm64` then holds the whole value and `imm` is ignored.
 * Jump offsets count slots, as the kernel does.
 */
export interface Instruction {
  /** Opcode byte: class | source/size | operation/mode. */
  code: number
  /** Destination register, 0–10. */
  dst: number
  /** Source register 0–10, or the pseudo source of lddw and call. */
  src: number
  /** Signed 16-bit offset. */
  off: number
  /** Signed 32-bit immediate. */
  imm: number
  /** Only for lddw: the 64-bit immediate. */
  imm64?: bigint
}
