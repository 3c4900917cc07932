import type { Of } from '../syntax/ast.ts'
import { u64 } from '../types/type.ts'
import type { Operand } from './operand.ts'
import type { ProgramWriter } from './program-writer.ts'

/** `config().max_strlen`: known before the program runs. */
export function configField(p: ProgramWriter, node: Of<'field'>): Operand {
  const value = (p.generation.checked.config as unknown as Record<string, bigint | string | boolean>)[node.name]
  return constant(p, value ?? 0n, node)
}

export function constant(p: ProgramWriter, value: bigint | string | boolean, node: { type?: import('../types/type.ts').Type }): Operand {
  if (typeof value === 'string') {
    return { kind: 'literal', text: value, type: node.type ?? { kind: 'string', size: value.length + 1 } }
  }
  return { kind: 'register', value: p.f.number(typeof value === 'boolean' ? (value ? 1 : 0) : value), type: node.type ?? u64 }
}
