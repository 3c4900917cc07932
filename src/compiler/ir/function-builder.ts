import type { KernelFunction } from '../capture/kernel-function.ts'
import type { Span } from '../span.ts'
import type {
  BinaryOperator, Block, Comparison, CoreReference, Edge, IntType, IrFunction, IrType, Op, Origin, PointerType, Size, StackSlot, Terminator, Value, Width,
} from './ir.ts'

/** Builds IR by hand, for tests. Operations go to the end of the current block. */
export class FunctionBuilder {
  readonly fn: IrFunction
  #block: Block
  /** Line n of the imaginary source is the nth operation. */
  #line = 0

  constructor(name: string) {
    this.fn = { name, blocks: [], slots: [], nextValue: 0, nextBlock: 0, nextSlot: 0 }
    this.#block = this.block()
  }

  block(...params: Value[]): Block {
    const block: Block = { id: this.fn.nextBlock++, params, ops: [], terminator: undefined as unknown as Terminator }
    this.fn.blocks.push(block)
    return block
  }

  at(block: Block): this {
    this.#block = block
    return this
  }

  value(type: IrType = u64): Value {
    return { id: this.fn.nextValue++, type }
  }

  slot(size: number, name?: string): StackSlot {
    const slot: StackSlot = { id: this.fn.nextSlot++, size, align: 8, ...(name !== undefined && { name }) }
    this.fn.slots.push(slot)
    return slot
  }

  span(): Span {
    const at = this.#line++
    return { fn: source, start: at * lineLength, end: at * lineLength + lineLength - 1 }
  }

  add(op: Op): void {
    this.#block.ops.push(op)
  }

  context(): Value {
    return this.#out(pointer('context'), (out, span) => ({ op: 'context', out, span }))
  }

  number(value: number | bigint, core?: CoreReference): Value {
    return this.#out(u64, (out, span) => ({ op: 'const', out, value: BigInt(value), ...(core && { core }), span }))
  }

  map(map: string): Value {
    return this.#out(pointer('map'), (out, span) => ({ op: 'mapAddress', out, map, span }))
  }

  address(slot: StackSlot, offset = 0): Value {
    return this.#out(pointer('stack'), (out, span) => ({ op: 'stackAddress', out, slot, offset, span }))
  }

  binary(operator: BinaryOperator, left: Value, right: Value, width: Width = 64): Value {
    return this.#out(left.type, (out, span) => ({ op: 'binary', out, operator, width, left, right, span }))
  }

  extend(value: Value, bits: 8 | 16 | 32, signed: boolean): Value {
    return this.#out({ kind: 'int', bits, signed }, (out, span) => ({ op: 'extend', out, value, bits, signed, span }))
  }

  load(from: Value, offset = 0, size: Size = 8, more: { signed?: boolean; type?: IrType; core?: CoreReference } = {}): Value {
    const type: IntType = { kind: 'int', bits: size * 8 as 8, signed: more.signed ?? false }
    const core = more.core === undefined ? {} : { core: more.core }
    return this.#out(more.type ?? type, (out, span) => ({ op: 'load', out, pointer: from, offset, size, signed: more.signed ?? false, ...core, span }))
  }

  store(to: Value, offset: number, size: Size, value: Value, core?: CoreReference): void {
    this.add({ op: 'store', pointer: to, offset, size, value, ...(core && { core }), span: this.span() })
  }

  offset(from: Value, offset: number, core?: CoreReference): Value {
    return this.#out(from.type, (out, span) => ({ op: 'offset', out, pointer: from, offset, ...(core && { core }), span }))
  }

  call(helper: number, name: string, args: Value[], type: IrType = u64): Value {
    return this.#out(type, (out, span) => ({ op: 'call', out, helper, name, args, span }))
  }

  refine(value: Value): Value {
    const type: IrType = value.type.kind === 'pointer' ? { ...value.type, nullable: false } : value.type
    return this.#out(type, (out, span) => ({ op: 'refine', out, value, span }))
  }

  jump(target: Block, ...args: Value[]): void {
    this.#block.terminator = { op: 'jump', edge: { target, args }, span: this.span() }
  }

  branch(left: Value, operator: Comparison, right: Value, then: Block | Edge, otherwise: Block | Edge, width: Width = 64): void {
    const edge = (to: Block | Edge): Edge => ('target' in to ? to : { target: to, args: [] })
    this.#block.terminator = { op: 'branch', condition: { operator, width, left, right }, then: edge(then), else: edge(otherwise), span: this.span() }
  }

  return(value: Value): IrFunction {
    this.#block.terminator = { op: 'return', value, span: this.span() }
    return this.fn
  }

  #out(type: IrType, op: (out: Value, span: Span) => Op): Value {
    const out = this.value(type)
    this.add(op(out, this.span()))
    return out
  }
}

export const u64: IntType = { kind: 'int', bits: 64, signed: false }

export function pointer(origin: Origin, nullable = false): PointerType {
  return { kind: 'pointer', origin, nullable }
}

const lineLength = 10
const source: KernelFunction = {
  v: 1, name: 'built', file: 'built.ts', line: 1, column: 1, captures: {}, ast: { type: 'Program', start: 0, end: 0 },
  source: Array.from({ length: 5000 }, (_, line) => `line ${String(line).padEnd(lineLength - 6)}\n`).join(''),
}
