import type { Statement } from '../syntax/ast.ts'
import { asNumber, i64, type Type } from '../types/type.ts'
import { readAggregate } from './aggregate.ts'
import { number, register, storeVariable } from './expression.ts'
import { useMap } from './map-access.ts'
import { copy } from './memory.ts'
import type { Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { body } from './statement.ts'

const mostTurns = 8 * 1024 * 1024

/** `for ($kv : @map)`: the kernel calls back for each entry. */
export function forMap(p: ProgramWriter, node: Statement & { kind: 'forMap' }): void {
  const { f } = p
  const info = useMap(p.generation, node.map.name)
  const keyType = info.key!
  const name = p.callback(node.span, 3, ([, key, value]) => {
    const parts: Operand[] = [part(key!, keyType)]
    if (info.value.kind === 'aggregate') {
      // The entry of this CPU is not enough: all are added up, by the key.
      const size = p.generation.maps.get(info.name)!.keySize
      const place = p.temporary(size, 'key')
      copy(p, { base: key!, offset: 0 }, place, size)
      parts.push(readAggregate(p, info, place))
    } else parts.push(part(value!, info.value))
    storeVariable(p, node, { kind: 'parts', parts, type: { kind: 'tuple', elements: [keyType, asNumber(info.value)] } })
    body(p, node.body)
  })
  f.call('for_each_map_elem', [f.map(info.name), f.functionAddress(name), p.sharedAddress(), f.number(0)])
  p.leaveIfStopped()

  function part(base: import('../../compiler/ir/ir.ts').Value, type: Type): Operand {
    const operand: Operand = { kind: 'memory', base, offset: 0, type }
    if (!isScalar(type)) return operand
    const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed
    const size = type.kind === 'int' || type.kind === 'enum' ? type.bits / 8 : type.kind === 'bool' ? 1 : type.kind === 'username' ? 4 : 8
    return register(p.f.load(base, 0, size, signed), type)
  }
}

/** `for ($i : a..b)`: both ends are computed once. */
export function forRange(p: ProgramWriter, node: Statement & { kind: 'forRange' }): void {
  const { f } = p
  const from = number(p, node.from)
  const to = number(p, node.to)
  const start = p.sharedWord()
  p.storeShared(start, from)
  const name = p.callback(node.span, 1, ([index]) => {
    storeVariable(p, node, register(p.f.binary('add', p.loadShared(start), index!), i64))
    body(p, node.body)
  })
  f.when('slt', from, to, () => {
    const turns = f.binary('sub', to, from)
    const bounded = f.choose('lt', turns, f.number(mostTurns), () => turns, () => f.number(mostTurns))
    f.call('loop', [bounded, f.functionAddress(name), p.sharedAddress(), f.number(0)])
  })
  p.leaveIfStopped()
}
