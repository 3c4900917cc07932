import type { Block, IrFunction, Op, Value } from '../ir/ir.ts'
import { predecessors, substitute } from './rewrite.ts'

/**
 * Common subexpressions: an operation that was done before on every path here is not done again.
 * Kernel fields are read again after a call, since a value kept across a call costs a
 * callee-saved register or a spill, as much as the load.
 */
export function reuse(fn: IrFunction): boolean {
  const before = predecessors(fn)
  const tables = new Map<Block, Map<string, Value>>()
  const replaced = new Map<Value, Value>()
  const of = (value: Value): Value => replaced.get(value) ?? value
  for (const block of fn.blocks) {
    const entries = before.get(block)!
    const inherited = entries.length === 1 ? tables.get(entries[0]!.block) : undefined
    const table = new Map(inherited)
    block.ops = block.ops.filter((op) => {
      if (op.op === 'call') for (const key of table.keys()) if (key.startsWith('load')) table.delete(key)
      const key = keyOf(op, of)
      if (key === null || !('out' in op) || op.out === null) return true
      const known = table.get(key)
      if (known === undefined) {
        table.set(key, op.out)
        return true
      }
      replaced.set(op.out, known)
      return false
    })
    tables.set(block, table)
  }
  substitute(fn, replaced)
  return replaced.size > 0
}

function keyOf(op: Op, of: (value: Value) => Value): string | null {
  switch (op.op) {
    case 'const': return op.core === undefined ? `const ${op.value} ${typeKey(op.out)}` : null
    case 'mapAddress': return `map ${op.map}`
    case 'stackAddress': return `stack ${op.slot.id} ${op.offset}`
    case 'offset': return `offset ${of(op.pointer).id} ${op.offset} ${typeKey(op.out)}`
    case 'refine': return `refine ${of(op.value).id} ${typeKey(op.out)}`
    case 'extend': return `extend ${of(op.value).id} ${op.bits} ${op.signed}`
    case 'binary': return `${op.operator} ${op.width} ${of(op.left).id} ${of(op.right).id} ${typeKey(op.out)}`
    case 'load': {
      const { type } = op.pointer
      const stable = type.kind === 'pointer' && (type.origin === 'btf' || type.origin === 'context')
      return stable ? `load ${of(op.pointer).id} ${op.offset} ${op.size} ${op.signed} ${typeKey(op.out)}` : null
    }
    default: return null
  }
}

function typeKey({ type }: Value): string {
  return type.kind === 'int' ? `${type.signed ? 'i' : 'u'}${type.bits}` : `${type.origin}${type.nullable ? '?' : ''}`
}
