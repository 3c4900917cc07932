import type { Block, IrFunction, Op, Value } from '../ir/ir.ts'
import { edgesOf, operandsOf, outOf, predecessors, substitute } from './rewrite.ts'

/** Drops blocks that nothing enters, parameters that are always the same value, and operations whose result nobody reads; joins straight lines. */
export function prune(fn: IrFunction): boolean {
  let changed = dropUnreachable(fn)
  changed = dropTrivialParameters(fn) || changed
  changed = joinStraightLines(fn) || changed
  changed = dropUnused(fn) || changed
  return changed
}

function dropUnreachable(fn: IrFunction): boolean {
  const reached = new Set<Block>()
  const stack = [fn.blocks[0]!]
  for (let block = stack.pop(); block !== undefined; block = stack.pop()) {
    if (reached.has(block)) continue
    reached.add(block)
    for (const edge of edgesOf(block.terminator)) stack.push(edge.target)
  }
  const before = fn.blocks.length
  fn.blocks = fn.blocks.filter((block) => reached.has(block))
  return fn.blocks.length !== before
}

function dropTrivialParameters(fn: IrFunction): boolean {
  let changed = false
  for (let again = true; again;) {
    again = false
    const before = predecessors(fn)
    for (const block of fn.blocks) {
      for (let index = block.params.length - 1; index >= 0; index--) {
        const param = block.params[index]!
        const args = new Set(before.get(block)!.map(({ edge }) => edge.args[index]!))
        args.delete(param)
        if (args.size !== 1) continue
        block.params.splice(index, 1)
        for (const { edge } of before.get(block)!) edge.args.splice(index, 1)
        substitute(fn, new Map([[param, [...args][0]!]]))
        again = changed = true
      }
    }
  }
  return changed
}

/** A block that only one jump enters continues the block before it. */
function joinStraightLines(fn: IrFunction): boolean {
  const before = predecessors(fn)
  const gone = new Set<Block>()
  for (const block of fn.blocks) {
    if (gone.has(block)) continue
    for (;;) {
      const { terminator } = block
      if (terminator.op !== 'jump') break
      const next: Block = terminator.edge.target
      if (next === block || next === fn.blocks[0] || before.get(next)!.length !== 1) break
      const replaced = new Map<Value, Value>(next.params.map((param, index) => [param, terminator.edge.args[index]!]))
      block.ops.push(...next.ops)
      block.terminator = next.terminator
      for (const edge of edgesOf(next.terminator)) for (const predecessor of before.get(edge.target)!) if (predecessor.block === next) predecessor.block = block
      gone.add(next)
      substitute(fn, replaced)
    }
  }
  fn.blocks = fn.blocks.filter((block) => !gone.has(block))
  return gone.size > 0
}

function hasEffect(op: Op): boolean {
  return op.op === 'store' || op.op === 'atomicAdd' || op.op === 'call' || op.op === 'context'
}

/** Helpers that only read: a call whose result nobody uses can go. */
const readOnlyHelpers = new Set(['ktime_get_ns', 'get_current_pid_tgid', 'get_current_cgroup_id', 'get_smp_processor_id', 'get_current_task', 'get_current_task_btf', 'ringbuf_query', 'map_lookup_elem'])

function dropUnused(fn: IrFunction): boolean {
  const needed = new Set<Value>()
  const defined = new Map<Value, Op>()
  const paramOf = new Map<Value, { block: Block; index: number }>()
  const before = predecessors(fn)
  const stack: Value[] = []
  const need = (value: Value) => {
    if (!needed.has(value)) {
      needed.add(value)
      stack.push(value)
    }
  }
  const keeps = (op: Op) => hasEffect(op) && !(op.op === 'call' && readOnlyHelpers.has(op.name))
  for (const block of fn.blocks) {
    block.params.forEach((param, index) => paramOf.set(param, { block, index }))
    for (const op of block.ops) {
      const out = outOf(op)
      if (out !== null) defined.set(out, op)
      if (keeps(op)) operandsOf(op).forEach(need)
    }
    if (block.terminator.op === 'branch') [block.terminator.condition.left, block.terminator.condition.right].forEach(need)
    if (block.terminator.op === 'return') need(block.terminator.value)
  }
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    const op = defined.get(value)
    if (op !== undefined) operandsOf(op).forEach(need)
    const param = paramOf.get(value)
    if (param !== undefined) for (const { edge } of before.get(param.block)!) need(edge.args[param.index]!)
  }
  let changed = false
  for (const block of fn.blocks) {
    const kept = block.ops.filter((op) => keeps(op) || needed.has(outOf(op)!))
    if (kept.length !== block.ops.length) changed = true
    block.ops = kept
    for (let index = block.params.length - 1; index >= 0; index--) {
      if (needed.has(block.params[index]!)) continue
      block.params.splice(index, 1)
      for (const { edge } of before.get(block)!) edge.args.splice(index, 1)
      changed = true
    }
  }
  return changed
}
