import { edgesOf, operandsOf, outOf } from '../passes/rewrite.ts'
import { dominates, graphOf, immediateDominators, reversePostorder } from './cfg.ts'
import type { Block, Edge, IrFunction, IrType, Op, Terminator, Value } from './ir.ts'
import { printOp, printTerminator } from './print.ts'

/**
 * Checks what every pass must leave true: one definition for each value, definitions before uses on
 * every path, arguments that fit parameters, ends of blocks, sane sizes and offsets.
 * @throws InvalidIrError naming the block and the operation; always a defect of the compiler
 */
export function validate(fn: IrFunction): void {
  new Validation(fn).run()
}

export class InvalidIrError extends Error {
  override readonly name = 'InvalidIrError'
}

interface Definition { block: number; /** Index of the operation, -1 for parameters. */ at: number; value: Value }

class Validation {
  readonly #fn: IrFunction
  readonly #definitions = new Map<number, Definition>()
  readonly #position: Map<Block, number>
  #dominators: Int32Array = new Int32Array(0)
  /** The operation looked at; made into text only for an error. */
  #where: () => string = () => ''

  constructor(fn: IrFunction) {
    this.#fn = fn
    this.#position = new Map(fn.blocks.map((block, index) => [block, index]))
  }

  run(): void {
    const { blocks } = this.#fn
    if (blocks.length === 0) this.#fail('it has no blocks')
    if (new Set(blocks.map(({ id }) => id)).size !== blocks.length) this.#fail('two blocks have the same number')
    if (blocks[0]!.params.length > 0) this.#fail('the entry has parameters')
    const graph = graphOf(blocks.map((block) => this.#successors(block)))
    if (graph.predecessors[0]!.length > 0) this.#fail('an edge leads to the entry')
    this.#dominators = immediateDominators(graph, reversePostorder(graph.successors))
    blocks.forEach((block, index) => this.#define(block, index))
    blocks.forEach((block, index) => {
      // What cannot be reached has no dominators; passes may leave it until they prune.
      if (this.#dominators[index] === -1) return
      block.ops.forEach((op, at) => {
        this.#where = () => `b${block.id}: ${printOp(op)}: `
        for (const operand of operandsOf(op)) this.#use(operand, index, at)
        this.#op(op, index, at)
      })
      this.#where = () => `b${block.id}: ${printTerminator(block.terminator)}: `
      this.#terminator(block.terminator, index, block.ops.length)
    })
  }

  #fail(problem: string): never {
    throw new InvalidIrError(`${this.#fn.name}: ${this.#where()}${problem}`)
  }

  #successors(block: Block): number[] {
    this.#where = () => `b${block.id}: `
    if ((block.terminator as Terminator | undefined) === undefined) this.#fail('it has no terminator')
    return edgesOf(block.terminator).map((edge) => {
      const index = this.#position.get(edge.target)
      if (index === undefined) this.#fail(`an edge leads to b${edge.target.id}, which is not in the function`)
      return index
    })
  }

  #define(block: Block, index: number): void {
    const define = (value: Value, at: number) => {
      if (value.id < 0 || value.id >= this.#fn.nextValue) this.#fail(`v${value.id} is beyond nextValue (${this.#fn.nextValue})`)
      const other = this.#definitions.get(value.id)
      if (other !== undefined) this.#fail(`v${value.id} is defined twice, in b${this.#fn.blocks[other.block]!.id} too`)
      this.#definitions.set(value.id, { block: index, at, value })
    }
    this.#where = () => `b${block.id}: `
    for (const param of block.params) define(param, -1)
    block.ops.forEach((op, at) => {
      const out = outOf(op)
      if (out === null) return
      this.#where = () => `b${block.id}: ${printOp(op)}: `
      define(out, at)
    })
  }

  #use(value: Value, block: number, at: number): void {
    const definition = this.#definitions.get(value.id)
    if (definition === undefined) return this.#fail(`v${value.id} is never defined`)
    if (definition.value !== value && describe(definition.value.type) !== describe(value.type)) {
      this.#fail(`v${value.id} is ${describe(value.type)} here and ${describe(definition.value.type)} where it is defined`)
    }
    const before = definition.block === block ? definition.at < at : dominates(definition.block, block, this.#dominators)
    if (!before) this.#fail(`v${value.id} is not defined on every path to here`)
  }

  #terminator(terminator: Terminator, block: number, at: number): void {
    if (terminator.op === 'return') this.#use(terminator.value, block, at)
    if (terminator.op === 'branch') {
      const { left, right, width, operator } = terminator.condition
      this.#use(left, block, at)
      this.#use(right, block, at)
      if (width !== 64 && (isPointer(left) || isPointer(right))) this.#fail('pointers are compared in 64 bits')
      if (operator === 'test' && (isPointer(left) || isPointer(right))) this.#fail('bits of pointers cannot be tested')
    }
    for (const edge of edgesOf(terminator)) this.#edge(edge, block, at)
  }

  #edge({ target, args }: Edge, block: number, at: number): void {
    if (args.length !== target.params.length) this.#fail(`b${target.id} has ${target.params.length} parameters and gets ${args.length} arguments`)
    args.forEach((arg, index) => {
      this.#use(arg, block, at)
      const param = target.params[index]!
      if (arg.type.kind === param.type.kind || isNull(arg, this.#fn)) return
      this.#fail(`v${arg.id} (${describe(arg.type)}) does not fit parameter v${param.id} (${describe(param.type)}) of b${target.id}`)
    })
  }

  #op(op: Op, block: number, at: number): void {
    switch (op.op) {
      case 'context':
        if (block !== 0 || this.#fn.blocks[0]!.ops.slice(0, at).some((before) => before.op !== 'context')) {
          this.#fail('the context is only there as the first operation of the entry')
        }
        return op.register === undefined ? this.#pointer(op.out) : undefined
      case 'functionAddress': return this.#pointer(op.out)
      case 'const':
        if (op.core !== undefined && BigInt.asIntN(32, op.value) !== op.value) this.#fail('a relocated constant must fit 32 bits')
        return
      case 'mapAddress': return this.#pointer(op.out)
      case 'stackAddress':
        this.#pointer(op.out)
        if (!this.#fn.slots.includes(op.slot)) this.#fail(`slot ${op.slot.id} is not in the function`)
        if (op.slot.size <= 0 || ![1, 2, 4, 8].includes(op.slot.align)) this.#fail(`slot of ${op.slot.size} bytes aligned to ${op.slot.align}`)
        if (!Number.isInteger(op.offset) || op.offset < 0 || op.offset >= op.slot.size) this.#fail(`offset ${op.offset} in a slot of ${op.slot.size} bytes`)
        return
      case 'extend':
        if (![8, 16, 32].includes(op.bits)) this.#fail(`extends ${op.bits} bits`)
        return
      case 'byteSwap':
        if (![16, 32, 64].includes(op.bits)) this.#fail(`swaps ${op.bits} bits`)
        return
      case 'load': case 'store': return this.#access(op, [1, 2, 4, 8])
      case 'atomicAdd': return this.#access(op, [4, 8])
      case 'offset':
        if (!Number.isInteger(op.offset) || Math.abs(op.offset) > 0x7fff_ffff) this.#fail(`offset ${op.offset}`)
        return
      case 'call':
        if (op.args.length > 5) this.#fail(`${op.args.length} arguments; helpers take five`)
        return
      case 'binary': case 'negate':
        if (op.width !== 32 && op.width !== 64) this.#fail(`width ${String(op.width)}`)
        if (op.width === 32 && operandsOf(op).some(isPointer)) this.#fail('pointers are computed with in 64 bits')
        return
      case 'refine':
        if (op.out.type.kind !== op.value.type.kind && !isAddress(op)) this.#fail(`refines ${describe(op.value.type)} to ${describe(op.out.type)}`)
    }
  }

  #access(op: Op & { op: 'load' | 'store' | 'atomicAdd' }, sizes: readonly number[]): void {
    if (!sizes.includes(op.size)) this.#fail(`accesses ${op.size} bytes`)
    if (!Number.isInteger(op.offset) || op.offset < -0x8000 || op.offset > 0x7fff) this.#fail(`offset ${op.offset} is not within 16 bits`)
    const { type } = op.pointer
    if (type.kind !== 'pointer') return this.#fail(`v${op.pointer.id} is ${describe(type)}, no pointer`)
    // A pointer of the kernel may be null: reading it gives zero.
    if (type.nullable && type.origin !== 'btf') this.#fail(`v${op.pointer.id} may be null`)
    if (op.op !== 'load' && (type.origin === 'btf' || type.origin === 'kernel' || type.origin === 'user')) this.#fail('memory of the kernel or of a process cannot be written')
  }

  #pointer(value: Value): void {
    if (!isPointer(value)) this.#fail(`v${value.id} is ${describe(value.type)}, no pointer`)
  }
}

/** A number that stands for a kernel or user address may become a pointer that is read by a helper. */
function isAddress({ value, out }: Op & { op: 'refine' }): boolean {
  return value.type.kind === 'int' && value.type.bits === 64 && out.type.kind === 'pointer' && (out.type.origin === 'kernel' || out.type.origin === 'user')
}

function isPointer({ type }: Value): boolean {
  return type.kind === 'pointer'
}

/** A null pointer is the number zero. */
function isNull(value: Value, fn: IrFunction): boolean {
  return fn.blocks.some(({ ops }) => ops.some((op) => op.op === 'const' && op.out.id === value.id && op.value === 0n))
}

function describe(type: IrType): string {
  return type.kind === 'int' ? `${type.signed ? 's' : 'u'}${type.bits}` : `${type.origin} pointer${type.nullable ? ' or null' : ''}`
}
