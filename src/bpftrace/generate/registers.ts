/** Offsets in `struct pt_regs` of x86-64. */
export const registers: Readonly<Record<string, number>> = {
  r15: 0, r14: 8, r13: 16, r12: 24, bp: 32, bx: 40, r11: 48, r10: 56, r9: 64, r8: 72, ax: 80, cx: 88, dx: 96, si: 104, di: 112, orig_ax: 120,
  ip: 128, cs: 136, flags: 144, sp: 152, ss: 160, pc: 128,
}

/** Registers of the first arguments; the others lie on the stack. */
export const argumentRegisters = ['di', 'si', 'dx', 'cx', 'r8', 'r9']
export const returnRegister = 'ax'
