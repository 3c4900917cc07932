import type { BinaryOperator, Comparison, IrFunction, Op, Value, Width } from '../ir/ir.ts'
import { definitions, substitute } from './rewrite.ts'

/** Constant folding, algebraic identities and strength reduction; branches on constants become jumps. */
export function fold(fn: IrFunction): boolean {
  const defined = definitions(fn)
  const replaced = new Map<Value, Value>()
  let changed = false
  for (const block of fn.blocks) {
    block.ops = block.ops.map((op) => {
      const folded = foldOp(op, defined)
      if (folded === op) return op
      changed = true
      if ('alias' in folded) {
        replaced.set(folded.out, folded.alias)
        return null
      }
      if ('out' in folded && folded.out !== null) defined.set(folded.out, folded)
      return folded
    }).filter((op): op is Op => op !== null)
    const { terminator } = block
    if (terminator.op !== 'branch') continue
    const { left, right, operator, width } = terminator.condition
    const a = constantOf(left, defined)
    const b = constantOf(right, defined)
    if (a === null || b === null) continue
    block.terminator = { op: 'jump', edge: holds(operator, width, a, b) ? terminator.then : terminator.else, span: terminator.span }
    changed = true
  }
  substitute(fn, replaced)
  return changed
}

export function constantOf(value: Value, defined: Map<Value, Op>): bigint | null {
  const op = defined.get(value)
  return op?.op === 'const' && op.core === undefined ? op.value : null
}

function foldOp(op: Op, defined: Map<Value, Op>): Op | { alias: Value; out: Value } {
  if (op.op === 'extend') {
    const value = constantOf(op.value, defined)
    if (value !== null) return { op: 'const', out: op.out, value: BigInt.asIntN(64, op.signed ? BigInt.asIntN(op.bits, value) : BigInt.asUintN(op.bits, value)), span: op.span }
    const { type } = op.value
    // What is held extended already stays as it is.
    if (type.kind === 'int' && type.bits <= op.bits && type.signed === op.signed) return { alias: op.value, out: op.out }
    return op
  }
  if (op.op !== 'binary') return op
  const left = constantOf(op.left, defined)
  const right = constantOf(op.right, defined)
  if (left !== null && right !== null) return { op: 'const', out: op.out, value: evaluate(op.operator, op.width, left, right), span: op.span }
  if (right === null || op.width !== 64) return op
  if (right === 0n && ['add', 'sub', 'or', 'xor', 'shl', 'shr', 'sar'].includes(op.operator)) return { alias: op.left, out: op.out }
  if (right === 1n && ['mul', 'div'].includes(op.operator)) return { alias: op.left, out: op.out }
  return op
}

/** Multiplications and unsigned divisions by a power of two as shifts. */
export function reduceStrength(fn: IrFunction): boolean {
  const defined = definitions(fn)
  let changed = false
  for (const block of fn.blocks) {
    block.ops = block.ops.flatMap((op): Op[] => {
      if (op.op !== 'binary' || (op.operator !== 'mul' && op.operator !== 'div')) return [op]
      const right = constantOf(op.right, defined)
      const power = right === null ? null : powerOfTwo(right)
      if (power === null) return [op]
      changed = true
      const amount: Value = { id: fn.nextValue++, type: op.right.type }
      return [
        { op: 'const', out: amount, value: power, span: op.span },
        { ...op, operator: op.operator === 'mul' ? 'shl' : 'shr', right: amount },
      ]
    })
  }
  return changed
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
