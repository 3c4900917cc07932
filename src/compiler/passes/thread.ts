import type { Block, Edge, IrFunction, Op, Value } from '../ir/ir.ts'
import { constantOf, holds } from './fold.ts'
import { definitions, predecessors, substituteOp, substituteTerminator, edgesOf, type Predecessor } from './rewrite.ts'

/**
 * Jump threading: an edge into a block that only decides a branch whose outcome the edge knows
 * already goes straight to that outcome. So a null check that follows the check inside
 * map.get() costs nothing, and `if (map.add(…))` tests the look-up itself.
 */
export function threadJumps(fn: IrFunction): boolean {
  let changed = false
  // Each round removes one edge into a deciding block; the bound is against a defect, not a limit.
  for (let round = 0; round < 500; round++) {
    if (!threadOne(fn)) break
    changed = true
  }
  return changed
}

function threadOne(fn: IrFunction): boolean {
  const before = predecessors(fn)
  const defined = definitions(fn)
  for (const block of fn.blocks) {
    const { terminator } = block
    if (terminator.op !== 'branch' || block === fn.blocks[0]) continue
    if (!block.ops.every((op) => op.op === 'const')) continue
    const entries = before.get(block)!
    // Loops stay as they are.
    if (entries.some(({ block: from }) => from === block) || terminator.then.target === block || terminator.else.target === block) continue
    for (const entry of entries) {
      const outcome = decide(block, entry, before, defined)
      if (outcome === null) continue
      redirect(fn, block, entry, outcome ? terminator.then : terminator.else)
      return true
    }
  }
  return false
}

/** Whether the branch of `block` is taken when entered by this edge, or null if that is not known. */
function decide(block: Block, entry: Predecessor, before: Map<Block, Predecessor[]>, defined: Map<Value, Op>): boolean | null {
  const { terminator } = block
  if (terminator.op !== 'branch') return null
  const { left, right, operator, width } = terminator.condition
  const incoming = (value: Value): Value => {
    const index = block.params.indexOf(value)
    return index < 0 ? value : entry.edge.args[index]!
  }
  const constant = constantOf(incoming(right), defined)
  if (constant === null) return null
  const known = constantOf(incoming(left), defined)
  if (known !== null) return holds(operator, width, known, constant)
  if (constant !== 0n || (operator !== 'eq' && operator !== 'ne')) return null
  const zero = isZero(incoming(left), entry, before, defined)
  return zero === null ? null : (operator === 'eq') === zero
}

/** Whether a value is zero on an edge, from the branches that lead to it. */
function isZero(value: Value, entry: Predecessor, before: Map<Block, Predecessor[]>, defined: Map<Value, Op>): boolean | null {
  let at: Predecessor | undefined = entry
  for (let steps = 0; at !== undefined && steps < 1000; steps++) {
    const { terminator }: Block = at.block
    if (terminator.op === 'branch' && terminator.then.target !== terminator.else.target) {
      const { left, right, operator } = terminator.condition
      if (left === value && constantOf(right, defined) === 0n) {
        const taken = at.edge === terminator.then
        if (operator === 'eq') return taken
        if (operator === 'ne') return !taken
      }
    }
    const entries: Predecessor[] = before.get(at.block)!
    if (at.block.params.includes(value)) return null
    at = entries.length === 1 ? entries[0] : commonEntry(entries, before)
  }
  return null
}

/** Above a join only what stands before all its edges is known: go on at the nearest block that leads to all of them. */
function commonEntry(entries: Predecessor[], before: Map<Block, Predecessor[]>): Predecessor | undefined {
  if (entries.length === 0) return undefined
  const chains = entries.map((entry) => dominators(entry.block, before))
  const shared = chains[0]!.find((block) => chains.every((chain) => chain.includes(block)))
  if (shared === undefined) return undefined
  const above = before.get(shared)!
  return above.length === 1 ? above[0] : undefined
}

/** A block and those above it as far as single entries go. */
function dominators(block: Block, before: Map<Block, Predecessor[]>): Block[] {
  const chain = [block]
  for (let at = block; ;) {
    const entries: Predecessor[] = before.get(at)!
    if (entries.length !== 1 || chain.includes(entries[0]!.block)) return chain
    at = entries[0]!.block
    chain.push(at)
  }
}

/** Leads one edge past `block` to `target` and repairs SSA: the block's values no longer reach everything below. */
function redirect(fn: IrFunction, block: Block, entry: Predecessor, target: Edge): void {
  const bridge: Block = {
    id: fn.nextBlock++, params: [], ops: [],
    terminator: { op: 'jump', edge: { target: target.target, args: [] }, span: block.terminator.span },
  }
  fn.blocks.splice(fn.blocks.indexOf(block), 0, bridge)
  const moved = new Map<Value, Value>(block.params.map((param, index) => [param, entry.edge.args[index]!]))
  for (const op of block.ops) {
    if (op.op !== 'const') continue
    const copy: Value = { ...op.out, id: fn.nextValue++ }
    bridge.ops.push({ ...op, out: copy })
    moved.set(op.out, copy)
  }
  if (bridge.terminator.op === 'jump') bridge.terminator.edge.args = target.args.map((arg) => moved.get(arg) ?? arg)
  entry.edge.target = bridge
  entry.edge.args = []
  for (const [value, copy] of moved) repair(fn, value, block, new Map([[block, value], [bridge, copy]]))
}

/** Makes each use of `value` outside its block read the definition that reaches it. */
function repair(fn: IrFunction, value: Value, home: Block, atEnd: Map<Block, Value>): void {
  const before = predecessors(fn)
  const atStart = new Map<Block, Value>()
  const added: { block: Block; param: Value }[] = []
  const start = (block: Block): Value => {
    const known = atStart.get(block)
    if (known !== undefined) return known
    const entries = before.get(block)!
    if (entries.length === 1) {
      const found = end(entries[0]!.block)
      atStart.set(block, found)
      return found
    }
    const param: Value = { id: fn.nextValue++, type: value.type, ...(value.name !== undefined && { name: value.name }) }
    atStart.set(block, param)
    block.params.push(param)
    added.push({ block, param })
    for (const { block: from, edge } of entries) edge.args.push(end(from))
    return param
  }
  const end = (block: Block): Value => atEnd.get(block) ?? start(block)
  for (const block of fn.blocks.slice()) {
    if (block === home || !uses(block, value)) continue
    const reaching = (used: Value) => (used === value ? end(block) : used)
    for (const op of block.ops) substituteOp(op, reaching)
    substituteTerminator(block.terminator, reaching)
  }
}

function uses(block: Block, value: Value): boolean {
  let found = false
  const look = (used: Value) => {
    if (used === value) found = true
    return used
  }
  for (const op of block.ops) substituteOp(op, look)
  if (block.terminator.op === 'return') look(block.terminator.value)
  if (block.terminator.op === 'branch') {
    look(block.terminator.condition.left)
    look(block.terminator.condition.right)
  }
  for (const edge of edgesOf(block.terminator)) edge.args.forEach(look)
  return found
}
