import type { EsNode } from '../capture/kernel-function.ts'
import type { Edge, IntType, Size } from '../ir/ir.ts'
import { u8 as byte } from '../../spec/schema.ts'
import type { Span } from '../span.ts'
import { binary, complement, convert, isArithmetic, isComparison, literal, negate, toScalar } from './arithmetic.ts'
import { call } from './call.ts'
import { ConsequentError } from '../errors.ts'
import { suggest } from '../nearest.ts'
import { branchOn, conditionValue } from './condition.ts'
import { globalValue } from './javascript.ts'
import type { Join, Lowering, Variable } from './lowering.ts'
import { addressOf, asPlace, load, ofSchema, originOf, present, store } from './memory.ts'
import { describe, host, int, pointerTo, U64, type Operand, type Place } from './operand.ts'
import { structNamed, structNames } from './kernel-type.ts'

/** Lowers an expression to an operand. */
export function expression(l: Lowering, node: EsNode): Operand {
  const known = l.known.size === 0 ? undefined : l.known.get(node)
  if (known !== undefined) return known
  switch (node.type) {
    case 'ParenthesizedExpression': case 'TSNonNullExpression': case 'TSSatisfiesExpression':
      return expression(l, node.expression)
    case 'ChainExpression': return chain(l, node)
    case 'Literal': return literalNode(l, node)
    case 'TemplateLiteral': return templateLiteral(l, node)
    case 'Identifier': return identifier(l, node)
    case 'MemberExpression': return member(l, node)
    case 'CallExpression': return call(l, node)
    case 'ObjectExpression': return objectLiteral(l, node)
    case 'TSAsExpression': return cast(l, node)
    case 'UnaryExpression': return unary(l, node)
    case 'BinaryExpression': return binaryExpression(l, node)
    case 'LogicalExpression': return node.operator === '??' ? coalesce(l, node) : conditionValue(l, node)
    case 'ConditionalExpression': return conditional(l, node)
    case 'AssignmentExpression': return assignment(l, node)
    case 'UpdateExpression': return update(l, node)
    default: return l.fail('SKEP-C01', node, `${nodeName(node)} has no meaning in the kernel`, remedies[node.type] ?? 'compute it at module scope, or write it with plain statements')
  }
}

const remedies: Record<string, string> = {
  ArrowFunctionExpression: "write the function at module scope with 'use bpf' as its first statement and call it",
  FunctionExpression: "write the function at module scope with 'use bpf' as its first statement and call it",
  AwaitExpression: 'a kernel program runs to its end without waiting; use a map to go on at a later event',
  NewExpression: 'create it at module scope; inside the kernel use map values or local() structs',
  ArrayExpression: 'use a map, or a local() struct with an array field',
  ThisExpression: 'name the object at module scope and use the name',
}

export function nodeName(node: EsNode): string {
  return `'${node.type.replace(/(Expression|Statement|Declaration)$/, '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}'`
}

function literalNode(l: Lowering, node: EsNode): Operand {
  if (node.bigint !== undefined) return host(BigInt(node.bigint))
  if (node.regex !== undefined) return l.fail('SKEP-C01', node, 'regular expressions have no meaning in the kernel', 'compare bounded strings, or filter in user space')
  return host(node.value ?? null)
}

/** Parts that are known while compiling are joined then. */
function templateLiteral(l: Lowering, node: EsNode): Operand {
  let text: string = node.quasis[0].value.cooked
  node.expressions.forEach((part: EsNode, index: number) => {
    const operand = expression(l, part)
    if (operand.kind !== 'host') l.fail('SKEP-C01', node, 'strings cannot be built in the kernel', 'emit the parts as fields of an event and join them in user space')
    text += `${String(operand.value)}${node.quasis[index + 1].value.cooked}`
  })
  return host(text)
}

function identifier(l: Lowering, node: EsNode): Operand {
  const name: string = node.name
  const binding = l.frame.scope.find(name)
  if (binding?.kind === 'constant') return binding.operand
  if (binding?.kind === 'variable') {
    const value = l.state.variables.get(binding.variable)
    if (value === undefined) return l.fail('SKEP-C03', node, `'${name}' has no value yet`, 'give it one where it is declared')
    return binding.variable.wrap(value)
  }
  if (binding?.kind === 'failed') throw new ConsequentError(name)
  if (name === 'undefined') return host(undefined)
  return captured(l, node)
}

/** The value of a free identifier: what it is at module scope now. */
function captured(l: Lowering, node: EsNode): Operand {
  const name: string = node.name
  const { captures } = l.frame.fn
  const unknown = () => {
    const others = [...l.frame.scope.visible(), ...Object.keys(captures).filter((other) => isDefined(captures[other]!))]
    return l.fail('SKEP-C02', node, `'${name}' is not known here`, suggest(name, others, 'declare it in this function or at module scope'))
  }
  if (!Object.hasOwn(captures, name)) {
    const value = globalValue(name)
    return value === undefined ? unknown() : host(value)
  }
  try {
    return host(captures[name]!())
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    if (!error.message.includes('before initialization')) return unknown()
    return l.fail('SKEP-C02', node, `'${name}' has no value yet`, 'compile the module after all of it has run, or move the declaration up')
  }
}

function isDefined(capture: () => unknown): boolean {
  try {
    capture()
    return true
  } catch (error) {
    if (error instanceof ReferenceError) return false
    throw error
  }
}

/** A name of a property: `.x` or `['x']`. */
function propertyName(node: EsNode): string | null {
  if (!node.computed) return node.property.name
  return node.property.type === 'Literal' && typeof node.property.value === 'string' ? node.property.value : null
}

function member(l: Lowering, node: EsNode): Operand {
  const object = expression(l, node.object)
  if (object.kind === 'host' || object.kind === 'aggregate') {
    const name = propertyName(node)
    if (object.kind === 'aggregate') {
      const field = name === null ? undefined : object.fields.get(name)
      if (field !== undefined) return field
      return l.fail('SKEP-C05', node.property, `the object has no field '${name}'`, suggest(name ?? '', object.fields.keys(), `its fields are ${[...object.fields.keys()].join(', ')}`))
    }
    const key = name ?? hostKey(l, node)
    if (object.value === undefined || object.value === null) return l.fail('SKEP-C02', node, `'${textOf(l, node.object)}' is ${String(object.value)}`, 'look at what is assigned at module scope')
    return host((object.value as any)[key])
  }
  const place = placeOf(l, node, object)
  return load(l, place, l.span(node))
}

/** The source of a node, for messages. */
function textOf(l: Lowering, node: EsNode): string {
  return l.frame.fn.source.slice(node.start, node.end)
}

function hostKey(l: Lowering, node: EsNode): string {
  const key = expression(l, node.property)
  if (key.kind === 'host' && (typeof key.value === 'string' || typeof key.value === 'number')) return String(key.value)
  return l.fail('SKEP-C01', node.property, 'a JavaScript value cannot be indexed by a kernel value', 'put the data into a map')
}

/** The memory that a member expression names, not yet read. */
function placeOf(l: Lowering, node: EsNode, object: Operand): Place {
  const span = l.span(node)
  const place = asPlace(l, object, l.span(node.object))
  if (place === null) return l.fail('SKEP-C04', node, `${describe(object)} has no fields`, 'only structs have')
  const name = propertyName(node)
  return name === null ? element(l, node, place, span) : field(l, node, place, name)
}

function field(l: Lowering, node: EsNode, place: Place, name: string): Place {
  if (place.type.from === 'schema') {
    const { schema } = place.type
    const found = schema.kind === 'struct' ? schema.fields.find((candidate) => candidate.name === name) : undefined
    if (found === undefined) {
      const has = schema.kind === 'struct' ? `its fields are ${schema.fields.map((candidate) => candidate.name).join(', ')}` : `it is a ${schema.kind}`
      return l.fail('SKEP-C05', node.property, `there is no field '${name}'`, schema.kind === 'struct' ? suggest(name, schema.fields.map((candidate) => candidate.name), has) : has)
    }
    return { ...place, offset: place.offset + found.offset, type: ofSchema(found.schema) }
  }
  const found = l.btf.member(place.type.id, name)
  const type = l.btf.type(place.type.id)
  if (found === undefined) {
    const owner = type.kind === 'struct' || type.kind === 'union' ? (type.name === '' ? `anonymous ${type.kind}` : `${type.kind} ${type.name}`) : type.kind
    return l.fail('SKEP-C05', node.property, `this kernel's ${owner} has no field '${name}'`, suggest(name, fieldNames(l, place.type.id), `where kernels differ test for it first: if ('${name}' in …)`))
  }
  const path = place.path === null ? null : { root: place.path.root, steps: [...place.path.steps, name] }
  if (found.bitSize !== 0) return bitfield(l, node, { ...place, path }, found)
  return { ...place, offset: place.offset + found.bitOffset / 8, type: { from: 'btf', id: l.btf.resolve(found.type) }, path }
}

/** The smallest aligned integer that holds the bits, as CO-RE will find it on another kernel. */
function bitfield(l: Lowering, node: EsNode, place: Place, { type, bitOffset, bitSize }: { type: number; bitOffset: number; bitSize: number }): Place {
  const id = l.btf.resolve(type)
  const kernel = l.btf.type(id)
  const first = place.offset * 8 + bitOffset
  let size = Math.max(1, l.btf.sizeOf(id))
  const start = () => Math.floor(first / 8 / size) * size
  while (first + bitSize - start() * 8 > size * 8) {
    if (size >= 8) return l.fail('SKEP-C05', node.property, `no load of 8 bytes holds the ${bitSize} bits of this field`, 'read a neighbouring field')
    size *= 2
  }
  const bits = { size: size as Size, left: 64 - (first + bitSize - start() * 8), right: 64 - bitSize, signed: 'signed' in kernel && kernel.signed }
  return { ...place, offset: start(), type: { from: 'btf', id }, bits }
}

/** Names of a kernel struct's fields, those of its anonymous members too. */
function fieldNames(l: Lowering, struct: number, depth = 0): string[] {
  const type = l.btf.type(struct)
  if ((type.kind !== 'struct' && type.kind !== 'union') || depth > 8) return []
  return type.members.flatMap((member) => (member.name === '' ? fieldNames(l, l.btf.resolve(member.type), depth + 1) : [member.name]))
}

function element(l: Lowering, node: EsNode, place: Place, span: Span): Place {
  const array = elementType(l, place)
  if (array === null) return l.fail('SKEP-C04', node, 'only arrays can be indexed', 'use a field name')
  const index = expression(l, node.property)
  const known = literal(index)
  if (known !== null) {
    if (known < 0n || known >= BigInt(array.length)) {
      return l.fail('SKEP-C08', node.property, `index ${known} is outside of the array`, `the array has ${array.length} elements, 0 to ${array.length - 1}`)
    }
    const path = place.path === null ? null : { root: place.path.root, steps: [...place.path.steps, Number(known)] }
    return { ...place, offset: place.offset + Number(known) * array.size, type: array.type, path }
  }
  return elementAt(l, place, array, index, span)
}

/** An element whose index is not known while compiling. The verifier must see it bounded, which a loop, min() or & (N - 1) do. */
export function elementAt(l: Lowering, place: Place, array: { type: Place['type']; size: number }, index: Operand, span: Span): Place {
  const scalar = convert(l, toScalar(l, index, span), U64, span)
  const scaled = toScalar(l, array.size === 1 ? scalar : binary(l, '*', scalar, host(array.size), span), span).value
  if (place.type.from === 'schema') {
    const base = l.value(place.base.type)
    l.emit({ op: 'binary', out: base, operator: 'add', width: 64, left: place.base, right: scaled, span })
    return { ...place, base, type: array.type }
  }
  // Typed pointers take constant offsets only: from here on it is an address, read by probe_read_kernel.
  const start = addressOf(l, place, span)
  const base = l.value(pointerTo('kernel'))
  l.emit({ op: 'binary', out: base, operator: 'add', width: 64, left: start, right: scaled, span })
  const { type } = array
  const isStruct = type.from === 'btf' && ['struct', 'union'].includes(l.btf.kindOf(type.id))
  return { kind: 'place', base, offset: 0, type, path: isStruct ? { root: type.id, steps: [] } : null }
}

export function elementType(l: Lowering, place: Place): { type: Place['type']; size: number; length: number } | null {
  if (place.type.from === 'schema') {
    const { schema } = place.type
    if (schema.kind === 'array') return { type: ofSchema(schema.element), size: schema.element.size, length: schema.length }
    if (schema.kind === 'chars' || schema.kind === 'bytes') return { type: ofSchema(byte), size: 1, length: schema.length }
    return null
  }
  const type = l.btf.type(place.type.id)
  if (type.kind !== 'array') return null
  const id = l.btf.resolve(type.element)
  return { type: { from: 'btf', id }, size: l.btf.sizeOf(id), length: type.length }
}

function objectLiteral(l: Lowering, node: EsNode): Operand {
  const fields = new Map<string, Operand>()
  const spans = new Map<string, Span>()
  for (const property of node.properties as EsNode[]) {
    if (property.type === 'SpreadElement') {
      const spread = expression(l, property.argument)
      if (spread.kind !== 'aggregate') return l.fail('SKEP-C01', property, `${describe(spread)} cannot be spread`, 'spread an object literal, or name the fields')
      for (const [name, operand] of spread.fields) {
        fields.set(name, operand)
        spans.set(name, spread.spans.get(name)!)
      }
      continue
    }
    if (property.computed || property.method || (property.kind ?? 'init') !== 'init') {
      l.fail('SKEP-C01', property, 'only plain fields have a meaning in the kernel', 'write name: value')
    }
    const name: string = property.key.name ?? String(property.key.value)
    fields.set(name, expression(l, property.value))
    spans.set(name, l.span(property))
  }
  return { kind: 'aggregate', fields, span: l.span(node), spans }
}

const integerTypes: Record<string, IntType> = {
  u8: int(8, false), u16: int(16, false), u32: int(32, false), u64: U64,
  i8: int(8, true), i16: int(16, true), i32: int(32, true), i64: int(64, true),
}

/** `x as u32` converts an integer, `p as tcp_sock` gives a kernel pointer another type (and no longer the verifier's trust). */
function cast(l: Lowering, node: EsNode): Operand {
  const operand = expression(l, node.expression)
  const annotation: EsNode = node.typeAnnotation
  const name: string | undefined = annotation.type === 'TSTypeReference' ? annotation.typeName?.name : undefined
  if (name === undefined || name === 'const') return operand
  const span = l.span(node)
  const integer = integerTypes[name]
  if (integer !== undefined) {
    const number = literal(operand)
    if (number !== null) return { kind: 'scalar', value: l.constant(integer.signed ? BigInt.asIntN(integer.bits, number) : BigInt.asUintN(integer.bits, number), span, integer), type: integer }
    return convert(l, toScalar(l, operand, span), integer, span)
  }
  const id = structNamed(l, name)
  if (id === 0) return l.fail('SKEP-C02', annotation, `this kernel has no struct '${name}'`, suggest(name, [...Object.keys(integerTypes), ...structNames(l)], 'use u8…i64 or the name of a kernel struct'))
  const place = asPlace(l, operand, span)
  const address = place !== null ? place : operand.kind === 'scalar' ? null : l.fail('SKEP-C04', node, `${describe(operand)} is no pointer`, 'cast a kernel pointer or an address')
  const base = address === null ? convert(l, operand as Operand & { kind: 'scalar' }, U64, span).value : addressOf(l, address, span)
  const value = l.value(pointerTo('kernel'), base.name)
  l.emit({ op: 'refine', out: value, value: base, span })
  return { kind: 'pointer', value, pointee: { from: 'btf', id } }
}

function unary(l: Lowering, node: EsNode): Operand {
  switch (node.operator) {
    case '!': return conditionValue(l, node)
    case '-': return negate(l, expression(l, node.argument), l.span(node))
    case '~': return complement(l, expression(l, node.argument), l.span(node))
    case '+': return expression(l, node.argument)
    case 'typeof': return l.fail('SKEP-C01', node, "'typeof' has no meaning in the kernel", "types are known while compiling; ask whether a struct has a field: 'field' in object")
    case 'delete': return l.fail('SKEP-C01', node, "'delete' has no meaning in the kernel", 'remove an entry of a map with map.delete(key)')
    default: return l.fail('SKEP-C01', node, `'${node.operator}' has no meaning in the kernel`, 'leave it out')
  }
}

function binaryExpression(l: Lowering, node: EsNode): Operand {
  const operator: string = node.operator
  if (operator === 'in') return hasField(l, node)
  if (isComparison(operator) || operator === '==' || operator === '!=') return conditionValue(l, node)
  if (!isArithmetic(operator)) return l.fail('SKEP-C01', node, `'${operator}' has no meaning in the kernel`, operator === '**' ? 'multiply, or shift by powers of two' : 'use + - * / % & | ^ << >> >>>')
  return binary(l, operator, expression(l, node.left), expression(l, node.right), l.span(node))
}

/** `'field' in object`: known while compiling against the target's BTF, so that the other branch vanishes. */
function hasField(l: Lowering, node: EsNode): Operand {
  const name = expression(l, node.left)
  const place = asPlace(l, expression(l, node.right), l.span(node.right))
  if (name.kind !== 'host' || typeof name.value !== 'string' || place === null) {
    return l.fail('SKEP-C04', node, "'in' asks whether a struct has a field", "write 'field' in object")
  }
  const field = name.value
  if (place.type.from === 'schema') return host(place.type.schema.kind === 'struct' && place.type.schema.fields.some((candidate) => candidate.name === field))
  return host(l.btf.member(place.type.id, field) !== undefined)
}

/** Evaluates each side in its own branch and joins the results; a side that cannot be reached is not compiled. */
function conditional(l: Lowering, node: EsNode): Operand {
  const yes = l.join()
  const no = l.join()
  branchOn(l, node.test, yes, no)
  const known = yes.incoming.length === 0 || no.incoming.length === 0
  const end = l.join()
  const results: { edge: Edge; operand: Operand }[] = []
  for (const [join, side] of [[yes, node.consequent], [no, node.alternate]] as [Join, EsNode][]) {
    if (!l.start(join)) continue
    const operand = joinable(l, expression(l, side), known, l.span(side))
    results.push({ edge: l.jump(end, l.span(side)), operand })
  }
  l.start(end)
  return merge(l, results, end, l.span(node))
}

/** What may become a block parameter: a number must be in a register before the edge. */
export function joinable(l: Lowering, operand: Operand, alone: boolean, span: Span): Operand {
  if (alone) return operand
  if (operand.kind === 'optional' && operand.copy !== null && l.isNonNull(operand.pointer)) return present(l, operand, span)
  return literal(operand) === null ? operand : toScalar(l, operand, span)
}

/** Registers hold narrow numbers extended to 64 bits, so numbers of different types meet as i64 (u64 if one is u64). */
function meetingType(types: IntType[]): IntType {
  const [first, ...rest] = types
  if (rest.every((type) => type.bits === first!.bits && type.signed === first!.signed)) return first!
  return int(64, types.every((type) => type.bits < 64 || type.signed))
}

/** One operand for the results of several edges into a join that has started. */
export function merge(l: Lowering, results: { edge: Edge; operand: Operand }[], join: Join, span: Span): Operand {
  const first = results[0]!.operand
  if (results.every(({ operand }) => operand === first)) return first
  if (results.every(({ operand }) => operand.kind === 'void')) return first
  if (results.every(({ operand }) => operand.kind === 'scalar')) {
    const type = meetingType(results.map(({ operand }) => (operand as Operand & { kind: 'scalar' }).type))
    const args = new Map(results.map(({ edge, operand }) => [edge, (operand as Operand & { kind: 'scalar' }).value]))
    return { kind: 'scalar', value: l.parameter(join, type, args), type }
  }
  if (results.every(({ operand }) => operand.kind === 'pointer')) {
    const pointee = (first as Operand & { kind: 'pointer' }).pointee
    const origins = new Set(results.map(({ operand }) => originOf((operand as Operand & { kind: 'pointer' }).value)))
    const args = new Map(results.map(({ edge, operand }) => [edge, (operand as Operand & { kind: 'pointer' }).value]))
    const value = l.parameter(join, pointerTo(origins.size === 1 ? [...origins][0]! : 'kernel'), args)
    return { kind: 'pointer', value, pointee }
  }
  if (results.every(({ operand }) => operand.kind === 'optional' && operand.copy === null)) {
    const { content, pointer } = first as Operand & { kind: 'optional' }
    const args = new Map(results.map(({ edge, operand }) => [edge, (operand as Operand & { kind: 'optional' }).pointer]))
    return { kind: 'optional', pointer: l.parameter(join, pointer.type, args), content, copy: null }
  }
  return l.fail('SKEP-C04', span, `the branches give different kinds: ${[...new Set(results.map(({ operand }) => describe(operand)))].join(' and ')}`, 'let both give numbers, or fill a local() struct in the branches')
}

/** A pointer variable keeps the kind of pointer that it was declared with. */
function assignPointer(l: Lowering, variable: Variable, operand: Operand, target: EsNode): Operand {
  const old = variable.wrap(l.state.variables.get(variable)!) as Operand & { kind: 'pointer' }
  const fits = operand.kind === 'pointer' && originOf(operand.value) === originOf(old.value)
    && operand.pointee?.from === old.pointee?.from && (operand.pointee?.from !== 'btf' || operand.pointee.id === (old.pointee as { id: number }).id)
  if (!fits) return l.fail('SKEP-C10', target, `'${variable.name}' points to something else than what is assigned`, 'use a second const')
  l.assign(variable, operand.value)
  return operand
}

/** `look-up?.field`: a number that may be missing. On what is always there, and on kernel pointers, which read as 0 behind null, `?.` is `.`. */
function chain(l: Lowering, node: EsNode): Operand {
  const object = checkedObject(node.expression)
  if (object === null) return expression(l, node.expression)
  const operand = expression(l, object)
  if (operand.kind !== 'optional' || operand.copy !== null || l.isNonNull(operand.pointer)) return withKnown(l, object, operand, () => expression(l, node.expression))
  const span = l.span(node)
  const [found, missing, end] = [l.join(), l.join(), l.join()]
  l.branch({ operator: 'ne', width: 64, left: operand.pointer, right: l.constant(0, span) }, found, missing, span, { then: [operand.pointer] })
  l.start(found)
  const result = withKnown(l, object, operand, () => expression(l, node.expression))
  const loaded = result.kind === 'place' ? load(l, result, span) : result
  if (loaded.kind !== 'scalar') l.fail('SKEP-C03', node, `${describe(loaded)} cannot be given back by '?.'`, 'check the look-up first: if (entry === undefined) return')
  const { value, type } = loaded as Operand & { kind: 'scalar' }
  const results = new Map([[l.jump(end, span), value]])
  l.start(missing)
  const nothing = l.constant(0, span, type)
  results.set(l.jump(end, span), nothing)
  l.start(end)
  return { kind: 'optional', pointer: operand.pointer, content: operand.content, copy: l.parameter(end, type, results) }
}

/** What stands before the first `?.`. */
function checkedObject(node: EsNode): EsNode | null {
  if (node.type !== 'MemberExpression') return null
  return checkedObject(node.object) ?? (node.optional === true ? node.object : null)
}

/** Lowers a part in which the operand of a node is known. */
export function withKnown<T>(l: Lowering, node: EsNode, operand: Operand, part: () => T): T {
  l.known.set(node, operand)
  try {
    return part()
  } finally {
    l.known.delete(node)
  }
}

/** `look-up ?? number` */
function coalesce(l: Lowering, node: EsNode): Operand {
  const left = expression(l, node.left)
  const span = l.span(node)
  if (left.kind !== 'optional') return left.kind === 'host' && (left.value === undefined || left.value === null) ? expression(l, node.right) : left
  const found = l.join()
  const missing = l.join()
  const end = l.join()
  const zero = l.constant(0, span)
  l.branch({ operator: 'ne', width: 64, left: left.pointer, right: zero }, found, missing, span, { then: [left.pointer] })
  const results: { edge: Edge; operand: Operand }[] = []
  l.start(found)
  const inner = present(l, left, span)
  results.push({ edge: l.jump(end, span), operand: inner })
  l.start(missing)
  const fallback = expression(l, node.right)
  const right = inner.kind === 'scalar' ? convert(l, toScalar(l, fallback, span, inner.type), inner.type, span) : fallback
  results.push({ edge: l.jump(end, span), operand: right })
  l.start(end)
  return merge(l, results, end, span)
}

function assignment(l: Lowering, node: EsNode): Operand {
  const operator: string = node.operator
  if (operator !== '=' && !isArithmetic(operator.slice(0, -1))) {
    return l.fail('SKEP-C01', node, `'${operator}' has no meaning in the kernel`, operator === '**=' ? 'multiply, or shift by powers of two' : 'write it with if')
  }
  return assignTo(l, node.left, node, (old) => {
    const right = expression(l, node.right)
    return operator === '=' ? right : binary(l, operator.slice(0, -1), old(), right, l.span(node))
  })
}

function update(l: Lowering, node: EsNode): Operand {
  return assignTo(l, node.argument, node, (old) => binary(l, node.operator === '++' ? '+' : '-', old(), host(1), l.span(node)))
}

function assignTo(l: Lowering, target: EsNode, node: EsNode, compute: (old: () => Operand) => Operand): Operand {
  const span = l.span(node)
  if (target.type === 'Identifier') {
    const binding = l.frame.scope.find(target.name)
    if (binding?.kind === 'failed') throw new ConsequentError(target.name)
    if (binding?.kind === 'constant' && binding.let === true) {
      return l.fail('SKEP-C10', target, `'${target.name}' holds ${describe(binding.operand)}, and only numbers and kernel pointers can be assigned again`, 'use a second const')
    }
    if (binding?.kind !== 'variable') {
      return l.fail('SKEP-C10', target, `'${target.name}' cannot be assigned in the kernel`, "declare it with 'let' in this function, or keep the value in a map")
    }
    const { variable } = binding
    const result = compute(() => variable.wrap(l.state.variables.get(variable)!))
    if (variable.type.kind === 'pointer') return assignPointer(l, variable, result, target)
    const value = convert(l, toScalar(l, result, span, variable.type), variable.type, span)
    l.assign(variable, value.value)
    return value
  }
  if (target.type !== 'MemberExpression') return l.fail('SKEP-C10', target, 'this cannot be assigned', 'assign to a variable or to a field')
  const place = placeOf(l, target, expression(l, target.object))
  const result = compute(() => load(l, place, span))
  store(l, place, result, span)
  return result
}
