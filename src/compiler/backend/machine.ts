import { BitRows, graphOf, solveLiveness, type Liveness } from '../ir/cfg.ts'
import type { Comparison, CoreReference, StackSlot, Width } from '../ir/ir.ts'
import type { Span } from '../span.ts'

/**
 * Machine code before registers are known: eBPF instructions over virtual registers, still SSA with
 * block parameters. Blocks stand in reverse postorder and refer to each other by index.
 */

/** A virtual register, or below zero the complement of an index into `constants`. */
export type Operand = number

/** What is made anew wherever it is needed and so never occupies a register for long. */
export type Constant =
  | { kind: 'number'; value: bigint; core: CoreReference | undefined }
  | { kind: 'map'; map: string }
  | { kind: 'function'; function: string }
  | { kind: 'frame'; slot: StackSlot; offset: number }

/** What stands in a register field of an instruction. */
export const Role = { none: 0, out: 1, first: 2, second: 3, frame: 4 } as const
export type Role = (typeof Role)[keyof typeof Role]

/** An instruction whose registers are filled in later. With `slot`, `off` is relative to that stack slot. */
export interface Template {
  code: number
  dst: Role
  src: Role
  off: number
  imm: number
  slot?: StackSlot
  core?: CoreReference
}

interface OpBase {
  /** Virtual register that it defines, or -1. */
  out: number
  uses: Operand[]
  span: Span
  /** Bit n: uses[n] is not needed after this operation. Set by `markDeaths`. */
  deaths: number
  /** Nobody reads `out`. Set by `markDeaths`. */
  unused: boolean
  /** The operation as selected, if spilling replaced its operands: what the allocation check goes by. */
  original?: MachineOp
}

export type MachineOp = OpBase & (
  /** Instructions that want their operands in registers. `tied`: `out` must be the register of uses[0]. */
  | { kind: 'plain'; tied: boolean; commutative: boolean; templates: Template[] }
  /** The program's context, in r1 at entry, or what is in another register. */
  | { kind: 'context'; register: number }
  /** Copies a register or a constant. */
  | { kind: 'copy' }
  | { kind: 'call'; helper: number; name: string }
  | { kind: 'jump'; target: number }
  | { kind: 'branch'; operator: Comparison; width: Width; /** The right side if there is only one use. */ imm: number; then: number; else: number }
  | { kind: 'return' }
)

export interface MachineBlock {
  params: number[]
  /** The last one is the only jump, branch or return. */
  ops: MachineOp[]
  loopDepth: number
  /** Parameters that nobody reads. Set by `markDeaths`. */
  unusedParams: number[]
}

export interface MachineFunction {
  name: string
  blocks: MachineBlock[]
  successors: number[][]
  constants: Constant[]
  /** Number of virtual registers. */
  registers: number
  /** Variable names of virtual registers, where known. */
  names: (string | undefined)[]
  slots: StackSlot[]
}

/** Whether the operands may be anywhere (register, spill slot, constant): they are moved to where they are wanted. */
export function takesAnywhere(op: MachineOp): boolean {
  return op.kind === 'copy' || op.kind === 'call' || op.kind === 'jump' || op.kind === 'return'
}

export function lastOp(block: MachineBlock): MachineOp {
  return block.ops[block.ops.length - 1]!
}

export function machineLiveness(fn: MachineFunction): Liveness {
  const used = new BitRows(fn.blocks.length, fn.registers)
  const defined = new BitRows(fn.blocks.length, fn.registers)
  fn.blocks.forEach((block, index) => {
    for (const param of block.params) defined.add(index, param)
    for (const op of block.ops) {
      for (const use of op.uses) if (use >= 0 && !defined.has(index, use)) used.add(index, use)
      if (op.out >= 0) defined.add(index, op.out)
    }
  })
  return solveLiveness(graphOf(fn.successors), fn.registers, used, defined, fn.blocks.map((_, index) => index))
}
