import type { Instruction } from '../../asm/instruction.ts'
import type { CoreReference, IrFunction } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import { checkAllocation } from './check-allocation.ts'
import { colour } from './colour.ts'
import { exchangeSides, markDeaths } from './deaths.ts'
import { layOutFrame } from './frame.ts'
import { layOut } from './layout.ts'
import { machineLiveness } from './machine.ts'
import { place } from './place.ts'
import { insertReloads } from './reload.ts'
import { select, type Isa } from './select.ts'
import { assignSpillSlots } from './spill-slots.ts'
import { chooseSpills } from './spill.ts'

export interface EmittedFunction {
  instructions: Instruction[]
  /** One per instruction. */
  spans: Span[]
  /** lddw slots that name a map. */
  maps: { slot: number; map: string }[]
  /** lddw slots that take the address of a function. */
  functions: { slot: number; function: string }[]
  /** Slots of the instructions to patch, in order. */
  core: { slot: number; reference: CoreReference }[]
  stackBytes: number
}

export interface BackendOptions {
  /** v1: no "less than" jumps · v2 · v3: 32-bit jumps (5.1) · v4: movsx, sign-extending loads, bswap, sdiv (6.6). */
  isa: Isa
}

/**
 * Machine code of a valid function. Does not change it.
 * @throws BackendError for what the instruction set cannot do, or a stack over 512 bytes
 */
export function emitFunction(fn: IrFunction, options: BackendOptions): EmittedFunction {
  const machine = select(fn, options.isa)
  const { spilled, surviving, liveness, passingAt } = chooseSpills(machine)
  const { slotOf, count } = assignSpillSlots(machine, liveness, spilled)
  const standsFor = insertReloads(machine, spilled, passingAt)
  const finalLiveness = standsFor.size === 0 ? liveness : machineLiveness(machine)
  markDeaths(machine, finalLiveness)
  exchangeSides(machine)
  const colouring = colour(machine, finalLiveness, surviving, spilled)
  const placed = place(machine, colouring, slotOf, count)
  checkAllocation(placed, standsFor)
  const frame = layOutFrame(machine, placed.spillSlots)
  return { ...layOut(placed, frame, options.isa), stackBytes: frame.bytes }
}
