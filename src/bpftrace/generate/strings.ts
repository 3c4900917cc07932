import type { Value } from '../../compiler/ir/ir.ts'
import type { Of } from '../syntax/ast.ts'
import { bool, i64, sizeOf, u64, type Type } from '../types/type.ts'
import { expression, register } from './expression.ts'
import { literalBytes, pieces, storeAs, toMemory, type Place } from './memory.ts'
import type { Operand } from './operand.ts'
import type { ProgramWriter } from './program-writer.ts'
import { pointerType, word } from './writer.ts'

/** The type of a string operand as memory. */
export function stringType(node: { type?: Type }): Type & { kind: 'string' } {
  const type = node.type ?? { kind: 'string', size: 64 }
  if (type.kind === 'string') return type
  return { kind: 'string', size: type.kind === 'array' ? type.length : Math.max(8, sizeOf(type)) }
}

/** Length up to the first NUL. */
export function length(p: ProgramWriter, node: Of<'call'>): Operand {
  const arg = node.args[0]!
  const type = stringType(arg)
  const operand = expression(p, arg)
  if (operand.kind === 'literal') {
    const at = operand.text.indexOf('\0')
    return register(p.f.number(literalBytes(at < 0 ? operand.text : operand.text.slice(0, at)).length), u64)
  }
  const place = inScratch(p, operand, type)
  return register(scan(p, place, type.size), u64)
}

/** Index of the first NUL within `size` bytes, or `size`. */
function scan(p: ProgramWriter, place: Place, size: number): Value {
  const { f } = p
  const index = f.value(word)
  const head = f.block(index)
  const body = f.block()
  const result = f.value(word)
  const end = f.block(result)
  f.jump(head, f.number(0))
  f.start(head)
  f.branch('lt', index, f.number(size), body, { target: end, args: [f.number(size)] })
  f.start(body)
  const pointer = f.binary('add', f.offset(place.base, place.offset), index, pointerType('mapValue'))
  const byte = f.load(pointer, 0, 1)
  const next = f.block()
  f.branch('eq', byte, f.number(0), { target: end, args: [index] }, next)
  f.start(next)
  f.jump(head, f.binary('add', index, f.number(1)))
  f.start(end)
  return result
}

/** In scratch memory, where an index that is not constant may go. */
export function inScratch(p: ProgramWriter, operand: Operand, type: Type, more = 0): Place {
  const size = Math.max(64, sizeOf(type) + more)
  const place = p.temporary(Math.ceil(size / 8) * 8, 'string')
  storeAs(p, operand, place, type.kind === 'string' ? { ...type, size: sizeOf(type) } : type, true)
  return place
}

/** `strncmp`: 0 if the first n bytes are the same, as far as the strings go; else 1. */
export function compareStrings(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [left, right, limit] = node.args as [Of<'string'>, Of<'string'>, Of<'integer'>]
  const count = Math.min(Number(limit.value), Math.max(stringType(left).size, stringType(right).size))
  const [a, b] = [left, right].map((one) => ({ node: one, operand: expression(p, one), type: stringType(one) })) as [Side, Side]
  const different = f.block()
  const result = f.value(word)
  const end = f.block(result)
  const x = toMemory(p, a.operand, { kind: 'string', size: Math.max(a.type.size, count) })
  const y = toMemory(p, b.operand, { kind: 'string', size: Math.max(b.type.size, count) })
  for (const { at, width } of pieces(x.offset, count, y.offset)) {
    const next = f.block()
    f.branch('eq', f.load(x.base, x.offset + at, width), f.load(y.base, y.offset + at, width), next, different)
    f.start(next)
  }
  f.jump(end, f.number(0))
  f.start(different)
  f.jump(end, f.number(1))
  f.start(end)
  return register(result, u64)
}

interface Side { node: unknown; operand: Operand; type: Type & { kind: 'string' } }

/** `strcontains` and `strstr`: tries each place, in a loop that the kernel drives. Gives the index or -1. */
export function search(p: ProgramWriter, node: Of<'call'>, contains: boolean): Operand {
  const { f } = p
  const [hay, needle] = node.args as [Of<'string'>, Of<'string'>]
  const hayType = stringType(hay)
  const needleType = stringType(needle)
  const needleOperand = expression(p, needle)
  const hayPlace = inScratch(p, expression(p, hay), hayType, needleType.size + 8)
  const needlePlace = inScratch(p, needleOperand, needleType)
  const found = p.sharedWord()
  p.storeShared(found, f.number(-1))
  const hayOffset = hayPlace.offset
  const needleOffset = needlePlace.offset
  const name = p.callback(node.span, 1, ([index]) => {
    const inner = p.f
    const { scratch } = p
    const inside = inner.block()
    const stop = inner.block()
    inner.branch('lt', index!, inner.number(hayType.size), inside, stop)
    inner.start(stop)
    inner.return(inner.number(1))
    inner.start(inside)
    const start = inner.binary('add', inner.offset(scratch, hayOffset), index!, pointerType('mapValue'))
    // Where the needle ends, it was found; where a byte differs, it was not here.
    const here = inner.block()
    const notHere = inner.block()
    const at = inner.value(word)
    const head = inner.block(at)
    const body = inner.block()
    inner.jump(head, inner.number(0))
    inner.start(head)
    inner.branch('lt', at, inner.number(needleType.size), body, here)
    inner.start(body)
    const wanted = inner.load(inner.binary('add', inner.offset(scratch, needleOffset), at, pointerType('mapValue')), 0, 1)
    const more = inner.block()
    inner.branch('eq', wanted, inner.number(0), here, more)
    inner.start(more)
    const byte = inner.load(inner.binary('add', start, at, pointerType('mapValue')), 0, 1)
    const next = inner.block()
    inner.branch('eq', byte, wanted, next, notHere)
    inner.start(next)
    inner.jump(head, inner.binary('add', at, inner.number(1)))
    inner.start(here)
    p.storeShared(found, index!)
    inner.return(inner.number(1))
    inner.start(notHere)
    const last = inner.block()
    const goOn = inner.block()
    inner.branch('eq', inner.load(start, 0, 1), inner.number(0), last, goOn)
    inner.start(last)
    inner.return(inner.number(1))
    inner.start(goOn)
  })
  f.call('loop', [f.number(hayType.size), f.functionAddress(name), p.sharedAddress(), f.number(0)])
  const result = p.loadShared(found)
  return contains ? register(f.compare('ne', result, f.number(-1)), bool) : register(result, i64)
}

/** `str_concat`: the second string behind the first, cut to the room there is. */
export function concatenate(p: ProgramWriter, node: Of<'call'>): Operand {
  const { f } = p
  const [left, right] = node.args as [Of<'string'>, Of<'string'>]
  const type = stringType(node)
  const tail = inScratch(p, expression(p, right), stringType(right))
  // Twice the room: the verifier does not see that a longer first string leaves less for the second.
  const place = inScratch(p, expression(p, left), type, type.size)
  const end = f.binary('add', f.offset(place.base, place.offset), scan(p, place, type.size), pointerType('mapValue'))
  f.call('probe_read_kernel_str', [end, f.number(stringType(right).size), f.offset(tail.base, tail.offset)])
  f.store(place.base, place.offset + type.size - 1, 1, f.number(0))
  return { kind: 'memory', ...place, type }
}
