/** The parts of an opcode byte: RFC 9669 §3, and what the kernel added since. Numbers are already in place: or them together. */

/** Bits 0–2. */
export const Class = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, jmp32: 6, alu64: 7 } as const
/** Bit 3 of arithmetic and jumps: the operand is a register, not the immediate. For endianness: to big endian. */
export const FROM_REGISTER = 0x08
/** Bits 3–4 of loads and stores. */
export const Size = { w: 0x00, h: 0x08, b: 0x10, dw: 0x18 } as const
/** Bits 5–7 of loads and stores. `memsx` extends the sign (6.6). `abs` and `ind` read packets (deprecated). */
export const Mode = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, memsx: 0x80, atomic: 0xc0 } as const
/** Bits 4–7 of arithmetic. With offset 1, div and mod are signed (6.6); mov with offset 8, 16 or 32 extends the sign (6.6). */
export const AluOp = {
  add: 0x00, sub: 0x10, mul: 0x20, div: 0x30, or: 0x40, and: 0x50, lsh: 0x60, rsh: 0x70,
  neg: 0x80, mod: 0x90, xor: 0xa0, mov: 0xb0, arsh: 0xc0, end: 0xd0,
} as const
/** Bits 4–7 of jumps. `ja` of class jmp32 jumps by its immediate (gotol, 6.6); `cond` is may_goto (6.9). */
export const JumpOp = {
  ja: 0x00, eq: 0x10, gt: 0x20, ge: 0x30, set: 0x40, ne: 0x50, sgt: 0x60, sge: 0x70, call: 0x80, exit: 0x90,
  lt: 0xa0, le: 0xb0, slt: 0xc0, sle: 0xd0, cond: 0xe0,
} as const
/** The immediate of atomic instructions. `fetch` may be or-ed to the first four (5.12). Load and store order: 6.15. */
export const AtomicOp = {
  add: 0x00, or: 0x40, and: 0x50, xor: 0xa0, fetch: 0x01, xchg: 0xe1, cmpxchg: 0xf1, loadAcquire: 0x100, storeRelease: 0x110,
} as const
/** `src` of a 64-bit immediate load: what its immediate names. */
export const PseudoLoad = { constant: 0, mapFd: 1, mapValue: 2, btfId: 3, function: 4, mapIndex: 5, mapIndexValue: 6 } as const
/** `src` of a call: a helper's number, a function at a distance in slots, a kernel function's BTF id. */
export const PseudoCall = { helper: 0, local: 1, kfunc: 2 } as const
/** Offset of a 64-bit register move that translates between address spaces of an arena (6.9). */
export const ADDR_SPACE_CAST = 1
/** Offset of a 64-bit register move that gives the address of this CPU's copy; only in programs as the kernel shows them. */
export const PER_CPU_ADDRESS = -1
