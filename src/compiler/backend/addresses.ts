import type { IrFunction, Op, Value } from '../ir/ir.ts'
import { edgesOf, operandsOf } from '../passes/rewrite.ts'

/**
 * Which `offset` operations need no register of their own because they only serve as addresses:
 * their constant goes into the loads and stores. An access with a CO-RE relocation cannot take
 * them, since the loader overwrites its whole offset.
 */
export class Addresses {
  readonly #folded = new Map<number, Op & { op: 'offset' }>()

  constructor(fn: IrFunction) {
    for (const block of fn.blocks) {
      for (const op of block.ops) if (op.op === 'offset' && op.core === undefined) this.#folded.set(op.out.id, op)
    }
    if (this.#folded.size > 0) this.#keepOthers(fn)
  }

  /** Whether this value is only ever an address. */
  isFolded(value: Value): boolean {
    return this.#folded.has(value.id)
  }

  /** The pointer that is in a register, and the sum of the constants on the way to it. */
  resolve(pointer: Value, offset: number): { base: Value; offset: number } {
    let base = pointer
    for (let op = this.#folded.get(base.id); op !== undefined; op = this.#folded.get(base.id)) {
      base = op.pointer
      offset += op.offset
    }
    return { base, offset }
  }

  #keepOthers(fn: IrFunction): void {
    const keep = (value: Value) => this.#folded.delete(value.id)
    for (const block of fn.blocks) {
      for (const op of block.ops) {
        if (op.op === 'load' || op.op === 'store' || op.op === 'atomicAdd' || op.op === 'offset') {
          if ('core' in op && op.core !== undefined) keep(op.pointer)
          if (op.op === 'store' || op.op === 'atomicAdd') keep(op.value)
        } else operandsOf(op).forEach(keep)
      }
      const { terminator } = block
      if (terminator.op === 'return') keep(terminator.value)
      if (terminator.op === 'branch') [terminator.condition.left, terminator.condition.right].forEach(keep)
      for (const edge of edgesOf(terminator)) edge.args.forEach(keep)
    }
  }
}
