import type { Condition, IrFunction, Op, Value } from '../ir/ir.ts'
import { eachOperand, edgesOf } from '../passes/rewrite.ts'

/**
 * Comparisons that may look at the low 32 bits only: those of numbers that were extended from 32 bits for nothing else
 * than to be compared, or stored in four bytes. Then the extension goes. A number that anything else reads stays whole,
 * and is compared whole: old verifiers lose what a 32-bit comparison says of it.
 */
export class Narrowing {
  /** 0: not extended from 32 bits, or read otherwise; 1: zero-extended, 2: sign-extended. */
  readonly #extended: Uint8Array
  readonly #constants = new Map<number, bigint>()

  /** `enabled`: whether the instruction set has 32-bit jumps. */
  constructor(fn: IrFunction, enabled: boolean) {
    this.#extended = new Uint8Array(fn.nextValue)
    if (!enabled) return
    let found = false
    for (const { ops } of fn.blocks) {
      for (const op of ops) {
        if (op.op === 'const' && op.core === undefined) this.#constants.set(op.out.id, op.value)
        const signed = extension(op)
        if (signed === null) continue
        this.#extended[(op as { out: Value }).out.id] = signed ? 2 : 1
        found = true
      }
    }
    if (found) this.#settle(fn)
  }

  /** Whether the comparison gives the same in 32 bits, and all that reads its sides agrees. */
  allows({ operator, width, left, right }: Condition): boolean {
    if (width !== 64 || operator === 'exhausted') return false
    const [a, b] = [this.#extended[left.id]!, this.#extended[right.id]!]
    if (a !== 0 && b !== 0) return a === b
    if (a !== 0) return this.#fits(right, a)
    return b !== 0 && this.#fits(left, b)
  }

  #fits(value: Value, extension: number): boolean {
    const constant = this.#constants.get(value.id)
    return constant !== undefined && (extension === 2 ? BigInt.asIntN(32, constant) : BigInt.asUintN(32, constant)) === constant
  }

  /** A value that is read otherwise drops out, and so may those that it is compared with. */
  #settle(fn: IrFunction): void {
    const drop = (value: Value) => { this.#extended[value.id] = 0 }
    for (const { ops, terminator } of fn.blocks) {
      for (const op of ops) {
        if (op.op === 'store' && op.size <= 4) drop(op.pointer)
        else if (op.op !== 'extend') eachOperand(op, drop)
      }
      if (terminator.op === 'return') drop(terminator.value)
      for (const edge of edgesOf(terminator)) edge.args.forEach(drop)
    }
    for (let again = true; again;) {
      again = false
      for (const { terminator } of fn.blocks) {
        if (terminator.op !== 'branch' || this.allows(terminator.condition)) continue
        for (const side of [terminator.condition.left, terminator.condition.right]) {
          if (this.#extended[side.id] === 0) continue
          drop(side)
          again = true
        }
      }
    }
  }
}

/** Whether an operation extends 32 bits, and with their sign; null if it does something else. */
function extension(op: Op): boolean | null {
  if (op.op === 'extend' && op.bits === 32) return op.signed
  return op.op === 'load' && op.size === 4 && op.signed ? true : null
}
