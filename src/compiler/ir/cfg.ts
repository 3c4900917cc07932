/**
 * Control-flow graphs as adjacency lists of block indexes, block 0 being the entry: one set of
 * algorithms for the IR and for the machine code made of it.
 */
export interface Graph { successors: number[][]; predecessors: number[][] }

export function graphOf(successors: number[][]): Graph {
  const predecessors: number[][] = successors.map(() => [])
  successors.forEach((targets, from) => { for (const target of targets) predecessors[target]!.push(from) })
  return { successors, predecessors }
}

/**
 * The blocks that can be reached, each before its successors except along back edges.
 * The first successor of a block follows it directly if nothing else has to come between.
 */
export function reversePostorder(successors: number[][]): number[] {
  const seen = new Uint8Array(successors.length)
  const order: number[] = []
  const stack = [0]
  // How many successors of the block at the same depth are still to be visited; the last is visited first.
  const left = [successors[0]!.length]
  seen[0] = 1
  while (stack.length > 0) {
    const top = stack.length - 1
    const block = stack[top]!
    if (left[top] === 0) {
      order.push(block)
      stack.pop()
      left.pop()
      continue
    }
    const next = successors[block]![--left[top]!]!
    if (seen[next] === 1) continue
    seen[next] = 1
    stack.push(next)
    left.push(successors[next]!.length)
  }
  return order.reverse()
}

/**
 * Immediate dominator of each block, the entry's being itself; -1 for blocks that cannot be reached.
 * The method of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm".
 */
export function immediateDominators(graph: Graph, order = reversePostorder(graph.successors)): Int32Array {
  const position = new Int32Array(graph.successors.length).fill(-1)
  order.forEach((block, index) => { position[block] = index })
  const dominator = new Int32Array(graph.successors.length).fill(-1)
  dominator[0] = 0
  for (let changed = true; changed;) {
    changed = false
    for (let index = 1; index < order.length; index++) {
      const block = order[index]!
      let found = -1
      for (const from of graph.predecessors[block]!) {
        if (dominator[from] === -1) continue
        found = found === -1 ? from : meet(found, from, dominator, position)
      }
      if (dominator[block] === found) continue
      dominator[block] = found
      changed = true
    }
  }
  return dominator
}

function meet(a: number, b: number, dominator: Int32Array, position: Int32Array): number {
  while (a !== b) {
    while (position[a]! > position[b]!) a = dominator[a]!
    while (position[b]! > position[a]!) b = dominator[b]!
  }
  return a
}

/** Whether every path from the entry to `block` passes `above`; a block dominates itself. */
export function dominates(above: number, block: number, dominator: Int32Array): boolean {
  for (let at = block; at !== -1; at = dominator[at]!) {
    if (at === above) return true
    if (at === 0) return false
  }
  return false
}

/** How many loops each block is in. Loops are found by back edges to a dominator; others are not counted. */
export function loopDepths(graph: Graph, order: number[], dominator: Int32Array): Uint8Array {
  const depth = new Uint8Array(graph.successors.length)
  for (const header of order) {
    const latches = graph.predecessors[header]!.filter((from) => dominator[from] !== -1 && dominates(header, from, dominator))
    if (latches.length === 0) continue
    const body = new Set([header])
    for (let block = latches.pop(); block !== undefined; block = latches.pop()) {
      if (body.has(block)) continue
      body.add(block)
      latches.push(...graph.predecessors[block]!)
    }
    for (const block of body) depth[block]!++
  }
  return depth
}

/** One set of small numbers per block, as bits in one array. */
export class BitRows {
  readonly words: number
  readonly bits: Uint32Array
  constructor(rows: number, columns: number) {
    this.words = (columns + 31) >>> 5
    this.bits = new Uint32Array(rows * this.words)
  }

  has(row: number, column: number): boolean {
    return (this.bits[row * this.words + (column >>> 5)]! >>> (column & 31) & 1) === 1
  }

  add(row: number, column: number): void {
    this.bits[row * this.words + (column >>> 5)]! |= 1 << (column & 31)
  }

  delete(row: number, column: number): void {
    this.bits[row * this.words + (column >>> 5)]! &= ~(1 << (column & 31))
  }

  /** Calls `visit` with each member, ascending. */
  each(row: number, visit: (column: number) => void): void {
    for (let word = 0; word < this.words; word++) {
      for (let left = this.bits[row * this.words + word]!; left !== 0; left &= left - 1) visit(word * 32 + 31 - Math.clz32(left & -left))
    }
  }
}

export interface Liveness { liveIn: BitRows; liveOut: BitRows }

/**
 * What is needed at the start and the end of each block. `used` holds what a block reads before it
 * defines it (block arguments included), `defined` what it defines (its parameters included).
 */
export function solveLiveness(graph: Graph, columns: number, used: BitRows, defined: BitRows, order = reversePostorder(graph.successors)): Liveness {
  const rows = graph.successors.length
  const liveIn = new BitRows(rows, columns)
  const liveOut = new BitRows(rows, columns)
  const { words } = liveIn
  for (let changed = true; changed;) {
    changed = false
    for (let index = order.length - 1; index >= 0; index--) {
      const row = order[index]! * words
      for (let word = 0; word < words; word++) {
        let out = 0
        for (const target of graph.successors[order[index]!]!) out |= liveIn.bits[target * words + word]!
        const into = (used.bits[row + word]! | (out & ~defined.bits[row + word]!)) >>> 0
        liveOut.bits[row + word] = out
        if (into === liveIn.bits[row + word]) continue
        liveIn.bits[row + word] = into
        changed = true
      }
    }
  }
  return { liveIn, liveOut }
}
