import { isTypeNode, type Expression, type Of, type TypeNode } from '../syntax/ast.ts'
import { mergeTypes } from '../types/merge.ts'
import {
  asNumber, bool, int, isIntLike, literal, none, sizeOf, typeName, u64, type Type,
} from '../types/type.ts'
import { resolveType } from '../types/written.ts'
import { builtinNamed, builtinType } from './builtins.ts'
import { callType } from './calls.ts'
import { castType } from './casts.ts'
import { decide } from './comptime.ts'
import type { CheckContext } from './context.ts'
import { plainName } from './functions.ts'
import { binaryType, unaryType } from './operators.ts'
import { checkBlock } from './statements.ts'
import { useMap } from './map-use.ts'

/** Where an expression stands: what is assigned to a map may be count() and the like. */
export interface Place { aggregate?: boolean; /** Nobody looks at the value. */ unused?: boolean }

/** Works out the type of an expression, below first, and keeps it in the node. */
export function typeOf(c: CheckContext, node: Expression, place: Place = {}): Type {
  const type = compute(c, node, place)
  node.type = type
  return type
}

/** As typeOf, but an aggregate that is one number is read as that number. */
export function valueType(c: CheckContext, node: Expression): Type {
  return asNumber(typeOf(c, node))
}

function compute(c: CheckContext, node: Expression, place: Place): Type {
  switch (node.kind) {
    case 'integer': {
      if (node.enum !== undefined) {
        const known = c.store.enumerator(node.enum)
        if (known !== undefined) return known.type
      }
      return literal(node.value)
    }
    case 'string': return { kind: 'string', size: byteLength(node.value) + 1, literal: true }
    case 'bool': return bool
    case 'positional': case 'positionalCount': return literal(0n)
    case 'identifier': return identifierType(c, node)
    case 'variable': return variableType(c, node)
    case 'map': return mapRead(c, node)
    case 'mapAccess': return useMap(c, node.map, node.mapSpan, node.key).value
    case 'call': return callType(c, node, place)
    case 'unary': return unaryType(c, node)
    case 'binary': return binaryType(c, node)
    case 'ternary': return ternaryType(c, node, place)
    case 'field': return fieldType(c, node)
    case 'tupleField': return tupleField(c, node, typeOf(c, node.operand), node.index)
    case 'index': return indexType(c, node)
    case 'cast': return castType(c, node)
    case 'tuple': return { kind: 'tuple', elements: node.elements.map((element) => elementType(c, element)) }
    case 'record': return {
      kind: 'record', fields: node.fields.map(({ name, value }) => ({ name, type: elementType(c, value) })),
    }
    case 'sizeof': return sizeofType(c, node)
    case 'offsetof': return offsetofType(c, node)
    case 'typeof':
      c.error('typeof is a type, not a value', node.span)
      return none
    case 'typeinfo': return typeinfoType(c, node)
    case 'comptime': {
      const type = typeOf(c, node.operand)
      return type
    }
    case 'block': return checkBlock(c, node, place)
    case 'if': return ifType(c, node, place)
  }
}

export function byteLength(text: string): number {
  return new TextEncoder().encode(text).length
}

function identifierType(c: CheckContext, node: Of<'identifier'>): Type {
  const name = plainName(node.name)
  const builtin = builtinNamed(name)
  if (builtin !== undefined) return builtinType(c, name, builtin, node)
  if (c.store.enumerator(name) !== undefined) return c.store.enumerator(name)!.type
  c.error(`Unknown identifier: '${node.name}'`, node.span)
  return none
}

function variableType(c: CheckContext, node: Of<'variable'>): Type {
  const info = c.variable(node.name)
  if (info === undefined) {
    if (c.hoist(node.name)) return none
    c.error(`Undefined or undeclared variable: ${shown(node.name)}`, node.span)
    return none
  }
  c.variables.set(node, info)
  if (info.type.kind === 'none' && c.reporting) c.warn(`Variable used before it was assigned: ${shown(node.name)}`, node.span)
  return info.type
}

/** Variables of macros have names that nobody wrote. */
export function shown(name: string): string {
  return name.startsWith('$$') ? `$${name.replace(/^\$\$.*_\d+_/, '')}` : name
}

function mapRead(c: CheckContext, node: Of<'map'>): Type {
  return useMap(c, node.name, node.span, null).value
}

function elementType(c: CheckContext, element: Expression): Type {
  const type = asNumber(typeOf(c, element))
  if (type.kind === 'aggregate') c.error(`Map value '${typeName(type)}' cannot be stored in a tuple or record.`, element.span)
  if (type.kind === 'void') c.error('Tuple elements must have a value', element.span)
  return type
}

function ternaryType(c: CheckContext, node: Of<'ternary'>, place: Place): Type {
  checkCondition(c, node.condition, 'ternary')
  const then = node.then === null ? asNumber(node.condition.type ?? none) : typeOf(c, node.then, place)
  const otherwise = typeOf(c, node.otherwise, place)
  return branches(c, node, then, otherwise, true)
}

function branches(c: CheckContext, node: Expression, left: Type, right: Type, ternary: boolean): Type {
  const [a, b] = [asNumber(left), asNumber(right)]
  if (a.kind === 'none') return b
  if (b.kind === 'none') return a
  if (a.kind === 'void' || b.kind === 'void') {
    if (a.kind === b.kind || !ternary) return { kind: 'void' }
    c.error(`Branches must return the same type: have '${typeName(a)}' and '${typeName(b)}'`, node.span)
    return { kind: 'void' }
  }
  const merged = mergeTypes(a, b)
  if (merged === null) {
    c.error(`Branches must return the same type: have '${typeName(a)}' and '${typeName(b)}'`, node.span)
    return a
  }
  if (merged.lossy) {
    c.warn(`Branches have signed and unsigned types '${typeName(a)}' and '${typeName(b)}'; the value is int64`, node.span)
  }
  if (ternary && (merged.type.kind === 'struct' || merged.type.kind === 'stack')) {
    c.error(`Ternary return type unsupported: ${typeName(merged.type)}`, node.span)
  }
  return merged.type.kind === 'int' && merged.type.range !== undefined ? merged.type : merged.type
}

function ifType(c: CheckContext, node: Of<'if'>, place: Place): Type {
  if (node.condition.kind === 'comptime') {
    const taken = decide(c, node)
    if (taken === null) return none
    const branch = taken ? node.then : node.otherwise
    return branch === null ? { kind: 'void' } : typeOf(c, branch, place)
  }
  checkCondition(c, node.condition, 'if')
  const then = typeOf(c, node.then, place)
  const otherwise = node.otherwise === null ? { kind: 'void' } as Type : typeOf(c, node.otherwise, place)
  if (node.otherwise === null || place.unused) return { kind: 'void' }
  return branches(c, node, then, otherwise, false)
}

/** Conditions are numbers, booleans, pointers, or counts that can be read as numbers. */
export function checkCondition(c: CheckContext, node: Expression, what: string): void {
  const type = valueType(c, node)
  if (isIntLike(type) || type.kind === 'pointer' || type.kind === 'none' || type.kind === 'ksym' || type.kind === 'usym') return
  if (type.kind === 'string' && node.kind === 'string') return
  c.error(`Invalid condition in ${what}(): ${typeName(type)}`, node.span)
}

function fieldType(c: CheckContext, node: Of<'field'>): Type {
  const operand = node.operand
  let type = typeOf(c, operand)
  if (operand.kind === 'typeinfo') return { kind: 'string', size: 64 }
  if (type.kind === 'none') return none
  if (type.kind === 'record') {
    const field = type.fields.find(({ name }) => name === node.name)
    if (field === undefined) {
      c.error(`Record does not contain a field named '${node.name}'`, node.span)
      return none
    }
    return field.type
  }
  if (type.kind === 'pointer') type = type.to
  if (type.kind !== 'struct') {
    c.error(`Can not access field '${node.name}' on expression of type '${typeName(type)}'`, node.span)
    return none
  }
  const field = type.definition.field(node.name)
  if (field === undefined) {
    c.error(
      `${type.definition.union ? 'union' : 'struct'} ${type.definition.name} does not contain a field named '${node.name}'`, node.span,
    )
    return none
  }
  return field.type
}

function tupleField(c: CheckContext, node: Expression, type: Type, index: number): Type {
  if (type.kind === 'none') return none
  if (type.kind !== 'tuple') {
    c.error(`Can not access index ${index} on expression of type '${typeName(type)}'`, node.span)
    return none
  }
  const element = type.elements[index]
  if (element === undefined) {
    c.error(`Invalid tuple index: ${index}. Found ${type.elements.length} elements in tuple.`, node.span)
    return none
  }
  return element
}

function indexType(c: CheckContext, node: Of<'index'>): Type {
  const type = typeOf(c, node.operand)
  const index = valueType(c, node.index)
  if (type.kind === 'none') return none
  if (type.kind === 'tuple') {
    if (node.index.kind === 'integer') return tupleField(c, node, type, Number(node.index.value))
    c.error('Tuples are indexed by literals only', node.index.span)
    return none
  }
  if (index.kind !== 'none' && (!isIntLike(index) || (index.kind === 'int' && index.signed && !(index.range !== undefined && index.range.least >= 0n)))) {
    c.error(
      `The array index operator [] only accepts positive (unsigned) integer indices. Got: ${typeName(index)}.`, node.index.span,
    )
  }
  const constant = node.index.kind === 'integer' ? node.index.value : null
  switch (type.kind) {
    case 'array': case 'string': case 'buffer': {
      const length = type.kind === 'array' ? type.length : type.size
      if (constant !== null && (constant < 0n || constant >= BigInt(length)) && length > 0) {
        c.error(`the index ${constant} is out of bounds for array of size ${length}`, node.span)
      }
      return type.kind === 'array' ? type.element : int(8, true)
    }
    case 'pointer':
      if (type.to.kind === 'void' || sizeOf(type.to) === 0) {
        c.error(`The array index operator [] can only be used on arrays and pointers, found ${typeName(type)}.`, node.span)
        return none
      }
      return type.to
    default:
      c.error(`The array index operator [] can only be used on arrays and pointers, found ${typeName(type)}.`, node.span)
      return none
  }
}

/** The type that something written means, types and values alike. */
export function operandType(c: CheckContext, operand: Expression | TypeNode): Type {
  if (isTypeNode(operand)) return writtenType(c, operand)
  if (operand.kind === 'identifier') {
    const name = plainName(operand.name)
    if (builtinNamed(name) === undefined && c.store.enumerator(name) === undefined) {
      const type = c.store.typedef(operand.name)
      if (type !== undefined) return type
    }
  }
  return typeOf(c, operand)
}

export function writtenType(c: CheckContext, node: TypeNode): Type {
  const type = resolveType(node, c.store, (inner) => operandType(c, inner.operand))
  if (type !== null) return type
  c.error(`Cannot resolve unknown type "${nameOf(node)}"`, node.span)
  return none
}

function nameOf(node: TypeNode): string {
  switch (node.kind) {
    case 'named': return node.tag === undefined ? node.name : `${node.tag} ${node.name}`
    case 'pointer': return `${nameOf(node.to)}*`
    case 'array': return `${nameOf(node.element)}[]`
    default: return node.kind === 'sized' ? node.name : 'typeof'
  }
}

function sizeofType(c: CheckContext, node: Of<'sizeof'>): Type {
  const type = operandType(c, node.operand)
  if (type.kind === 'none') return u64
  const size = !isTypeNode(node.operand) && node.operand.kind === 'integer' && node.operand.enum !== undefined ? 8 : sizeOf(type)
  sizes.set(node, BigInt(size))
  return literalSize(size)
}

/** What typeinfo was asked about. */
export const typeinfos = new WeakMap<object, Type>()

/** Values of sizeof, offsetof and typeinfo, worked out by the checker. */
export const sizes = new WeakMap<object, bigint>()

function literalSize(size: number): Type {
  return { ...u64, range: { least: BigInt(size), most: BigInt(size) } }
}

function offsetofType(c: CheckContext, node: Of<'offsetof'>): Type {
  let type = operandType(c, node.operand)
  if (node.operand.kind === 'block') c.error('offsetof takes a type or a plain expression', node.operand.span)
  let offset = 0
  for (const name of node.path) {
    if (type.kind === 'none') return u64
    if (type.kind !== 'struct') {
      c.error(`'${typeName(type)}' is not a struct: it has no field '${name}'`, node.span)
      return u64
    }
    const field = type.definition.field(name)
    if (field === undefined) {
      c.error(`'struct ${type.definition.name}' has no field named '${name}'`, node.span)
      return u64
    }
    offset += field.offset
    type = field.type
  }
  sizes.set(node, BigInt(offset))
  return literalSize(offset)
}

function typeinfoType(c: CheckContext, node: Of<'typeinfo'>): Type {
  const gate = c.config.unstable_typeinfo
  if (gate === 'error') {
    c.error(
      'typeinfo is not enabled by default. To enable this unstable feature, set the config flag to enable. unstable_typeinfo=enable', node.span,
    )
  }
  const type = operandType(c, node.operand)
  if (c.reporting) typeinfos.set(node, type)
  if (type.kind === 'none' && c.reporting) c.error('Unable to determine the type for typeinfo', node.span)
  return {
    kind: 'record', fields: [
      { name: 'btf_id', type: u64 }, {
        name: 'base_type', type: { kind: 'string', size: 64 },
      }, { name: 'full_type', type: { kind: 'string', size: 64 } },
    ],
  }
}
