import type { Liveness } from '../ir/cfg.ts'
import { machineLiveness, type MachineFunction, type MachineOp } from './machine.ts'
import { LoadCode } from './opcode.ts'
import { measureUsage, PressureWalk, survivingCount, type Usage } from './pressure.ts'

/** Which values go to the stack, and which of the others live in r6–r9. */
export interface SpillPlan {
  spilled: Uint8Array
  surviving: Uint8Array
  liveness: Liveness
  /** Registers r0–r5 in use around each operation of each block. */
  passingAt: Uint8Array[]
}

/**
 * Spills until at each point at most four values are live that cross a call and at most six
 * others, so that colouring cannot fail. May change the function: loads from the context are
 * done again where they are used rather than spilled.
 */
export function chooseSpills(fn: MachineFunction): SpillPlan {
  for (;;) {
    const liveness = machineLiveness(fn)
    const usage = measureUsage(fn, liveness)
    const choice = new SpillChoice(fn, liveness, usage)
    choice.run()
    const { spilled, passingAt } = choice.walk
    if (choice.repeatedLoads.size === 0) return { spilled, surviving: usage.crossing, liveness, passingAt }
    repeatLoads(fn, choice.repeatedLoads)
  }
}

class SpillChoice {
  readonly walk: PressureWalk
  /** Registers whose load from the context is repeated at each use. */
  readonly repeatedLoads = new Map<number, MachineOp>()
  readonly #fn: MachineFunction
  readonly #liveness: Liveness
  readonly #usage: Usage
  readonly #repeatable: Map<number, MachineOp>
  readonly #context: number
  #changed = false

  constructor(fn: MachineFunction, liveness: Liveness, usage: Usage) {
    this.#fn = fn
    this.#liveness = liveness
    this.#usage = usage
    this.walk = new PressureWalk(fn, liveness, usage.crossing, new Uint8Array(fn.registers))
    const first = fn.blocks[0]!.ops[0]!
    this.#context = first.kind === 'context' ? first.out : -1
    this.#repeatable = this.#context < 0 ? new Map() : contextLoads(fn, this.#context)
  }

  run(): void {
    this.walk.run(false, (_, needed) => this.#relieve(true, needed))
    do {
      this.#changed = false
      this.walk.run(true, (surviving, needed) => this.#relieve(surviving, needed))
    } while (this.#changed)
    if (this.repeatedLoads.size === 0) this.#joinClasses()
  }

  /**
   * What a two-operand instruction turns into a value that crosses a call is made in a surviving
   * register at once, where one is free for so long: that saves a move.
   */
  #joinClasses(): void {
    const { crossing, spilled, survivingAt } = this.walk
    const madeAt = new Int32Array(this.#fn.registers)
    const lastRead = new Int32Array(this.#fn.registers)
    this.#fn.blocks.forEach((block, index) => {
      const inUse = survivingAt[index]!
      madeAt.fill(-1)
      block.ops.forEach((op, at) => {
        for (const use of op.uses) if (use >= 0) lastRead[use] = at
        if (op.out >= 0) madeAt[op.out] = at
      })
      for (let at = block.ops.length - 1; at >= 0; at--) {
        const op = block.ops[at]!
        if (op.kind !== 'plain' || !op.tied || crossing[op.out] === 0 || spilled[op.out] === 1) continue
        const left = op.uses[0]!
        const from = madeAt[left]!
        const isCandidate = crossing[left] === 0 && spilled[left] === 0 && from >= 0 && from < at
        // The result must take over the register: it does if nobody reads the left side later.
        if (!isCandidate || lastRead[left] !== at || this.#liveness.liveOut.has(index, left)) continue
        if (inUse.subarray(from, at).some((count) => count >= survivingCount)) continue
        for (let between = from; between < at; between++) inUse[between]!++
        crossing[left] = 1
      }
    })
  }

  #relieve(surviving: boolean, needed: readonly number[]): void {
    this.#changed = true
    const { live, crossing } = this.walk
    let best = -1
    let lowest = Infinity
    for (let register = 0; register < live.length; register++) {
      if (live[register] === 0 || (crossing[register] === 1) !== surviving) continue
      if (!surviving && needed.includes(register)) continue
      if (!surviving && this.#fitsSurviving(register)) return this.walk.move(register)
      const cost = this.#usage.weight[register]! / Math.max(1, this.#usage.length[register]!)
      if (cost >= lowest) continue
      lowest = cost
      best = register
    }
    if (best < 0) throw new Error('back end: nothing can be spilled')
    const load = this.walk.spilled[this.#context] === 1 ? undefined : this.#repeatable.get(best)
    if (load !== undefined) this.repeatedLoads.set(best, load)
    this.walk.evict(best)
  }

  /** Whether a surviving register is free wherever this value lives; if so it is taken. */
  #fitsSurviving(register: number): boolean {
    const { mostSurviving } = this.walk
    const { liveIn, liveOut } = this.#liveness
    const blocks: number[] = []
    for (let block = 0; block < this.#fn.blocks.length; block++) {
      if (this.#usage.home[register] !== block && !liveIn.has(block, register) && !liveOut.has(block, register)) continue
      if (mostSurviving[block]! >= survivingCount) return false
      blocks.push(block)
    }
    for (const block of blocks) mostSurviving[block]!++
    return true
  }
}

/**
 * Loads from the context that give the same each time. Not those that are compared: the verifier
 * would not connect what a check proved with the value of a second load. Not those passed to a
 * block, since there they would have to be in registers all at once.
 */
function contextLoads(fn: MachineFunction, context: number): Map<number, MachineOp> {
  const loads = new Map<number, MachineOp>()
  for (const block of fn.blocks) {
    for (const op of block.ops) {
      if (op.kind !== 'plain' || !op.uses.includes(context)) continue
      const isLoad = op.uses.length === 1 && op.templates.length === 1 && Object.values(LoadCode).includes(op.templates[0]!.code)
      if (isLoad) loads.set(op.out, op)
      // The context is written to, or its address goes elsewhere.
      else return new Map()
    }
  }
  if (loads.size === 0) return loads
  for (const block of fn.blocks) {
    for (const op of block.ops) if (op.kind === 'branch' || op.kind === 'jump') for (const use of op.uses) loads.delete(use)
  }
  return loads
}

function repeatLoads(fn: MachineFunction, loads: Map<number, MachineOp>): void {
  for (const block of fn.blocks) {
    const ops: MachineOp[] = []
    for (const op of block.ops) {
      if (loads.get(op.out) === op) continue
      const copies = new Map<number, number>()
      op.uses.forEach((use, position) => {
        const load = loads.get(use)
        if (load === undefined) return
        let copy = copies.get(use)
        if (copy === undefined) {
          copy = fn.registers++
          fn.names[copy] = fn.names[use]
          copies.set(use, copy)
          ops.push({ ...load, out: copy, uses: [...load.uses], span: op.span })
        }
        op.uses[position] = copy
      })
      ops.push(op)
    }
    block.ops = ops
  }
}

