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
    case 'call': op.args = op.args.map(of)
  }
}

export function substituteTerminator(terminator: Terminator, of: (value: Value) => Value): void {
  if (terminator.op === 'return') terminator.value = of(terminator.value)
  if (terminator.op === 'branch') {
    terminator.condition.left = of(terminator.condition.left)
    terminator.condition.right = of(terminator.condition.right)
  }
  for (const edge of edgesOf(terminator)) edge.args = edge.args.map(of)
}

/** Operation that defines each value; parameters of blocks have none. */
export function definitions(fn: IrFunction): Map<Value, Op> {
  const defined = new Map<Value, Op>()
  for (const block of fn.blocks) for (const op of block.ops) if ('out' in op && op.out !== null) defined.set(op.out, op)
  return defined
}

export interface Predecessor { block: Block; edge: Edge }

export function predecessors(fn: IrFunction): Map<Block, Predecessor[]> {
  const result = new Map<Block, Predecessor[]>(fn.blocks.map((block) => [block, []]))
  for (const block of fn.blocks) for (const edge of edgesOf(block.terminator)) result.get(edge.target)!.push({ block, edge })
  return result
}
