import type { Schema } from '../../spec/schema.ts'
import { helpers } from '../helpers.ts'
import type { IntType, IrType, Origin, PointerType, Size, Value } from '../ir/ir.ts'
import { suggest } from '../nearest.ts'
import type { Span } from '../span.ts'
import { convert, toScalar } from './arithmetic.ts'
import type { Lowering } from './lowering.ts'
import { isLocated } from './tracepoint-format.ts'
import { describe, int, schemaName, pointerTo, U32, U64, type Aggregate, type MemoryType, type Operand, type Place } from './operand.ts'

/** Reading and writing memory: the compiler knows each pointer's origin and picks the access. */

export function sizeOf(l: Lowering, type: MemoryType): number {
  return type.from === 'schema' ? type.schema.size : l.btf.sizeOf(type.id)
}

export function ofSchema(schema: Schema): MemoryType {
  return { from: 'schema', schema }
}

export function originOf(value: Value): Origin {
  return value.type.kind === 'pointer' ? value.type.origin : 'kernel'
}

/** The register type of a scalar in memory, or null for what stays in memory. */
export function scalarType(l: Lowering, type: MemoryType): IntType | null {
  if (type.from === 'schema') {
    if (type.schema.kind === 'int') return int(type.schema.bits, type.schema.signed)
    return type.schema.kind === 'bool' ? int(8, false) : null
  }
  const kernel = l.btf.type(type.id)
  if (kernel.kind === 'int') return int((kernel.size * 8) as 8, kernel.signed)
  if (kernel.kind === 'enum' || kernel.kind === 'enum64') return int((kernel.size * 8) as 8, kernel.signed)
  return null
}

/** Reads a place: scalars and pointers are loaded, structs and arrays stay where they are. */
export function load(l: Lowering, place: Place, span: Span): Operand {
  if (place.bits !== undefined) return loadBits(l, place, place.bits, span)
  if (place.type.from === 'schema' && isLocated(place.type.schema)) return locatedText(l, place, span)
  const scalar = scalarType(l, place.type)
  if (scalar !== null) return { kind: 'scalar', value: loadRegister(l, place, scalar, scalar.bits / 8 as Size, scalar.signed, span), type: scalar }
  if (place.type.from === 'btf') {
    const kernel = l.btf.type(place.type.id)
    if (kernel.kind === 'ptr') {
      const target = l.btf.resolve(kernel.type)
      const kind = l.btf.kindOf(target)
      // The verifier types only pointers to structs; others are numbers to it.
      const typed = (kind === 'struct' || kind === 'union') && originOf(place.base) === 'btf'
      const value = loadRegister(l, place, pointerTo(typed ? 'btf' : 'kernel'), 8, false, span)
      return { kind: 'pointer', value, pointee: target === 0 ? null : { from: 'btf', id: target } }
    }
  }
  return place
}

/** A string inside the record of a tracepoint, whose place a word of the record tells. */
function locatedText(l: Lowering, place: Place, span: Span): Operand {
  const word = loadRegister(l, place, U32, 4, false, span)
  const offset = l.value(U64)
  l.emit({ op: 'binary', out: offset, operator: 'and', width: 64, left: word, right: l.constant(0xffff, span), span })
  const value = l.value(pointerTo('kernel'))
  l.emit({ op: 'binary', out: value, operator: 'add', width: 64, left: place.base, right: offset, span })
  const char = l.btf.find('char', 'int')
  return { kind: 'pointer', value, pointee: char === 0 ? null : { from: 'btf', id: char } }
}

/** A bitfield: the integer that holds it, shifted up until nothing stands above and down until nothing stands below. */
function loadBits(l: Lowering, place: Place, { size, left, right, signed }: NonNullable<Place['bits']>, span: Span): Operand {
  const type = int(64, signed)
  const word = loadRegister(l, place, U64, size, false, span)
  const shift = (kind: 'fieldShiftLeft' | 'fieldShiftRight', operator: 'shl' | 'shr' | 'sar', value: Value, by: number): Value => {
    const amount = l.value(U64)
    const core = place.path === null ? undefined : { ...l.context.localTypes.fieldOffset(place.path), kind }
    l.emit({ op: 'const', out: amount, value: BigInt(by), ...(core && { core }), span })
    const out = l.value(type)
    l.emit({ op: 'binary', out, operator, width: 64, left: value, right: amount, span })
    return out
  }
  const value = shift('fieldShiftRight', signed ? 'sar' : 'shr', shift('fieldShiftLeft', 'shl', word, left), right)
  return { kind: 'scalar', value, type }
}

function loadRegister(l: Lowering, place: Place, type: IrType, size: Size, signed: boolean, span: Span): Value {
  const core = place.path === null ? undefined : l.context.localTypes.fieldOffset(place.path)
  const out = l.value(type)
  if (originOf(place.base) !== 'kernel') {
    l.emit({ op: 'load', out, pointer: place.base, offset: place.offset, size, signed, ...(core && { core }), span })
    return out
  }
  const slot = l.slot(8, 'probe_read')
  const target = l.value(pointerTo('stack'))
  l.emit({ op: 'stackAddress', out: target, slot, offset: 0, span })
  zero(l, target, 0, 8, span)
  probeRead(l, target, size, addressOf(l, place, span), span)
  l.emit({ op: 'load', out, pointer: target, offset: 0, size, signed, span })
  return out
}

/** The address of a place in one register. A field at offset 0 here may lie elsewhere on another kernel. */
export function addressOf(l: Lowering, place: Place, span: Span): Value {
  if (place.offset === 0 && (place.path === null || place.path.steps.length === 0)) return place.base
  const out = l.value(place.base.type)
  const core = place.path === null ? undefined : l.context.localTypes.fieldOffset(place.path)
  l.emit({ op: 'offset', out, pointer: place.base, offset: place.offset, ...(core && { core }), span })
  return out
}

export function probeRead(l: Lowering, target: Value, size: number, source: Value, span: Span): void {
  call(l, originOf(source) === 'user' ? 'probe_read_user' : 'probe_read_kernel', [target, l.constant(size, span), source], span)
}

export function call(l: Lowering, name: keyof typeof helpers, args: Value[], span: Span, out: Value | null = null): void {
  l.emit({ op: 'call', out, helper: helpers[name].id, name, args, span })
}

export function zero(l: Lowering, base: Value, offset: number, size: number, span: Span): void {
  const nothing = l.constant(0, span)
  for (let at = offset; at < offset + size;) {
    const width = widthAt(at, offset + size - at)
    l.emit({ op: 'store', pointer: base, offset: at, size: width, value: nothing, span })
    at += width
  }
}

/** The widest aligned access that fits. */
export function widthAt(offset: number, left: number): Size {
  if (offset % 8 === 0 && left >= 8) return 8
  if (offset % 4 === 0 && left >= 4) return 4
  return offset % 2 === 0 && left >= 2 ? 2 : 1
}

/** Copies bytes between places that are read directly, in order and in the widest aligned pieces. */
function copy(l: Lowering, target: Place, source: Place, size: number, span: Span): void {
  for (let at = 0; at < size;) {
    const width = Math.min(widthAt(target.offset + at, size - at), widthAt(source.offset + at, size - at)) as Size
    const piece = l.value(int((width * 8) as 8, false))
    l.emit({ op: 'load', out: piece, pointer: source.base, offset: source.offset + at, size: width, signed: false, span })
    l.emit({ op: 'store', pointer: target.base, offset: target.offset + at, size: width, value: piece, span })
    at += width
  }
}

/** Writes an operand into memory of one of our schemas (kernel objects are read-only). */
export function store(l: Lowering, place: Place, operand: Operand, span: Span): void {
  if (place.type.from === 'btf') {
    l.fail('SKEP-C10', span, 'kernel memory cannot be written', 'keep the value in a map or in a local() struct')
  }
  if (originOf(place.base) === 'context') l.fail('SKEP-C10', span, 'the record of a tracepoint cannot be written', 'keep the value in a map or in a local() struct')
  const { schema } = place.type
  const source = operand.kind === 'optional' ? present(l, operand, span) : operand
  switch (schema.kind) {
    case 'int': case 'bool': {
      const type = scalarType(l, place.type)!
      const value = convert(l, toScalar(l, source, span, type), type, span)
      l.emit({ op: 'store', pointer: place.base, offset: place.offset, size: schema.size as Size, value: value.value, span })
      return
    }
    case 'struct':
      if (source.kind === 'aggregate') return storeFields(l, place, source)
      break
    case 'chars': return storeText(l, place, schema.length, source, span)
    case 'bytes': return storeBytes(l, place, schema.length, source, span)
    case 'array': break
  }
  const from = asPlace(l, source, span)
  if (from !== null && from.type.from === 'schema' && sameLayout(from.type.schema, schema)) return copy(l, place, from, schema.size, span)
  return l.fail('SKEP-C04', span, `${describe(operand)} does not fit ${schemaName(schema)}`, 'give a value of the same schema')
}

export function storeFields(l: Lowering, place: Place, { fields, spans }: Aggregate): void {
  if (place.type.from !== 'schema' || place.type.schema.kind !== 'struct') throw new Error('storeFields: no struct')
  const names = new Map(place.type.schema.fields.map((field) => [field.name, field]))
  for (const [name, operand] of fields) {
    const field = names.get(name)
    const span = spans.get(name)!
    if (field === undefined) {
      l.fail('SKEP-C05', span, `the struct has no field '${name}'`, suggest(name, names.keys(), `its fields are ${[...names.keys()].join(', ')}`))
    }
    store(l, { kind: 'place', base: place.base, offset: place.offset + field.offset, type: ofSchema(field.schema), path: null }, operand, span)
  }
}

function storeText(l: Lowering, place: Place, length: number, source: Operand, span: Span): void {
  if (source.kind === 'host') {
    if (typeof source.value !== 'string') l.fail('SKEP-C04', span, `${describe(source)} is no string`, 'give a string or a char array of the kernel')
    return storeConstantText(l, place, length, source.value, span)
  }
  const from = asPlace(l, source, span)
  if (from !== null && from.type.from === 'schema' && from.type.schema.kind === 'chars' && from.type.schema.length === length) {
    return copy(l, place, from, length, span)
  }
  const text = from === null ? null : charArrayLength(l, from.type)
  if (from !== null && text !== null) {
    // Kernel char arrays of the same size (task.comm) are padded with zeros, and cheaper by words than by a helper.
    if (text === length && originOf(from.base) === 'btf') return copyKernelWords(l, place, from, length, span)
    return readText(l, place, length, addressOf(l, from, span), span)
  }
  if (source.kind === 'pointer') return readText(l, place, length, source.value, span)
  return l.fail('SKEP-C04', span, `${describe(source)} is no string`, 'give a string, a char array or a char pointer of the kernel')
}

function copyKernelWords(l: Lowering, target: Place, source: Place, length: number, span: Span): void {
  for (let at = 0; at < length;) {
    const width = Math.min(widthAt(target.offset + at, length - at), widthAt(source.offset + at, length - at)) as Size
    const path = source.path === null ? null : { root: source.path.root, steps: [...source.path.steps, at] }
    const core = path === null ? undefined : l.context.localTypes.fieldOffset(path)
    const word = l.value(int((width * 8) as 8, false))
    l.emit({ op: 'load', out: word, pointer: source.base, offset: source.offset + at, size: width, signed: false, ...(core && { core }), span })
    l.emit({ op: 'store', pointer: target.base, offset: target.offset + at, size: width, value: word, span })
    at += width
  }
}

function storeConstantText(l: Lowering, place: Place, length: number, text: string, span: Span): void {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length >= length) {
    l.fail('SKEP-C08', span, `the string has ${bytes.length} bytes and its field room for ${length - 1}`, `use chars(${bytes.length + 1}) or a shorter string`)
  }
  for (let at = 0; at < length;) {
    const width = widthAt(place.offset + at, length - at)
    let word = 0n
    for (let index = width - 1; index >= 0; index--) word = (word << 8n) | BigInt(bytes[at + index] ?? 0)
    l.emit({ op: 'store', pointer: place.base, offset: place.offset + at, size: width, value: l.constant(word, span), span })
    at += width
  }
}

export function readText(l: Lowering, place: Place, length: number, source: Value, span: Span): void {
  const target = addressOf(l, { ...place, path: null }, span)
  call(l, originOf(source) === 'user' ? 'probe_read_user_str' : 'probe_read_kernel_str', [target, l.constant(length, span), source], span)
}

function storeBytes(l: Lowering, place: Place, length: number, source: Operand, span: Span): void {
  const from = asPlace(l, source, span)
  if (from !== null && from.type.from === 'schema' && sameLayout(from.type.schema, (place.type as { schema: Schema }).schema)) {
    return copy(l, place, from, length, span)
  }
  if (from === null || from.type.from !== 'btf' || sizeOf(l, from.type) > length) {
    l.fail('SKEP-C04', span, `${describe(source)} does not fit ${length} raw bytes`, 'give a kernel struct or array that is no larger')
  }
  probeRead(l, addressOf(l, { ...place, path: null }, span), sizeOf(l, from.type), addressOf(l, from, span), span)
}

export function charArrayLength(l: Lowering, type: MemoryType): number | null {
  if (type.from === 'schema') return type.schema.kind === 'chars' ? type.schema.length : null
  const kernel = l.btf.type(type.id)
  return kernel.kind === 'array' && l.btf.sizeOf(kernel.element) === 1 ? kernel.length : null
}

/** Structs by place; a pointer or a present look-up is the place it points to. */
export function asPlace(l: Lowering, operand: Operand, span: Span): Place | null {
  if (operand.kind === 'place') return operand
  if (operand.kind === 'pointer') return operand.pointee === null ? null : { kind: 'place', base: operand.value, offset: 0, type: operand.pointee, path: pathOf(operand.pointee) }
  if (operand.kind === 'optional' && operand.copy === null) return asPlace(l, present(l, operand, span), span)
  return null
}

function pathOf(type: MemoryType): Place['path'] {
  return type.from === 'btf' ? { root: type.id, steps: [] } : null
}

/** The content of a look-up that is known to have found something. */
export function present(l: Lowering, operand: Operand & { kind: 'optional' }, span: Span): Operand {
  if (!l.isNonNull(operand.pointer)) {
    const { name, type } = operand.pointer
    const why = type.kind === 'pointer' && type.origin === 'ring' ? 'the ring may be full' : 'the map may not hold the key, or may be full'
    l.fail('SKEP-C03', span, `${name === undefined ? 'this' : `'${name}'`} may be undefined: ${why}`, `check it first: if (${name ?? 'value'} === undefined) return`)
  }
  if (operand.copy !== null) return { kind: 'scalar', value: operand.copy, type: operand.copy.type as IntType }
  const refined = l.value({ ...(operand.pointer.type as PointerType), nullable: false }, operand.pointer.name)
  l.emit({ op: 'refine', out: refined, value: operand.pointer, span })
  return { kind: 'place', base: refined, offset: 0, type: operand.content, path: null }
}

export function sameLayout(a: Schema, b: Schema): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || a.size !== b.size) return false
  if (a.kind === 'struct' && b.kind === 'struct') {
    return a.fields.length === b.fields.length
      && a.fields.every((field, index) => field.offset === b.fields[index]!.offset && sameLayout(field.schema, b.fields[index]!.schema))
  }
  if (a.kind === 'array' && b.kind === 'array') return sameLayout(a.element, b.element)
  return true
}

/** Memory on the stack holding the operand in the layout of the schema, as helpers want keys and values; its address. */
export function materialise(l: Lowering, operand: Operand, schema: Schema, name: string, span: Span): Value {
  const source = operand.kind === 'optional' ? present(l, operand, span) : operand
  if (source.kind === 'place' && source.type.from === 'schema' && originOf(source.base) !== 'kernel' && sameLayout(source.type.schema, schema)) {
    return addressOf(l, source, span)
  }
  const place = allocate(l, schema, name, span, source.kind === 'aggregate' ? new Set(source.fields.keys()) : new Set())
  if (source.kind === 'aggregate' && schema.kind === 'struct') requireAll(l, source, schema)
  store(l, place, source, span)
  return place.base
}

function requireAll(l: Lowering, { fields, span }: Aggregate, schema: Schema & { kind: 'struct' }): void {
  const missing = schema.fields.filter((field) => !fields.has(field.name)).map((field) => field.name)
  if (missing.length > 0) l.fail('SKEP-C05', span, `the key or value lacks ${missing.join(', ')}`, `give every field: ${schema.fields.map((field) => field.name).join(', ')}`)
}

/** A stack struct, zeroed where the given fields will not write every byte. */
export function allocate(l: Lowering, schema: Schema, name: string, span: Span, written: Set<string>): Place {
  const slot = l.slot(schema.size, name)
  const base = l.value(pointerTo('stack'), name)
  l.emit({ op: 'stackAddress', out: base, slot, offset: 0, span })
  const covered = new Uint8Array(slot.size)
  if (schema.kind === 'struct') {
    for (const field of schema.fields) {
      if (written.has(field.name) && (field.schema.kind === 'int' || field.schema.kind === 'bool')) covered.fill(1, field.offset, field.offset + field.schema.size)
    }
  } else if (schema.kind === 'int' || schema.kind === 'bool') covered.fill(1, 0, schema.size)
  for (let word = 0; word < Math.ceil(schema.size / 8) * 8; word += 8) {
    if (covered.subarray(word, Math.min(word + 8, schema.size)).includes(0)) zero(l, base, word, Math.min(8, slot.size - word), span)
  }
  return { kind: 'place', base, offset: 0, type: ofSchema(schema), path: null }
}

/** A numeric 64-bit address, for keys. */
export function addressValue(l: Lowering, operand: Operand, span: Span): Operand {
  const place = asPlace(l, operand, span)
  const value = place === null ? (operand.kind === 'pointer' ? operand.value : null) : addressOf(l, place, span)
  if (value === null) l.fail('SKEP-C04', span, `${describe(operand)} has no address`, 'give a kernel object')
  return { kind: 'scalar', value, type: U64 }
}
