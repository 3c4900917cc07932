import type { MachineFunction, MachineOp, Operand } from './machine.ts'
import { firstSlot, type Location } from './parallel-move.ts'
import { lastPlaced, type Placed, type PlacedFunction } from './place.ts'

/** What each register and spill slot holds: virtual registers, and constants below zero. */
type Contents = number[][]

const nothing: number[] = []

/**
 * Proves by data flow that every operation reads the values it was meant to, whatever spilling,
 * colouring and moving did: locations hold sets of values, moves copy sets, joins intersect them.
 * The method of regalloc2's checker. `standsFor`: the value that a register made by spilling holds.
 * @throws Error naming the operation; this is always a defect of the back end
 */
export function checkAllocation(placed: PlacedFunction, standsFor: ReadonlyMap<number, number>): void {
  new AllocationCheck(placed, standsFor).run()
}

class AllocationCheck {
  readonly #placed: PlacedFunction
  readonly #fn: MachineFunction
  readonly #meaning: Int32Array
  readonly #entry: (Contents | undefined)[] = []
  #state: Contents = []

  constructor(placed: PlacedFunction, standsFor: ReadonlyMap<number, number>) {
    this.#placed = placed
    this.#fn = placed.fn
    this.#meaning = meanings(placed.fn, standsFor)
  }

  run(): void {
    const waiting = new Set([0])
    this.#entry[0] = Array.from({ length: firstSlot + this.#placed.spillSlots }, () => nothing)
    for (const block of waiting) {
      waiting.delete(block)
      this.#state = [...this.#entry[block]!]
      const code = this.#placed.blocks[block]!
      code.forEach((item, index) => (item.kind === 'move' ? this.#move(item) : this.#op(item, block, index)))
      const { op } = lastPlaced(code)
      const targets = op.kind === 'jump' ? [op.target] : op.kind === 'branch' ? [op.then, op.else] : []
      const leaving = op.kind === 'jump' ? this.#withParams(op) : this.#state
      for (const target of targets) if (this.#enter(target, leaving)) waiting.add(target)
    }
  }

  /** Merges what an edge brings; whether less is known of the block than before. */
  #enter(block: number, brought: Contents): boolean {
    const known = this.#entry[block]
    if (known === undefined) {
      this.#entry[block] = brought
      return true
    }
    let changed = false
    const merged = known.map((values, location) => {
      const kept = values.filter((value) => brought[location]!.includes(value))
      if (kept.length === values.length) return values
      changed = true
      return kept
    })
    this.#entry[block] = merged
    return changed
  }

  /** At a jump the parameters take the values of their arguments, all at once. */
  #withParams(jump: MachineOp & { kind: 'jump' }): Contents {
    const { params } = this.#fn.blocks[jump.target]!
    if (params.length === 0) return this.#state
    const args = jump.uses.map((use) => this.#mean(use))
    return this.#state.map((values) => {
      const result = values.filter((value) => !params.includes(value))
      args.forEach((arg, index) => { if (values.includes(arg)) result.push(params[index]!) })
      return result
    })
  }

  #move({ to, from }: Placed & { kind: 'move' }): void {
    this.#state[to] = from < 0 ? [from] : this.#state[from]!
  }

  #op({ op, out, uses }: Placed & { kind: 'op' }, block: number, index: number): void {
    const meant = (op.original ?? op).uses.map((use) => this.#mean(use))
    const holds = (order: readonly number[]) => uses.every((location, position) => this.#state[location]!.includes(order[position]!))
    if (op.kind !== 'jump' && !holds(meant) && !(op.kind === 'plain' && op.commutative && holds([...meant].reverse()))) {
      this.#fail(op, block, index, meant, uses)
    }
    if (op.kind === 'plain' && op.tied && uses[0] !== out) throw new Error(`back end: two-operand instruction in block ${block} has three in '${this.#fn.name}'`)
    if (op.kind === 'call') for (let register = 0; register <= 5; register++) this.#state[register] = nothing
    if (out >= 0) this.#define(this.#mean((op.original ?? op).out), out)
  }

  #define(value: number, location: Location): void {
    // In a loop the value of the last round is another one.
    for (let at = 0; at < this.#state.length; at++) {
      const values = this.#state[at]!
      if (values.includes(value)) this.#state[at] = values.filter((other) => other !== value)
    }
    this.#state[location] = [value]
  }

  #mean(operand: Operand): number {
    return operand < 0 ? operand : this.#meaning[operand]!
  }

  #fail(op: MachineOp, block: number, index: number, meant: readonly number[], uses: readonly number[]): never {
    const found = uses.map((location, position) =>
      `${nameOf(location)} should hold ${meant[position]} and holds {${this.#state[location]!.join(', ')}}`)
    throw new Error(`back end: wrong allocation in '${this.#fn.name}', block ${block}, item ${index} (${op.kind}): ${found.join('; ')}`)
  }
}

function nameOf(location: Location): string {
  return location < firstSlot ? `r${location}` : `spill ${location - firstSlot}`
}

/** The value that each virtual register holds: copies hold what they copy. */
function meanings(fn: MachineFunction, standsFor: ReadonlyMap<number, number>): Int32Array {
  const meaning = Int32Array.from({ length: fn.registers }, (_, register) => register)
  for (const [register, value] of standsFor) meaning[register] = value
  for (const block of fn.blocks) {
    for (const op of block.ops) {
      const { kind, out, uses } = op.original ?? op
      if (kind !== 'copy' || uses[0]! >= 0) continue
      meaning[out] = uses[0]!
      // What spilling put in between holds the same.
      if (op.out >= 0) meaning[op.out] = uses[0]!
    }
  }
  for (const [register, value] of standsFor) meaning[register] = meaning[value]!
  return meaning
}
