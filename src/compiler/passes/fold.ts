import type { BinaryOperator, Block, Comparison, IrFunction, Op, Value, Width } from '../ir/ir.ts'
import { definitions, substitute, type Definitions } from './rewrite.ts'

/** Constant folding, algebraic identities and strength reduction; branches on constants become jumps. */
export function fold(fn: IrFunction): boolean {
  const defined = definitions(fn)
  const replaced = new Map<Value, Value>()
  let changed = false
  for (const block of fn.blocks) {
    changed = foldBlock(fn, block, defined, replaced) || changed
    const { terminator } = block
    if (terminator.op !== 'branch') continue
    const { left, right, operator, width } = terminator.condition
    if (operator === 'exhausted') continue
    const a = constantOf(left, defined)
    const b = a === null ? null : constantOf(right, defined)
    if (a === null || b === null) continue
    block.terminator = { op: 'jump', edge: holds(operator, width, a, b) ? terminator.then : terminator.else, span: terminator.span }
    changed = true
  }
  substitute(fn, replaced)
  return changed
}

function foldBlock(fn: IrFunction, block: Block, defined: Definitions, replaced: Map<Value, Value>): boolean {
  const { ops } = block
  let folded: Op[] | null = null
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index]!
    const result = op.op === 'extend' ? foldExtend(op, defined) : op.op === 'binary' ? foldBinary(fn, op, defined) : op
    if (result === op) {
      folded?.push(op)
      continue
    }
    folded ??= ops.slice(0, index)
    if ('alias' in result) replaced.set(result.out, result.alias)
    else for (const made of Array.isArray(result) ? result : [result]) {
      folded.push(made)
      if ('out' in made && made.out !== null) defined[made.out.id] = made
    }
  }
  if (folded !== null) block.ops = folded
  return folded !== null
}

export function constantOf(value: Value, defined: Definitions): bigint | null {
  const op = defined[value.id]
  return op !== undefined && op.op === 'const' && op.core === undefined ? op.value : null
}

/** The operation itself, what stands for it, or another name of its result. */
type Folded = Op | Op[] | { alias: Value; out: Value }

function foldExtend(op: Op & { op: 'extend' }, defined: Definitions): Folded {
  const value = constantOf(op.value, defined)
  if (value !== null) return { op: 'const', out: op.out, value: BigInt.asIntN(64, op.signed ? BigInt.asIntN(op.bits, value) : BigInt.asUintN(op.bits, value)), span: op.span }
  const { type } = op.value
  // What is held extended already stays as it is.
  return type.kind === 'int' && type.bits <= op.bits && type.signed === op.signed ? { alias: op.value, out: op.out } : op
}

const neutralZero = new Set<BinaryOperator>(['add', 'sub', 'or', 'xor', 'shl', 'shr', 'sar'])

function foldBinary(fn: IrFunction, op: Op & { op: 'binary' }, defined: Definitions): Folded {
  const { operator, width } = op
  const right = constantOf(op.right, defined)
  const left = constantOf(op.left, defined)
  if (left !== null && right !== null) return { op: 'const', out: op.out, value: evaluate(operator, width, left, right), span: op.span }
  if (left === 0n && operator === 'sub') return { op: 'negate', out: op.out, width, value: op.right, span: op.span }
  if (right === null) return op
  if (width === 64 && right === 0n && neutralZero.has(operator)) return { alias: op.left, out: op.out }
  if (operator !== 'mul' && operator !== 'div') return op
  if (width === 64 && right === 1n) return { alias: op.left, out: op.out }
  const power = powerOfTwo(right)
  if (power === null) return op
  const amount: Value = { id: fn.nextValue++, type: op.right.type }
  return [{ op: 'const', out: amount, value: power, span: op.span }, { ...op, operator: operator === 'mul' ? 'shl' : 'shr', right: amount }]
}

function powerOfTwo(value: bigint): bigint | null {
  if (value <= 1n || (value & (value - 1n)) !== 0n) return null
  return BigInt(value.toString(2).length - 1)
}

/** As eBPF computes it; the result is a signed 64-bit pattern. */
export function evaluate(operator: BinaryOperator, width: Width, left: bigint, right: bigint): bigint {
  const a = BigInt.asUintN(width, left)
  const b = BigInt.asUintN(width, right)
  const sa = BigInt.asIntN(width, left)
  const sb = BigInt.asIntN(width, right)
  const count = b & BigInt(width - 1)
  const result = (() => {
    switch (operator) {
      case 'add': return a + b
      case 'sub': return a - b
      case 'mul': return a * b
      case 'div': return b === 0n ? 0n : a / b
      case 'mod': return b === 0n ? a : a % b
      case 'sdiv': return sb === 0n ? 0n : sa / sb
      case 'smod': return sb === 0n ? sa : sa % sb
      case 'and': return a & b
      case 'or': return a | b
      case 'xor': return a ^ b
      case 'shl': return a << count
      case 'shr': return a >> count
      case 'sar': return sa >> count
    }
  })()
  return BigInt.asIntN(64, BigInt.asUintN(width, result))
}

export function holds(operator: Comparison, width: Width, left: bigint, right: bigint): boolean {
  const a = BigInt.asUintN(width, left)
  const b = BigInt.asUintN(width, right)
  const sa = BigInt.asIntN(width, left)
  const sb = BigInt.asIntN(width, right)
  switch (operator) {
    case 'exhausted': return false
    case 'eq': return a === b
    case 'ne': return a !== b
    case 'lt': return a < b
    case 'le': return a <= b
    case 'gt': return a > b
    case 'ge': return a >= b
    case 'slt': return sa < sb
    case 'sle': return sa <= sb
    case 'sgt': return sa > sb
    case 'sge': return sa >= sb
    case 'test': return (a & b) !== 0n
  }
}
