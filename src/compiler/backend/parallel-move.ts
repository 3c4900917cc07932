import type { Operand } from './machine.ts'

/** Where a value is: register 0–10, or from `firstSlot` on a spill slot. */
export type Location = number
export const firstSlot = 16

/** One of several moves that happen at the same time. */
export interface Move { to: Location; /** A location, or below zero a constant. */ from: Location | Operand }

export interface Surroundings {
  /** Bits of the registers that hold nothing needed afterwards. */
  free: number
  /** A stack slot for when no register is free. */
  scratch: (index: number) => Location
  /** Whether a constant can be written to the stack by one instruction. */
  isStorable: (constant: Operand) => boolean
}

/** Puts moves that happen at the same time into an order. */
export function orderMoves(moves: readonly Move[], surroundings: Surroundings): Move[] {
  return new MoveOrder(moves, surroundings).run()
}

class MoveOrder {
  readonly #ordered: Move[] = []
  readonly #surroundings: Surroundings
  #pending: Move[]
  readonly #constants: Move[]
  /** Registers that have their final content. */
  #written = 0

  constructor(moves: readonly Move[], surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#pending = moves.filter(({ to, from }) => from >= 0 && from !== to)
    // What stays where it is is in use all the same.
    for (const { to, from } of moves) if (to === from && to < firstSlot) this.#written |= 1 << to
    this.#constants = moves.filter(({ from }) => from < 0)
  }

  run(): Move[] {
    while (this.#pending.length > 0) {
      const ready = this.#pending.findIndex(({ to }) => !this.#pending.some(({ from }) => from === to))
      if (ready >= 0) this.#emit(this.#pending.splice(ready, 1)[0]!)
      else this.#breakCycle()
    }
    // Constants for the stack first: those for registers leave them free until then.
    for (const move of this.#constants) if (move.to >= firstSlot) this.#emit(move)
    for (const move of this.#constants) if (move.to < firstSlot) this.#emit(move)
    return this.#ordered
  }

  /** Every place that is written is still to be read: one value waits elsewhere. */
  #breakCycle(): void {
    const { from } = this.#pending[0]!
    const wanted = this.#pending.reduce((mask, { to }) => (to < firstSlot ? mask | 1 << to : mask), 0)
    const waiting = this.#freeRegister(wanted) ?? this.#surroundings.scratch(0)
    this.#emit({ to: waiting, from })
    if (waiting < firstSlot) this.#written &= ~(1 << waiting)
    this.#pending = this.#pending.map((move) => (move.from === from ? { to: move.to, from: waiting } : move))
  }

  #emit(move: Move): void {
    const throughRegister = move.to >= firstSlot && (move.from >= firstSlot || (move.from < 0 && !this.#surroundings.isStorable(move.from)))
    if (!throughRegister) this.#ordered.push(move)
    else this.#emitThroughRegister(move)
    if (move.to < firstSlot) this.#written |= 1 << move.to
  }

  #emitThroughRegister({ to, from }: Move): void {
    const register = this.#freeRegister(0)
    if (register !== undefined) {
      this.#ordered.push({ to: register, from }, { to, from: register })
      return
    }
    // No register is free: one is lent and given back.
    const lent = 0
    const kept = this.#surroundings.scratch(1)
    this.#ordered.push({ to: kept, from: lent }, { to: lent, from }, { to, from: lent }, { to: lent, from: kept })
  }

  #freeRegister(wanted: number): number | undefined {
    const read = this.#pending.reduce((mask, { from }) => (from < firstSlot ? mask | 1 << from : mask), 0)
    const free = this.#surroundings.free & ~this.#written & ~read & ~wanted
    return free === 0 ? undefined : 31 - Math.clz32(free & -free)
  }
}
