import type { EsNode } from '../capture/kernel-function.ts'
import type { Condition, Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import { compare, isComparison } from './arithmetic.ts'
import { expression } from './expression.ts'
import type { Join, Lowering } from './lowering.ts'
import { originOf } from './memory.ts'
import { branchOnText, hostComparison, textComparison } from './text.ts'
import { describe, U8, type Operand } from './operand.ts'

/**
 * Conditions become control flow. What a comparison with undefined teaches of a pointer holds on
 * the edge that it leads to, so that TypeScript's narrowing is the verifier's null check.
 */
export function branchOn(l: Lowering, node: EsNode, then: Join, otherwise: Join): void {
  switch (node.type) {
    case 'ParenthesizedExpression': return branchOn(l, node.expression, then, otherwise)
    case 'UnaryExpression':
      if (node.operator === '!') return branchOn(l, node.argument, otherwise, then)
      break
    case 'LogicalExpression': {
      if (node.operator === '??') break
      const right = l.join()
      if (node.operator === '&&') branchOn(l, node.left, right, otherwise)
      else branchOn(l, node.left, then, right)
      if (l.start(right)) branchOn(l, node.right, then, otherwise)
      return
    }
    case 'BinaryExpression':
      if (node.operator === '==' || node.operator === '!=') {
        l.fail('SKEP-C01', node, `'${node.operator}' converts types in JavaScript; the kernel does not`, `use '${node.operator}='`)
      }
      if (isComparison(node.operator)) return branchOnComparison(l, node, then, otherwise)
      break
  }
  branchOnTruth(l, expression(l, node), then, otherwise, l.span(node))
}

function branchOnComparison(l: Lowering, node: EsNode, then: Join, otherwise: Join): void {
  const left = expression(l, node.left)
  const right = expression(l, node.right)
  const span = l.span(node)
  const negated = node.operator === '!=='
  if (node.operator === '===' || negated) {
    const [found, missing] = negated ? [then, otherwise] : [otherwise, then]
    if (isNothing(right)) return branchOnPresence(l, left, found, missing, span)
    if (isNothing(left)) return branchOnPresence(l, right, found, missing, span)
    const text = textComparison(l, left, right, span)
    if (text !== null) return negated ? branchOnText(l, text, otherwise, then, span) : branchOnText(l, text, then, otherwise, span)
    const same = samePointers(left, right)
    if (same !== null) {
      return l.branch({ operator: negated ? 'ne' : 'eq', width: 64, left: same[0], right: same[1] }, then, otherwise, span)
    }
  }
  if (left.kind === 'host' && right.kind === 'host') return void l.jump(hostComparison(node.operator, left.value, right.value) ? then : otherwise, span)
  const result = compare(l, node.operator, left, right, span)
  if (typeof result === 'boolean') l.jump(result ? then : otherwise, span)
  else l.branch(result, then, otherwise, span)
}

function isNothing(operand: Operand): boolean {
  return operand.kind === 'host' && (operand.value === undefined || operand.value === null)
}

/** Two kernel pointers may be compared when the verifier sees both as numbers. */
function samePointers(left: Operand, right: Operand): [Value, Value] | null {
  if (left.kind !== 'pointer' || right.kind !== 'pointer') return null
  return originOf(left.value) === 'btf' && originOf(right.value) === 'btf' ? [left.value, right.value] : null
}

function branchOnPresence(l: Lowering, operand: Operand, found: Join, missing: Join, span: Span): void {
  if (operand.kind === 'host') return void l.jump(isNothing(operand) ? missing : found, span)
  if (operand.kind === 'optional') {
    if (l.isNonNull(operand.pointer)) return void l.jump(found, span)
    return branchNotZero(l, operand.pointer, found, missing, span, operand.pointer)
  }
  if (operand.kind === 'pointer') return branchNotZero(l, operand.value, found, missing, span)
  // A number or a struct is always there.
  l.jump(found, span)
}

function branchNotZero(l: Lowering, value: Value, then: Join, otherwise: Join, span: Span, learned?: Value): void {
  const zero = l.constant(0, span)
  const condition: Condition = { operator: 'ne', width: 64, left: value, right: zero }
  l.branch(condition, then, otherwise, span, learned === undefined ? {} : { then: [learned] })
}

function branchOnTruth(l: Lowering, operand: Operand, then: Join, otherwise: Join, span: Span): void {
  switch (operand.kind) {
    case 'host': return void l.jump(operand.value ? then : otherwise, span)
    case 'scalar': return branchNotZero(l, operand.value, then, otherwise, span)
    case 'pointer': return branchNotZero(l, operand.value, then, otherwise, span)
    case 'optional':
      if (operand.copy === null) return branchOnPresence(l, operand, then, otherwise, span)
      // A missing number's copy is 0, so a copy that is not 0 was found.
      return branchNotZero(l, operand.copy, then, otherwise, span, operand.pointer)
    case 'place': return void l.jump(then, span)
    default:
      l.fail('SKEP-C04', span, `${describe(operand)} is neither true nor false`, 'compare one of its fields')
  }
}

/** A condition as a value: 1 or 0. */
export function conditionValue(l: Lowering, node: EsNode): Operand {
  const span = l.span(node)
  const yes = l.join()
  const no = l.join()
  branchOn(l, node, yes, no)
  const end = l.join()
  const results = new Map<any, Value>()
  for (const [side, result] of [[yes, 1], [no, 0]] as const) {
    if (!l.start(side)) continue
    const value = l.constant(result, span, U8)
    results.set(l.jump(end, span), value)
  }
  l.start(end)
  if (results.size === 1) {
    // Only one side can be reached: the condition is known.
    return { kind: 'host', value: no.incoming.length === 0 }
  }
  return { kind: 'scalar', value: l.parameter(end, U8, results), type: U8 }
}
