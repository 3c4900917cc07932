import { BitRows, type Liveness } from '../ir/cfg.ts'
import { takesAnywhere, type MachineFunction } from './machine.ts'

/** What the choice of spilled registers goes by; arrays are indexed by virtual register. */
export interface Usage {
  /** Live across a call, hence in r6–r9. */
  crossing: Uint8Array
  /** How often it is read and written, loops counting more. */
  weight: Float64Array
  /** Number of operations across which it is live. */
  length: Float64Array
  /** Block that defines it. */
  home: Int32Array
}

export function measureUsage(fn: MachineFunction, { liveOut, liveIn }: Liveness): Usage {
  const usage: Usage = {
    crossing: new Uint8Array(fn.registers), weight: new Float64Array(fn.registers),
    length: new Float64Array(fn.registers), home: new Int32Array(fn.registers).fill(-1),
  }
  const live = new BitRows(1, fn.registers)
  const end = new Int32Array(fn.registers)
  fn.blocks.forEach((block, index) => {
    const row = index * live.words
    live.bits.set(liveOut.bits.subarray(row, row + live.words))
    const frequency = 8 ** Math.min(block.loopDepth, 4)
    live.each(0, (register) => { end[register] = block.ops.length })
    const define = (register: number, at: number) => {
      usage.home[register] = index
      usage.weight[register]! += frequency
      if (live.has(0, register)) usage.length[register]! += end[register]! - at
      live.delete(0, register)
    }
    for (let at = block.ops.length - 1; at >= 0; at--) {
      const op = block.ops[at]!
      if (op.out >= 0) define(op.out, at)
      if (op.kind === 'call') live.each(0, (register) => { usage.crossing[register] = 1 })
      for (const use of op.uses) {
        if (use < 0) continue
        usage.weight[use]! += frequency
        if (live.has(0, use)) continue
        live.add(0, use)
        end[use] = at
      }
    }
    for (const param of block.params) define(param, -1)
    liveIn.each(index, (register) => { usage.length[register]! += end[register]! })
  })
  return usage
}

/** Registers that survive a call, r6–r9, and those that do not, r0–r5. */
export const survivingCount = 4
export const passingCount = 6

/**
 * Goes through a function keeping the set of values that occupy registers, and asks `relieve`
 * wherever there are more of a class than registers. A spilled value occupies one only at the
 * operation that reads or writes it.
 */
export class PressureWalk {
  readonly #fn: MachineFunction
  readonly #liveness: Liveness
  readonly crossing: Uint8Array
  readonly spilled: Uint8Array
  /** Who is in a register at the point being looked at. */
  readonly live: Uint8Array
  surviving = 0
  passing = 0
  /** Most values in surviving registers at any point of each block. */
  readonly mostSurviving: Uint8Array
  /** Registers that do not survive a call in use around each operation of each block, in the last run. */
  readonly passingAt: Uint8Array[]
  /** The same of those that survive. */
  readonly survivingAt: Uint8Array[]

  constructor(fn: MachineFunction, liveness: Liveness, crossing: Uint8Array, spilled: Uint8Array) {
    this.#fn = fn
    this.#liveness = liveness
    this.crossing = crossing
    this.spilled = spilled
    this.live = new Uint8Array(fn.registers)
    this.mostSurviving = new Uint8Array(fn.blocks.length)
    this.passingAt = fn.blocks.map(({ ops }) => new Uint8Array(ops.length))
    this.survivingAt = fn.blocks.map(({ ops }) => new Uint8Array(ops.length))
  }

  /**
   * `relieve` frees a register of the class by calling `evict` or `move`; `needed` must stay in registers there.
   * Without `passing` only the surviving registers are looked at.
   */
  run(passing: boolean, relieve: (surviving: boolean, needed: readonly number[]) => void): void {
    this.#fn.blocks.forEach((block, index) => {
      this.live.fill(0)
      this.surviving = this.passing = 0
      this.#liveness.liveOut.each(index, (register) => this.#enter(register))
      const [passingAt, survivingAt] = [this.passingAt[index]!, this.survivingAt[index]!]
      let at = block.ops.length - 1
      const check = (needed: readonly number[]) => {
        while (this.surviving > survivingCount) relieve(true, needed)
        if (passing) while (this.passing + this.#spilledAmong(needed) > passingCount) relieve(false, needed)
        if (this.surviving > this.mostSurviving[index]!) this.mostSurviving[index] = this.surviving
        if (at < 0) return
        passingAt[at] = Math.max(passingAt[at]!, this.passing + this.#spilledAmong(needed))
        survivingAt[at] = Math.max(survivingAt[at]!, this.surviving)
      }
      passingAt.fill(0)
      survivingAt.fill(0)
      for (; at >= 0; at--) {
        const op = block.ops[at]!
        if (op.out >= 0) this.#atResult(op.out, op.kind === 'plain' && op.tied ? op.uses : [], check)
        for (const use of op.uses) if (use >= 0) this.#enter(use)
        check(takesAnywhere(op) ? [] : op.uses)
      }
      for (const param of block.params) this.#enter(param)
      check([])
    })
  }

  /** After an operation its result is in a register, and so is still the right side of a two-operand instruction. */
  #atResult(out: number, tiedUses: number[], check: (needed: readonly number[]) => void): void {
    const right = tiedUses.length === 2 && tiedUses[0] !== tiedUses[1] ? tiedUses[1]! : -1
    this.#enter(out)
    const rightStays = right >= 0 && this.live[right] === 1
    if (right >= 0 && !rightStays) this.#enter(right)
    const needed = right >= 0 ? [out, right] : [out]
    check(needed)
    if (right >= 0 && !rightStays) this.#leave(right)
    this.#leave(out)
  }

  #spilledAmong(registers: readonly number[]): number {
    let count = 0
    registers.forEach((register, index) => { if (this.spilled[register] === 1 && registers.indexOf(register) === index) count++ })
    return count
  }

  #enter(register: number): void {
    if (this.live[register] === 1 || this.spilled[register] === 1) return
    this.live[register] = 1
    if (this.crossing[register] === 1) this.surviving++
    else this.passing++
  }

  #leave(register: number): void {
    if (this.live[register] !== 1) return
    this.live[register] = 0
    if (this.crossing[register] === 1) this.surviving--
    else this.passing--
  }

  /** Spills a value: it is in no register between operations any more. */
  evict(register: number): void {
    this.#leave(register)
    this.spilled[register] = 1
  }

  /** Puts a value into a surviving register although it crosses no call. */
  move(register: number): void {
    this.#leave(register)
    this.crossing[register] = 1
    this.#enter(register)
  }
}
