import { Operation } from './code.ts'
import type { Operand } from './compiled-source.ts'

const binary64: Record<number, string> = {
  [Operation.mul]: 'multiply', [Operation.div]: 'divide', [Operation.sdiv]: 'divideSigned', [Operation.mod]: 'remainder', [Operation.smod]: 'remainderSigned',
}
const bitwise: Record<number, string> = { [Operation.or]: '|', [Operation.and]: '&', [Operation.xor]: '^' }
const shifts: Record<number, string> = { [Operation.lsh]: 'shiftLeft', [Operation.rsh]: 'shiftRight', [Operation.arsh]: 'shiftSigned' }

/** One arithmetic instruction on the halves of its registers. */
export function arithmeticSource(operation: number, d: Operand, s: Operand): string {
  const call = binary64[operation]
  if (call !== undefined) return `x = ${call}(${d.low}, ${d.high}, ${s.low}, ${s.high}); ${d.high} = upper[0]; ${d.low} = x`
  const sign = bitwise[operation]
  if (sign !== undefined) return `${d.low} ${sign}= ${s.low}; ${d.high} ${sign}= ${s.high}`
  if (shifts[operation] !== undefined) return shiftSource(operation, d, s)
  if (operation >= Operation.add32) return narrow(operation, d, s)
  switch (operation) {
    case Operation.add: return `x = ${d.low} + ${s.low} | 0; ${d.high} = ${d.high} + ${s.high} + (x >>> 0 < ${s.low} >>> 0 ? 1 : 0) | 0; ${d.low} = x`
    case Operation.sub: return `x = ${d.low} >>> 0 < ${s.low} >>> 0 ? 1 : 0; ${d.high} = ${d.high} - ${s.high} - x | 0; ${d.low} = ${d.low} - ${s.low} | 0`
    case Operation.neg: return `${d.high} = ~${d.high} + (${d.low} === 0 ? 1 : 0) | 0; ${d.low} = -${d.low} | 0`
    case Operation.mov: case Operation.wide: return `${d.low} = ${s.low}; ${d.high} = ${s.high}`
    default: {
      const bits = 32 - (8 << (operation - Operation.movsx8))
      return `${d.low} = ${s.low} << ${bits} >> ${bits}; ${d.high} = ${d.low} >> 31`
    }
  }
}

function shiftSource(operation: number, d: Operand, s: Operand): string {
  if (s.constant === null) return `x = ${shifts[operation]!}(${d.low}, ${d.high}, ${s.low} & 63); ${d.high} = upper[0]; ${d.low} = x`
  const count = s.constant[0] & 63
  const [low, high] = [d.low, d.high]
  if (count === 0) return ''
  if (operation === Operation.lsh) {
    return count >= 32 ? `${high} = ${low} << ${count - 32}; ${low} = 0` : `${high} = ${high} << ${count} | ${low} >>> ${32 - count}; ${low} = ${low} << ${count}`
  }
  const signed = operation === Operation.arsh
  const right = signed ? '>>' : '>>>'
  if (count >= 32) return `${low} = ${high} ${right} ${count - 32} | 0; ${high} = ${signed ? `${high} >> 31` : '0'}`
  return `${low} = ${low} >>> ${count} | ${high} << ${32 - count}; ${high} = ${high} ${right} ${count} | 0`
}

function narrow(operation: number, d: Operand, s: Operand): string {
  const [low, right] = [d.low, s.low]
  const value: Record<number, string> = {
    [Operation.add32]: `${low} + ${right} | 0`, [Operation.sub32]: `${low} - ${right} | 0`, [Operation.mul32]: `Math.imul(${low}, ${right})`,
    [Operation.div32]: `divide32(${low}, ${right})`, [Operation.sdiv32]: `divideSigned32(${low}, ${right})`,
    [Operation.mod32]: `remainder32(${low}, ${right})`, [Operation.smod32]: `remainderSigned32(${low}, ${right})`,
    [Operation.or32]: `${low} | ${right}`, [Operation.and32]: `${low} & ${right}`, [Operation.xor32]: `${low} ^ ${right}`,
    [Operation.lsh32]: `${low} << ${right}`, [Operation.rsh32]: `${low} >>> ${right} | 0`, [Operation.arsh32]: `${low} >> ${right}`,
    [Operation.neg32]: `-${low} | 0`, [Operation.mov32]: right, [Operation.movsx8w]: `${right} << 24 >> 24`, [Operation.movsx16w]: `${right} << 16 >> 16`,
    [Operation.keep16]: `${low} & 0xffff`, [Operation.keep32]: low, [Operation.swap16]: `swap16(${low})`, [Operation.swap32]: `swap32(${low})`,
  }
  if (operation === Operation.swap64) return `x = swap32(${d.high}); ${d.high} = swap32(${low}); ${low} = x`
  return `${low} = ${value[operation]!}; ${d.high} = 0`
}

/** Order of the unsigned and signed comparisons from jgt on; both widths have the same. */
const order: Record<number, [sign: string, signed: boolean]> = {
  [Operation.jgt]: ['>', false], [Operation.jge]: ['>=', false], [Operation.jsgt]: ['>', true], [Operation.jsge]: ['>=', true],
  [Operation.jlt]: ['<', false], [Operation.jle]: ['<=', false], [Operation.jslt]: ['<', true], [Operation.jsle]: ['<=', true],
}

/** The condition of a jump. */
export function jumpCondition(operation: number, d: Operand, s: Operand): string {
  const wide = operation <= Operation.jsle
  const name = wide ? operation : operation - 20
  switch (name) {
    case Operation.jeq: return wide ? `${d.low} === ${s.low} && ${d.high} === ${s.high}` : `${d.low} === ${s.low}`
    case Operation.jne: return wide ? `${d.low} !== ${s.low} || ${d.high} !== ${s.high}` : `${d.low} !== ${s.low}`
    case Operation.jset: return wide ? `((${d.low} & ${s.low}) | (${d.high} & ${s.high})) !== 0` : `(${d.low} & ${s.low}) !== 0`
  }
  const [sign, signed] = order[name]!
  const lows = `${d.low} >>> 0 ${sign} ${s.low} >>> 0`
  if (!wide) return signed ? `${d.low} ${sign} ${s.low}` : lows
  const highs = signed ? `${d.high} ${sign[0]!} ${s.high}` : `${d.high} >>> 0 ${sign[0]!} ${s.high} >>> 0`
  return `${d.high} === ${s.high} ? ${lows} : ${highs}`
}
