import { takesAnywhere, type MachineFunction, type MachineOp } from './machine.ts'
import type { Span } from '../span.ts'

/**
 * Spills everywhere: a spilled value is stored right after it is computed and loaded right before
 * each instruction that wants it in a register. Calls, jumps and returns take it from its slot.
 * Gives the spilled value that each new register stands for.
 */
export function insertReloads(fn: MachineFunction, spilled: Uint8Array): Map<number, number> {
  const standsFor = new Map<number, number>()
  if (!spilled.includes(1)) return standsFor
  const isSpilled = (register: number) => register >= 0 && register < spilled.length && spilled[register] === 1
  const temporary = (register: number): number => {
    const made = fn.registers++
    fn.names[made] = fn.names[register]
    standsFor.set(made, register)
    return made
  }
  for (const block of fn.blocks) {
    const ops: MachineOp[] = []
    for (const op of block.ops) {
      const keepsSlot = op.kind === 'call' || op.kind === 'context'
      const loads = !takesAnywhere(op) && op.uses.some(isSpilled)
      const stores = isSpilled(op.out) && !keepsSlot
      if (!loads && !stores) {
        ops.push(op)
        continue
      }
      const rewritten: MachineOp = { ...op, uses: [...op.uses], original: op }
      if (loads) reload(rewritten, isSpilled, temporary, ops)
      ops.push(rewritten)
      if (!stores) continue
      rewritten.out = temporary(op.out)
      ops.push(copy(op.out, rewritten.out, op.span))
    }
    block.ops = ops
  }
  return standsFor
}

function reload(op: MachineOp, isSpilled: (register: number) => boolean, temporary: (register: number) => number, ops: MachineOp[]): void {
  op.uses.forEach((use, position) => {
    if (!isSpilled(use)) return
    const made = temporary(use)
    // The same operand twice is one load.
    op.uses.forEach((other, index) => { if (other === use && index >= position) op.uses[index] = made })
    ops.push(copy(made, use, op.span))
  })
}

function copy(out: number, from: number, span: Span): MachineOp {
  return { kind: 'copy', out, uses: [from], span, deaths: 0, unused: false }
}
