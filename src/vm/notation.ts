import { hexadecimal } from './memory.ts'

const signs = ['+=', '-=', '*=', '/=', '|=', '&=', '<<=', '>>=', '', '%=', '^=', '=', 's>>=']
const comparisons: Record<number, string> = { 1: '==', 2: '>', 3: '>=', 4: '&', 5: '!=', 6: 's>', 7: 's>=', 10: '<', 11: '<=', 12: 's<', 13: 's<=' }
const atomics: Record<number, string> = { 0: '+=', 0x40: '|=', 0x50: '&=', 0xa0: '^=' }
const sizes = [32, 16, 8, 64]

/** One instruction in the kernel verifier's notation. */
export function instructionText(bytes: Uint8Array, slot: number): string {
  const at = slot * 8
  if (at + 8 > bytes.length) return '(outside of the program)'
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const code = bytes[at]!
  const [dst, src] = [bytes[at + 1]! & 15, bytes[at + 1]! >> 4]
  const [off, imm] = [view.getInt16(at + 2, true), view.getInt32(at + 4, true)]
  const place = (register: number, sign = 'u') => `*(${sign}${sizes[code >> 3 & 3]} *)(r${register} ${off < 0 ? '-' : '+'} ${Math.abs(off)})`
  switch (code & 7) {
    case 0: return code === 0x18 ? wide(view, at, dst, src, imm) : `r0 = packet[${(code & 0xe0) === 0x40 ? `r${src} + ` : ''}${imm}]`
    case 1: return `r${dst} = ${place(src, (code & 0xe0) === 0x80 ? 's' : 'u')}`
    case 2: return `${place(dst)} = ${imm}`
    case 3: return (code & 0xe0) === 0x60 ? `${place(dst)} = r${src}` : atomicText(place, dst, src, imm)
    case 4: case 7: return arithmeticText(code, dst, src, off, imm)
    default: return jumpText(code, dst, src, off, imm, slot)
  }
}

function wide(view: DataView, at: number, dst: number, src: number, imm: number): string {
  const what = ['', 'map ', 'map value ', 'variable ', 'function ', 'map ', 'map value '][src] ?? '? '
  const high = at + 16 <= view.byteLength ? view.getInt32(at + 12, true) : 0
  return `r${dst} = ${what}${src === 0 ? hexadecimal(imm, high) : imm} ll`
}

function atomicText(place: (register: number) => string, dst: number, src: number, imm: number): string {
  switch (imm) {
    case 0x100: return `r${dst} = load_acquire(${place(src)})`
    case 0x110: return `store_release(${place(dst)}, r${src})`
    case 0xe1: return `r${src} = xchg(${place(dst)}, r${src})`
    case 0xf1: return `r0 = cmpxchg(${place(dst)}, r0, r${src})`
    default: return `${(imm & 1) !== 0 ? `r${src} = fetch ` : 'lock '}${place(dst)} ${atomics[imm & ~1] ?? '?='} r${src}`
  }
}

function arithmeticText(code: number, dst: number, src: number, off: number, imm: number): string {
  const name = (code & 7) === 7 ? 'r' : 'w'
  const operation = code >> 4
  if (operation === 0xd) return `r${dst} = ${(code & 7) === 7 ? 'bswap' : (code & 8) !== 0 ? 'be' : 'le'}${imm} r${dst}`
  if (operation === 0x8) return `${name}${dst} = -${name}${dst}`
  const right = (code & 8) !== 0 ? `${name}${src}` : `${imm}`
  if (operation === 0xb && off !== 0) return off === 1 ? `r${dst} = addr_space_cast(r${src}, ${imm})` : `${name}${dst} = (s${off})${right}`
  return `${name}${dst} ${off === 1 ? 's' : ''}${signs[operation] ?? '?='} ${right}`
}

function jumpText(code: number, dst: number, src: number, off: number, imm: number, slot: number): string {
  const operation = code >> 4
  if (code === 0x95) return 'exit'
  if (code === 0x85) return src === 1 ? `call ${slot + 1 + imm}` : src === 2 ? `call kernel function ${imm}` : `call helper ${imm}`
  if (operation === 0) return `goto ${slot + 1 + (code === 0x06 ? imm : off)}`
  if (operation === 0xe) return `may_goto ${slot + 1 + off}`
  const name = (code & 7) === 5 ? 'r' : 'w'
  return `if ${name}${dst} ${comparisons[operation] ?? '?'} ${(code & 8) !== 0 ? `${name}${src}` : imm} goto ${slot + 1 + off}`
}

/** r0 to r10 in hexadecimal. */
export function registersText(R: Int32Array): string {
  return Array.from({ length: 11 }, (_, register) => `r${register}=${hexadecimal(R[register * 2]!, R[register * 2 + 1]!)}`).join(' ')
}
