import type { Liveness } from '../ir/cfg.ts'
import { markDeaths } from './deaths.ts'
import { lastOp, type MachineFunction } from './machine.ts'

/**
 * Gives each spilled value an eight-byte stack slot; values that are never needed at the same time
 * share one, and a block parameter prefers that of its arguments, which then need not be moved.
 */
export function assignSpillSlots(fn: MachineFunction, liveness: Liveness, spilled: Uint8Array): { slotOf: Int32Array; count: number } {
  const slotOf = new Int32Array(fn.registers).fill(-1)
  if (!spilled.includes(1)) return { slotOf, count: 0 }
  markDeaths(fn, liveness)
  const friends = relatives(fn, spilled)
  const taken: boolean[] = []
  const assign = (register: number) => {
    if (spilled[register] !== 1) return
    let slot = friends.get(register)?.map((friend) => slotOf[friend]!).find((candidate) => candidate >= 0 && !taken[candidate]) ?? -1
    if (slot < 0) slot = taken.indexOf(false)
    if (slot < 0) slot = taken.length
    taken[slot] = true
    slotOf[register] = slot
  }
  const release = (register: number) => {
    if (register >= 0 && spilled[register] === 1) taken[slotOf[register]!] = false
  }
  fn.blocks.forEach((block, index) => {
    taken.fill(false)
    liveness.liveIn.each(index, (register) => { if (spilled[register] === 1) taken[slotOf[register]!] = true })
    block.params.forEach(assign)
    block.unusedParams.forEach(release)
    for (const op of block.ops) {
      op.uses.forEach((use, position) => { if ((op.deaths >>> position & 1) === 1) release(use) })
      if (op.out < 0) continue
      assign(op.out)
      if (op.unused) release(op.out)
    }
  })
  return { slotOf, count: taken.length }
}

/** Spilled parameters and the spilled arguments passed for them, both ways. */
function relatives(fn: MachineFunction, spilled: Uint8Array): Map<number, number[]> {
  const result = new Map<number, number[]>()
  const relate = (a: number, b: number) => {
    const known = result.get(a)
    if (known === undefined) result.set(a, [b])
    else known.push(b)
  }
  for (const block of fn.blocks) {
    const last = lastOp(block)
    if (last.kind !== 'jump') continue
    fn.blocks[last.target]!.params.forEach((param, index) => {
      const arg = last.uses[index]!
      if (arg < 0 || spilled[arg] !== 1 || spilled[param] !== 1) return
      relate(param, arg)
      relate(arg, param)
    })
  }
  return result
}
