import { toBigInt } from './arithmetic.ts'
import { VmFault } from './fault.ts'
import { answer, type HelperModel, type Machine } from './machine.ts'
import { Errno } from './maps/map-model.ts'

/** Helpers that print, compare and parse text. */

const decoder = new TextDecoder()

/** A NUL-terminated string of at most `most` bytes in memory that the program may read. */
function textAt(m: Machine, low: number, high: number, most = 4096): string {
  const bytes: number[] = []
  for (let offset = 0; offset < most; offset++) {
    m.spend(1)
    const byte = m.memory.u8[m.memory.toLoad(low, high, offset, 1)]!
    if (byte === 0) break
    bytes.push(byte)
  }
  return decoder.decode(Uint8Array.from(bytes))
}

/**
 * The kernel's bstr formats: %d %i %u %x %X %o %p %c %s with l, ll and h, widths and zero padding, %%.
 * @throws VmFault not-modelled for others
 */
export function formatText(m: Machine, format: string, args: readonly bigint[]): string {
  let next = 0
  return format.replaceAll(/%(?:%|([-0# +]*)(\d*)(hh|h|ll|l|z)?([a-zA-Z]\w?))/g, (all: string, flags: string, width: string, length: string, letters: string) => {
    if (all === '%%') return '%'
    const letter = letters[0]!
    const rest = letters.slice(1)
    const value = args[next++]
    if (value === undefined) {
      throw new VmFault('bad-argument', `the format ${JSON.stringify(format)} asks for more than ${args.length} values`)
    }
    const bits = length === 'l' || length === 'll' || length === 'z'
      || letter === 'p' ? 64 : length === 'hh' ? 8 : length === 'h' ? 16 : 32
    const text = one(m, letter, value, bits, format)
    const padded = flags?.includes('-') ? text.padEnd(Number(width)) : text.padStart(
      Number(width), flags?.includes('0') ? '0' : ' ',
    )
    return padded + rest
  })
}

function one(m: Machine, letter: string, value: bigint, bits: number, format: string): string {
  switch (letter) {
    case 'd': case 'i': return String(BigInt.asIntN(bits, value))
    case 'u': return String(BigInt.asUintN(bits, value))
    case 'x': return BigInt.asUintN(bits, value).toString(16)
    case 'X': return BigInt.asUintN(bits, value).toString(16).toUpperCase()
    case 'o': return BigInt.asUintN(bits, value).toString(8)
    case 'p': return BigInt.asUintN(64, value).toString(16).padStart(16, '0')
    case 'c': return String.fromCharCode(Number(value & 0xffn))
    case 's': return textAt(m, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)))
    default: throw new VmFault('not-modelled', `%${letter} in the format ${JSON.stringify(format)} is not modelled`)
  }
}

/** Values of 8 bytes each. */
function valuesAt(m: Machine, low: number, high: number, bytes: number): bigint[] {
  return Array.from({ length: bytes >> 3 }, (_, index) => {
    const at = m.memory.toLoad(low, high, index * 8, 8)
    return toBigInt(m.memory.getWord(at), m.memory.getWord(at + 4))
  })
}

function print(m: Machine, R: Int32Array): void {
  const format = textAt(m, R[2]!, R[3]!, R[4]! >>> 0)
  record(m, R, format, [6, 8, 10].map((at) => toBigInt(R[at]!, R[at + 1]!)))
}

function printValues(m: Machine, R: Int32Array): void {
  const size = R[8]! >>> 0
  if (size % 8 !== 0) return answer(R, Errno.EINVAL)
  record(m, R, textAt(m, R[2]!, R[3]!, R[4]! >>> 0), valuesAt(m, R[6]!, R[7]!, size))
}

function record(m: Machine, R: Int32Array, format: string, values: bigint[]): void {
  const text = formatText(m, format, values)
  m.world.printed.push(text.replace(/\n$/, ''))
  answer(R, text.length)
}

function snprintf(m: Machine, R: Int32Array): void {
  const size = R[4]! >>> 0
  const text = new TextEncoder().encode(formatText(m, textAt(m, R[6]!, R[7]!), valuesAt(m, R[8]!, R[9]!, R[10]! >>> 0)))
  if (size > 0) {
    const at = m.memory.toStore(R[2]!, R[3]!, 0, size)
    const kept = text.subarray(0, size - 1)
    m.memory.u8.set(kept, at)
    m.memory.u8[at + kept.length] = 0
  }
  answer(R, text.length + 1)
}

/** strncmp(s1, s1_size, s2): the difference of the first bytes that differ. */
function compareText(m: Machine, R: Int32Array): void {
  const size = R[4]! >>> 0
  for (let offset = 0; offset < size; offset++) {
    m.spend(1)
    const a = m.memory.u8[m.memory.toLoad(R[2]!, R[3]!, offset, 1)]!
    const b = m.memory.u8[m.memory.toLoad(R[6]!, R[7]!, offset, 1)]!
    if (a !== b) return answer(R, a - b)
    if (a === 0) break
  }
  answer(R, 0)
}

/** strtol and strtoul(buffer, length, flags, result): the bytes used, or a negative errno. */
const parse = (signed: boolean) => (m: Machine, R: Int32Array): void => {
  const at = m.memory.toStore(R[8]!, R[9]!, 0, 8)
  const base = R[6]!
  if (![0, 8, 10, 16].includes(base)) return answer(R, Errno.EINVAL)
  const text = textAt(m, R[2]!, R[3]!, R[4]! >>> 0)
  const [, space, sign, digits] = /^(\s*)([-+]?)(0[xX][0-9a-fA-F]+|[0-9a-fA-F]+)?/.exec(text)!
  const parsed = digits === undefined ? null : parseDigits(digits, base)
  if (parsed === null || (!signed && sign === '-')) return answer(R, Errno.EINVAL)
  const value = sign === '-' ? -parsed.value : parsed.value
  if (signed ? value !== BigInt.asIntN(64, value) : value !== BigInt.asUintN(64, value)) return answer(R, -34)
  m.memory.putWord(at, Number(BigInt.asIntN(32, value)))
  m.memory.putWord(at + 4, Number(BigInt.asIntN(32, value >> 32n)))
  answer(R, space!.length + sign!.length + parsed.length)
}

function parseDigits(text: string, wanted: number): { value: bigint; length: number } | null {
  const hexadecimal = /^0x/i.test(text)
  const base = wanted !== 0 ? wanted : hexadecimal ? 16 : text.startsWith('0') ? 8 : 10
  const prefix = hexadecimal && base === 16 ? 2 : 0
  const allowed = base === 16 ? /^[0-9a-f]+/i : base === 10 ? /^\d+/ : /^[0-7]+/
  const digits = allowed.exec(text.slice(prefix))?.[0]
  if (digits === undefined) return null
  return { value: BigInt(base === 16 ? `0x${digits}` : base === 8 ? `0o${digits}` : digits), length: prefix + digits.length }
}

export const textCalls: readonly HelperModel[] = [
  { name: 'trace_printk', args: 2, variadic: true, run: print },
  { name: 'trace_vprintk', args: 4, run: printValues },
  { name: 'snprintf', args: 5, run: snprintf },
  { name: 'strncmp', args: 3, run: compareText },
  { name: 'strtol', args: 4, run: parse(true) },
  { name: 'strtoul', args: 4, run: parse(false) },
]
