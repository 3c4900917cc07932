import { kindNames, type BtfType } from './type.ts'

const linkages = ['static', 'global', 'extern'] as const

/** Makes the object of one type; `offset` has been checked to hold the whole of it. */
export function inflate(view: DataView, offset: number, id: number, string: (offset: number) => string): BtfType {
  const u32 = (at: number) => view.getUint32(offset + at, true)
  const info = u32(4)
  const vlen = info & 0xff_ffff
  const flag = info >>> 31 === 1
  const number = (info >>> 24) & 0x7f
  const kind = kindNames[number]
  const name = string(u32(0))
  /** Size or type, as the kind has it. */
  const word = u32(8)
  const each = <T>(size: number, make: (at: number) => T): T[] => Array.from({ length: vlen }, (_, index) => make(12 + index * size))
  switch (kind) {
    case 'void': return { kind, id: 0 }
    case 'int': {
      const encoding = u32(12)
      const flags = (encoding >>> 24) & 0xf
      return { kind, id, name, size: word, bits: encoding & 0xff, shift: (encoding >>> 16) & 0xff, signed: (flags & 1) !== 0, char: (flags & 2) !== 0, bool: (flags & 4) !== 0 }
    }
    case 'ptr': return { kind, id, type: word }
    case 'array': return { kind, id, element: u32(12), index: u32(16), length: u32(20) }
    case 'struct': case 'union': {
      const members = each(12, (at) => {
        const place = u32(at + 8)
        // With the flag, the upper byte is the size of a bitfield.
        return { name: string(u32(at)), type: u32(at + 4), bitOffset: flag ? place & 0xff_ffff : place, bitSize: flag ? place >>> 24 : 0 }
      })
      return { kind, id, name, size: word, members }
    }
    case 'enum':
      return { kind, id, name, size: word, signed: flag, values: each(8, (at) => ({ name: string(u32(at)), value: BigInt(flag ? view.getInt32(offset + at + 4, true) : u32(at + 4)) })) }
    case 'enum64':
      return { kind, id, name, size: word, signed: flag, values: each(12, (at) => {
        const raw = (BigInt(u32(at + 8)) << 32n) | BigInt(u32(at + 4))
        return { name: string(u32(at)), value: flag ? BigInt.asIntN(64, raw) : raw }
      }) }
    case 'fwd': return { kind, id, name, union: flag }
    case 'typedef': case 'const': case 'volatile': case 'restrict': case 'typeTag': return { kind, id, name, type: word }
    case 'func': return { kind, id, name, type: word, linkage: linkages[vlen] ?? 'static' }
    case 'funcProto': return { kind, id, returns: word, params: each(8, (at) => ({ name: string(u32(at)), type: u32(at + 4) })) }
    case 'var': return { kind, id, name, type: word, linkage: u32(12) }
    case 'datasec': return { kind, id, name, size: word, vars: each(12, (at) => ({ type: u32(at), offset: u32(at + 4), size: u32(at + 8) })) }
    case 'float': return { kind, id, name, size: word }
    case undefined: return { kind: 'other', id, name, number }
    case 'declTag': return { kind, id, name, type: word, component: view.getInt32(offset + 12, true) }
  }
}
