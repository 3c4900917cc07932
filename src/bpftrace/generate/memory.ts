import type { Value } from '../../compiler/ir/ir.ts'
import type { AddressSpace, Type } from '../types/type.ts'
import { layOut, sizeOf } from '../types/type.ts'
import type { Helper } from './helper-ids.ts'
import type { AccessPath, Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { word } from './writer.ts'

/** A place in memory of the program's own. */
export interface Place { base: Value; offset: number }

const wholeWords = 64

/** Fills with zeros: by words, or for larger pieces by a read that fails, after which the kernel clears the target. */
export function zero(p: ProgramWriter, { base, offset }: Place, size: number): void {
  const { f } = p
  if (size <= 0) return
  if (size <= wholeWords) {
    const nothing = f.number(0)
    for (const { at, width } of pieces(offset, size)) f.store(base, offset + at, width, nothing)
    return
  }
  f.call('probe_read_kernel', [f.offset(base, offset), f.number(size), f.number(0)])
}

/** Pieces of memory by the widest accesses that are aligned at both offsets. */
export function pieces(offset: number, size: number, other = offset): { at: number; width: 1 | 2 | 4 | 8 }[] {
  const list: { at: number; width: 1 | 2 | 4 | 8 }[] = []
  for (let at = 0; at < size;) {
    const width = ([8, 4, 2, 1] as const).find(
      (one) => one <= size - at && (offset + at) % one === 0 && (other + at) % one === 0,
    )!
    list.push({ at, width })
    at += width
  }
  return list
}

export function copy(p: ProgramWriter, from: Place, to: Place, size: number): void {
  const { f } = p
  if (size <= wholeWords) {
    for (const { at, width } of pieces(to.offset, size, from.offset)) f.store(
      to.base, to.offset + at, width, f.load(from.base, from.offset + at, width),
    )
    return
  }
  f.call('probe_read_kernel', [f.offset(to.base, to.offset), f.number(size), f.offset(from.base, from.offset)])
}

const readers: Record<AddressSpace, Helper> = {
  kernel: 'probe_read_kernel', own: 'probe_read_kernel', user: 'probe_read_user', context: 'probe_read_kernel', unknown: 'probe_read',
}
const stringReaders: Record<AddressSpace, Helper> = {
  kernel: 'probe_read_kernel_str', own: 'probe_read_kernel_str', user: 'probe_read_user_str', context: 'probe_read_kernel_str', unknown: 'probe_read_str',
}

/** Reads memory that is not the program's own; what cannot be read is zero. */
export function readRemote(p: ProgramWriter, to: Place, size: number, address: Value, space: AddressSpace): void {
  const { f } = p
  f.call(readers[space], [f.offset(to.base, to.offset), f.number(size), address])
}

/** Reads a string; the rest of its room becomes zero if `padded`. */
export function readString(p: ProgramWriter, to: Place, size: number, source: Operand & { kind: 'remoteString' }, padded: boolean): void {
  const { f } = p
  if (padded) zero(p, to, size)
  const room = f.number(size)
  const length = source.length === null ? room
    : f.choose('lt', source.length, room, () => source.length!, () => room)
  const got = f.call(
    stringReaders[source.space], [f.offset(to.base, to.offset), length, source.address], { kind: 'int', bits: 64, signed: true },
  )
  // What cannot be read is an empty string.
  if (!padded) f.when('slt', got, f.number(0), () => f.store(to.base, to.offset, 1, f.number(0)))
}

/** The exact address of a remote operand's field, by CO-RE where its struct is the kernel's. */
export function fieldAddress(p: ProgramWriter, address: Value, offset: number, path: AccessPath | null): Value {
  const { f } = p
  if (path === null || path.steps.length === 0) return offset === 0 ? address : f.binary('add', address, f.number(offset))
  const out = f.value(word)
  f.add({ op: 'offset', out, pointer: address, offset, core: p.generation.localTypes.fieldOffset(path), span: f.span })
  return out
}

export function effective(p: ProgramWriter, operand: Operand & { kind: 'remote' }): Value {
  return fieldAddress(p, operand.address, operand.offset, operand.path)
}

/** The value of an operand in a register. */
export function toRegister(p: ProgramWriter, operand: Operand): Value {
  const { f } = p
  switch (operand.kind) {
    case 'register': return operand.value
    case 'memory': return loadScalar(p, operand.base, operand.offset, operand.type)
    case 'context': return loadScalar(p, p.context, operand.offset, operand.type)
    case 'remote': {
      if (!isScalar(operand.type)) return effective(p, operand)
      const size = sizeOf(operand.type)
      const place = p.temporary(8, 'read')
      f.store(place.base, 0, 8, f.number(0))
      readRemote(p, place, size, effective(p, operand), operand.space)
      return loadScalar(p, place.base, 0, operand.type)
    }
    case 'remoteString': return operand.address
    case 'literal': return addressOf(p, operand)
    case 'parts': case 'void': return f.number(0)
  }
}

function loadScalar(p: ProgramWriter, base: Value, offset: number, type: Type): Value {
  const { f } = p
  const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed
  if (!isScalar(type)) return f.retype(f.offset(base, offset), word)
  return f.load(base, offset, sizeOf(type), signed)
}

/** The operand in memory of the program's own; strings are padded with zeros. */
export function toMemory(p: ProgramWriter, operand: Operand, type: Type): Place {
  if (operand.kind === 'memory' && operand.type.kind === type.kind && sizeOf(operand.type) === sizeOf(type) && operand.type.kind !== 'tuple' && operand.type.kind !== 'record') {
    return operand
  }
  const place = p.temporary(sizeOf(type), 'value')
  storeAs(p, operand, place, type, true)
  return place
}

function addressOf(p: ProgramWriter, operand: Operand & { kind: 'literal' }): Value {
  const place = toMemory(p, operand, operand.type)
  return p.f.retype(p.f.offset(place.base, place.offset), word)
}

/**
 * Stores an operand as a value of `type`, which may be wider. `padded`: every byte is written, as keys and values of
 * maps need; records of the ring are read only up to a string's end.
 */
export function storeAs(p: ProgramWriter, operand: Operand, to: Place, type: Type, padded: boolean): void {
  const { f } = p
  if (isScalar(type)) {
    f.store(to.base, to.offset, sizeOf(type), toRegister(p, operand))
    return
  }
  switch (type.kind) {
    case 'string': return storeString(p, operand, to, type.size, padded)
    case 'tuple': case 'record': return storeParts(p, operand, to, type, padded)
    default: return storeBytes(p, operand, to, type)
  }
}

function storeBytes(p: ProgramWriter, operand: Operand, to: Place, type: Type): void {
  const size = sizeOf(type)
  switch (operand.kind) {
    case 'memory': {
      const have = sizeOf(operand.type)
      copy(p, operand, to, Math.min(have, size))
      if (have < size) zero(p, { base: to.base, offset: to.offset + have }, size - have)
      return
    }
    case 'remote': return readRemote(p, to, size, effective(p, operand), operand.space)
    case 'context': return copy(p, { base: p.context, offset: operand.offset }, to, size)
    case 'register': {
      // Bytes of a number.
      const least = Math.min(8, size)
      for (const { at, width } of pieces(to.offset, least)) p.f.store(
        to.base, to.offset + at, width, at === 0 ? operand.value : p.f.binary('shr', operand.value, p.f.number(at * 8)),
      )
      if (size > 8) zero(p, { base: to.base, offset: to.offset + 8 }, size - 8)
      return
    }
    default: return zero(p, to, size)
  }
}

function storeString(p: ProgramWriter, operand: Operand, to: Place, size: number, padded: boolean): void {
  const { f } = p
  switch (operand.kind) {
    case 'literal': return storeText(p, operand.text, to, size, padded)
    case 'remoteString': return readString(p, to, size, operand, padded)
    case 'memory': {
      const have = sizeOf(operand.type)
      copy(p, operand, to, Math.min(have, size))
      if (have < size && padded) zero(p, { base: to.base, offset: to.offset + have }, size - have)
      else if (have < size) f.store(to.base, to.offset + have, 1, f.number(0))
      return
    }
    case 'remote': {
      // A char array in a struct: all of it, then zeros behind.
      const have = sizeOf(operand.type)
      if (padded && have < size) zero(p, to, size)
      readRemote(p, to, Math.min(have, size), effective(p, operand), operand.space)
      if (!padded && have < size) f.store(to.base, to.offset + have, 1, f.number(0))
      return
    }
    case 'context': {
      const have = sizeOf(operand.type)
      copy(p, { base: p.context, offset: operand.offset }, to, Math.min(have, size))
      if (have < size) zero(p, { base: to.base, offset: to.offset + have }, padded ? size - have : 1)
      return
    }
    default: return zero(p, to, padded ? size : 1)
  }
}

export function storeText(p: ProgramWriter, text: string, to: Place, size: number, padded: boolean): void {
  const { f } = p
  const bytes = literalBytes(text).subarray(0, size)
  const written = Math.min(size, bytes.length + 1)
  const view = new DataView(new ArrayBuffer(Math.ceil(size / 8) * 8 + 8))
  bytes.forEach((byte, index) => view.setUint8(index, byte))
  if (padded && size > 128 && size > written + 64) zero(p, to, size)
  const end = padded && !(size > 128 && size > written + 64) ? size : written
  for (const { at, width } of pieces(to.offset, end)) {
    const value = width === 8 ? view.getBigUint64(at, true) : width === 4 ? view.getUint32(at, true) : width === 2 ? view.getUint16(at, true) : view.getUint8(at)
    f.store(to.base, to.offset + at, width, f.number(value))
  }
}

/** Characters up to 255 that came from escapes are bytes; others are UTF-8. */
export function literalBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function storeParts(p: ProgramWriter, operand: Operand, to: Place, type: Type & { kind: 'tuple' | 'record' }, padded: boolean): void {
  const types = type.kind === 'tuple' ? type.elements : type.fields.map((field) => field.type)
  const layout = layOut(types)
  if (padded && layout.size > types.reduce((sum, one) => sum + sizeOf(one), 0)) zero(p, to, layout.size)
  types.forEach((one, index) => {
    const part = partOf(operand, type, index)
    storeAs(p, part, { base: to.base, offset: to.offset + layout.offsets[index]! }, one, padded)
  })
}

/** One element of a tuple or record, of the operand's own type; records go by name. */
function partOf(operand: Operand, wanted: Type & { kind: 'tuple' | 'record' }, index: number): Operand {
  if (operand.kind !== 'parts' && operand.kind !== 'memory') return { kind: 'void' }
  const { type } = operand
  let at = index
  if (wanted.kind === 'record' && type.kind === 'record') {
    at = type.fields.findIndex(({ name }) => name === wanted.fields[index]!.name)
  }
  if (operand.kind === 'parts') return operand.parts[at]!
  const types = type.kind === 'tuple' ? type.elements : type.kind === 'record' ? type.fields.map((field) => field.type) : []
  return { kind: 'memory', base: operand.base, offset: operand.offset + layOut(types).offsets[at]!, type: types[at]! }
}
