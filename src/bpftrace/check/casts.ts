import type { Of } from '../syntax/ast.ts'
import { asNumber, isCastableAggregate, isIntLike, none, pointerTo, sizeOf, typeName, type Type } from '../types/type.ts'
import type { CheckContext } from './context.ts'
import { typeOf, writtenType } from './expressions.ts'

/** The type of `(T)value`, if values of that kind can become one. */
export function castType(c: CheckContext, node: Of<'cast'>): Type {
  const from = typeOf(c, node.operand)
  const to = writtenType(c, node.to)
  if (to.kind === 'none') return to
  if (from.kind === 'none') return to.kind === 'array' && to.length < 0 ? none : to
  const refuse = (): Type => {
    c.error(`Cannot cast from "${typeName(from)}" to "${typeName(to)}"`, node.span)
    return to
  }
  switch (to.kind) {
    case 'int': return fromNumber(from) || (from.kind === 'array' && isIntLike(from.element) && sizeOf(from) <= 8) ? to
      : from.kind === 'string' && from.size <= 8 && !from.literal ? to : refuse()
    case 'bool': return fromNumber(from) ? to : refuse()
    case 'enum': return isIntLike(from) || isCastableAggregate(from) ? to : refuse()
    case 'pointer': {
      if (isIntLike(from) || isCastableAggregate(from)) return to
      if (from.kind === 'pointer') return to.space === 'unknown' ? pointerTo(to.to, from.space) : to
      if (from.kind === 'string' || from.kind === 'array') {
        return pointerTo(to.to, from.kind === 'string' && from.space !== undefined ? from.space : 'unknown')
      }
      return refuse()
    }
    case 'array': return toArray(c, node, from, to)
    case 'string': {
      if (from.kind === 'array' && sizeOf(from.element) === 1) return to.size === 0 ? { ...to, size: from.length } : to
      if (from.kind !== 'string') return refuse()
      return to.size === 0 ? from : to
    }
    case 'username': return from.kind === 'int' && !(from.signed && from.range === undefined && from.bits > 32) ? to : refuse()
    case 'ksym': case 'usym': return fromNumber(from) ? to : refuse()
    case 'struct':
      c.error(`Cannot cast to ${typeName(to)}`, node.span, `cast to a pointer: (${typeName(to)} *)`)
      return to
    case 'timestamp': case 'mac': case 'inet': case 'buffer': return from.kind === 'int' || from.kind === to.kind ? to : refuse()
    case 'aggregate': case 'tuple': case 'record': case 'stack': return from.kind === to.kind ? from : refuse()
    default: return refuse()
  }
}

function fromNumber(from: Type): boolean {
  return isIntLike(from) || from.kind === 'pointer' || isCastableAggregate(from) || from.kind === 'ksym' || from.kind === 'usym' || from.kind === 'username' || from.kind === 'timestamp'
}

/** Bytes of a number as an array of numbers: the sizes must agree. */
function toArray(c: CheckContext, node: Of<'cast'>, given: Type, to: Type & { kind: 'array' }): Type {
  const from = asNumber(given)
  const element = sizeOf(to.element)
  const refuse = (): Type => {
    c.error(`Cannot cast from "${typeName(from)}" to "${typeName(to)}"`, node.span)
    return to
  }
  if (!isIntLike(to.element)) return refuse()
  if (from.kind === 'string') {
    return to.length < 0 || to.length * element >= from.size ? { ...to, length: to.length < 0 ? from.size : to.length } : refuse()
  }
  if (from.kind !== 'int' && from.kind !== 'bool' && from.kind !== 'array' && from.kind !== 'enum') return refuse()
  // A literal is as wide as an int64 here.
  const size = from.kind === 'int' && from.range !== undefined ? 8 : sizeOf(from)
  if (to.length < 0) return size % element === 0 ? { ...to, length: size / element } : refuse()
  return to.length * element === size || (from.kind === 'int' && from.range !== undefined && to.length * element <= 8) ? to : refuse()
}
