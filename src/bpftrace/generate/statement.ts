import type { Block, Expression, Of, Statement } from '../syntax/ast.ts'
import { plainName } from '../check/functions.ts'
import { functionNamed } from '../check/functions.ts'
import { asNumber, u64 } from '../types/type.ts'
import { assignAggregate } from './aggregate.ts'
import { compound } from './arithmetic.ts'
import { condition, expression, number, register, storeVariable } from './expression.ts'
import { forMap, forRange } from './loops.ts'
import { changeMap, keyPlace, useMap, writeMap } from './map-access.ts'
import { toRegister } from './memory.ts'
import type { ProgramWriter } from './program-writer.ts'

export function statements(p: ProgramWriter, list: readonly Statement[]): void {
  for (const one of list) p.statement(() => statement(p, one))
}

/** The statements of a block and its result, whose value nobody wants. */
export function body(p: ProgramWriter, block: Block): void {
  statements(p, block.statements)
  if (block.result !== null) p.statement(() => void expression(p, block.result!))
}

function statement(p: ProgramWriter, node: Statement): void {
  p.at(node.span)
  switch (node.kind) {
    case 'expression': return void expression(p, node.expression)
    case 'discard': return void expression(p, node.value)
    case 'declare': {
      const info = p.generation.checked.variables.get(node)
      // A declaration in a loop begins anew each time.
      if (info !== undefined && info.type.kind !== 'none') storeVariable(p, node, { kind: 'void' })
      return
    }
    case 'assignVariable': return assignVariable(p, node)
    case 'assignMap': return assignMap(p, node)
    case 'while': return whileLoop(p, node)
    case 'unroll': {
      const count = node.count.kind === 'integer' ? Number(node.count.value) : 0
      for (let turn = 0; turn < count; turn++) body(p, node.body)
      return
    }
    case 'forMap': return forMap(p, node)
    case 'forRange': return forRange(p, node)
    case 'jump': return jump(p, node)
    case 'import':
  }
}

function assignVariable(p: ProgramWriter, node: Statement & { kind: 'assignVariable' }): void {
  const value = expression(p, node.value)
  if (node.operator === '=') return storeVariable(p, node, value)
  const info = p.generation.checked.variables.get(node)!
  const home = p.home(info)
  const old = home.in === 'frame' ? p.loadShared(home.offset) : toRegister(
    p, { kind: 'memory', base: p.scratch, offset: home.offset, type: info.type },
  )
  p.at(node.span)
  storeVariable(p, node, register(compound(p, node.operator, old, info.type, value, node.value.type ?? u64, node), info.type))
}

function assignMap(p: ProgramWriter, node: Statement & { kind: 'assignMap' }): void {
  const { target, value, operator } = node
  const info = useMap(p.generation, target.kind === 'map' ? target.name : target.map)
  const key = target.kind === 'map' ? null : target.key
  if (operator !== '=') {
    const change = expression(p, value)
    const fixed = register(toRegister(p, change), value.type ?? u64)
    return void changeMap(p, target, (old) => compound(p, operator, old, info.value, fixed, value.type ?? u64, node))
  }
  if (info.value.kind === 'aggregate') return aggregate(p, value, (call) => assignAggregate(p, info, key, call))
  const operand = expression(p, value)
  writeMap(p, info, keyPlace(p, info, key), operand)
}

/** Finds the call of count() and the like in what is assigned. */
function aggregate(p: ProgramWriter, value: Expression, assign: (call: Of<'call'>) => void): void {
  const { f } = p
  switch (value.kind) {
    case 'call':
      if (functionNamed(plainName(value.name))?.returns === 'aggregate') return assign(value)
      return
    case 'block':
      statements(p, value.statements)
      return value.result === null ? undefined : aggregate(p, value.result, assign)
    case 'ternary':
      return f.when(
        'ne', condition(p, value.condition), f.number(0), () => aggregate(p, value.then!, assign), () => aggregate(p, value.otherwise, assign),
      )
    case 'if': {
      const { otherwise } = value
      return f.when(
        'ne', condition(p, value.condition), f.number(0), () => aggregate(p, value.then, assign), () => (otherwise === null ? undefined : aggregate(p, otherwise, assign)),
      )
    }
  }
}

function whileLoop(p: ProgramWriter, node: Statement & { kind: 'while' }): void {
  const { f } = p
  const head = f.block()
  const turn = f.block()
  const end = f.block()
  f.jump(head)
  f.start(head)
  f.branch('ne', condition(p, node.condition), f.number(0), turn, end)
  f.start(turn)
  p.frame.loops.push({ breaks: () => f.jump(end), continues: () => f.jump(head) })
  body(p, node.body)
  p.frame.loops.pop()
  f.jump(head)
  f.start(end)
}

function jump(p: ProgramWriter, node: Statement & { kind: 'jump' }): void {
  if (node.jump === 'break') return p.frame.loops.at(-1)?.breaks()
  if (node.jump === 'continue') return p.frame.loops.at(-1)?.continues()
  if (node.value !== null) number(p, node.value)
  p.frame.leave()
}

export { asNumber }
