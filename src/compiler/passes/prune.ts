import type { Block, IrFunction, Op, Value } from '../ir/ir.ts'
import { eachOperand, edgesOf, outOf, predecessors, substitute, type Predecessor } from './rewrite.ts'

/** Drops blocks that nothing enters, parameters that are always the same value, and operations whose result nobody reads; joins straight lines. */
export function prune(fn: IrFunction): boolean {
  let changed = dropUnreachable(fn)
  const before = predecessors(fn)
  changed = dropTrivialParameters(fn, before) || changed
  changed = joinStraightLines(fn, before) || changed
  changed = dropUnused(fn, before) || changed
  return changed
}

type Predecessors = Map<Block, Predecessor[]>

function dropUnreachable(fn: IrFunction): boolean {
  const reached = new Set<Block>()
  const stack = [fn.blocks[0]!]
  for (let block = stack.pop(); block !== undefined; block = stack.pop()) {
    if (reached.has(block)) continue
    reached.add(block)
    const { terminator } = block
    if (terminator.op === 'jump') stack.push(terminator.edge.target)
    else if (terminator.op === 'branch') stack.push(terminator.then.target, terminator.else.target)
  }
  if (reached.size === fn.blocks.length) return false
  fn.blocks = fn.blocks.filter((block) => reached.has(block))
  return true
}

/** Replacements are collected, looked through while looking for more, and made once. */
function dropTrivialParameters(fn: IrFunction, before: Predecessors): boolean {
  const replaced = new Map<Value, Value>()
  const of = (value: Value): Value => {
    let at = value
    for (let next = replaced.get(at); next !== undefined; next = replaced.get(at)) at = next
    return at
  }
  for (let again = true; again;) {
    again = false
    for (const block of fn.blocks) {
      for (let index = block.params.length - 1; index >= 0; index--) {
        const same = onlyArgument(block.params[index]!, index, before.get(block)!, of)
        if (same === null) continue
        replaced.set(block.params[index]!, same)
        dropParameter(block, index, before)
        again = true
      }
    }
  }
  substitute(fn, replaced)
  return replaced.size > 0
}

/** The value that a parameter always has, itself aside; null if there are several. */
function onlyArgument(param: Value, index: number, entries: Predecessor[], of: (value: Value) => Value): Value | null {
  let only: Value | null = null
  for (const { edge } of entries) {
    const arg = of(edge.args[index]!)
    if (arg === param || arg === only) continue
    if (only !== null) return null
    only = arg
  }
  return only
}

function dropParameter(block: Block, index: number, before: Predecessors): void {
  block.params.splice(index, 1)
  for (const { edge } of before.get(block)!) edge.args.splice(index, 1)
}

/** A block that only one jump enters continues the block before it. */
function joinStraightLines(fn: IrFunction, before: Predecessors): boolean {
  const gone = new Set<Block>()
  const replaced = new Map<Value, Value>()
  for (const block of fn.blocks) {
    if (gone.has(block)) continue
    for (;;) {
      const { terminator } = block
      if (terminator.op !== 'jump') break
      const next: Block = terminator.edge.target
      if (next === block || next === fn.blocks[0] || before.get(next)!.length !== 1) break
      next.params.forEach((param, index) => replaced.set(param, terminator.edge.args[index]!))
      for (const op of next.ops) block.ops.push(op)
      block.terminator = next.terminator
      for (const edge of edgesOf(next.terminator)) for (const predecessor of before.get(edge.target)!) if (predecessor.block === next) predecessor.block = block
      gone.add(next)
    }
  }
  if (gone.size === 0) return false
  fn.blocks = fn.blocks.filter((block) => !gone.has(block))
  substitute(fn, replaced)
  return true
}

/** Helpers that only read: a call whose result nobody uses can go. */
const readOnlyHelpers = new Set(['ktime_get_ns', 'get_current_pid_tgid', 'get_current_cgroup_id', 'get_smp_processor_id', 'get_current_task', 'get_current_task_btf', 'ringbuf_query', 'map_lookup_elem'])

function isKept(op: Op): boolean {
  switch (op.op) {
    case 'store': case 'atomicAdd': case 'context': return true
    case 'call': return !readOnlyHelpers.has(op.name)
    default: return false
  }
}

function dropUnused(fn: IrFunction, before: Predecessors): boolean {
  const needed = new Uint8Array(fn.nextValue)
  const defined: (Op | undefined)[] = new Array(fn.nextValue).fill(undefined)
  const params = new Map<Value, { block: Block; index: number }>()
  const stack: Value[] = []
  const need = (value: Value) => {
    if (needed[value.id] === 1) return
    needed[value.id] = 1
    stack.push(value)
  }
  for (const block of fn.blocks) {
    if (block.params.length > 0) block.params.forEach((param, index) => params.set(param, { block, index }))
    for (const op of block.ops) {
      const out = outOf(op)
      if (out !== null) defined[out.id] = op
      if (isKept(op)) eachOperand(op, need)
    }
    const { terminator } = block
    if (terminator.op === 'return') need(terminator.value)
    else if (terminator.op === 'branch') {
      need(terminator.condition.left)
      need(terminator.condition.right)
    }
  }
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    const op = defined[value.id]
    if (op !== undefined) {
      eachOperand(op, need)
      continue
    }
    const param = params.get(value)
    if (param !== undefined) for (const { edge } of before.get(param.block)!) need(edge.args[param.index]!)
  }
  let changed = false
  for (const block of fn.blocks) {
    if (block.ops.some((op) => !isKept(op) && needed[outOf(op)!.id] === 0)) {
      block.ops = block.ops.filter((op) => isKept(op) || needed[outOf(op)!.id] === 1)
      changed = true
    }
    for (let index = block.params.length - 1; index >= 0; index--) {
      if (needed[block.params[index]!.id] === 1) continue
      dropParameter(block, index, before)
      changed = true
    }
  }
  return changed
}
