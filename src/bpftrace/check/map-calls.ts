import type { Expression, Of } from '../syntax/ast.ts'
import { asNumber, bool, none, typeName, u64, voidType, type Type } from '../types/type.ts'
import type { CheckContext, MapInfo } from './context.ts'
import { typeOf, valueType } from './expressions.ts'
import { assignVariableType, growKey, keyType } from './map-use.ts'

/** Functions whose first argument is a map. */
export function mapCall(c: CheckContext, node: Of<'call'>, name: string): Type {
  const [first, second, third] = node.args as [Expression, Expression | undefined, Expression | undefined]
  switch (name) {
    case 'print': return print(c, node, first)
    case 'len': return length(c, node, first)
    case 'delete':
      if (first.kind === 'mapAccess' && second === undefined) {
        typeOf(c, first)
        return bool
      }
      if (first.kind === 'mapAccess' && node.args.length > 1) {
        c.error(`delete() expects a map and a key`, node.span)
        return bool
      }
  }
  if (first.kind !== 'map') {
    c.error(`${name}() expects a map to be provided`, first.span)
    typeOf(c, first)
    return name === 'clear' || name === 'zero' ? voidType : bool
  }
  const info = whole(c, first)
  if (name === 'clear' || name === 'zero') return voidType
  if (second === undefined) {
    if (info.key !== null && info.key.kind !== 'none') c.error(
      `call to ${name}() expects a map without explicit keys (scalar map)`, first.span,
    )
    else if (info.key !== null) {
      info.key = null
      c.changed = true
    }
    return bool
  }
  if (info.key === null) {
    valueType(c, second)
    c.error(`call to ${name}() expects a map with explicit keys (non-scalar map)`, first.span)
    return bool
  }
  growKey(c, info, keyType(c, second), second.span)
  if (name === 'find') found(c, info, third!)
  return bool
}

/** A map as such, whatever its keys. */
function whole(c: CheckContext, node: Of<'map'>): MapInfo {
  const info = c.map(node.name, node.span)
  node.type = info.value
  return info
}

function found(c: CheckContext, info: MapInfo, variable: Expression): void {
  if (variable.kind !== 'variable') return c.error('find() expects a variable as its third argument', variable.span)
  const known = c.variable(variable.name) ?? c.declare(variable.name, none)
  c.variables.set(variable, known)
  known.assigned = true
  assignVariableType(c, known, asNumber(info.value), variable)
  variable.type = known.type
}

function print(c: CheckContext, node: Of<'call'>, first: Expression): Type {
  const more = node.args.slice(1)
  for (const arg of more) {
    typeOf(c, arg)
    if (arg.kind !== 'integer') c.error('print() expects literal numbers for top and divisor', arg.span)
  }
  if (first.kind === 'map') {
    const info = whole(c, first)
    if (info.value.kind === 'none' && info.key?.kind === 'none') return voidType
    if (more.length > 0 && info.key === null) c.warn('top and div arguments are ignored for scalar maps', node.span)
    if (more.length > 1 && info.value.kind === 'aggregate' && info.value.fn === 'stats') {
      c.warn('print()\'s div argument is ignored for stats', node.span)
    }
    return voidType
  }
  const type = valueType(c, first)
  if (more.length > 0) c.error('Non-map print() only takes 1 argument, top and div are for maps', node.span)
  if (type.kind === 'void') c.error('Non-map print() requires a value', first.span)
  else if (type.kind === 'aggregate') c.error(`${typeName(type)} cannot be printed by itself: print the map`, first.span)
  return voidType
}

function length(c: CheckContext, node: Of<'call'>, first: Expression): Type {
  if (first.kind === 'map') {
    const info = whole(c, first)
    if (info.key === null && info.value.kind !== 'stack') {
      c.error('call to len() expects a map with explicit keys (non-scalar map)', first.span)
    }
    return u64
  }
  const type = typeOf(c, first)
  if (type.kind !== 'none' && type.kind !== 'stack') c.error(`len() expects a map or stack to be provided`, node.span)
  return u64
}
