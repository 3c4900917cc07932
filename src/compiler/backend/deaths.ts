import { BitRows, type Liveness } from '../ir/cfg.ts'
import type { MachineFunction } from './machine.ts'

/** Marks where each value is read for the last time. */
export function markDeaths(fn: MachineFunction, { liveOut }: Liveness): void {
  const live = new BitRows(1, fn.registers)
  fn.blocks.forEach((block, index) => {
    const row = index * live.words
    live.bits.set(liveOut.bits.subarray(row, row + live.words))
    for (let at = block.ops.length - 1; at >= 0; at--) {
      const op = block.ops[at]!
      if (op.out >= 0) {
        op.unused = !live.has(0, op.out)
        live.delete(0, op.out)
      }
      op.deaths = 0
      op.uses.forEach((use, position) => { if (use >= 0 && !live.has(0, use)) op.deaths |= 1 << position })
      for (const use of op.uses) if (use >= 0) live.add(0, use)
    }
    block.unusedParams = block.params.filter((param) => !live.has(0, param))
  })
}

/**
 * Exchanges the sides of commutative operations so that the left one, whose register the result
 * takes, is one that ends there. After spilling only, as spilling makes other values end.
 */
export function exchangeSides(fn: MachineFunction): void {
  for (const block of fn.blocks) {
    for (const op of block.ops) {
      if (op.kind !== 'plain' || !op.commutative || op.deaths !== 0b10) continue
      op.uses.reverse()
      op.deaths = 0b01
    }
  }
}
