import type { EsNode } from '../capture/kernel-function.ts'
import { convert, toScalar } from './arithmetic.ts'
import { branchOn } from './condition.ts'
import { doWhileStatement, forOfStatement, forStatement, leave, switchStatement, whileStatement } from './loop.ts'
import type { IntType } from '../ir/ir.ts'
import { expression, joinable, nodeName, withKnown } from './expression.ts'
import { Scope, type Join, type Lowering, type Variable } from './lowering.ts'
import { load } from './memory.ts'
import { int, type Operand } from './operand.ts'

/** Lowers statements until their end, or until the program cannot get further. */
export function statements(l: Lowering, nodes: EsNode[]): void {
  for (const node of nodes) {
    if (l.block === null) return
    if (!l.attempt(() => statement(l, node)) && node.type === 'VariableDeclaration') forget(l, node)
  }
}

/** Names whose declaration failed are known, so that their uses are no errors of their own. */
function forget(l: Lowering, node: EsNode): void {
  for (const { id } of node.declarations as EsNode[]) {
    const names: EsNode[] = id.type === 'Identifier' ? [id] : id.type === 'ObjectPattern' ? id.properties.map((property: EsNode) => property.value ?? {}) : []
    for (const { name } of names) if (name !== undefined && !l.frame.scope.names.has(name)) l.frame.scope.names.set(name, { kind: 'failed' })
  }
}

const remedies: Record<string, string> = {
  TryStatement: 'nothing throws in the kernel: check results instead',
  ThrowStatement: 'return early, and count what went wrong in a map',
  ForInStatement: 'name the fields',
  FunctionDeclaration: "write the function at module scope with 'use bpf' as its first statement",
  ClassDeclaration: 'use struct() at module scope',
}

export function statement(l: Lowering, node: EsNode, label: string | null = null): void {
  switch (node.type) {
    case 'ExpressionStatement':
      if (node.directive === undefined) expression(l, node.expression)
      return
    case 'VariableDeclaration': return variables(l, node)
    case 'IfStatement': return ifStatement(l, node)
    case 'ReturnStatement': return returnStatement(l, node)
    case 'BlockStatement': return inScope(l, () => statements(l, node.body))
    case 'EmptyStatement': return
    case 'ForStatement': return forStatement(l, node, label)
    case 'ForOfStatement': return forOfStatement(l, node, label)
    case 'WhileStatement': return whileStatement(l, node, label)
    case 'DoWhileStatement': return doWhileStatement(l, node, label)
    case 'SwitchStatement': return switchStatement(l, node, label)
    case 'LabeledStatement': return statement(l, node.body, node.label.name)
    case 'BreakStatement': case 'ContinueStatement': return leave(l, node)
    default: l.fail('SKEP-C01', node, `${nodeName(node)} has no meaning in the kernel`, remedies[node.type] ?? 'write it with plain statements')
  }
}

export function inScope(l: Lowering, body: () => void): void {
  const { frame } = l
  frame.scope = new Scope(frame.scope)
  body()
  frame.scope = frame.scope.parent!
}

/** `counter`: the type of a number that is not known to be smaller. */
export function variables(l: Lowering, node: EsNode, counter?: IntType): void {
  if (node.kind === 'var') l.fail('SKEP-C01', node, "'var' is scoped to the function, across its branches", "use 'const' or 'let'")
  for (const declarator of node.declarations as EsNode[]) {
    const target: EsNode = declarator.id
    if (target.type === 'ObjectPattern') {
      if (!declarator.init) l.fail('SKEP-C03', declarator, 'there is nothing to take apart', 'give an object')
      destructure(l, target, expression(l, declarator.init), declarator)
      continue
    }
    if (target.type !== 'Identifier') l.fail('SKEP-C01', target, 'this pattern has no meaning in the kernel', 'declare one name at a time')
    if (declarator.init === undefined || declarator.init === null) l.fail('SKEP-C03', declarator, `'${target.name}' has no value`, 'give it one here')
    const operand = expression(l, declarator.init)
    bind(l, node.kind, target.name, operand, declarator, counter)
  }
}

function bind(l: Lowering, kind: string, name: string, operand: Operand, node: EsNode, counter = int(64, true)): void {
  if (kind === 'let' && (operand.kind === 'scalar' || (operand.kind === 'host' && typeof operand.value !== 'object' && typeof operand.value !== 'string' && typeof operand.value !== 'function'))) {
    const span = l.span(node)
    // A literal says nothing of the width that later values need: 64 bits hold them all.
    const scalar = operand.kind === 'scalar' ? operand : convert(l, toScalar(l, operand, span), counter, span)
    const { type } = scalar
    const variable: Variable = { name, type, wrap: (value) => ({ kind: 'scalar', value, type }) }
    l.frame.scope.names.set(name, { kind: 'variable', variable })
    l.assign(variable, scalar.value)
    return
  }
  nameValue(operand, name)
  if (kind === 'let' && operand.kind === 'pointer') {
    const { value, pointee } = operand
    const variable: Variable = { name, type: value.type, wrap: (now) => ({ kind: 'pointer', value: now, pointee }) }
    l.frame.scope.names.set(name, { kind: 'variable', variable })
    l.assign(variable, value)
    return
  }
  l.frame.scope.names.set(name, { kind: 'constant', operand, let: kind === 'let' })
}

function nameValue(operand: Operand, name: string): void {
  if (operand.kind === 'scalar' || operand.kind === 'pointer') operand.value.name ??= name
  if (operand.kind === 'optional') {
    operand.pointer.name ??= name
    if (operand.copy !== null) operand.copy.name ??= name
  }
}

/** `const { pid, comm } = task`, and such parameters */
export function destructure(l: Lowering, pattern: EsNode, operand: Operand, at: EsNode): void {
  withKnown(l, pattern, operand, () => {
    for (const property of pattern.properties as EsNode[]) {
      if (property.type !== 'Property' || property.computed || property.value.type !== 'Identifier') {
        l.fail('SKEP-C01', property, 'this pattern has no meaning in the kernel', 'write const { field } = object, without defaults or rest')
      }
      const access: EsNode = { type: 'MemberExpression', object: pattern, property: property.key, computed: false, start: property.start, end: property.end }
      bind(l, 'const', property.value.name, expression(l, access), at)
    }
  })
}

function ifStatement(l: Lowering, node: EsNode): void {
  const then = l.join()
  const otherwise = l.join()
  branchOn(l, node.test, then, otherwise)
  const end = l.join()
  const side = (join: Join, body: EsNode | undefined | null) => {
    if (!l.start(join)) return
    if (body) inScope(l, () => statement(l, body))
    if (l.block !== null) l.jump(end, l.span(body ?? node))
  }
  side(then, node.consequent)
  side(otherwise, node.alternate)
  l.start(end)
}

function returnStatement(l: Lowering, node: EsNode): void {
  const span = l.span(node)
  const { exit } = l.frame
  let operand: Operand = node.argument ? expression(l, node.argument) : { kind: 'void' }
  if (operand.kind === 'place') operand = load(l, operand, span)
  if (exit === null) {
    if (operand.kind !== 'void' && !(operand.kind === 'host' && operand.value === undefined)) {
      l.fail('SKEP-C04', node, 'a tracing program returns nothing', "write 'return' alone, or emit the value as a signal")
    }
    l.finish(l.constant(0, span), span)
    return
  }
  operand = joinable(l, operand, false, span)
  const state = l.state
  exit.results.push({ edge: l.jump(exit.join, span), operand, state })
}
