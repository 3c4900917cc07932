import type { Block, Edge, IrFunction, Op, Value } from '../ir/ir.ts'
import { constantOf, holds } from './fold.ts'
import {
  definitions, eachOperand, eachTerminatorOperand, edgesOf, predecessors, substituteOp, substituteTerminator, type Definitions, type Predecessor,
} from './rewrite.ts'

/**
 * Jump threading: an edge into a block that only decides a branch whose outcome the edge knows
 * already goes straight to that outcome. So a null check that follows the check inside
 * map.get() costs nothing, and `if (map.add(…))` tests the look-up itself.
 */
export function threadJumps(fn: IrFunction): boolean {
  return new Threading(fn).run()
}

class Threading {
  readonly #fn: IrFunction
  readonly #before: Predecessors
  readonly #defined: Definitions

  constructor(fn: IrFunction) {
    this.#fn = fn
    this.#before = predecessors(fn)
    this.#defined = definitions(fn)
  }

  run(): boolean {
    let changed = false
    // Each round removes edges into deciding blocks; the bound is against a defect, not a limit.
    for (let again = true, rounds = 0; again && rounds < 500; rounds++) {
      again = false
      for (const block of this.#fn.blocks.slice(1)) while (this.#threadOne(block)) again = changed = true
    }
    return changed
  }

  #threadOne(block: Block): boolean {
    const { terminator } = block
    if (terminator.op !== 'branch' || !block.ops.every((op) => op.op === 'const')) return false
    const entries = this.#before.get(block)
    // Loops of one block stay as they are; a block that is gone has no entries.
    if (entries === undefined || terminator.then.target === block || terminator.else.target === block) return false
    for (const entry of entries) {
      const outcome = decide(block, entry, this.#before, this.#defined)
      if (outcome === null) continue
      this.#redirect(block, entry, outcome ? terminator.then : terminator.else)
      return true
    }
    return false
  }

  /** Leads one edge past `block` to `target` and repairs SSA: the block's values no longer reach everything below. */
  #redirect(block: Block, entry: Predecessor, target: Edge): void {
    const [fn, before] = [this.#fn, this.#before]
    const edge: Edge = { target: target.target, args: [] }
    const bridge: Block = { id: fn.nextBlock++, params: [], ops: [], terminator: { op: 'jump', edge, span: block.terminator.span } }
    fn.blocks.splice(fn.blocks.indexOf(block), 0, bridge)
    const moved = new Map<Value, Value>(block.params.map((param, index) => [param, entry.edge.args[index]!]))
    for (const op of block.ops) {
      if (op.op !== 'const') continue
      const copy: Value = { ...op.out, id: fn.nextValue++ }
      const made: Op = { ...op, out: copy }
      bridge.ops.push(made)
      this.#defined[copy.id] = made
      moved.set(op.out, copy)
    }
    edge.args = target.args.map((arg) => moved.get(arg) ?? arg)
    entry.edge.target = bridge
    entry.edge.args = []
    before.get(block)!.splice(before.get(block)!.indexOf(entry), 1)
    before.set(bridge, [entry])
    before.get(edge.target)!.push({ block: bridge, edge })
    if (before.get(block)!.length === 0) this.#remove(block)
    for (const [value, users] of usersOutside(fn, block, moved)) repair(fn, value, users, before, new Map([[block, value], [bridge, moved.get(value)!]]))
  }

  /** A block that nothing enters any more. */
  #remove(block: Block): void {
    const { blocks } = this.#fn
    blocks.splice(blocks.indexOf(block), 1)
    this.#before.delete(block)
    for (const edge of edgesOf(block.terminator)) {
      const entries = this.#before.get(edge.target)!
      entries.splice(entries.findIndex((entry) => entry.edge === edge), 1)
    }
  }
}

type Predecessors = Map<Block, Predecessor[]>

/** Whether the branch of `block` is taken when entered by this edge, or null if that is not known. */
function decide(block: Block, entry: Predecessor, before: Predecessors, defined: Definitions): boolean | null {
  const { terminator } = block
  if (terminator.op !== 'branch') return null
  const { left, right, operator, width } = terminator.condition
  const incoming = (value: Value): Value => {
    const index = block.params.indexOf(value)
    return index < 0 ? value : entry.edge.args[index]!
  }
  if (operator === 'exhausted') return null
  const constant = constantOf(incoming(right), defined)
  if (constant === null) return null
  const known = constantOf(incoming(left), defined)
  if (known !== null) return holds(operator, width, known, constant)
  if (constant !== 0n || (operator !== 'eq' && operator !== 'ne')) return null
  const zero = isZero(incoming(left), entry, before, defined)
  return zero === null ? null : (operator === 'eq') === zero
}

/** Whether a value is zero on an edge, from the branches that lead to it. */
function isZero(value: Value, entry: Predecessor, before: Predecessors, defined: Definitions): boolean | null {
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
function commonEntry(entries: Predecessor[], before: Predecessors): Predecessor | undefined {
  if (entries.length === 0) return undefined
  const chains = entries.map((entry) => dominators(entry.block, before))
  const shared = chains[0]!.find((block) => chains.every((chain) => chain.includes(block)))
  if (shared === undefined) return undefined
  const above = before.get(shared)!
  return above.length === 1 ? above[0] : undefined
}

/** A block and those above it as far as single entries go. */
function dominators(block: Block, before: Predecessors): Block[] {
  const chain = [block]
  for (let at = block; ;) {
    const entries: Predecessor[] = before.get(at)!
    if (entries.length !== 1 || chain.includes(entries[0]!.block)) return chain
    at = entries[0]!.block
    chain.push(at)
  }
}

/** Blocks other than `home` that read each of the values. */
function usersOutside(fn: IrFunction, home: Block, values: ReadonlyMap<Value, Value>): Map<Value, Block[]> {
  const users = new Map<Value, Block[]>()
  for (const block of fn.blocks) {
    if (block === home) continue
    const look = (used: Value) => {
      if (!values.has(used)) return
      const known = users.get(used)
      if (known === undefined) users.set(used, [block])
      else if (known[known.length - 1] !== block) known.push(block)
    }
    for (const op of block.ops) eachOperand(op, look)
    eachTerminatorOperand(block.terminator, look)
  }
  return users
}

/** Makes each use of `value` outside its block read the definition that reaches it. */
function repair(fn: IrFunction, value: Value, users: readonly Block[], before: Predecessors, atEnd: Map<Block, Value>): void {
  const atStart = new Map<Block, Value>()
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
    for (const { block: from, edge } of entries) edge.args.push(end(from))
    return param
  }
  const end = (block: Block): Value => atEnd.get(block) ?? start(block)
  for (const block of users) {
    const reaching = (used: Value) => (used === value ? end(block) : used)
    for (const op of block.ops) substituteOp(op, reaching)
    substituteTerminator(block.terminator, reaching)
  }
}
