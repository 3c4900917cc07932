import type { BinaryOperator, Comparison, IntType, Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import type { Lowering } from './lowering.ts'
import { hostBinary } from './text.ts'
import { present } from './memory.ts'
import { describe, I32, I64, int, typeName, U64, type Operand } from './operand.ts'

/**
 * Integer arithmetic by C's rules on 64-bit Linux: types narrower than 32 bits are
 * promoted to i32, the wider type wins, unsigned wins at equal width, results wrap.
 * A literal takes the type of the other operand. Division by zero gives 0, modulo the left operand, as eBPF defines.
 */
export type Scalar = Operand & { kind: 'scalar' }

/** An integer known while compiling, or null. */
export function literal(operand: Operand): bigint | null {
  if (operand.kind !== 'host') return null
  if (typeof operand.value === 'bigint') return operand.value
  if (typeof operand.value === 'boolean') return operand.value ? 1n : 0n
  return typeof operand.value === 'number' && Number.isInteger(operand.value) ? BigInt(operand.value) : null
}

/** The operand as an integer in a register; literals take the wanted type if it is given. */
export function toScalar(l: Lowering, operand: Operand, span: Span, wanted?: IntType): Scalar {
  if (operand.kind === 'scalar') return operand
  if (operand.kind === 'optional') return toScalar(l, present(l, operand, span), span, wanted)
  const number = literal(operand)
  if (number !== null) {
    const type = wanted ?? literalType(l, number, span)
    if (!fits(number, type)) {
      l.fail('SKEP-C08', span, `${number} does not fit ${typeName(type)}`, `the range is ${minimum(type)} to ${maximum(type)}`)
    }
    return { kind: 'scalar', value: l.constant(number, span, type), type }
  }
  if (operand.kind === 'host' && typeof operand.value === 'number') {
    l.fail('SKEP-C08', span, `${operand.value} is no integer; the kernel has no floating point`, 'use an integer, in a smaller unit if need be')
  }
  return l.fail('SKEP-C04', span, `${describe(operand)} is no number`, 'read one of its fields, or use address() for a number that stands for it')
}

function literalType(l: Lowering, number: bigint, span: Span): IntType {
  for (const type of [I32, I64, U64]) if (fits(number, type)) return type
  return l.fail('SKEP-C08', span, `${number} does not fit 64 bits`, 'use a smaller number')
}

export function minimum(type: IntType): bigint { return type.signed ? -(1n << BigInt(type.bits - 1)) : 0n }
export function maximum(type: IntType): bigint { return type.signed ? (1n << BigInt(type.bits - 1)) - 1n : (1n << BigInt(type.bits)) - 1n }
export function fits(number: bigint, type: IntType): boolean { return number >= minimum(type) && number <= maximum(type) }

function promoted(type: IntType): IntType {
  return type.bits < 32 ? I32 : type
}

export function commonType(a: IntType, b: IntType): IntType {
  const left = promoted(a)
  const right = promoted(b)
  if (left.bits !== right.bits) return left.bits > right.bits ? left : right
  return int(left.bits, left.signed && right.signed)
}

/** The same number in another type, wrapping as C does. */
export function convert(l: Lowering, scalar: Scalar, type: IntType, span: Span): Scalar {
  const from = scalar.type
  if (from.bits === type.bits && from.signed === type.signed) return scalar
  // A narrower unsigned value is zero-extended and a wider type holds it as it is; so is a signed one in a 64-bit register.
  const held = type.bits === 64 || (from.bits < type.bits && (!from.signed || type.signed))
  if (held) return { kind: 'scalar', value: scalar.value, type }
  const out = l.value(type, scalar.value.name)
  l.emit({ op: 'extend', out, value: scalar.value, bits: type.bits as 8 | 16 | 32, signed: type.signed, span })
  return { kind: 'scalar', value: out, type }
}

/** Both operands in their common type; a literal adapts to the other operand. */
function unify(l: Lowering, left: Operand, right: Operand, span: Span): { left: Scalar; right: Scalar; type: IntType } {
  const a = literal(left)
  const b = literal(right)
  if (a !== null && b === null) {
    const other = toScalar(l, right, span)
    const type = adapt(l, a, promoted(other.type), span)
    return { left: toScalar(l, left, span, type), right: convert(l, other, type, span), type }
  }
  if (b !== null && a === null) {
    const other = toScalar(l, left, span)
    const type = adapt(l, b, promoted(other.type), span)
    return { left: convert(l, other, type, span), right: toScalar(l, right, span, type), type }
  }
  const x = toScalar(l, left, span)
  const y = toScalar(l, right, span)
  const type = commonType(x.type, y.type)
  return { left: convert(l, x, type, span), right: convert(l, y, type, span), type }
}

function adapt(l: Lowering, number: bigint, type: IntType, span: Span): IntType {
  if (fits(number, type)) return type
  const wider = int(64, type.signed || number < 0n)
  if (!type.signed && number < 0n) {
    l.fail('SKEP-C08', span, `${number} is compared or combined with an unsigned ${typeName(type)}, which is never negative`, 'use a non-negative number, or convert the other side: (x as i64)')
  }
  return wider
}

const operators: Record<string, { unsigned: BinaryOperator; signed: BinaryOperator; keepsSign?: boolean }> = {
  '+': { unsigned: 'add', signed: 'add' },
  '-': { unsigned: 'sub', signed: 'sub' },
  '*': { unsigned: 'mul', signed: 'mul' },
  '/': { unsigned: 'div', signed: 'sdiv' },
  '%': { unsigned: 'mod', signed: 'smod' },
  '&': { unsigned: 'and', signed: 'and', keepsSign: true },
  '|': { unsigned: 'or', signed: 'or', keepsSign: true },
  '^': { unsigned: 'xor', signed: 'xor', keepsSign: true },
  '<<': { unsigned: 'shl', signed: 'shl' },
  '>>': { unsigned: 'shr', signed: 'sar', keepsSign: true },
  '>>>': { unsigned: 'shr', signed: 'shr' },
}

export function isArithmetic(operator: string): boolean {
  return operator in operators
}

export function binary(l: Lowering, operator: string, left: Operand, right: Operand, span: Span): Operand {
  const rule = operators[operator]!
  const known = hostBinary(operator, left, right)
  if (known !== null) return known
  const a = literal(left)
  const b = literal(right)
  if (a !== null && b !== null) return { kind: 'host', value: fold(l, operator, a, b, span) }
  if (operator === '<<' || operator === '>>' || operator === '>>>') return shift(l, operator, left, right, span)
  const { left: x, right: y, type } = unify(l, left, right, span)
  if (type.signed && (operator === '/' || operator === '%') && l.context.features?.signedDivision !== true) {
    return signedDivision(l, operator, x.value, y.value, type, span)
  }
  return wrapped(l, type.signed ? rule.signed : rule.unsigned, x.value, y.value, type, rule.keepsSign === true, span)
}

/** Division of the magnitudes, whose result gets the sign that it should have: the instruction for it came with 6.6. */
function signedDivision(l: Lowering, operator: '/' | '%', x: Value, y: Value, type: IntType, span: Span): Scalar {
  const compute = (name: BinaryOperator, left: Value, right: Value): Value => {
    const out = l.value(I64)
    l.emit({ op: 'binary', out, operator: name, width: 64, left, right, span })
    return out
  }
  /** All ones if the number is negative, else zero. */
  const signOf = (value: Value) => compute('sar', value, l.constant(63, span, I64))
  const withSign = (value: Value, sign: Value) => compute('sub', compute('xor', value, sign), sign)
  const [left, right] = [signOf(x), signOf(y)]
  const [a, b] = [withSign(x, left), withSign(y, right)]
  const result = operator === '/' ? withSign(compute('div', a, b), compute('xor', left, right)) : withSign(compute('mod', a, b), left)
  if (type.bits === 64) return { kind: 'scalar', value: result, type }
  const extended = l.value(type)
  l.emit({ op: 'extend', out: extended, value: result, bits: 32, signed: true, span })
  return { kind: 'scalar', value: extended, type }
}

/** The type of a shift is that of its left operand; `>>>` takes that as unsigned. */
function shift(l: Lowering, operator: string, left: Operand, right: Operand, span: Span): Operand {
  const rule = operators[operator]!
  const count = literal(right)
  const scalar = toScalar(l, left, span)
  const wide = promoted(scalar.type)
  const type = operator === '>>>' ? int(wide.bits, false) : wide
  const x = convert(l, convert(l, scalar, wide, span), type, span)
  if (count !== null && (count < 0n || count >= BigInt(type.bits))) {
    l.fail('SKEP-C08', span, `a shift of ${typeName(type)} by ${count}`, `shift by 0 to ${type.bits - 1}, or widen first: (x as u64) << ${count}`)
  }
  const y = toScalar(l, right, span, count === null ? undefined : type)
  return wrapped(l, type.signed ? rule.signed : rule.unsigned, x.value, y.value, type, rule.keepsSign === true, span)
}

/** Computes in the type's width; i32 is computed in 64 bits and wrapped, so that it stays sign-extended. */
function wrapped(l: Lowering, operator: BinaryOperator, x: Value, y: Value, type: IntType, keepsSign: boolean, span: Span): Scalar {
  const exact = type.bits === 64 || !type.signed || keepsSign
  const out = l.value(exact ? type : I64)
  l.emit({ op: 'binary', out, operator, width: type.bits === 32 && !type.signed ? 32 : 64, left: x, right: y, span })
  if (exact) return { kind: 'scalar', value: out, type }
  const extended = l.value(type)
  l.emit({ op: 'extend', out: extended, value: out, bits: 32, signed: true, span })
  return { kind: 'scalar', value: extended, type }
}

function fold(l: Lowering, operator: string, a: bigint, b: bigint, span: Span): bigint | number {
  const result = (() => {
    switch (operator) {
      case '+': return a + b
      case '-': return a - b
      case '*': return a * b
      case '/': return b === 0n ? 0n : a / b
      case '%': return b === 0n ? a : a % b
      case '&': return a & b
      case '|': return a | b
      case '^': return a ^ b
      case '<<': return a << b
      default: return a >> b
    }
  })()
  if (!fits(result, I64) && !fits(result, U64)) l.fail('SKEP-C08', span, `${a} ${operator} ${b} does not fit 64 bits`, 'use smaller numbers')
  return Number.isSafeInteger(Number(result)) ? Number(result) : result
}

export function negate(l: Lowering, operand: Operand, span: Span): Operand {
  const number = literal(operand)
  if (number !== null) return { kind: 'host', value: -number }
  return binary(l, '-', { kind: 'host', value: 0 }, operand, span)
}

export function complement(l: Lowering, operand: Operand, span: Span): Operand {
  const number = literal(operand)
  if (number !== null) return { kind: 'host', value: ~number }
  const scalar = toScalar(l, operand, span)
  const type = promoted(scalar.type)
  const x = convert(l, scalar, type, span)
  const ones = l.constant(type.signed || type.bits === 64 ? -1n : 0xffff_ffffn, span, type)
  return wrapped(l, 'xor', x.value, ones, type, true, span)
}

const comparisons: Record<string, { unsigned: Comparison; signed: Comparison }> = {
  '===': { unsigned: 'eq', signed: 'eq' },
  '!==': { unsigned: 'ne', signed: 'ne' },
  '<': { unsigned: 'lt', signed: 'slt' },
  '<=': { unsigned: 'le', signed: 'sle' },
  '>': { unsigned: 'gt', signed: 'sgt' },
  '>=': { unsigned: 'ge', signed: 'sge' },
}

export function isComparison(operator: string): boolean {
  return operator in comparisons
}

/** The comparison of two integers as a condition; a boolean when both are known. */
export function compare(l: Lowering, operator: string, left: Operand, right: Operand, span: Span): boolean | { operator: Comparison; width: 64; left: Value; right: Value } {
  const a = literal(left)
  const b = literal(right)
  if (a !== null && b !== null) {
    switch (operator) {
      case '===': return a === b
      case '!==': return a !== b
      case '<': return a < b
      case '<=': return a <= b
      case '>': return a > b
      default: return a >= b
    }
  }
  const { left: x, right: y, type } = unify(l, left, right, span)
  return { operator: type.signed ? comparisons[operator]!.signed : comparisons[operator]!.unsigned, width: 64, left: x.value, right: y.value }
}
