import type {
  BinaryOperator, Block, Comparison, Condition, CoreReference, Edge, IntType, IrFunction, IrType, Op, Origin, PointerType, Size, StackSlot, Terminator, Value, Width,
} from '../../compiler/ir/ir.ts'
import type { Span } from '../../compiler/span.ts'
import { helperIds, type Helper } from './helper-ids.ts'

export const word: IntType = { kind: 'int', bits: 64, signed: false }

export function pointerType(origin: Origin, nullable = false): PointerType {
  return { kind: 'pointer', origin, nullable }
}

const unset = undefined as unknown as Terminator

/** Writes one function in IR: operations go to the end of the current block. Code after a jump is written and dropped. */
export class FunctionWriter {
  readonly ir: IrFunction
  /** Where the operations come from. */
  span: Span
  #block: Block

  constructor(name: string, span: Span) {
    this.ir = { name, blocks: [], slots: [], nextValue: 0, nextBlock: 0, nextSlot: 0 }
    this.span = span
    this.#block = this.block()
    this.ir.blocks.push(this.#block)
  }

  /** A block that is not in the function until `start`. */
  block(...params: Value[]): Block {
    return { id: this.ir.nextBlock++, params, ops: [], terminator: unset }
  }

  start(block: Block): void {
    this.ir.blocks.push(block)
    this.#block = block
  }

  /** Goes back to a block that has no end yet. */
  resume(block: Block): void {
    this.#block = block
  }

  get current(): Block {
    return this.#block
  }

  get ended(): boolean {
    return (this.#block.terminator as Terminator | undefined) !== undefined
  }

  value(type: IrType = word, name?: string): Value {
    return { id: this.ir.nextValue++, type, ...(name !== undefined && { name }) }
  }

  slot(size: number, name: string): StackSlot {
    const slot: StackSlot = { id: this.ir.nextSlot++, size: Math.ceil(size / 8) * 8, align: 8, name }
    this.ir.slots.push(slot)
    return slot
  }

  add(op: Op): void {
    if (this.ended) this.start(this.block())
    this.#block.ops.push(op)
  }

  /** What the register is in r1, or in another register at entry. */
  argument(register: 1 | 2 | 3 | 4 | 5, type: IrType, name: string): Value {
    const out = this.value(type, name)
    this.add({
      op: 'context', out, span: this.span, ...(!(type.kind === 'pointer' && type.origin === 'context') && { register }),
    })
    return out
  }

  number(value: number | bigint): Value {
    const out = this.value()
    this.add({ op: 'const', out, value: BigInt.asIntN(64, BigInt(value)), span: this.span })
    return out
  }

  map(map: string): Value {
    const out = this.value(pointerType('map'))
    this.add({ op: 'mapAddress', out, map, span: this.span })
    return out
  }

  functionAddress(name: string): Value {
    const out = this.value(pointerType('map'))
    this.add({ op: 'functionAddress', out, function: name, span: this.span })
    return out
  }

  stack(slot: StackSlot, offset = 0): Value {
    const out = this.value(pointerType('stack'))
    this.add({ op: 'stackAddress', out, slot, offset, span: this.span })
    return out
  }

  binary(operator: BinaryOperator, left: Value, right: Value, type: IrType = word, width: Width = 64): Value {
    const out = this.value(type)
    this.add({ op: 'binary', out, operator, width, left, right, span: this.span })
    return out
  }

  negate(value: Value): Value {
    const out = this.value()
    this.add({ op: 'negate', out, width: 64, value, span: this.span })
    return out
  }

  byteSwap(value: Value, bits: 16 | 32 | 64): Value {
    const out = this.value()
    this.add({ op: 'byteSwap', out, bits, value, span: this.span })
    return out
  }

  extend(value: Value, bits: number, signed: boolean): Value {
    if (bits >= 64) return value
    const out = this.value({ kind: 'int', bits: bits as 8, signed })
    this.add({ op: 'extend', out, value, bits: bits as 8, signed, span: this.span })
    return out
  }

  load(pointer: Value, offset: number, size: number, signed = false, type?: IrType, core?: CoreReference): Value {
    const out = this.value(type ?? { kind: 'int', bits: (size * 8) as 8, signed })
    this.add({ op: 'load', out, pointer, offset, size: size as Size, signed, span: this.span, ...(core && { core }) })
    return out
  }

  store(pointer: Value, offset: number, size: number, value: Value): void {
    this.add({ op: 'store', pointer, offset, size: size as Size, value, span: this.span })
  }

  atomicAdd(pointer: Value, offset: number, value: Value): void {
    this.add({ op: 'atomicAdd', pointer, offset, size: 8, value, span: this.span })
  }

  offset(pointer: Value, offset: number, core?: CoreReference): Value {
    if (offset === 0 && core === undefined) return pointer
    const out = this.value(pointer.type)
    this.add({ op: 'offset', out, pointer, offset, span: this.span, ...(core && { core }) })
    return out
  }

  /** The same register as a plain number, or as another kind of pointer. */
  retype(value: Value, type: IrType): Value {
    if (value.type.kind === type.kind) {
      const out = this.value(type)
      this.add({ op: 'refine', out, value, span: this.span })
      return out
    }
    // Between numbers and pointers: an addition of nothing, which the back end folds away.
    const out = this.value(type)
    this.add({ op: 'binary', out, operator: 'add', width: 64, left: value, right: this.number(0), span: this.span })
    return out
  }

  call(helper: Helper, args: Value[], type: IrType | null = word): Value {
    const out = type === null ? null : this.value(type)
    this.add({ op: 'call', out, helper: helperIds[helper], name: helper, args, span: this.span })
    return out ?? args[0] ?? this.#nothing()
  }

  #nothing(): Value {
    return this.number(0)
  }

  jump(target: Block, ...args: Value[]): void {
    if (this.ended) return
    this.#block.terminator = { op: 'jump', edge: { target, args }, span: this.span }
  }

  branch(operator: Comparison, left: Value, right: Value, then: Block | Edge, otherwise: Block | Edge): void {
    if (this.ended) return
    const edge = (to: Block | Edge): Edge => ('target' in to ? to : { target: to, args: [] })
    const condition: Condition = { operator, width: 64, left, right }
    this.#block.terminator = { op: 'branch', condition, then: edge(then), else: edge(otherwise), span: this.span }
  }

  return(value: Value): void {
    if (this.ended) return
    this.#block.terminator = { op: 'return', value, span: this.span }
  }

  /** 1 where the comparison holds, else 0. */
  compare(operator: Comparison, left: Value, right: Value): Value {
    const yes = this.block()
    const no = this.block()
    const result = this.value()
    const end = this.block(result)
    this.branch(operator, left, right, yes, no)
    this.start(yes)
    this.jump(end, this.number(1))
    this.start(no)
    this.jump(end, this.number(0))
    this.start(end)
    return result
  }

  /** Runs `then` where the comparison holds, and goes on after it. */
  when(operator: Comparison, left: Value, right: Value, then: () => void, otherwise?: () => void): void {
    const yes = this.block()
    const no = this.block()
    const end = otherwise === undefined ? no : this.block()
    this.branch(operator, left, right, yes, no)
    this.start(yes)
    then()
    this.jump(end)
    if (otherwise !== undefined) {
      this.start(no)
      otherwise()
      this.jump(end)
    }
    this.start(end)
  }

  /** A value that is computed in one of two ways. */
  choose(operator: Comparison, left: Value, right: Value, then: () => Value, otherwise: () => Value, type: IrType = word): Value {
    const yes = this.block()
    const no = this.block()
    const result = this.value(type)
    const end = this.block(result)
    this.branch(operator, left, right, yes, no)
    this.start(yes)
    this.jump(end, then())
    this.start(no)
    this.jump(end, otherwise())
    this.start(end)
    return result
  }
}
