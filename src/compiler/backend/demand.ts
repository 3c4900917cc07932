import type { Condition, IrFunction, Op, Value } from '../ir/ir.ts'
import { edgesOf, operandsOf } from '../passes/rewrite.ts'
import type { Narrowing } from './narrow.ts'

/**
 * How much of each value its users look at. Sign extension costs two instructions before v4, and
 * most signed fields (a pid) are only stored in four bytes or compared with zero.
 */
export class Demand {
  /** Somebody wants all 64 bits. */
  readonly #whole: Uint8Array
  /** Low bits that are wanted otherwise. */
  readonly #bits: Uint8Array
  /** Largest constant that it is compared with for equality, -1 for none. */
  readonly #compared: Float64Array
  readonly #constants = new Map<number, bigint>()
  readonly #narrowing: Narrowing

  constructor(fn: IrFunction, narrowing: Narrowing) {
    this.#narrowing = narrowing
    this.#whole = new Uint8Array(fn.nextValue)
    this.#bits = new Uint8Array(fn.nextValue)
    this.#compared = new Float64Array(fn.nextValue).fill(-1)
    for (const { ops } of fn.blocks) for (const op of ops) if (op.op === 'const' && op.core === undefined) this.#constants.set(op.out.id, op.value)
    for (const { ops, terminator } of fn.blocks) {
      for (const op of ops) this.#op(op)
      if (terminator.op === 'return') this.#wantWhole(terminator.value)
      if (terminator.op === 'branch') this.#condition(terminator.condition)
      for (const edge of edgesOf(terminator)) for (const arg of edge.args) this.#wantWhole(arg)
    }
  }

  /** Whether anything may stand above the low bits. */
  onlyLow(value: Value, bits: number): boolean {
    return this.#whole[value.id] === 0 && this.#bits[value.id]! <= bits && this.#compared[value.id] === -1
  }

  /** Whether a number of so many bits may be zero-extended where it should be sign-extended. */
  ignoresSign(value: Value, bits: number): boolean {
    return this.#whole[value.id] === 0 && this.#bits[value.id]! <= bits && this.#compared[value.id]! < 2 ** (bits - 1)
  }

  #op(op: Op): void {
    switch (op.op) {
      case 'store':
        this.#wantWhole(op.pointer)
        return this.#wantLow(op.value, op.size * 8)
      case 'extend': case 'byteSwap': return this.#wantLow(op.value, op.bits)
      case 'binary': {
        const mask = op.operator === 'and' ? this.#constants.get(op.right.id) : undefined
        const masked = mask !== undefined && mask >= 0n ? mask.toString(2).length : 64
        this.#wantLow(op.left, Math.min(masked, op.width))
        return this.#wantLow(op.right, op.width)
      }
      case 'negate': return this.#wantLow(op.value, op.width)
      default: for (const operand of operandsOf(op)) this.#wantWhole(operand)
    }
  }

  #condition(condition: Condition): void {
    const { operator, left, right } = condition
    const width = this.#narrowing.allows(condition) ? 32 : condition.width
    const constant = this.#constants.get(right.id)
    const equality = operator === 'eq' || operator === 'ne'
    if (width === 64 && equality && constant !== undefined && constant >= 0n) {
      this.#compared[left.id] = Math.max(this.#compared[left.id]!, Number(constant))
      return this.#wantWhole(right)
    }
    this.#wantLow(left, width)
    this.#wantLow(right, width)
  }

  #wantLow(value: Value, bits: number): void {
    if (bits >= 64) this.#wantWhole(value)
    else this.#bits[value.id] = Math.max(this.#bits[value.id]!, bits)
  }

  #wantWhole(value: Value): void {
    this.#whole[value.id] = 1
  }
}
