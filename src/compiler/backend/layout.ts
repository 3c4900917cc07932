import type { Instruction } from '../../asm/instruction.ts'
import type { Comparison, CoreReference } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import { BackendError } from './error.ts'
import type { Frame } from './frame.ts'
import { Role, type Constant, type MachineOp, type Template } from './machine.ts'
import { Code, FromRegister, Jump32, Jump64, JumpOperation, LoadCode, Opposite, StoreCode, StoreImmCode } from './opcode.ts'
import { firstSlot } from './parallel-move.ts'
import { isEmpty, lastPlaced, type Placed, type PlacedFunction } from './place.ts'
import type { Isa } from './select.ts'
import { fitsImm } from './select-op.ts'

export interface Encoded {
  instructions: Instruction[]
  spans: Span[]
  maps: { slot: number; map: string }[]
  /** lddw slots that take the address of a function. */
  functions: { slot: number; function: string }[]
  core: { slot: number; reference: CoreReference }[]
}

const framePointer = 10

/** Writes placed code down: blocks one after the other, jumps only where the next block is not the wanted one. */
export function layOut(placed: PlacedFunction, frame: Frame, isa: Isa): Encoded {
  return new Layout(placed, frame, isa).run()
}

class Layout {
  readonly #placed: PlacedFunction
  readonly #frame: Frame
  readonly #isa: Isa
  readonly #out: Encoded = { instructions: [], spans: [], maps: [], functions: [], core: [] }
  /** Slots so far: an lddw counts two. */
  #slot = 0
  /** Where blocks begin, in slots. */
  readonly #starts: Int32Array
  readonly #jumps: { index: number; slot: number; target: number }[] = []
  /** Blocks that some jump or the end of the block before leads to. */
  readonly #entered = new Set<number>()

  constructor(placed: PlacedFunction, frame: Frame, isa: Isa) {
    this.#placed = placed
    this.#frame = frame
    this.#isa = isa
    this.#starts = new Int32Array(placed.blocks.length)
  }

  run(): Encoded {
    const order = this.#order()
    this.#entered.add(order[0]!)
    order.forEach((block, position) => {
      // Every jump to it became an exit of its own; the verifier refuses code that nothing reaches.
      if (!this.#entered.has(block)) return
      this.#starts[block] = this.#slot
      const code = this.#placed.blocks[block]!
      for (const item of code) {
        if (item.kind === 'move') this.#move(item)
        else this.#op(item, order[position + 1] ?? -1)
      }
    })
    for (const jump of this.#jumps) this.#setOffset(jump)
    return this.#out
  }

  /** The blocks that are still reached once jumps skip the empty ones, in their own order. */
  #order(): number[] {
    const reached = new Set<number>()
    const stack = [this.#final(0)]
    for (let block = stack.pop(); block !== undefined; block = stack.pop()) {
      if (reached.has(block)) continue
      reached.add(block)
      const { op } = lastPlaced(this.#placed.blocks[block]!)
      if (op.kind === 'jump') stack.push(this.#final(op.target))
      if (op.kind === 'branch') stack.push(this.#final(op.then), this.#final(op.else))
    }
    return [...reached].sort((a, b) => a - b)
  }

  /** Where a jump to a block arrives: past those that do nothing. */
  #final(block: number): number {
    let at = block
    for (let steps = 0; steps < this.#placed.blocks.length; steps++) {
      const code = this.#placed.blocks[at]!
      const { op } = lastPlaced(code)
      if (!isEmpty(code) || op.kind !== 'jump') break
      at = op.target
    }
    return at
  }

  #emit(instruction: Instruction, span: Span): void {
    this.#out.instructions.push(instruction)
    this.#out.spans.push(span)
    this.#slot += instruction.code === Code.loadImm64 ? 2 : 1
  }

  #move({ to, from, span }: Placed & { kind: 'move' }): void {
    if (from < 0) return this.#constant(to, this.#placed.fn.constants[~from]!, span)
    const slot = (location: number) => this.#frame.offsetOfSpill(location)
    if (from >= firstSlot) this.#emit({ code: LoadCode[8], dst: to, src: framePointer, off: slot(from), imm: 0 }, span)
    else if (to >= firstSlot) this.#emit({ code: StoreCode[8], dst: framePointer, src: from, off: slot(to), imm: 0 }, span)
    else this.#emit({ code: Code.mov64, dst: to, src: from, off: 0, imm: 0 }, span)
  }

  #constant(to: number, constant: Constant, span: Span): void {
    switch (constant.kind) {
      case 'frame':
        this.#emit({ code: Code.mov64, dst: to, src: framePointer, off: 0, imm: 0 }, span)
        this.#emit({ code: Code.add64Imm, dst: to, src: 0, off: 0, imm: this.#frame.offsetOf(constant.slot) + constant.offset }, span)
        return
      case 'map':
        this.#out.maps.push({ slot: this.#slot, map: constant.map })
        // Source 1: the loader writes the descriptor of a map here.
        this.#emit({ code: Code.loadImm64, dst: to, src: 1, off: 0, imm: 0, imm64: 0n }, span)
        return
      case 'function':
        this.#out.functions.push({ slot: this.#slot, function: constant.function })
        // Source 4: the immediate is the distance to the function, written where functions are put together.
        this.#emit({ code: Code.loadImm64, dst: to, src: 4, off: 0, imm: 0, imm64: 0n }, span)
        return
      case 'number': return this.#number(to, constant.value, constant.core, span)
    }
  }

  #number(to: number, value: bigint, core: CoreReference | undefined, span: Span): void {
    if (core !== undefined) this.#out.core.push({ slot: this.#slot, reference: core })
    if (to >= firstSlot) {
      this.#emit({ code: StoreImmCode[8], dst: framePointer, src: 0, off: this.#frame.offsetOfSpill(to), imm: Number(value) }, span)
    } else if (core !== undefined || fitsImm(value)) {
      this.#emit({ code: Code.mov64Imm, dst: to, src: 0, off: 0, imm: Number(BigInt.asIntN(32, value)) }, span)
    } else if (value >= 0n && value <= 0xffff_ffffn) {
      this.#emit({ code: Code.mov32Imm, dst: to, src: 0, off: 0, imm: Number(BigInt.asIntN(32, value)) }, span)
    } else {
      this.#emit({ code: Code.loadImm64, dst: to, src: 0, off: 0, imm: 0, imm64: value }, span)
    }
  }

  #op({ op, out, uses }: Placed & { kind: 'op' }, next: number): void {
    const { span } = op
    switch (op.kind) {
      case 'plain':
        for (const template of op.templates) this.#template(template, out, uses, span)
        return
      case 'call': return this.#emit({ code: Code.call, dst: 0, src: 0, off: 0, imm: op.helper }, span)
      case 'return': return this.#emit({ code: Code.exit, dst: 0, src: 0, off: 0, imm: 0 }, span)
      case 'jump': return this.#jump(this.#final(op.target), next, span)
      case 'branch': return this.#branch(op, uses, next)
      case 'context': case 'copy':
    }
  }

  #template(template: Template, out: number, uses: number[], span: Span): void {
    const register = (role: Role) => {
      switch (role) {
        case Role.none: return 0
        case Role.out: return out
        case Role.first: return uses[0]!
        case Role.second: return uses[1]!
        case Role.frame: return framePointer
      }
    }
    const { code, slot, core, imm } = template
    if (core !== undefined) this.#out.core.push({ slot: this.#slot, reference: core })
    const off = slot === undefined ? template.off : this.#frame.offsetOf(slot) + template.off
    this.#emit({ code, dst: register(template.dst), src: register(template.src), off, imm }, span)
  }

  #jump(target: number, next: number, span: Span): void {
    if (target === next) {
      this.#entered.add(target)
      return
    }
    const code = this.#placed.blocks[target]!
    // A jump to nothing but `exit` is as long as the exit itself.
    if (code.length === 1 && lastPlaced(code).op.kind === 'return') {
      return this.#emit({ code: Code.exit, dst: 0, src: 0, off: 0, imm: 0 }, lastPlaced(code).op.span)
    }
    this.#jumpTo(target)
    this.#emit({ code: Code.jump, dst: 0, src: 0, off: 0, imm: 0 }, span)
  }

  /** The next instruction is a jump to this block. */
  #jumpTo(target: number): void {
    this.#entered.add(target)
    this.#jumps.push({ index: this.#out.instructions.length, slot: this.#slot, target })
  }

  #branch(op: MachineOp & { kind: 'branch' }, uses: number[], next: number): void {
    const then = this.#final(op.then)
    const otherwise = this.#final(op.else)
    if (then === otherwise) return this.#jump(then, next, op.span)
    const opposite = Opposite[op.operator]
    const inverts = opposite !== null && this.#exists(opposite) && (then === next || !this.#exists(op.operator))
    const [operator, taken, other] = inverts ? [opposite, otherwise, then] as const : [op.operator, then, otherwise] as const
    const inRegister = uses.length === 2
    const code = (op.width === 64 ? Jump64 : Jump32) | JumpOperation[operator] | (inRegister ? FromRegister : 0)
    this.#jumpTo(taken)
    this.#emit({ code, dst: uses[0] ?? 0, src: inRegister ? uses[1]! : 0, off: 0, imm: inRegister ? 0 : op.imm }, op.span)
    this.#jump(other, next, op.span)
  }

  /** v1 lacks the comparisons by "less"; of each and its opposite it has one. */
  #exists(operator: Comparison): boolean {
    return this.#isa >= 2 || !(operator === 'lt' || operator === 'le' || operator === 'slt' || operator === 'sle')
  }

  #setOffset({ index, slot, target }: { index: number; slot: number; target: number }): void {
    const instruction = this.#out.instructions[index]!
    const distance = this.#starts[target]! - slot - 1
    instruction.off = distance
    if (distance >= -0x8000 && distance <= 0x7fff) return
    // v4 has longer unconditional jumps, but what jumps so far is a branch too.
    throw new BackendError('SKEP-C01', `a jump over ${Math.abs(distance)} instructions is longer than the instruction set allows (32767)`,
      'split the program, or move what repeats into a loop', this.#out.spans[index]!)
  }
}
