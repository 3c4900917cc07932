import type { Span } from '../span.ts'
import type { Colouring } from './colour.ts'
import type { MachineFunction, MachineOp, Operand } from './machine.ts'
import { firstSlot, orderMoves, type Location, type Move } from './parallel-move.ts'
import { fitsImm } from './select-op.ts'

/** Code with every value in its place: what is left is to write it down. */
export type Placed =
  /** `from` below zero is a constant. */
  | { kind: 'move'; to: Location; from: Location | Operand; span: Span }
  /** `uses` are the registers that it reads, `out` the one that it writes, or -1. */
  | { kind: 'op'; op: MachineOp; out: number; uses: number[] }

export interface PlacedFunction { fn: MachineFunction; blocks: Placed[][]; /** Eight-byte stack slots for values. */ spillSlots: number }

const afterCall = 0b00_0011_1111
const allRegisters = 0b11_1111_1111

/** Applies the allocation: puts operands where instructions want them and results where they live. */
export function place(fn: MachineFunction, colouring: Colouring, slotOf: Int32Array, spillSlots: number): PlacedFunction {
  const placing = new Placing(fn, colouring, slotOf, spillSlots)
  const blocks = fn.blocks.map((block) => placing.block(block.ops))
  return { fn, blocks, spillSlots: placing.spillSlots }
}

class Placing {
  spillSlots: number
  readonly #fn: MachineFunction
  readonly #colouring: Colouring
  readonly #slotOf: Int32Array
  readonly #valueSlots: number
  #code: Placed[] = []

  constructor(fn: MachineFunction, colouring: Colouring, slotOf: Int32Array, spillSlots: number) {
    this.#fn = fn
    this.#colouring = colouring
    this.#slotOf = slotOf
    this.#valueSlots = this.spillSlots = spillSlots
  }

  block(ops: readonly MachineOp[]): Placed[] {
    this.#code = []
    for (const op of ops) this.#place(op)
    return this.#code
  }

  #place(op: MachineOp): void {
    switch (op.kind) {
      case 'plain': return this.#placePlain(op)
      case 'branch': return this.#op(op, -1, op.uses.map((use) => this.#at(use)))
      case 'copy': return this.#moveAll([{ to: this.#at(op.out), from: this.#at(op.uses[0]!) }], op.span, 0)
      case 'context':
        this.#op(op, op.register, [])
        if (op.unused) return
        return this.#moveAll([{ to: this.#at(op.out), from: op.register }], op.span, 0)
      case 'call':
        this.#moveAll(op.uses.map((use, index) => ({ to: index + 1, from: this.#at(use) })), op.span, afterCall)
        this.#op(op, op.out < 0 ? -1 : 0, op.uses.map((_, index) => index + 1))
        if (op.out >= 0 && !op.unused) this.#moveAll([{ to: this.#at(op.out), from: 0 }], op.span, 0)
        return
      case 'return':
        this.#moveAll([{ to: 0, from: this.#at(op.uses[0]!) }], op.span, afterCall)
        return this.#op(op, -1, [0])
      case 'jump': {
        const { params } = this.#fn.blocks[op.target]!
        const moves = params.map((param, index) => ({ to: this.#at(param), from: this.#at(op.uses[index]!) }))
        this.#moveAll(moves, op.span, allRegisters & ~this.#colouring.taken[op.target]!)
        return this.#op(op, -1, [])
      }
    }
  }

  #placePlain(op: MachineOp & { kind: 'plain' }): void {
    const out = op.out < 0 ? -1 : this.#at(op.out)
    const uses = op.uses.map((use) => this.#at(use))
    if (op.tied && uses[0] !== out) {
      this.#code.push({ kind: 'move', to: out, from: uses[0]!, span: op.span })
      uses[0] = out
    }
    this.#op(op, out, uses)
  }

  #op(op: MachineOp, out: number, uses: number[]): void {
    this.#code.push({ kind: 'op', op, out, uses })
  }

  #at(operand: Operand): Location {
    if (operand < 0) return operand
    const register = this.#colouring.registerOf[operand]!
    if (register >= 0) return register
    const slot = operand < this.#slotOf.length ? this.#slotOf[operand]! : -1
    if (slot < 0) throw new Error(`back end: %${operand} has no place in '${this.#fn.name}'`)
    return firstSlot + slot
  }

  #moveAll(moves: Move[], span: Span, free: number): void {
    const ordered = orderMoves(moves, {
      free,
      scratch: (index) => {
        this.spillSlots = Math.max(this.spillSlots, this.#valueSlots + index + 1)
        return firstSlot + this.#valueSlots + index
      },
      isStorable: (constant) => isStorable(this.#fn, constant),
    })
    for (const { to, from } of ordered) this.#code.push({ kind: 'move', to, from, span })
  }
}

function isStorable(fn: MachineFunction, constant: Operand): boolean {
  const content = fn.constants[~constant]!
  return content.kind === 'number' && content.core === undefined && fitsImm(content.value)
}

/** Whether a block does nothing but go on elsewhere. */
export function isEmpty(code: readonly Placed[]): boolean {
  return code.length === 1 && lastPlaced(code).op.kind === 'jump'
}

export function lastPlaced(code: readonly Placed[]): Placed & { kind: 'op' } {
  const last = code[code.length - 1]!
  if (last.kind !== 'op') throw new Error('back end: block without end')
  return last
}
