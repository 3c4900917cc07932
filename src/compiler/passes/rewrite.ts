import type { Block, Edge, IrFunction, Op, Terminator, Value } from '../ir/ir.ts'

/** Walking and rewriting operands: shared by all passes. */

export function operandsOf(op: Op): Value[] {
  switch (op.op) {
    case 'const': case 'mapAddress': case 'stackAddress': case 'context': case 'functionAddress': return []
    case 'binary': return [op.left, op.right]
    case 'negate': case 'byteSwap': case 'extend': case 'refine': return [op.value]
    case 'load': case 'offset': return [op.pointer]
    case 'store': case 'atomicAdd': return [op.pointer, op.value]
    case 'call': return op.args
  }
}

export function outOf(op: Op): Value | null {
  return 'out' in op ? op.out : null
}

export function edgesOf(terminator: Terminator): Edge[] {
  switch (terminator.op) {
    case 'jump': return [terminator.edge]
    case 'branch': return [terminator.then, terminator.else]
    case 'return': return []
  }
}

/** Replaces operands by the map's values, in place. */
export function substitute(fn: IrFunction, replaced: Map<Value, Value>): void {
  if (replaced.size === 0) return
  const of = (value: Value): Value => {
    let at = value
    for (let next = replaced.get(at); next !== undefined; next = replaced.get(at)) at = next
    return at
  }
  for (const block of fn.blocks) {
    for (const op of block.ops) substituteOp(op, of)
    substituteTerminator(block.terminator, of)
  }
}

export function substituteOp(op: Op, of: (value: Value) => Value): void {
  switch (op.op) {
    case 'const': case 'mapAddress': case 'stackAddress': case 'context': case 'functionAddress': return
    case 'binary': op.left = of(op.left); op.right = of(op.right); return
    case 'negate': case 'byteSwap': case 'extend': case 'refine': op.value = of(op.value); return
    case 'load': case 'offset': op.pointer = of(op.pointer); return
    case 'store': case 'atomicAdd': op.pointer = of(op.pointer); op.value = of(op.value); return
    case 'call': replaceAll(op.args, of)
  }
}

export function substituteTerminator(terminator: Terminator, of: (value: Value) => Value): void {
  if (terminator.op === 'return') terminator.value = of(terminator.value)
  if (terminator.op === 'branch') {
    terminator.condition.left = of(terminator.condition.left)
    terminator.condition.right = of(terminator.condition.right)
  }
  if (terminator.op === 'jump') replaceAll(terminator.edge.args, of)
  if (terminator.op === 'branch') {
    replaceAll(terminator.then.args, of)
    replaceAll(terminator.else.args, of)
  }
}

function replaceAll(values: Value[], of: (value: Value) => Value): void {
  for (let index = 0; index < values.length; index++) values[index] = of(values[index]!)
}

/** Operation that defines each value, by its id; parameters of blocks have none. */
export type Definitions = (Op | undefined)[]

export function definitions(fn: IrFunction): Definitions {
  const defined: Definitions = new Array(fn.nextValue).fill(undefined)
  for (const block of fn.blocks) for (const op of block.ops) if ('out' in op && op.out !== null) defined[op.out.id] = op
  return defined
}

/** Calls `visit` with each operand, without making a list of them. */
export function eachOperand(op: Op, visit: (value: Value) => void): void {
  switch (op.op) {
    case 'const': case 'mapAddress': case 'stackAddress': case 'context': return
    case 'binary': visit(op.left); visit(op.right); return
    case 'negate': case 'byteSwap': case 'extend': case 'refine': visit(op.value); return
    case 'load': case 'offset': visit(op.pointer); return
    case 'store': case 'atomicAdd': visit(op.pointer); visit(op.value); return
    case 'call': for (const arg of op.args) visit(arg)
  }
}

/** Calls `visit` with each value that the end of a block reads; arguments of edges too. */
export function eachTerminatorOperand(terminator: Terminator, visit: (value: Value) => void): void {
  switch (terminator.op) {
    case 'return': visit(terminator.value); return
    case 'jump': for (const arg of terminator.edge.args) visit(arg); return
    case 'branch':
      visit(terminator.condition.left)
      visit(terminator.condition.right)
      for (const arg of terminator.then.args) visit(arg)
      for (const arg of terminator.else.args) visit(arg)
  }
}

export interface Predecessor { block: Block; edge: Edge }

export function predecessors(fn: IrFunction): Map<Block, Predecessor[]> {
  const result = new Map<Block, Predecessor[]>()
  for (const block of fn.blocks) result.set(block, [])
  for (const block of fn.blocks) {
    const { terminator } = block
    if (terminator.op === 'jump') result.get(terminator.edge.target)!.push({ block, edge: terminator.edge })
    else if (terminator.op === 'branch') {
      result.get(terminator.then.target)!.push({ block, edge: terminator.then })
      result.get(terminator.else.target)!.push({ block, edge: terminator.else })
    }
  }
  return result
}
