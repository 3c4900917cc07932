import { parseFormat, type Conversion } from './format.ts'
import type { Symbols } from './symbols.ts'
import { escapeBuffer, textOf, type TextOptions } from './text-value.ts'
import type { Value } from './value.ts'

/** What C's printf makes of the format and values. */
export function format(text: string, values: readonly Value[], symbols: Symbols, options: TextOptions): string {
  let at = 0
  return parseFormat(text).map((part) => {
    if (typeof part === 'string') return part
    const star = () => Number(numberOf(values[at++] ?? { kind: 'none' }))
    const width = part.width === '*' ? star() : part.width === '' ? 0 : Number(part.width)
    const precision = part.precision === '*' ? star() : part.precision === null ? null : Number(part.precision)
    return convert(part, values[at++] ?? { kind: 'none' }, width, precision, symbols, options)
  }).join('')
}

function convert(part: Conversion, value: Value, width: number, precision: number | null, symbols: Symbols, options: TextOptions): string {
  const { flags, conversion } = part
  const left = flags.includes('-') || width < 0
  const pad = (body: string, zero = false, sign = '') => {
    const missing = Math.abs(width) - body.length - sign.length
    if (missing <= 0) return sign + body
    if (left) return sign + body + ' '.repeat(missing)
    return zero ? sign + '0'.repeat(missing) + body : ' '.repeat(missing) + sign + body
  }
  if (conversion === 's') {
    const body = textOf(value, symbols, options)
    return pad(precision === null ? body : body.slice(0, precision))
  }
  if (conversion === 'r') return pad(buffer(value, part.suffix))
  if (conversion === 'c') return pad(String.fromCharCode(Number(numberOf(value) & 0xffn)))
  const number = cut(numberOf(value), part)
  if (conversion === 'p') return pad(number === 0n ? '(nil)' : `0x${number.toString(16)}`)
  const negative = number < 0n
  const digits = magnitude(negative ? -number : number, conversion)
  const prefix = flags.includes('#') && number !== 0n ? { x: '0x', X: '0X', o: '0' }[conversion] ?? '' : ''
  const sign = (negative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '') + prefix
  const body = precision === null ? digits : digits.padStart(precision, '0')
  return pad(body, flags.includes('0') && precision === null, sign)
}

function magnitude(value: bigint, conversion: string): string {
  switch (conversion) {
    case 'x': return value.toString(16)
    case 'X': return value.toString(16).toUpperCase()
    case 'o': return value.toString(8)
    default: return value.toString()
  }
}

const widths: Record<string, number> = { hh: 8, h: 16, '': 32, l: 64, ll: 64, j: 64, z: 64, t: 64 }

/** A number as wide as the conversion says: without a length as wide as an int. */
function cut(value: bigint, { conversion, length }: Conversion): bigint {
  const bits = conversion === 'p' ? 64 : widths[length]!
  return conversion === 'd' || conversion === 'i' ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
}

export function numberOf(value: Value): bigint {
  switch (value.kind) {
    case 'int': case 'enum': case 'pointer': return value.value
    case 'bool': return value.value ? 1n : 0n
    case 'ksym': case 'usym': return value.address
    case 'username': return BigInt(value.uid)
    case 'time': return value.ns
    case 'cgroupPath': return value.id
    default: return 0n
  }
}

function buffer(value: Value, suffix: string): string {
  if (value.kind !== 'buffer') return ''
  const hex = (byte: number) => byte.toString(16).padStart(2, '0')
  if (suffix === 'h') return Array.from(value.bytes, hex).join(' ')
  if (suffix === 'x') return Array.from(value.bytes, (byte) => `\\x${hex(byte)}`).join('')
  return escapeBuffer(value.bytes)
}
