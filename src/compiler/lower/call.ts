import { recordOf, type EsNode, type KernelFunction } from '../capture/kernel-function.ts'
import { ConsequentError, type ErrorCode } from '../errors.ts'
import { intrinsicName } from '../language/intrinsics.ts'
import { MapDeclaration, RingDeclaration } from '../language/maps.ts'
import { expression, merge } from './expression.ts'
import { intrinsic } from './intrinsic.ts'
import { remedyFor } from './javascript.ts'
import { Scope, type Frame, type Lowering } from './lowering.ts'
import { mapOperation } from './map-operation.ts'
import { describe, host, type Operand } from './operand.ts'
import { ringOperation } from './ring-operation.ts'
import { destructure, statements } from './statement.ts'

/** Calls: intrinsics, operations of maps and rings, and other kernel functions, which are inlined. */
export function call(l: Lowering, node: EsNode): Operand {
  for (const argument of node.arguments as EsNode[]) {
    if (argument.type === 'SpreadElement') l.fail('SKEP-C01', argument, 'arguments cannot be spread', 'name them one by one')
  }
  const callee: EsNode = node.callee
  if (callee.type === 'MemberExpression' && !callee.computed) {
    const receiver = expression(l, callee.object)
    if (receiver.kind === 'host' && receiver.value instanceof MapDeclaration) return mapOperation(l, node, receiver.value, callee.property.name)
    if (receiver.kind === 'host' && receiver.value instanceof RingDeclaration) return ringOperation(l, node, receiver.value, callee.property.name)
    if (receiver.kind !== 'host') {
      return l.fail('SKEP-C09', callee, `${describe(receiver)} has no method '${callee.property.name}'`, 'call a function with it as argument')
    }
  }
  const target = expression(l, callee)
  if (target.kind !== 'host' || typeof target.value !== 'function') {
    return l.fail('SKEP-C09', callee, `${describe(target)} is no function`, "call an intrinsic of 'skep' or a function with 'use bpf'")
  }
  const known = intrinsicName(target.value)
  if (known !== undefined) return intrinsic(l, node, known)
  const record = recordOf(target.value)
  if (record === undefined) {
    return l.fail('SKEP-C09', callee, `'${target.value.name || 'this function'}' runs in Node, not in the kernel`, remedyFor(target.value))
  }
  return inline(l, node, record, (node.arguments as EsNode[]).map((argument) => expression(l, argument)))
}

const MAX_DEPTH = 16

function inline(l: Lowering, node: EsNode, fn: KernelFunction, args: Operand[]): Operand {
  if (l.frames.some((frame) => frame.fn === fn) || l.frames.length > MAX_DEPTH) {
    l.fail('SKEP-C11', node, `'${fn.name}' calls itself`, 'the kernel has no recursion: use a bounded number of steps')
  }
  const span = l.span(node)
  const frame: Frame = { fn, scope: new Scope(null), site: span, targets: [], exit: { join: l.join(), results: [] } }
  l.frames.push(frame)
  bindParameters(l, node, fn, args)
  const { failures } = l.context.errors
  const { exit } = frame
  if (exit === null) throw new Error('inline: no exit')
  if (fn.ast.body.type === 'BlockStatement') {
    statements(l, fn.ast.body.body)
    if (l.block !== null) exit.results.push({ edge: l.jump(exit.join, span), operand: { kind: 'void' }, state: l.state })
  } else {
    const operand = expression(l, fn.ast.body)
    exit.results.push({ edge: l.jump(exit.join, span), operand, state: l.state })
  }
  l.frames.pop()
  if (l.context.errors.failures > failures) throw new ConsequentError(fn.name)
  if (!l.start(exit.join)) return { kind: 'void' }
  if (exit.results.length === 1) return exit.results[0]!.operand
  return merge(l, exit.results, exit.join, span)
}

/** Runs inside the function's own frame, where defaults are computed. */
function bindParameters(l: Lowering, node: EsNode, fn: KernelFunction, args: Operand[]): void {
  const params = fn.ast.params as EsNode[]
  if (args.length > params.length) {
    failAtCall(l, node, 'SKEP-C07', `'${fn.name}' takes ${params.length} argument${params.length === 1 ? '' : 's'}, not ${args.length}`, 'leave the others out')
  }
  params.forEach((param, index) => {
    const hasDefault = param.type === 'AssignmentPattern'
    const target: EsNode = hasDefault ? param.left : param
    let argument = args[index]
    if (argument === undefined && !hasDefault && target.optional !== true) {
      failAtCall(l, node, 'SKEP-C07', `'${fn.name}' wants ${params.length} arguments, not ${args.length}`, `give ${target.name === undefined ? `argument ${index + 1}` : `'${target.name}'`}`)
    }
    const missing = argument === undefined || (argument.kind === 'host' && argument.value === undefined)
    if (hasDefault && missing) argument = expression(l, param.right)
    if (target.type === 'ObjectPattern') destructure(l, target, argument!, target)
    else if (target.type === 'Identifier') l.frame.scope.names.set(target.name, { kind: 'constant', operand: argument ?? host(undefined) })
    else l.fail('SKEP-C01', target, `parameter ${index + 1} of '${fn.name}' is a list or a rest`, 'give it a plain name')
  })
}

/** An error of the call, which stands in the function around. */
function failAtCall(l: Lowering, node: EsNode, code: ErrorCode, what: string, fix: string): never {
  l.frames.pop()
  return l.fail(code, node, what, fix)
}
