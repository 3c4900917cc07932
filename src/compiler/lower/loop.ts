import type { EsNode } from '../capture/kernel-function.ts'
import type { Span } from '../span.ts'
import { binary, compare, literal, toScalar } from './arithmetic.ts'
import { branchOn } from './condition.ts'
import { elementAt, elementType, expression } from './expression.ts'
import type { Join, Lowering, Variable } from './lowering.ts'
import { asPlace, load } from './memory.ts'
import { describe, host, U64, type Operand } from './operand.ts'
import { inScope, statement, variables } from './statement.ts'

/**
 * Loops. Their variables become parameters of the header block. A loop whose number of steps is known while compiling
 * is left to the verifier, which walks through it (5.3); any other gets the kernel's own bound (may_goto, 6.9) where the target has it.
 */

/** At most so many steps of a JavaScript array are written out. */
const MOST_UNROLLED = 256

interface Parts {
  test: EsNode | null
  body: EsNode
  update: EsNode | null
  /** `do … while`: the body comes before the test. */
  bodyFirst?: boolean
  /** The number of steps is known while compiling. */
  counted: boolean
}

export function forStatement(l: Lowering, node: EsNode, label: string | null): void {
  inScope(l, () => {
    if (node.init?.type === 'VariableDeclaration') variables(l, node.init, isCounter(node) ? U64 : undefined)
    else if (node.init) expression(l, node.init)
    repeat(l, node, label, { test: node.test ?? null, body: node.body, update: node.update ?? null, counted: isCounted(l, node) })
  })
}

export function whileStatement(l: Lowering, node: EsNode, label: string | null): void {
  repeat(l, node, label, { test: node.test, body: node.body, update: null, counted: false })
}

export function doWhileStatement(l: Lowering, node: EsNode, label: string | null): void {
  repeat(l, node, label, { test: node.test, body: node.body, update: null, bodyFirst: true, counted: false })
}

function repeat(l: Lowering, node: EsNode, label: string | null, { test, body, update, bodyFirst = false, counted }: Parts): void {
  const span = l.span(node)
  const [end, next] = [l.join(), l.join()]
  const header = l.startLoop(assignedIn(l, [test, body, update]), span)
  if (!counted) askBudget(l, end, span)
  if (test !== null && !bodyFirst) proceedIf(l, test, end)
  if (l.block !== null) bodyOf(l, body, { label, end, next })
  if (l.start(next)) {
    if (update !== null) expression(l, update)
    if (test !== null && bodyFirst) proceedIf(l, test, end)
    if (l.block !== null) l.closeLoop(header, span)
  }
  l.start(end)
}

/** Goes on where the test holds, else to `end`; nowhere if it never holds. */
function proceedIf(l: Lowering, test: EsNode, end: Join): void {
  const inside = l.join()
  branchOn(l, test, inside, end)
  l.start(inside)
}

/** The kernel counts the steps of all such loops of a run, 8 million at most, and ends the loop when they are used up. */
function askBudget(l: Lowering, end: Join, span: Span): void {
  if (l.context.features?.mayGoto !== true) return
  const inside = l.join()
  const zero = l.constant(0, span)
  l.branch({ operator: 'exhausted', width: 64, left: zero, right: zero }, end, inside, span)
  l.start(inside)
}

function bodyOf(l: Lowering, body: EsNode, target: { label: string | null; end: Join; next: Join }): void {
  l.frame.targets.push(target)
  inScope(l, () => statement(l, body))
  l.frame.targets.pop()
  if (l.block !== null) l.jump(target.next, l.span(body))
}

/** Variables of this function that the nodes assign. */
function assignedIn(l: Lowering, nodes: readonly (EsNode | null)[]): Variable[] {
  const found = new Set<Variable>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit)
    if (typeof node !== 'object' || node === null || typeof (node as EsNode).type !== 'string') return
    const { type, left, argument } = node as EsNode
    const target: EsNode | undefined = type === 'AssignmentExpression' ? left : type === 'UpdateExpression' ? argument : undefined
    if (target?.type === 'Identifier') {
      const binding = l.frame.scope.find(target.name)
      if (binding?.kind === 'variable') found.add(binding.variable)
    }
    for (const [key, value] of Object.entries(node)) if (key !== 'type' && typeof value === 'object') visit(value)
  }
  visit(nodes)
  return [...found]
}

/** `for (let i = 0; i < …; i++)` with nothing else that assigns i: it counts up from a number that is not negative. */
function isCounter(node: EsNode): boolean {
  const declarator: EsNode | undefined = node.init.declarations[0]
  const { test, update } = node
  if (node.init.declarations.length !== 1 || declarator?.id.type !== 'Identifier') return false
  const { name } = declarator.id
  const start = declarator.init
  return start?.type === 'Literal' && typeof start.value === 'number' && start.value >= 0 && stepsUp(update, name)
    && test?.type === 'BinaryExpression' && ['<', '<=', '!=='].includes(test.operator) && test.left.type === 'Identifier' && test.left.name === name
    && !assigns(node.body, name)
}

function stepsUp(update: EsNode | undefined | null, name: string): boolean {
  if (update?.type === 'UpdateExpression') return update.operator === '++' && update.argument.name === name
  return update?.type === 'AssignmentExpression' && update.left.name === name && (update.operator === '+=' || update.operator === '<<=')
    && update.right.type === 'Literal' && update.right.value > 0
}

function assigns(node: unknown, name: string): boolean {
  if (Array.isArray(node)) return node.some((one) => assigns(one, name))
  if (typeof node !== 'object' || node === null) return false
  const { type, left, argument } = node as EsNode
  if (type === 'AssignmentExpression' && left.type === 'Identifier' && left.name === name) return true
  if (type === 'UpdateExpression' && argument.type === 'Identifier' && argument.name === name) return true
  return Object.values(node).some((value) => assigns(value, name))
}

/** A counter that runs to a number known while compiling. */
function isCounted(l: Lowering, node: EsNode): boolean {
  if (node.init?.type !== 'VariableDeclaration' || !isCounter(node)) return false
  const limit: EsNode = node.test.right
  return ['Literal', 'Identifier', 'MemberExpression', 'BinaryExpression'].includes(limit.type) && literal(expression(l, limit)) !== null
}

export function forOfStatement(l: Lowering, node: EsNode, label: string | null): void {
  if (node.left.type !== 'VariableDeclaration' || node.left.declarations[0].id.type !== 'Identifier') {
    l.fail('SKEP-C01', node.left, 'this pattern has no meaning in the kernel', 'write for (const name of …)')
  }
  const name: string = node.left.declarations[0].id.name
  const over: EsNode = node.right
  const operand = expression(l, over)
  if (operand.kind === 'range') return count(l, node, label, operand, (index) => bindElement(l, name, index))
  if (operand.kind === 'host' && Array.isArray(operand.value)) return unroll(l, node, label, name, operand.value)
  const place = asPlace(l, operand, l.span(over))
  const array = place === null ? null : elementType(l, place)
  if (place === null || array === null) {
    return l.fail('SKEP-C04', over, `${describe(operand)} cannot be walked through`, 'walk through range(), an array of a struct, or an array of module scope')
  }
  count(l, node, label, { from: host(0), to: host(array.length) }, (index) => bindElement(l, name, load(l, elementAt(l, place, array, index, l.span(over)), l.span(over))))
}

function bindElement(l: Lowering, name: string, operand: Operand): void {
  l.frame.scope.names.set(name, { kind: 'constant', operand })
}

/** Counts from a number up to, but not including, another one. */
function count(l: Lowering, node: EsNode, label: string | null, { from, to }: { from: Operand; to: Operand }, bind: (index: Operand) => void): void {
  const span = l.span(node)
  const [end, next] = [l.join(), l.join()]
  const limit = literal(to) === null ? toScalar(l, to, span, U64) : to
  const index: Variable = { name: 'index', type: U64, wrap: (value) => ({ kind: 'scalar', value, type: U64 }) }
  l.assign(index, toScalar(l, from, span, U64).value)
  const header = l.startLoop([...assignedIn(l, [node.body]), index], span)
  if (literal(to) === null) askBudget(l, end, span)
  const inside = l.join()
  const here = index.wrap(l.state.variables.get(index)!)
  const condition = compare(l, '<', here, limit, span)
  if (typeof condition === 'boolean') l.jump(condition ? inside : end, span)
  else l.branch(condition, inside, end, span)
  if (l.start(inside)) {
    inScope(l, () => {
      bind(here)
      bodyOf(l, node.body, { label, end, next })
    })
  }
  if (l.start(next)) {
    const more = binary(l, '+', index.wrap(l.state.variables.get(index)!), host(1), span)
    l.assign(index, toScalar(l, more, span, U64).value)
    l.closeLoop(header, span)
  }
  l.start(end)
}

/** An array of module scope is known while compiling: the body is written out for each of its elements. */
function unroll(l: Lowering, node: EsNode, label: string | null, name: string, elements: readonly unknown[]): void {
  if (elements.length > MOST_UNROLLED) {
    l.fail('SKEP-C08', node.right, `the body would be written out ${elements.length} times`, `at most ${MOST_UNROLLED}; put the data into a map`)
  }
  const end = l.join()
  for (const element of elements) {
    const next = l.join()
    inScope(l, () => {
      bindElement(l, name, host(element))
      bodyOf(l, node.body, { label, end, next })
    })
    if (!l.start(next)) break
  }
  if (l.block !== null) l.jump(end, l.span(node))
  l.start(end)
}

/** `break` and `continue`, with or without a label. */
export function leave(l: Lowering, node: EsNode): void {
  const label: string | undefined = node.label?.name
  const again = node.type === 'ContinueStatement'
  const target = l.frame.targets.findLast((one) => (label === undefined || one.label === label) && (!again || one.next !== null))
  if (target === undefined) {
    return l.fail('SKEP-C01', node, label === undefined ? 'there is no loop here to leave' : `there is no loop '${label}' here`, 'give the label to the loop that is meant')
  }
  l.jump(again ? target.next! : target.end, l.span(node))
}

/** A chain of comparisons; cases that do not end go on into the next one, as in JavaScript. */
export function switchStatement(l: Lowering, node: EsNode, label: string | null): void {
  const span = l.span(node)
  const discriminant = expression(l, node.discriminant)
  const value = literal(discriminant) === null ? toScalar(l, discriminant, l.span(node.discriminant)) : discriminant
  const cases: EsNode[] = node.cases
  const bodies = cases.map(() => l.join())
  const end = l.join()
  cases.forEach((one, index) => {
    if (!one.test || l.block === null) return
    const other = l.join()
    const condition = compare(l, '===', value, expression(l, one.test), l.span(one.test))
    if (typeof condition === 'boolean') l.jump(condition ? bodies[index]! : other, span)
    else l.branch(condition, bodies[index]!, other, l.span(one.test))
    l.start(other)
  })
  const fallback = cases.findIndex((one) => !one.test)
  if (l.block !== null) l.jump(fallback < 0 ? end : bodies[fallback]!, span)
  inScope(l, () => {
    l.frame.targets.push({ label, end, next: null })
    cases.forEach((one, index) => {
      if (!l.start(bodies[index]!)) return
      for (const child of one.consequent as EsNode[]) if (l.block !== null) statement(l, child)
      if (l.block !== null) l.jump(bodies[index + 1] ?? end, l.span(one))
    })
    l.frame.targets.pop()
  })
  l.start(end)
}
