import type { Liveness } from '../ir/cfg.ts'
import { lastOp, type MachineFunction, type MachineOp } from './machine.ts'

/** Register of each virtual register, -1 for spilled ones, and which are taken when each block is entered (its parameters aside). */
export interface Colouring { registerOf: Int8Array; taken: Uint16Array }

const passingMask = 0b00_0011_1111
const survivingMask = 0b11_1100_0000
/** Without a wish: away from the registers of arguments. */
const passingOrder = [0, 5, 4, 3, 2, 1]
const survivingOrder = [6, 7, 8, 9]

/**
 * Colours in an order where definitions come before uses; in SSA this cannot fail once no more
 * values are live at a time than there are registers. Needs `markDeaths`.
 */
export function colour(fn: MachineFunction, { liveIn }: Liveness, surviving: Uint8Array, spilled: Uint8Array): Colouring {
  const registerOf = new Int8Array(fn.registers).fill(-1)
  const taken = new Uint16Array(fn.blocks.length)
  const wishes = gatherWishes(fn, surviving)
  const isSpilled = (register: number) => register < spilled.length && spilled[register] === 1
  let occupied = 0

  const assign = (register: number, tiedTo: number) => {
    const crosses = surviving[register] === 1
    const free = ~occupied & (crosses ? survivingMask : passingMask)
    if (free === 0) throw new Error(`back end: no register is left for %${register} in '${fn.name}'`)
    const wished = (candidate: number) => candidate >= 0 && (free >>> candidate & 1) === 1
    const { preferred, relatives } = wishes
    let found = -1
    if (wished(tiedTo)) found = tiedTo
    else if (wished(preferred[register]!)) found = preferred[register]!
    else found = relatives.get(register)?.map((relative) => registerOf[relative]!).find(wished) ?? -1
    if (found < 0) found = (crosses ? survivingOrder : passingOrder).find(wished)!
    registerOf[register] = found
    occupied |= 1 << found
  }
  const release = (register: number) => {
    if (register >= 0 && registerOf[register]! >= 0) occupied &= ~(1 << registerOf[register]!)
  }

  fn.blocks.forEach((block, index) => {
    occupied = 0
    liveIn.each(index, (register) => { if (registerOf[register]! >= 0) occupied |= 1 << registerOf[register]! })
    taken[index] = occupied
    const params = block.params.filter((param) => !isSpilled(param))
    // Those that want a certain register first.
    for (const param of params) if (wishes.preferred[param]! >= 0) assign(param, -1)
    for (const param of params) if (registerOf[param]! < 0) assign(param, -1)
    block.unusedParams.forEach(release)
    for (const op of block.ops) {
      startRight(op, registerOf, wishes)
      const keptRight = op.kind === 'plain' && op.tied && op.uses.length === 2 && op.uses[0] !== op.uses[1] ? 1 : -1
      op.uses.forEach((use, position) => { if ((op.deaths >>> position & 1) === 1 && position !== keptRight) release(use) })
      if (op.out >= 0 && !isSpilled(op.out)) assign(op.out, tiedRegister(op, registerOf))
      if (keptRight === 1 && (op.deaths & 0b10) !== 0) release(op.uses[1]!)
      if (op.unused) release(op.out)
    }
  })
  return { registerOf, taken }
}

/** Where both sides end and the result is wanted in the register of the right one, the sides change places. */
function startRight(op: MachineOp, registerOf: Int8Array, { preferred }: Wishes): void {
  if (op.kind !== 'plain' || !op.commutative || op.deaths !== 0b11) return
  const [left, right] = op.uses.map((use) => registerOf[use]!)
  if (left !== right && preferred[op.out]! >= 0 && right === preferred[op.out]) op.uses.reverse()
}

/** The register that the result takes without a move. */
function tiedRegister(op: MachineOp, registerOf: Int8Array): number {
  const reuses = (op.kind === 'plain' && op.tied) || op.kind === 'copy'
  const [first] = op.uses
  return reuses && first !== undefined && first >= 0 && (op.deaths & 1) === 1 ? registerOf[first]! : -1
}

interface Wishes {
  /** The register in which a call, a return or the entry wants or gives the value, or -1. */
  preferred: Int8Array
  /** Values that would be one register's with it: parameters and their arguments. */
  relatives: Map<number, number[]>
}

function gatherWishes(fn: MachineFunction, surviving: Uint8Array): Wishes {
  const preferred = new Int8Array(fn.registers).fill(-1)
  const relatives = new Map<number, number[]>()
  const relate = (a: number, b: number) => {
    const known = relatives.get(a)
    if (known === undefined) relatives.set(a, [b])
    else known.push(b)
  }
  const prefer = (register: number, wish: number) => {
    if (register >= 0 && wish >= 0 && surviving[register] !== 1) preferred[register] = wish
  }
  // Backwards, so that the nearest use has the last word.
  for (let index = fn.blocks.length - 1; index >= 0; index--) {
    const block = fn.blocks[index]!
    const last = lastOp(block)
    if (last.kind === 'jump') {
      fn.blocks[last.target]!.params.forEach((param, position) => {
        const arg = last.uses[position]!
        if (arg < 0) return
        relate(param, arg)
        relate(arg, param)
        prefer(arg, preferred[param]!)
      })
    }
    for (let at = block.ops.length - 1; at >= 0; at--) {
      const op = block.ops[at]!
      if (op.kind === 'call') op.uses.forEach((use, position) => prefer(use, position + 1))
      else if (op.kind === 'return') prefer(op.uses[0]!, 0)
      else if ((op.deaths & 1) === 1 && (op.kind === 'copy' || (op.kind === 'plain' && op.tied))) prefer(op.uses[0]!, preferred[op.out]!)
      if (op.kind === 'call' && op.out >= 0 && preferred[op.out] === -1) prefer(op.out, 0)
      if (op.kind === 'context') prefer(op.out, op.register)
    }
  }
  return { preferred, relatives }
}
