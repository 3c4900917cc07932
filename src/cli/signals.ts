import { ProgramDeclaration } from '../compiler/language/programs.ts'
import type { Signal } from '../signals/signal.ts'

const kinds = new Set(['counter', 'counterGroup', 'histogram', 'event'])

/** The signals among a module's exports. */
export function signalsOf(module: Record<string, unknown>): Signal[] {
  return Object.values(module).filter((value): value is Signal =>
    typeof value === 'object' && value !== null && kinds.has((value as Signal).kind) && typeof (value as Signal).name === 'string')
}

/** The hooks of the programs among a module's exports, each once. */
export function hooksOf(module: Record<string, unknown>, name: (attach: ProgramDeclaration['attach']) => string): string[] {
  const programs = Object.values(module).filter((value): value is ProgramDeclaration => value instanceof ProgramDeclaration)
  return [...new Set(programs.map(({ attach }) => name(attach)))]
}

/** Names of the labels, without those of a label that is itself a struct. */
export function labelNames(signal: Signal): string[] {
  if (signal.kind === 'event') return signal.record.fields.slice(1).map(({ name }) => name)
  return signal.labels?.fields.map(({ name }) => name) ?? []
}
