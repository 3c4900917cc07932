import { isTypeNode, type Expression, type Of } from '../syntax/ast.ts'
import { visit } from '../syntax/walk.ts'
import { typeName, type Type } from '../types/type.ts'
import { foldExpression, isLiteral, truth } from './fold.ts'
import type { CheckContext } from './context.ts'
import { operandType, typeOf } from './expressions.ts'

/** Whether a comptime `if` takes its first branch; null while the types that decide it are not known. */
export function decide(c: CheckContext, node: Of<'if'>): boolean | null {
  const known = c.decided.get(node)
  const { operand } = node.condition as Of<'comptime'>
  if (known !== undefined) {
    if (c.reporting) evaluate(c, operand)
    return known
  }
  if (!c.deciding) {
    if (c.reporting) c.error('Unable to evaluate at compile time.', node.condition.span)
    return null
  }
  const value = evaluate(c, operand)
  if (value === null) return null
  const taken = truth(value)
  c.decided.set(node, taken)
  // One decision a pass: others may depend on what it brings in.
  c.deciding = false
  c.changed = true
  lock(c, operand)
  return taken
}

/** What was looked at may not change any more. */
function lock(c: CheckContext, operand: Expression): void {
  visit(operand, (node) => {
    if (node.kind === 'variable') {
      const info = c.variable((node as Of<'variable'>).name)
      if (info !== undefined) info.locked = true
    } else if (node.kind === 'map' || node.kind === 'mapAccess') {
      const info = c.maps.get(node.kind === 'map' ? (node as Of<'map'>).name : (node as Of<'mapAccess'>).map)
      if (info !== undefined) info.valueLocked = true
    }
  })
}

/** The value of an expression as a literal, with what is known of types; null if it cannot be known yet. */
export function evaluate(c: CheckContext, node: Expression): Expression | null {
  if (isLiteral(node)) return node
  const { span } = node
  const text = (value: string): Expression => ({ kind: 'string', value, span })
  switch (node.kind) {
    case 'comptime': return evaluate(c, node.operand)
    case 'binary': {
      const left = evaluate(c, node.left)
      const right = left === null ? null : evaluate(c, node.right)
      if (left === null || right === null) return null
      const folded = foldExpression({ ...node, left, right })
      return isLiteral(folded) ? folded : null
    }
    case 'unary': {
      const operand = evaluate(c, node.operand)
      const folded = operand === null ? null : foldExpression({ ...node, operand })
      return folded !== null && isLiteral(folded) ? folded : null
    }
    case 'typeinfo': {
      const type = typeinfo(c, node)
      return type === null ? null : text(typeName(type))
    }
    case 'field': {
      if (node.operand.kind !== 'typeinfo') return null
      const type = typeinfo(c, node.operand)
      if (type === null) return null
      return text(node.name === 'base_type' ? baseName(type) : typeName(type))
    }
    case 'call': return evaluateCall(c, node)
    case 'sizeof': case 'offsetof': return null
    default: return null
  }
}

function typeinfo(c: CheckContext, node: Of<'typeinfo'>): Type | null {
  const type = operandType(c, node.operand)
  return type.kind === 'none' ? null : type
}

function baseName(type: Type): string {
  switch (type.kind) {
    case 'int': return 'int'
    default: return type.kind
  }
}

function evaluateCall(c: CheckContext, node: Of<'call'>): Expression | null {
  const [arg] = node.args
  if (arg === undefined || !node.name.startsWith('is_')) return null
  const answer = question(c, node.name, arg)
  return answer === null ? null : { kind: 'bool', value: answer, span: node.span }
}

/** The `is_…` questions about types. */
export function question(c: CheckContext, name: string, arg: Expression): boolean | null {
  if (name === 'is_scalar') {
    const info = arg.kind === 'map' ? c.maps.get(arg.name) : undefined
    if (info === undefined) return arg.kind === 'map' ? null : true
    return info.key === null ? true : info.key.kind === 'none' ? null : false
  }
  if (name === 'is_literal') return isLiteral(arg)
  const type = isTypeNode(arg) ? operandType(c, arg) : typeOf(c, arg)
  if (type.kind === 'none') return null
  switch (name) {
    case 'is_str': return type.kind === 'string'
    case 'is_ptr': return type.kind === 'pointer'
    case 'is_array': return type.kind === 'array'
    case 'is_integer': return type.kind === 'int'
    case 'is_unsigned_integer': return type.kind === 'int' && !type.signed
    default: return null
  }
}
