import { graphOf, immediateDominators, loopDepths, reversePostorder } from '../ir/cfg.ts'
import type { Block, Edge, IrFunction, Terminator, Value } from '../ir/ir.ts'
import { edgesOf } from '../passes/rewrite.ts'
import type { Span } from '../span.ts'
import { Addresses } from './addresses.ts'
import { Demand } from './demand.ts'
import { lastOp, type Constant, type MachineBlock, type MachineFunction, type MachineOp, type Operand } from './machine.ts'
import { Narrowing } from './narrow.ts'
import { selectCondition } from './select-condition.ts'
import { selectOp } from './select-op.ts'

/** The instruction set version decides which instructions exist. */
export type Isa = 1 | 2 | 3 | 4

/**
 * Chooses instructions. Constants, map addresses and stack addresses are not computed where the IR
 * defines them but folded into instructions or made where they are used; `refine`, and parameters
 * of blocks with one entry, are other names of a register. Critical edges are split.
 */
export function select(fn: IrFunction, isa: Isa): MachineFunction {
  return new Selection(fn, isa).run()
}

export class Selection {
  readonly isa: Isa
  readonly addresses: Addresses
  readonly demand: Demand
  readonly narrowing: Narrowing
  /** Operations of the block being selected. */
  ops: MachineOp[] = []
  readonly #fn: IrFunction
  readonly #constants: Constant[] = []
  readonly #names: (string | undefined)[] = []
  #registers = 0
  /** Operand of each IR value, by its id. */
  readonly #operands: Int32Array
  readonly #known: Uint8Array
  readonly #blocks: MachineBlock[] = []
  readonly #index = new Map<Block, number>()
  readonly #entries = new Map<Block, Edge[]>()

  constructor(fn: IrFunction, isa: Isa) {
    this.#fn = fn
    this.isa = isa
    this.addresses = new Addresses(fn)
    this.narrowing = new Narrowing(fn, isa >= 3)
    this.demand = new Demand(fn, this.narrowing)
    this.#operands = new Int32Array(fn.nextValue)
    this.#known = new Uint8Array(fn.nextValue)
  }

  operand(value: Value): Operand {
    if (this.#known[value.id] !== 1) throw new Error(`back end: v${value.id} is used before it is defined`)
    return this.#operands[value.id]!
  }

  bind(value: Value, operand: Operand): void {
    this.#operands[value.id] = operand
    this.#known[value.id] = 1
    if (operand >= 0) this.#names[operand] ??= value.name
  }

  /** A new virtual register for the value. */
  define(value: Value): number {
    const register = this.#registers++
    this.bind(value, register)
    return register
  }

  temporary(): number {
    return this.#registers++
  }

  constant(constant: Constant): Operand {
    return ~(this.#constants.push(constant) - 1)
  }

  number(value: bigint): Operand {
    return this.constant({ kind: 'number', value: BigInt.asIntN(64, value), core: undefined })
  }

  constantOf(operand: Operand): Constant | null {
    return operand >= 0 ? null : this.#constants[~operand]!
  }

  /** The number an operand stands for, if it may be folded: not if the loader will patch it. */
  numberOf(operand: Operand): bigint | null {
    const constant = this.constantOf(operand)
    return constant !== null && constant.kind === 'number' && constant.core === undefined ? constant.value : null
  }

  /** The operand in a virtual register: constants are made here and now. */
  inRegister(operand: Operand, span: Span): number {
    if (operand >= 0) return operand
    const out = this.temporary()
    this.emit({ kind: 'copy', out, uses: [operand], span })
    return out
  }

  emit(op: DraftOp): void {
    const made = op as MachineOp
    made.deaths = 0
    made.unused = false
    this.ops.push(made)
  }

  run(): MachineFunction {
    const order = this.#order()
    for (const block of order) this.#selectBlock(block)
    return this.#inReversePostorder()
  }

  #order(): Block[] {
    const { blocks } = this.#fn
    const position = new Map(blocks.map((block, index) => [block, index]))
    const successors = blocks.map(({ terminator }) => edgesOf(terminator).map((edge) => position.get(edge.target)!))
    const order = reversePostorder(successors).map((index) => blocks[index]!)
    order.forEach((block, index) => {
      this.#index.set(block, index)
      this.#entries.set(block, [])
      this.#blocks.push({ params: [], ops: [], loopDepth: 0, unusedParams: [] })
    })
    for (const block of order) for (const edge of edgesOf(block.terminator)) this.#entries.get(edge.target)!.push(edge)
    return order
  }

  #selectBlock(block: Block): void {
    const target = this.#blocks[this.#index.get(block)!]!
    const entries = this.#entries.get(block)!
    if (entries.length === 1) block.params.forEach((param, index) => this.bind(param, this.operand(entries[0]!.args[index]!)))
    else for (const param of block.params) target.params.push(this.define(param))
    this.ops = target.ops
    for (const op of block.ops) selectOp(this, op)
    this.#selectTerminator(block.terminator)
  }

  #selectTerminator(terminator: Terminator): void {
    const { span } = terminator
    switch (terminator.op) {
      case 'return': return this.emit({ kind: 'return', out: -1, uses: [this.operand(terminator.value)], span })
      case 'jump': return this.emit(this.#jump(terminator.edge, span))
      case 'branch': {
        const condition = selectCondition(this, terminator.condition, span)
        const then = this.#branchTarget(terminator.then, span)
        const otherwise = this.#branchTarget(terminator.else, span)
        return this.emit({ kind: 'branch', out: -1, ...condition, then, else: otherwise, span })
      }
    }
  }

  #jump(edge: Edge, span: Span): DraftOp & { kind: 'jump' } {
    // A block with one entry has its parameters bound to the arguments.
    const uses = this.#entries.get(edge.target)!.length === 1 ? [] : edge.args.map((arg) => this.operand(arg))
    return { kind: 'jump', out: -1, uses, target: this.#index.get(edge.target)!, span }
  }

  /** A branch cannot pass arguments: an edge into a block with other entries gets a block of its own. */
  #branchTarget(edge: Edge, span: Span): number {
    if (this.#entries.get(edge.target)!.length === 1) return this.#index.get(edge.target)!
    const jump = { ...this.#jump(edge, span), deaths: 0, unused: false }
    return this.#blocks.push({ params: [], ops: [jump], loopDepth: 0, unusedParams: [] }) - 1
  }

  #inReversePostorder(): MachineFunction {
    const order = reversePostorder(this.#blocks.map(targetsOf))
    const renumbered = new Int32Array(this.#blocks.length)
    order.forEach((from, to) => { renumbered[from] = to })
    const blocks = order.map((index) => this.#blocks[index]!)
    for (const block of blocks) {
      const last = lastOp(block)
      if (last.kind === 'jump') last.target = renumbered[last.target]!
      if (last.kind === 'branch') {
        last.then = renumbered[last.then]!
        last.else = renumbered[last.else]!
      }
    }
    const successors = blocks.map(targetsOf)
    const graph = graphOf(successors)
    const identity = blocks.map((_, index) => index)
    const depths = loopDepths(graph, identity, immediateDominators(graph, identity))
    blocks.forEach((block, index) => { block.loopDepth = depths[index]! })
    const { name, slots } = this.#fn
    return { name, blocks, successors, constants: this.#constants, registers: this.#registers, names: this.#names, slots }
  }
}

function targetsOf(block: MachineBlock): number[] {
  const last = lastOp(block)
  if (last.kind === 'jump') return [last.target]
  return last.kind === 'branch' ? [last.then, last.else] : []
}

type WithoutMarks<T> = T extends unknown ? Omit<T, 'deaths' | 'unused' | 'original'> : never
export type DraftOp = WithoutMarks<MachineOp>
