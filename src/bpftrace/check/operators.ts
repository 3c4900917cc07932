import type { Expression, Of } from '../syntax/ast.ts'
import { mergeTypes } from '../types/merge.ts'
import { bool, i64, int, isIntLike, none, pointerTo, typeName, u64, type IntType, type Type } from '../types/type.ts'
import type { CheckContext } from './context.ts'
import { typeOf, valueType } from './expressions.ts'
import { assignType, assignVariableType, useMap } from './map-use.ts'

const comparisons = new Set(['==', '!=', '<', '>', '<=', '>='])

export function unaryType(c: CheckContext, node: Of<'unary'>): Type {
  const { operator, operand } = node
  if (operator === '++' || operator === '--') return stepType(c, node)
  if (operator === '&') return addressType(c, operand)
  const type = valueType(c, operand)
  if (type.kind === 'none') return operator === '!' ? bool : none
  switch (operator) {
    case '!':
      if (!isIntLike(type) && type.kind !== 'pointer') {
        c.error(`The ! operator can not be used on expressions of type '${typeName(type)}'`, node.span)
      }
      return bool
    case '~': case '-':
      if (!isIntLike(type)) {
        c.error(`The ${operator} operator can not be used on expressions of type '${typeName(type)}'`, node.span)
      }
      return operator === '-' || (type.kind === 'int' && type.signed) ? i64 : u64
    case '*':
      if (type.kind === 'pointer') {
        if (type.to.kind !== 'void') return type.to
        c.error('Can not dereference a void pointer', node.span, 'cast it to a pointer to what is there')
        return none
      }
      if (type.kind === 'int') return u64
      c.error(`Can not dereference expression of type '${typeName(type)}'`, node.span)
      return none
    default: return type
  }
}

function stepType(c: CheckContext, node: Of<'unary'>): Type {
  const { operand, operator } = node
  const type = operand.kind === 'variable' || operand.kind === 'identifier' ? typeOf(c, operand)
    : operand.kind === 'map' ? useMap(c, operand.name, operand.span, null).value
    : operand.kind === 'mapAccess' ? useMap(c, operand.map, operand.mapSpan, operand.key).value : none
  operand.type = type
  if (type.kind === 'pointer') return type
  if (type.kind !== 'none' && type.kind !== 'int') {
    c.error(`The ${operator} operator can not be used on expressions of type '${typeName(type)}'`, node.span)
    return i64
  }
  // Stepping may leave the range of a small literal: the target becomes 64 bits wide.
  const wide: IntType = type.kind === 'int' && !type.signed && operator === '++' ? u64 : type.kind === 'int' && !type.signed ? { ...u64 } : i64
  if (operand.kind === 'map') assignType(c, useMap(c, operand.name, operand.span, null), wide, node)
  else if (operand.kind === 'mapAccess') assignType(c, useMap(c, operand.map, operand.mapSpan, operand.key), wide, node)
  else if (operand.kind === 'variable') {
    const info = c.variable(operand.name)
    if (info !== undefined && info.declared === null) assignVariableType(c, info, wide, node)
  }
  operand.type = wide
  return wide
}

function addressType(c: CheckContext, operand: Expression): Type {
  if (operand.kind === 'map') {
    operand.type = c.map(operand.name, operand.span).value
    return pointerTo(operand.type, 'own')
  }
  const type = typeOf(c, operand)
  if (operand.kind === 'variable' && type.kind === 'none' && c.reporting) {
    c.error(`No type available for variable ${operand.name}`, operand.span)
  }
  return pointerTo(type, 'own')
}

export function binaryType(c: CheckContext, node: Of<'binary'>): Type {
  const left = valueType(c, node.left)
  const right = valueType(c, node.right)
  const { operator } = node
  const compares = comparisons.has(operator)
  if (left.kind === 'none' || right.kind === 'none') {
    return compares || operator === '&&' || operator === '||' ? bool : left.kind === 'none' ? widened(right) : widened(left)
  }
  if (operator === '&&' || operator === '||') {
    for (const [type, side] of [[left, node.left], [right, node.right]] as const) {
      if (!isIntLike(type) && type.kind !== 'pointer' && type.kind !== 'string') {
        c.error(
          `The ${operator} operator can not be used on expressions of types '${typeName(left)}', '${typeName(right)}'`, side.span,
        )
      }
    }
    return bool
  }
  if (left.kind === 'pointer' || right.kind === 'pointer') return pointerArithmetic(c, node, left, right)
  if (isIntLike(left) && isIntLike(right)) return numbers(c, node, left, right)
  if (compares) return comparison(c, node, left, right)
  mismatch(c, node, left, right)
  return i64
}

function widened(type: Type): Type {
  return type.kind === 'int' ? (type.signed ? i64 : u64) : type
}

function mismatch(c: CheckContext, node: Of<'binary'>, left: Type, right: Type): void {
  c.error(`Type mismatch for '${node.operator}': comparing ${typeName(left)} with ${typeName(right)}`, node.operatorSpan)
}

/** Numbers are computed in 64 bits: unsigned if both are, else signed; literals take the other side's sign. */
function numbers(c: CheckContext, node: Of<'binary'>, left: Type, right: Type): Type {
  const { operator } = node
  const a = asInt(left)
  const b = asInt(right)
  const literals = a.range !== undefined && b.range !== undefined
  const fitsOther = (range: IntType['range'], other: IntType) => range !== undefined && (other.signed ? range.most < 1n << 63n : range.least >= 0n)
  const signed = literals ? a.signed || b.signed
    : fitsOther(a.range, b) ? b.signed
    : fitsOther(b.range, a) ? a.signed : a.signed || b.signed
  const lossy = !literals && a.signed !== b.signed && !fitsOther(a.range, b) && !fitsOther(b.range, a) && (a.signed ? b : a).bits === 64
  if (lossy && operator !== '<<' && operator !== '>>') {
    const what = comparisons.has(operator) ? 'comparison of integers of different signs' : operator === '/' || operator === '%' ? 'signed operands' : 'arithmetic on integers of different signs'
    c.warn(`${what}: '${typeName(left)}' and '${typeName(right)}' can lead to undefined behavior`, node.operatorSpan)
  }
  if (comparisons.has(operator)) return bool
  if (operator === '-') return i64
  if (operator === '<<' || operator === '>>') return a.signed ? i64 : u64
  return signed ? i64 : u64
}

function asInt(type: Type): IntType {
  if (type.kind === 'int') return type
  if (type.kind === 'enum') return int(type.bits, type.signed)
  return { ...int(8, false), range: { least: 0n, most: 1n } }
}

function pointerArithmetic(c: CheckContext, node: Of<'binary'>, left: Type, right: Type): Type {
  const { operator } = node
  if (comparisons.has(operator)) {
    if ((left.kind === 'pointer' || isIntLike(left)) && (right.kind === 'pointer' || isIntLike(right))) return bool
    mismatch(c, node, left, right)
    return bool
  }
  const pointer = left.kind === 'pointer' ? left : right
  const other = left.kind === 'pointer' ? right : left
  if (operator === '-' && left.kind === 'pointer' && right.kind === 'pointer') return i64
  if (isIntLike(other) && (operator === '+' || (operator === '-' && left.kind === 'pointer'))) return pointer
  if (isIntLike(other) && ['&', '|', '%', '^'].includes(operator)) return u64
  c.error(
    `The ${operator} operator can not be used on expressions of types '${typeName(left)}', '${typeName(right)}'`, node.operatorSpan,
  )
  return pointer
}

function comparison(c: CheckContext, node: Of<'binary'>, left: Type, right: Type): Type {
  const equality = node.operator === '==' || node.operator === '!='
  if (!equality && left.kind === 'string' && right.kind === 'string' && node.left.kind === 'string' && node.right.kind === 'string') {
    return bool
  }
  if (!equality) {
    c.error(
      `The ${node.operator} operator can not be used on expressions of types '${typeName(left)}', '${typeName(right)}'`, node.operatorSpan,
    )
    return bool
  }
  if (left.kind === 'string' && right.kind === 'string') {
    const [literal, other, side] = node.left.kind === 'string' ? [left, right, node.left] : [right, left, node.right]
    if (side.kind === 'string' && other.size > 0 && !other.literal && literal.size - 1 > other.size) {
      c.warn(`The literal is longer than the variable string (size=${other.size}), condition will always be false`, side.span)
    }
    return bool
  }
  if (left.kind === 'struct' || mergeTypes(left, right) === null) mismatch(c, node, left, right)
  else if (left.kind === 'tuple' || left.kind === 'array' || left.kind === 'buffer' || left.kind === 'record' || left.kind === 'inet' || left.kind === 'mac') {
    if (!sameShape(left, right)) mismatch(c, node, left, right)
  } else if (left.kind !== 'ksym' && left.kind !== 'usym' && left.kind !== 'username' && left.kind !== 'timestamp') {
    c.error(
      `The ${node.operator} operator can not be used on expressions of types '${typeName(left)}', '${typeName(right)}'`, node.operatorSpan,
    )
  }
  return bool
}

/** Arrays inside must be of one element type and length. */
function sameShape(a: Type, b: Type): boolean {
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    return a.elements.length === b.elements.length && a.elements.every((element, index) => sameShape(element, b.elements[index]!))
  }
  if (a.kind === 'array' && b.kind === 'array') return a.length === b.length && typeName(a.element) === typeName(b.element)
  return true
}
