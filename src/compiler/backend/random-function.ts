import type { KernelFunction } from '../capture/kernel-function.ts'
import type { BinaryOperator, Block, Comparison, CoreReference, Edge, IrFunction, IrType, Op, Size, StackSlot, Terminator, Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'

/** Random IR for tests of the back end: valid, ends always, and depends on no address. */

export interface RandomOptions {
  /** Rough number of statements. */
  statements: number
  /** Variables that stay in use all the way: more of them, more spilling. */
  variables: number
  /** Also operations of the v4 instruction set. */
  v4?: boolean
  /** Helpers without arguments whose results may be used. */
  sources: readonly number[]
  /** Words of the context. */
  contextWords: number
}

/** Copies `size` bytes, as probe_read_kernel does. */
export const copyHelper = 113

export function randomFunction(seed: number, options: RandomOptions): IrFunction {
  return new Generator(seed, options).run()
}

const source: KernelFunction = { v: 1, name: 'random', file: 'random.ts', line: 1, column: 1, source: '', ast: { type: 'Program', start: 0, end: 0 }, captures: {} }
export const nowhere: Span = { fn: source, start: 0, end: 0 }

const U64: IrType = { kind: 'int', bits: 64, signed: false }
const stackPointer: IrType = { kind: 'pointer', origin: 'stack', nullable: false }
const contextPointer: IrType = { kind: 'pointer', origin: 'context', nullable: false }
const slotBytes = 16
/** Marks what a loader could patch; in these tests it keeps what was written. */
const reference: CoreReference = { kind: 'fieldByteOffset', type: 0, access: '0' }

/** xorshift32. */
function generator(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

class Generator {
  readonly #fn: IrFunction = { name: 'random', blocks: [], slots: [], nextValue: 0, nextBlock: 0, nextSlot: 0 }
  readonly #below: (below: number) => number
  readonly #options: RandomOptions
  readonly #context: Value
  #block: Block
  /** What each variable holds here. */
  #variables: Value[] = []
  /** Stack slots that are set from the entry on. */
  readonly #slots: StackSlot[] = []
  /** Other values that may be used here. */
  #values: Value[] = []
  #left: number

  constructor(seed: number, options: RandomOptions) {
    this.#below = generator(seed)
    this.#options = options
    this.#left = options.statements
    this.#block = this.#start([])
    this.#context = this.#value(contextPointer)
  }

  run(): IrFunction {
    this.#emit({ op: 'context', out: this.#context, span: nowhere })
    for (let index = 0; index < this.#options.variables; index++) this.#variables.push(this.#leaf())
    while (this.#left > 0) this.#statement(0)
    let result = this.#constant(7n)
    for (const variable of this.#variables) result = this.#binary('add', this.#binary('mul', result, this.#constant(31n)), variable)
    for (const slot of this.#slots) {
      for (let offset = 0; offset < slot.size; offset += 8) result = this.#binary('xor', result, this.#load(this.#address(slot, 0), offset, 8))
    }
    this.#end({ op: 'return', value: result, span: nowhere })
    return this.#fn
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!
  }

  #value(type: IrType = U64): Value {
    return { id: this.#fn.nextValue++, type }
  }

  #start(params: Value[]): Block {
    const block: Block = { id: this.#fn.nextBlock++, params, ops: [], terminator: undefined as unknown as Terminator }
    this.#fn.blocks.push(block)
    return block
  }

  #emit(op: Op): void {
    this.#block.ops.push(op)
  }

  #end(terminator: Terminator): void {
    this.#block.terminator = terminator
  }

  #constant(value: bigint): Value {
    const out = this.#value()
    this.#emit({ op: 'const', out, value: BigInt.asIntN(64, value), span: nowhere })
    return out
  }

  #binary(operator: BinaryOperator, left: Value, right: Value, width: 32 | 64 = 64): Value {
    const out = this.#value()
    this.#emit({ op: 'binary', out, operator, width, left, right, span: nowhere })
    return out
  }

  #load(pointer: Value, offset: number, size: Size, signed = false): Value {
    const out = this.#value()
    this.#emit({ op: 'load', out, pointer, offset, size, signed, span: nowhere })
    return out
  }

  #address(slot: StackSlot, offset: number): Value {
    const out = this.#value(stackPointer)
    this.#emit({ op: 'stackAddress', out, slot, offset, span: nowhere })
    return out
  }

  #literal(): bigint {
    const small = () => BigInt(this.#below(64)) - 16n
    return this.#pick([small, small, () => BigInt(this.#below(2 ** 32)), () => -BigInt(this.#below(2 ** 32)),
      () => BigInt(this.#below(2 ** 32)) << 32n | BigInt(this.#below(2 ** 32)), () => 1n << BigInt(this.#below(64)), () => 0n])()
  }

  #leaf(): Value {
    if (this.#options.sources.length > 0 && this.#below(4) === 0) return this.#source()
    if (this.#below(3) === 0) return this.#constant(this.#literal())
    if (this.#below(8) === 0) {
      const out = this.#value()
      this.#emit({ op: 'const', out, value: BigInt(this.#below(4096)), core: reference, span: nowhere })
      return out
    }
    return this.#load(this.#context, this.#below(this.#options.contextWords) * 8, 8)
  }

  #source(): Value {
    const out = this.#value()
    this.#emit({ op: 'call', out, helper: this.#pick(this.#options.sources), name: 'source', args: [], span: nowhere })
    return out
  }

  #operand(): Value {
    const choice = this.#below(10)
    if (choice < 2) return this.#constant(this.#literal())
    const value = choice < 4 && this.#values.length > 0 ? this.#pick(this.#values) : this.#pick(this.#variables)
    return choice < 9 ? value : this.#otherName(value)
  }

  /** The same value by `refine`, or as the parameter of a block with one entry. */
  #otherName(value: Value): Value {
    const out = this.#value(value.type)
    if (this.#below(2) === 0) {
      this.#emit({ op: 'refine', out, value, span: nowhere })
      return out
    }
    const from = this.#block
    this.#block = this.#start([out])
    from.terminator = { op: 'jump', edge: { target: this.#block, args: [value] }, span: nowhere }
    return out
  }

  #computed(): Value {
    const out = this.#value()
    switch (this.#below(8)) {
      case 0: return this.#leaf()
      case 1: this.#emit({ op: 'negate', out, width: this.#pick([32, 64]), value: this.#operand(), span: nowhere }); return out
      case 2: this.#emit({ op: 'byteSwap', out, bits: this.#pick([16, 32, 64]), value: this.#operand(), span: nowhere }); return out
      case 3:
        this.#emit({ op: 'extend', out, bits: this.#pick([8, 16, 32]), signed: this.#below(2) === 0, value: this.#operand(), span: nowhere })
        return out
      default: {
        const operators: BinaryOperator[] = ['add', 'sub', 'mul', 'div', 'mod', 'and', 'or', 'xor', 'shl', 'shr', 'sar']
        if (this.#options.v4 === true) operators.push('sdiv', 'smod')
        return this.#binary(this.#pick(operators), this.#operand(), this.#operand(), this.#pick([32, 64, 64]))
      }
    }
  }

  #statement(depth: number): void {
    this.#left--
    const kind = this.#below(20)
    if (kind < 9) this.#variables[this.#below(this.#variables.length)] = this.#computed()
    else if (kind < 12) this.#values.push(this.#computed())
    else if (kind < 14) this.#memory()
    else if (kind < 15) this.#passingSlot(depth)
    else if (kind < 18 && depth < 4) this.#branch(depth)
    else if (depth < 2) this.#loop(depth)
    else this.#memory()
  }

  #memory(): void {
    const slots = this.#slots
    if (slots.length === 0 || (slots.length < 8 && this.#below(4) === 0)) return this.#newSlot()
    const size = this.#pick<Size>([1, 2, 4, 8])
    const offset = this.#below(slotBytes / size) * size
    const slot = this.#pick(slots)
    const pointer = this.#pointer(slot, offset)
    switch (this.#below(5)) {
      case 0: case 1: {
        const core = this.#below(4) === 0 ? { core: reference } : {}
        this.#emit({ op: 'store', pointer: pointer.base, offset: pointer.offset, size, value: this.#operand(), ...core, span: nowhere })
        return
      }
      case 2: this.#values.push(this.#load(pointer.base, pointer.offset, size, this.#below(2) === 0)); return
      case 3: {
        const wide = size >= 4 ? size as 4 | 8 : 8
        const aligned = this.#pointer(slot, 8)
        this.#emit({ op: 'atomicAdd', pointer: aligned.base, offset: aligned.offset, size: wide, value: this.#operand(), span: nowhere })
        return
      }
      default: this.#copy(slot)
    }
  }


  /** The same place by several ways of writing it. */
  #pointer(slot: StackSlot, offset: number): { base: Value; offset: number } {
    const start = this.#below(offset + 1)
    const base = this.#below(4) === 0 ? this.#chosenAddress(slot, start) : this.#address(slot, start)
    if (this.#below(2) === 0) return { base, offset: offset - start }
    const out = this.#value(stackPointer)
    const core = this.#below(3) === 0 ? { core: reference } : {}
    this.#emit({ op: 'offset', out, pointer: base, offset: offset - start, ...core, span: nowhere })
    return { base: out, offset: 0 }
  }

  /** An address that a branch chooses, so that it has to be in a register: of this slot or of another one. */
  #chosenAddress(slot: StackSlot, offset: number): Value {
    const condition = this.#condition()
    const from = this.#block
    const param = this.#value(stackPointer)
    const early = this.#address(slot, offset)
    const sides = [slot, this.#pick(this.#slots)].map((one, side) => {
      const block = this.#block = this.#start([])
      const address = side === 0 ? early : this.#address(one, offset)
      return { block, address }
    })
    this.#block = this.#start([param])
    for (const { block, address } of sides) block.terminator = { op: 'jump', edge: { target: this.#block, args: [address] }, span: nowhere }
    const [then, otherwise] = sides.map(({ block }): Edge => ({ target: block, args: [] }))
    from.terminator = { op: 'branch', condition, then: then!, else: otherwise!, span: nowhere }
    return param
  }

  /** The start of a slot, sometimes by a detour. */
  #pointerTo(slot: StackSlot): Value {
    const { base, offset } = this.#pointer(slot, 0)
    return offset === 0 ? base : this.#address(slot, 0)
  }

  #copy(from: StackSlot): void {
    const to = this.#pick(this.#slots)
    const size = this.#constant(BigInt(this.#pick([4, 8, 16])))
    const out = this.#below(2) === 0 ? null : this.#value()
    this.#emit({ op: 'call', out, helper: copyHelper, name: 'probe_read_kernel', args: [this.#pointerTo(to), size, this.#pointerTo(from)], span: nowhere })
    if (out !== null) this.#values.push(out)
  }

  /** Slots are made and filled in the entry block, whatever comes before: its operations dominate all. */
  #newSlot(): void {
    const slot = this.#slot()
    this.#slots.push(slot)
    const entry = this.#fn.blocks[0]!
    const at = entry.ops.findIndex((op) => op.op !== 'context')
    const address = this.#value(stackPointer)
    const word = this.#value()
    const made: Op[] = [
      { op: 'stackAddress', out: address, slot, offset: 0, span: nowhere },
      { op: 'const', out: word, value: this.#literal(), span: nowhere },
      { op: 'store', pointer: address, offset: 0, size: 8, value: word, span: nowhere },
      { op: 'store', pointer: address, offset: 8, size: 8, value: word, span: nowhere },
    ]
    entry.ops.splice(at < 0 ? entry.ops.length : at, 0, ...made)
  }

  #slot(): StackSlot {
    const slot: StackSlot = { id: this.#fn.nextSlot++, size: slotBytes, align: 8 }
    this.#fn.slots.push(slot)
    return slot
  }

  /** A slot that is in use for a few statements only. */
  #passingSlot(depth: number): void {
    const slot = this.#slot()
    this.#emit({ op: 'store', pointer: this.#address(slot, 0), offset: 8, size: 8, value: this.#operand(), span: nowhere })
    for (let count = this.#below(4); count > 0; count--) this.#statement(depth + 1)
    this.#values.push(this.#load(this.#address(slot, 0), 8, 8))
  }

  #condition() {
    const operator = this.#pick<Comparison>(['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'slt', 'sle', 'sgt', 'sge', 'test'])
    return { operator, width: this.#pick<32 | 64>([32, 64]), left: this.#operand(), right: this.#operand() }
  }

  #branch(depth: number): void {
    const condition = this.#condition()
    const from = this.#block
    const before = { variables: [...this.#variables], values: [...this.#values] }
    const ends: { block: Block; variables: Value[] }[] = []
    const entries: Edge[] = []
    for (let side = 0; side < 2; side++) {
      this.#variables = [...before.variables]
      this.#values = [...before.values]
      if (side === 1 && this.#below(3) === 0) {
        // No else: a critical edge into the join.
        ends.push({ block: from, variables: before.variables })
        continue
      }
      // Parameters of a block with one entry are allowed too.
      const arg = this.#pick(before.variables)
      const params = this.#below(3) === 0 ? [this.#value()] : []
      this.#block = this.#start(params)
      this.#values.push(...params)
      entries.push({ target: this.#block, args: params.map(() => arg) })
      for (let count = this.#below(4); count > 0; count--) this.#statement(depth + 1)
      ends.push({ block: this.#block, variables: this.#variables })
    }
    const changed = before.variables.map((_, index) => index).filter((index) => ends.some(({ variables }) => variables[index] !== before.variables[index]))
    this.#variables = [...before.variables]
    this.#values = before.values
    const params = changed.map(() => this.#value())
    this.#block = this.#start(params)
    changed.forEach((index, position) => { this.#variables[index] = params[position]! })
    for (const { block, variables } of ends) {
      const edge: Edge = { target: this.#block, args: changed.map((index) => variables[index]!) }
      if (block === from) entries.push(edge)
      else block.terminator = { op: 'jump', edge, span: nowhere }
    }
    from.terminator = { op: 'branch', condition, then: entries[0]!, else: entries[1]!, span: nowhere }
  }

  /** All variables go round, in an order that may change: cycles of moves. */
  #loop(depth: number): void {
    const from = this.#block
    const zero = this.#constant(0n)
    const counter = this.#value()
    const before = this.#variables
    const params = before.map(() => this.#value())
    const header = this.#start([counter, ...params])
    from.terminator = { op: 'jump', edge: { target: header, args: [zero, ...before] }, span: nowhere }
    this.#block = header
    this.#variables = [...params]
    const outside = [...this.#values]
    for (let count = this.#below(3); count > 0; count--) this.#values.push(this.#computed())
    const limit = this.#constant(BigInt(1 + this.#below(5)))
    const inHeader = [...this.#values]
    const last = this.#block
    const body = this.#start([])
    const exit = this.#start([])
    last.terminator = { op: 'branch', condition: { operator: 'lt', width: 64, left: counter, right: limit }, then: { target: body, args: [] }, else: { target: exit, args: [] }, span: nowhere }
    this.#block = body
    for (let count = 1 + this.#below(5); count > 0; count--) this.#statement(depth + 1)
    const next = this.#binary('add', counter, this.#constant(1n))
    const back = [...this.#variables]
    if (this.#below(2) === 0) back.push(back.shift()!)
    if (this.#below(3) === 0) back.splice(0, 2, ...back.slice(0, 2).reverse())
    this.#end({ op: 'jump', edge: { target: header, args: [next, ...back] }, span: nowhere })
    this.#block = exit
    this.#variables = [...params]
    this.#values = this.#below(2) === 0 ? inHeader : outside
  }
}
