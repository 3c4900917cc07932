import type { Span } from '../span.ts'
import { takesAnywhere, type MachineBlock, type MachineFunction, type MachineOp } from './machine.ts'
import { passingCount } from './pressure.ts'

/**
 * Spills everywhere: a spilled value is stored right after it is computed and loaded right before
 * an instruction that wants it in a register, unless an earlier one of the block left it in a
 * register that has been free since. Calls, jumps and returns take it from its slot.
 * Gives the spilled value that each new register stands for.
 */
export function insertReloads(fn: MachineFunction, spilled: Uint8Array, passingAt: readonly Uint8Array[]): Map<number, number> {
  const standsFor = new Map<number, number>()
  if (!spilled.includes(1)) return standsFor
  fn.blocks.forEach((block, index) => new BlockReloads(fn, spilled, passingAt[index]!, standsFor).rewrite(block))
  return standsFor
}

class BlockReloads {
  readonly #fn: MachineFunction
  readonly #spilled: Uint8Array
  readonly #inUse: Uint8Array
  readonly #standsFor: Map<number, number>
  /** Registers that hold spilled values since an operation of this block. */
  readonly #held = new Map<number, { register: number; since: number }>()
  #ops: MachineOp[] = []

  constructor(fn: MachineFunction, spilled: Uint8Array, inUse: Uint8Array, standsFor: Map<number, number>) {
    this.#fn = fn
    this.#spilled = spilled
    this.#inUse = inUse
    this.#standsFor = standsFor
  }

  rewrite(block: MachineBlock): void {
    block.ops.forEach((op, at) => this.#op(op, at))
    block.ops = this.#ops
  }

  #op(op: MachineOp, at: number): void {
    const loads = !takesAnywhere(op) && op.uses.some((use) => this.#isSpilled(use))
    const stores = this.#isSpilled(op.out) && op.kind !== 'call' && op.kind !== 'context'
    // A call leaves nothing in these registers.
    if (op.kind === 'call') this.#held.clear()
    if (!loads && !stores) {
      this.#ops.push(op)
      return
    }
    const rewritten: MachineOp = { ...op, uses: [...op.uses], original: op }
    if (loads) rewritten.uses = op.uses.map((use) => (this.#isSpilled(use) ? this.#inRegister(use, at, op.span) : use))
    this.#ops.push(rewritten)
    if (!stores) return
    rewritten.out = this.#temporary(op.out, at)
    this.#copy(op.out, rewritten.out, op.span)
  }

  #isSpilled(register: number): boolean {
    return register >= 0 && this.#spilled[register] === 1
  }

  #inRegister(value: number, at: number, span: Span): number {
    const held = this.#held.get(value)
    if (held !== undefined && this.#keep(held.since, at)) {
      held.since = at
      return held.register
    }
    const register = this.#temporary(value, at)
    this.#copy(register, value, span)
    return register
  }

  /** Takes a register from one operation to a later one, if there is one. */
  #keep(from: number, to: number): boolean {
    for (let at = from; at < to; at++) if (this.#inUse[at]! >= passingCount) return false
    for (let at = from; at < to; at++) this.#inUse[at]!++
    return true
  }

  #temporary(value: number, at: number): number {
    const register = this.#fn.registers++
    this.#fn.names[register] = this.#fn.names[value]
    this.#standsFor.set(register, value)
    this.#held.set(value, { register, since: at })
    return register
  }

  #copy(out: number, from: number, span: Span): void {
    this.#ops.push({ kind: 'copy', out, uses: [from], span, deaths: 0, unused: false })
  }
}
