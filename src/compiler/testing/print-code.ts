import type { Instruction } from '../../asm/instruction.ts'

const signs = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', '= -', '%=', '^=', '=', 's>>=', '= swap']
const comparisons: Record<number, string> = { 1: '==', 2: '>', 3: '>=', 4: '&', 5: '!=', 6: 's>', 7: 's>=', 10: '<', 11: '<=', 12: 's<', 13: 's<=' }

/** The kernel's notation, near enough to read. */
export function printCode(instructions: readonly Instruction[]): string {
  let slot = 0
  return instructions.map((instruction) => {
    const line = `${slot}: ${one(instruction, slot)}`
    slot += instruction.code === 0x18 ? 2 : 1
    return line
  }).join('\n')
}

function one({ code, dst, src, off, imm, imm64 }: Instruction, slot: number): string {
  const [kind, operation, register] = [code & 7, code >> 4, (code & 8) !== 0]
  const memory = (base: number) => `*(${(code & 0xe0) === 0x80 ? 's' : 'u'}${[32, 16, 8, 64][code >> 3 & 3]} *)(r${base} ${off < 0 ? '-' : '+'} ${Math.abs(off)})`
  if (code === 0x18) return `r${dst} = ${src === 1 ? 'map' : imm64} ll`
  if (code === 0x95) return 'exit'
  if (code === 0x85) return `call ${imm}`
  if (code === 0xe5) return `may_goto ${slot + 1 + off}`
  if (code === 0x05) return `goto ${slot + 1 + off}`
  const name = (kind & 1) === 1 ? 'r' : 'w'
  if (kind === 4 || kind === 7) {
    const prefix = kind === 7 ? 'r' : 'w'
    if (operation === 0xb && register && off !== 0) return `${prefix}${dst} = (s${off})${prefix}${src}`
    if (operation === 0x8 || operation === 0xd) return `${prefix}${dst} ${signs[operation]} ${prefix}${dst}`
    return `${prefix}${dst} ${off === 1 ? 's' : ''}${signs[operation]} ${register ? `${prefix}${src}` : imm}`
  }
  if (kind === 5 || kind === 6) return `if ${name}${dst} ${comparisons[operation]} ${register ? `${name}${src}` : imm} goto ${slot + 1 + off}`
  if (kind === 1) return `r${dst} = ${memory(src)}`
  return `${(code & 0xe0) === 0xc0 ? 'lock ' : ''}${memory(dst)} ${(code & 0xe0) === 0xc0 ? '+=' : '='} ${kind === 3 ? `r${src}` : imm}`
}
