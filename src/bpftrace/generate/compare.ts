import type { Of } from '../syntax/ast.ts'
import { mergeTypes } from '../types/merge.ts'
import { bool, sizeOf, type Type } from '../types/type.ts'
import { expression, register } from './expression.ts'
import { literalBytes, pieces, toMemory, type Place } from './memory.ts'
import type { Operand } from './operand.ts'
import type { ProgramWriter } from './program-writer.ts'

/** `==` and `!=` of strings, tuples, arrays, buffers: word by word, since all are padded with zeros. */
export function compareMemory(p: ProgramWriter, node: Of<'binary'>, a: Type, b: Type): Operand {
  const left = expression(p, node.left)
  const right = expression(p, node.right)
  const equal = node.operator === '=='
  if (left.kind === 'literal' || right.kind === 'literal') {
    const [literal, other, type] = left.kind === 'literal' ? [left, right, b] : [right as Operand & { kind: 'literal' }, left, a]
    if (type.kind === 'string') return register(compareLiteral(p, other, type.size, literal.text, equal), bool)
  }
  const merged = mergeTypes(a, b)?.type ?? a
  const one = a.kind === 'string' ? a : merged
  const two = b.kind === 'string' ? b : merged
  const x = toMemory(p, left, one)
  const y = toMemory(p, right, two)
  return register(sameBytes(p, x, y, Math.min(sizeOf(one), sizeOf(two)), equal), bool)
}

/** 1 if equal (or if not, when `equal` is false). */
export function sameBytes(p: ProgramWriter, x: Place, y: Place, size: number, equal: boolean): import('../../compiler/ir/ir.ts').Value {
  const { f } = p
  const different = f.block()
  const result = f.value()
  const end = f.block(result)
  for (const { at, width } of pieces(x.offset, size, y.offset)) {
    const next = f.block()
    f.branch('eq', f.load(x.base, x.offset + at, width), f.load(y.base, y.offset + at, width), next, different)
    f.start(next)
  }
  f.jump(end, f.number(equal ? 1 : 0))
  f.start(different)
  f.jump(end, f.number(equal ? 0 : 1))
  f.start(end)
  return result
}

function compareLiteral(p: ProgramWriter, other: Operand, size: number, text: string, equal: boolean): import('../../compiler/ir/ir.ts').Value {
  const { f } = p
  const bytes = literalBytes(text)
  // A string of `size` bytes cannot be longer than that.
  if (bytes.length > size) return f.number(equal ? 0 : 1)
  const place = toMemory(p, other, { kind: 'string', size })
  const wanted = new DataView(new ArrayBuffer(bytes.length + 16))
  bytes.forEach((byte, index) => wanted.setUint8(index, byte))
  const different = f.block()
  const result = f.value()
  const end = f.block(result)
  for (const { at, width } of pieces(place.offset, Math.min(size, bytes.length + 1))) {
    const value = width === 8 ? wanted.getBigUint64(at, true) : width === 4 ? wanted.getUint32(at, true) : width === 2 ? wanted.getUint16(at, true) : wanted.getUint8(at)
    const next = f.block()
    f.branch('eq', f.load(place.base, place.offset + at, width), f.number(value), next, different)
    f.start(next)
  }
  f.jump(end, f.number(equal ? 1 : 0))
  f.start(different)
  f.jump(end, f.number(equal ? 0 : 1))
  f.start(end)
  return result
}
