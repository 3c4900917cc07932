import type { Span } from '../span.ts'

/**
 * The compiler's intermediate representation: SSA with block parameters.
 *
 * Every value lives in one 64-bit register. An unsigned value narrower than 64 bits is held
 * zero-extended, a signed one sign-extended: operations whose result could break this carry
 * an explicit `extend`. A load or store is one operation with a constant offset, never a
 * separate addition. A null check does not change a value; `refine` gives the checked
 * pointer its new type and stays in the same register.
 */
export type IrType = IntType | PointerType
export interface IntType { kind: 'int'; bits: 8 | 16 | 32 | 64; signed: boolean }

/**
 * Where a pointer points, which decides how it is read:
 * context: program argument block · stack · mapValue · ring: reserved ring record · map: a map object ·
 * btf: kernel object typed by BTF, loaded directly · kernel: any other kernel address, read by probe_read_kernel ·
 * user: an address of the current process
 */
export type Origin = 'context' | 'stack' | 'mapValue' | 'ring' | 'map' | 'btf' | 'kernel' | 'user'
export interface PointerType { kind: 'pointer'; origin: Origin; nullable: boolean }

export interface Value { readonly id: number; readonly type: IrType; /** The variable it came from, for messages and dumps. */ name?: string }

/** A CO-RE relocation on the operation's offset or constant; `type` and `access` as in the Spec. */
export interface CoreReference { kind: 'fieldByteOffset' | 'fieldByteSize' | 'fieldExists' | 'fieldShiftLeft' | 'fieldShiftRight' | 'typeSize'; type: number; access: string }

export interface StackSlot { readonly id: number; readonly size: number; readonly align: number; name?: string }

export type BinaryOperator = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'sdiv' | 'smod' | 'and' | 'or' | 'xor' | 'shl' | 'shr' | 'sar'
/** `exhausted`: the kernel's budget of loop steps is used up (may_goto); it has no operands, those given are not read. */
export type Comparison = 'exhausted' | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'slt' | 'sle' | 'sgt' | 'sge' | 'test'
export type Width = 32 | 64
export type Size = 1 | 2 | 4 | 8

interface OpBase { span: Span }
export type Op = OpBase & (
  /** A 64-bit constant. With `core` the loader patches it (then it must fit 32 bits and is not folded). */
  | { op: 'const'; out: Value; value: bigint; core?: CoreReference }
  /** The address of a map object (lddw with a map reference). */
  | { op: 'mapAddress'; out: Value; map: string }
  /** The address of a stack slot plus offset. */
  | { op: 'stackAddress'; out: Value; slot: StackSlot; offset: number }
  /** The program's context, r1 at entry; in functions that helpers call back, the argument in another register. Only at the start of the entry block. */
  | { op: 'context'; out: Value; register?: 1 | 2 | 3 | 4 | 5 }
  /** The address of a function of the same program, for helpers that call back (5.13). */
  | { op: 'functionAddress'; out: Value; function: string }
  /** Width 32 computes on the low halves and zero-extends, as eBPF does. sdiv, smod need the v4 ISA. */
  | { op: 'binary'; out: Value; operator: BinaryOperator; width: Width; left: Value; right: Value }
  | { op: 'negate'; out: Value; width: Width; value: Value }
  /** Byte swap of the low `bits`, zero-extended. */
  | { op: 'byteSwap'; out: Value; bits: 16 | 32 | 64; value: Value }
  /** Keep the low `bits`, zero- or sign-extended to 64. */
  | { op: 'extend'; out: Value; value: Value; bits: 8 | 16 | 32; signed: boolean }
  /** Loads zero-extend; with `signed`, sign-extend (the backend uses MEMSX or shifts). */
  | { op: 'load'; out: Value; pointer: Value; offset: number; size: Size; signed: boolean; core?: CoreReference }
  | { op: 'store'; pointer: Value; offset: number; size: Size; value: Value; core?: CoreReference }
  /** pointer[offset] += value, atomically; size 4 or 8. */
  | { op: 'atomicAdd'; pointer: Value; offset: number; size: 4 | 8; value: Value }
  /** pointer + constant; with `core` the constant is patched by the loader. */
  | { op: 'offset'; out: Value; pointer: Value; offset: number; core?: CoreReference }
  /** A helper call; at most five arguments. */
  | { op: 'call'; out: Value | null; helper: number; name: string; args: Value[] }
  /** The same register under a refined type. */
  | { op: 'refine'; out: Value; value: Value }
)
export type OpName = Op['op']

export interface Edge { target: Block; args: Value[] }
export interface Condition { operator: Comparison; width: Width; left: Value; right: Value }
export type Terminator = { span: Span } & (
  | { op: 'jump'; edge: Edge }
  | { op: 'branch'; condition: Condition; then: Edge; else: Edge }
  | { op: 'return'; value: Value }
)

export interface Block {
  readonly id: number
  params: Value[]
  ops: Op[]
  /** Set once the block is complete. */
  terminator: Terminator
}

export interface IrFunction {
  name: string
  /** blocks[0] is the entry and has no parameters and no predecessors. */
  blocks: Block[]
  slots: StackSlot[]
  /** Next free value id. */
  nextValue: number
  nextBlock: number
  nextSlot: number
}
