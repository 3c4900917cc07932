import type { Span } from '../source.ts'
import type { Expression } from '../syntax/ast.ts'
import { mergeTypes } from '../types/merge.ts'
import { asNumber, holds, isCastableAggregate, none, sameType, typeName, type Type } from '../types/type.ts'
import type { CheckContext, MapInfo, VariableInfo } from './context.ts'
import { shown, typeOf } from './expressions.ts'

/** A use of a map with a key, or without one; the key's type grows with what it is used with. */
export function useMap(c: CheckContext, name: string, span: Span, key: Expression | null): MapInfo {
  const info = c.map(name, span)
  if (key === null) {
    if (info.key === null) return info
    if (info.key.kind !== 'none') {
      c.error(
        `${name} used as a map without an explicit key (scalar map), previously used with an explicit key (non-scalar map)`, span,
      )
      return info
    }
    info.key = null
    c.changed = true
    return info
  }
  const type = keyType(c, key)
  if (info.key === null) {
    c.error(
      `${name} used as a map with an explicit key (non-scalar map), previously used without an explicit key (scalar map)`, span,
    )
    return info
  }
  growKey(c, info, type, span)
  return info
}

export function keyType(c: CheckContext, key: Expression): Type {
  const type = asNumber(typeOf(c, key))
  if (type.kind === 'aggregate') c.error(`${typeName(type)} cannot be used as a map key`, key.span)
  if (type.kind === 'void') c.error('A map key must be a value', key.span)
  return type
}

export function growKey(c: CheckContext, info: MapInfo, type: Type, span: Span): void {
  if (type.kind === 'none' || info.key === null) return
  const merged = mergeTypes(info.key, type)
  if (merged === null) {
    c.error(
      `Argument mismatch for ${info.name}: trying to access with arguments: '${typeName(type)}' when map expects arguments: '${typeName(info.key)}'`, span,
    )
    return
  }
  if (merged.lossy) {
    c.warn(`Map key types for ${info.name} have different signs: '${typeName(info.key)}' and '${typeName(type)}'`, span)
  }
  if (sameType(merged.type, info.key)) return
  if (info.keyLocked && typeName(merged.type) !== typeName(info.key)) locked(c, info.name, span)
  info.key = merged.type
  c.changed = true
}

function locked(c: CheckContext, name: string, span: Span): void {
  c.diagnostics.error(`Type of ${name} was used at compile time and cannot change afterwards`, span)
}

/** Something of the type goes into the map's value. */
export function assignType(c: CheckContext, info: MapInfo, type: Type, at: { span: Span }): void {
  if (type.kind === 'none') return
  const merged = mergeTypes(info.value, type)
  if (merged === null) {
    c.error(
      `Type mismatch for ${info.name}: trying to assign value of type '${typeName(type)}' when map already has a type '${typeName(info.value)}'`, at.span,
    )
    return
  }
  if (merged.lossy) {
    c.warn(
      `Integer type mismatch for ${info.name}: '${typeName(info.value)}' and '${typeName(type)}'; values are stored as int64`, at.span,
    )
  }
  if (sameType(merged.type, info.value)) return
  if (info.valueLocked && typeName(merged.type) !== typeName(info.value)) locked(c, info.name, at.span)
  info.value = merged.type
  c.changed = true
}

/** Something of the type goes into the variable: it must fit a declared type, and widens an inferred one. */
export function assignVariableType(c: CheckContext, info: VariableInfo, type: Type, at: { span: Span; value?: Expression }): void {
  if (type.kind === 'none') return
  if (info.declared !== null && info.declared.kind !== 'none') return fitDeclared(c, info, type, at)
  const merged = mergeTypes(info.type, type)
  if (merged === null) {
    c.error(
      `Type mismatch for ${shown(info.name)}: trying to assign value of type '${typeName(type)}' when variable already has a type '${typeName(info.type)}'`, at.span,
    )
    return
  }
  if (merged.lossy) {
    c.warn(
      `Integer type mismatch for ${shown(info.name)}: '${typeName(info.type)}' and '${typeName(type)}'; it is an int64`, at.span,
    )
  }
  if (sameType(merged.type, info.type)) return
  if (info.locked && typeName(merged.type) !== typeName(info.type)) locked(c, info.name, at.span)
  info.type = merged.type
  c.changed = true
}

function fitDeclared(c: CheckContext, info: VariableInfo, type: Type, at: { span: Span }): void {
  const to = info.declared!
  const refuse = () => c.error(
    `Type mismatch for ${shown(info.name)}: trying to assign value of type '${typeName(type)}' when variable already has a type '${typeName(to)}'`, at.span,
  )
  if (to.kind === 'int') {
    if (type.kind !== 'int' && type.kind !== 'bool' && type.kind !== 'enum') return refuse()
    if (type.kind === 'int' && type.range !== undefined ? !holds(to, type.range) : type.kind === 'int' && type.bits > to.bits) {
      return c.error(
        `Type mismatch for ${shown(info.name)}: trying to assign value of type '${typeName(type)}' which does not fit into '${typeName(to)}'`, at.span,
      )
    }
    return
  }
  if (to.kind === 'string' && type.kind === 'string') {
    // `let $x : string` is as long as it has to be.
    if (info.type.kind === 'string' && to.size === 0) {
      if (type.size > info.type.size) {
        info.type = type
        c.changed = true
      }
      return
    }
    return type.size > to.size ? refuse() : undefined
  }
  if (to.kind === 'pointer' && (type.kind === 'pointer' || type.kind === 'int')) return
  const merged = mergeTypes(to, type)
  if (merged === null || (typeName(merged.type) !== typeName(to) && type.kind !== 'tuple' && type.kind !== 'record')) refuse()
}

/** A count that is copied must be read as a number first, unless the target is one already. */
export function copied(c: CheckContext, type: Type, target: Type, span: Span, what: string): Type {
  if (type.kind !== 'aggregate') return type
  if (isCastableAggregate(type) && (target.kind === 'int' || what === 'variable')) return asNumber(type)
  if (isCastableAggregate(type) && target.kind === 'none' && !c.reporting) return none
  c.error(`Map value '${typeName(type)}' cannot be assigned from one map to another. The function that returns this type must be called directly e.g. \`@x = ${type.fn}(${type.fn === 'count' ? '' : 'arg'});\`.`, span,
    isCastableAggregate(type) ? `Add a cast to integer if you want the value of the aggregate, e.g. \`@x = (int64)@y;\`.` : undefined)
  return none
}
