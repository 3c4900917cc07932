import type { Type } from '../types/type.ts'
import { processId } from './builtin.ts'
import type { Operand } from './operand.ts'
import type { ProgramWriter } from './program-writer.ts'

const userStack = 256
const buildId = 32
const mostStacks = 128 * 1024

/** Name of the map that holds stacks of one length. */
export function stackMap(p: ProgramWriter, type: Type & { kind: 'stack' }): string {
  const entry = type.mode === 'build_id' ? 32 : 8
  const limit = Math.max(1, type.limit)
  return p.generation.addMap({
    name: `stack_${type.mode === 'build_id' ? 'id_' : ''}${limit}`, type: 'stackTrace', keySize: 4, valueSize: limit * entry,
    maxEntries: Math.min(mostStacks, 16_384), flags: type.mode === 'build_id' ? 1 << 5 : 0,
  })
}

/** A stack: its number in the map of stacks, and whose it is. Three words: number, process, thread. */
export function stack(p: ProgramWriter, type: Type & { kind: 'stack' }): Operand {
  const { f } = p
  const map = stackMap(p, type)
  const flags = (type.user ? userStack : 0) | (type.mode === 'build_id' ? 0 : 0)
  const id = f.call('get_stackid', [p.context, f.map(map), f.number(flags)], { kind: 'int', bits: 64, signed: true })
  const place = p.temporary(24, 'stack')
  f.store(place.base, place.offset, 8, id)
  f.store(place.base, place.offset + 8, 8, type.user ? processId(p, true, false) : f.number(0))
  f.store(place.base, place.offset + 16, 8, type.user ? processId(p, false, false) : f.number(0))
  return { kind: 'memory', ...place, type }
}

export { buildId }
