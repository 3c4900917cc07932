import { parseIpv4, parseIpv6 } from '../output/address.ts'
import type { Expression, Of } from '../syntax/ast.ts'
import { int, sizeOf, u64, type Type } from '../types/type.ts'
import { expression } from './expression.ts'
import { storeAs, toRegister, zero } from './memory.ts'
import type { Operand } from './operand.ts'
import type { ProgramWriter } from './program-writer.ts'

const inet6 = 10

/** Addresses: `ntop` gives their family and bytes to be printed, `pton` bytes of a literal, `macaddr` six bytes. */
export function networkCall(p: ProgramWriter, node: Of<'call'>, name: 'ntop' | 'pton' | 'macaddr'): Operand {
  switch (name) {
    case 'pton': return fromText(p, node)
    case 'macaddr': {
      const place = p.temporary(8, 'mac')
      p.f.store(place.base, place.offset, 8, p.f.number(0))
      bytesInto(p, node.args[0]!, place.base, place.offset, 6)
      return { kind: 'memory', ...place, type: { kind: 'mac' } }
    }
    case 'ntop': return toText(p, node)
  }
}

function fromText(p: ProgramWriter, node: Of<'call'>): Operand {
  const text = (node.args[0] as Of<'string'>).value
  const bytes = (text.includes(':') ? parseIpv6(text) : parseIpv4(text))!
  const place = p.temporary(Math.max(8, bytes.length), 'address')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  for (let at = 0; at < bytes.length; at += 4) p.f.store(place.base, place.offset + at, 4, p.f.number(view.getUint32(at, true)))
  return { kind: 'memory', ...place, type: { kind: 'array', element: int(8, false), length: bytes.length } }
}

/** Eight bytes of family, then sixteen of address. */
function toText(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const arg = node.args.at(-1)!
  const type = arg.type ?? u64
  const place = p.temporary(24, 'inet')
  zero(p, place, 24)
  const long = (type.kind === 'array' || type.kind === 'string') && sizeOf(type) === 16
  const family = node.args.length === 2 ? node.args[0]! : null
  const known = family?.kind === 'identifier' ? (family.name === 'AF_INET6' ? inet6 : 2) : long ? inet6 : 2
  const value = family === null || family.kind === 'identifier' ? f.number(known) : toRegister(p, expression(p, family))
  f.store(place.base, place.offset, 8, value)
  const direct = type.kind === 'array' || type.kind === 'string' || type.kind === 'pointer'
  if (direct) bytesInto(p, arg, place.base, place.offset + 8, type.kind === 'pointer' ? (known === inet6 ? 16 : 4) : sizeOf(type))
  else f.store(place.base, place.offset + 8, 8, f.binary('and', toRegister(p, expression(p, arg)), f.number(0xffff_ffff)))
  return { kind: 'memory', ...place, type: { kind: 'inet' } }
}

function bytesInto(p: ProgramWriter, node: Expression, base: import('../../compiler/ir/ir.ts').Value, offset: number, size: number): void {
  const operand = expression(p, node)
  const bytes: Type = { kind: 'array', element: int(8, false), length: size }
  if (operand.kind === 'memory' || operand.kind === 'remote' || operand.kind === 'context') {
    return storeAs(p, { ...operand, type: bytes } as Operand, { base, offset }, bytes, true)
  }
  const { f } = p
  f.call('probe_read', [f.offset(base, offset), f.number(size), toRegister(p, operand)])
}
