import { outOf } from '../passes/rewrite.ts'
import type { Block, Comparison, Condition, CoreReference, Edge, IrFunction, IrType, Op, Size, Terminator, Value } from './ir.ts'

/**
 * The IR as text, one operation a line, the same for the same function:
 *
 *   b1(v4:u64):
 *     v5:u32 pid = load4 [v2 + 8] core fieldByteOffset 3:0:2
 *     branch v5 ==.32 v4 ? b2 : b3(v5)
 */
export function printFunction(fn: IrFunction): string {
  const slots = fn.slots.map((slot) => `  ${slotName(slot)}: ${slot.size} bytes, aligned to ${slot.align}`)
  return [`function ${fn.name}`, ...slots, ...fn.blocks.map(printBlock)].join('\n') + '\n'
}

function printBlock(block: Block): string {
  const params = block.params.length === 0 ? '' : `(${block.params.map(definition).join(', ')})`
  return [`b${block.id}${params}:`, ...block.ops.map((op) => `  ${printOp(op)}`), `  ${printTerminator(block.terminator)}`].join('\n')
}

export function printOp(op: Op): string {
  const out = outOf(op)
  return out === null ? right(op) : `${definition(out)} = ${right(op)}`
}

function right(op: Op): string {
  switch (op.op) {
    case 'const': return `${op.value}${core(op.core)}`
    case 'mapAddress': return `map ${op.map}`
    case 'stackAddress': return `address ${slotName(op.slot)}${op.offset === 0 ? '' : ` + ${op.offset}`}`
    case 'context': return op.register === undefined ? 'context' : `argument ${op.register}`
    case 'functionAddress': return `functionAddress ${op.function}`
    case 'binary': return `${op.operator}.${op.width} ${use(op.left)}, ${use(op.right)}`
    case 'negate': return `negate.${op.width} ${use(op.value)}`
    case 'byteSwap': return `swap${op.bits} ${use(op.value)}`
    case 'extend': return `extend ${op.signed ? 's' : 'u'}${op.bits} ${use(op.value)}`
    case 'load': return `load${accessSize(op.size, op.signed)} ${place(op.pointer, op.offset)}${core(op.core)}`
    case 'store': return `store${op.size} ${place(op.pointer, op.offset)} = ${use(op.value)}${core(op.core)}`
    case 'atomicAdd': return `atomic add${op.size} ${place(op.pointer, op.offset)} += ${use(op.value)}`
    case 'offset': return `offset ${use(op.pointer)} + ${op.offset}${core(op.core)}`
    case 'call': return `call ${op.name}#${op.helper}(${op.args.map(use).join(', ')})`
    case 'refine': return `refine ${use(op.value)}`
  }
}

export function printTerminator(terminator: Terminator): string {
  switch (terminator.op) {
    case 'jump': return `jump ${edge(terminator.edge)}`
    case 'branch': return `branch ${condition(terminator.condition)} ? ${edge(terminator.then)} : ${edge(terminator.else)}`
    case 'return': return `return ${use(terminator.value)}`
  }
}

const signs: Record<Comparison, string> = {
  exhausted: 'exhausted', eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=', slt: 's<', sle: 's<=', sgt: 's>', sge: 's>=', test: '&',
}

function condition({ operator, width, left, right }: Condition): string {
  if (operator === 'exhausted') return operator
  return `${use(left)} ${signs[operator]}${width === 32 ? '.32' : ''} ${use(right)}`
}

function edge({ target, args }: Edge): string {
  return `b${target.id}${args.length === 0 ? '' : `(${args.map(use).join(', ')})`}`
}

function use(value: Value): string {
  return `v${value.id}`
}

function definition(value: Value): string {
  return `v${value.id}:${typeName(value.type)}${value.name === undefined ? '' : ` ${value.name}`}`
}

function typeName(type: IrType): string {
  return type.kind === 'int' ? `${type.signed ? 's' : 'u'}${type.bits}` : `*${type.origin}${type.nullable ? '?' : ''}`
}

function place(pointer: Value, offset: number): string {
  return `[${use(pointer)}${offset === 0 ? '' : offset < 0 ? ` - ${-offset}` : ` + ${offset}`}]`
}

function accessSize(size: Size, signed: boolean): string {
  return `${size}${signed ? 's' : ''}`
}

function core(reference: CoreReference | undefined): string {
  return reference === undefined ? '' : ` core ${reference.kind} ${reference.type}:${reference.access}`
}

function slotName(slot: { id: number; name?: string }): string {
  return slot.name === undefined ? `$${slot.id}` : `$${slot.id}.${slot.name}`
}
