import type { Block, Expression, Statement } from '../syntax/ast.ts'
import { asNumber, isIntLike, none, sameType, typeName, voidType, type Type } from '../types/type.ts'
import { mergeTypes } from '../types/merge.ts'
import { builtinNamed } from './builtins.ts'
import type { CheckContext, VariableInfo } from './context.ts'
import { checkCondition, shown, typeOf, valueType, writtenType, type Place } from './expressions.ts'
import { functionNamed, plainName } from './functions.ts'
import { assignType, assignVariableType, copied, useMap } from './map-use.ts'

/** Statements in a scope of their own; the type of the result. */
export function checkBlock(c: CheckContext, block: Block, place: Place = {}): Type {
  return c.scoped(block, () => {
    for (const statement of block.statements) checkStatement(c, statement)
    if (block.result === null) return voidType
    const type = typeOf(c, block.result, place)
    if (place.unused) discarded(c, block.result, type)
    return type
  })
}

export function checkStatement(c: CheckContext, statement: Statement): void {
  switch (statement.kind) {
    case 'expression': {
      const type = typeOf(c, statement.expression, { unused: true })
      return discarded(c, statement.expression, type)
    }
    case 'discard': {
      const type = typeOf(c, statement.value)
      if (type.kind === 'void') c.error('There is no value to discard', statement.value.span)
      return
    }
    case 'declare': return declare(c, statement)
    case 'assignVariable': return assignVariable(c, statement)
    case 'assignMap': return assignMap(c, statement)
    case 'while':
      checkCondition(c, statement.condition, 'while')
      return loop(c, statement.body)
    case 'unroll': return unroll(c, statement)
    case 'forMap': return forMap(c, statement)
    case 'forRange': return forRange(c, statement)
    case 'jump': return jump(c, statement)
    case 'import': {
      if (c.config.unstable_import_statement === 'error') {
        c.error(
          'import statement is not enabled by default. To enable this unstable feature, set the config flag to enable. unstable_import_statement=enable', statement.span,
        )
      }
    }
  }
}

/** A value that nobody takes is most often a mistake. */
function discarded(c: CheckContext, expression: Expression, type: Type): void {
  if (expression.kind !== 'call' && expression.kind !== 'identifier') return
  if (type.kind === 'void' || type.kind === 'none' || type.kind === 'aggregate') return
  const name = plainName(expression.name)
  if (expression.kind === 'call' && functionNamed(name)?.discardable) return
  if (expression.kind === 'identifier' && builtinNamed(name) === undefined) return
  c.warn('Return value discarded.', expression.span)
}

function declare(c: CheckContext, statement: Statement & { kind: 'declare' }): void {
  const info = newVariable(c, statement.name, statement)
  c.variables.set(statement, info)
  if (statement.to !== null) setDeclared(c, info, writtenType(c, statement.to), statement)
}

function newVariable(c: CheckContext, name: string, statement: { span: { start: number; end: number } }): VariableInfo {
  if (c.scopes.at(-1)!.has(name)) c.error(
    `Variable ${shown(name)} was already declared. Variable shadowing is not allowed.`, statement.span,
  )
  else if (c.variable(name) !== undefined) c.error(
    `Variable ${shown(name)} was already declared. Variable shadowing is not allowed.`, statement.span,
  )
  return c.declare(name, none)
}

function setDeclared(c: CheckContext, info: VariableInfo, type: Type, _statement: Statement): void {
  if (type.kind === 'none') return
  if (info.declared !== null && sameType(info.declared, type)) return
  const plain: Type = type.kind === 'int' ? { kind: 'int', bits: type.bits, signed: type.signed } : type
  if (info.declared === null || typeName(info.declared) !== typeName(plain)) c.changed = true
  info.declared = plain
  if (!(info.type.kind === 'string' && plain.kind === 'string' && plain.size === 0)) info.type = plain
}

function assignVariable(c: CheckContext, statement: Statement & { kind: 'assignVariable' }): void {
  const { name, value, operator } = statement
  if (operator !== '=') return compoundVariable(c, statement)
  let info = statement.declared === undefined ? c.variable(name) : undefined
  const type = typeOf(c, value)
  if (statement.declared !== undefined) {
    info = newVariable(c, name, statement)
    if (statement.declared.to !== null) setDeclared(c, info, writtenType(c, statement.declared.to), statement)
  }
  if (info === undefined) {
    c.noteAssigned(name)
    info = c.declare(name, none, c.isHoisted(name))
    if (c.isHoisted(name)) {
      c.warn(
        `Variable ${shown(name)} is used outside of the block that assigns it: declare it before with 'let ${shown(name)}'`, statement.nameSpan,
      )
    }
  }
  c.variables.set(statement, info)
  info.assigned = true
  if (type.kind === 'void') return c.error(`Invalid expression for assignment: ${typeName(type)} has no value`, value.span)
  if (type.kind === 'aggregate' && value.kind === 'call') {
    return c.error(`${value.name}() should be assigned to a map, not to a variable`, value.span)
  }
  assignVariableType(c, info, copied(c, type, info.type, value.span, 'variable'), statement)
}

function compoundVariable(c: CheckContext, statement: Statement & { kind: 'assignVariable' }): void {
  const { name, value, operator } = statement
  const info = c.variable(name)
  if (info === undefined) return c.error(`Undefined or undeclared variable: ${shown(name)}`, statement.nameSpan)
  c.variables.set(statement, info)
  const type = valueType(c, value)
  if (info.type.kind === 'pointer') return pointerCompound(c, operator, info.type, type, statement)
  if (type.kind === 'none') return
  if (!isIntLike(type) || (info.type.kind !== 'none' && !isIntLike(info.type))) {
    return c.error(
      `The ${operator} operator can not be used on expressions of types '${typeName(info.type)}', '${typeName(type)}'`, statement.span,
    )
  }
  // The result may be larger than both sides.
  if (info.declared === null) assignVariableType(c, info, compoundType(info.type, type, operator), statement)
}

function compoundType(target: Type, value: Type, operator: string): Type {
  const unsigned = (type: Type) => type.kind === 'int' && !type.signed
  const literal = (type: Type) => type.kind === 'int' && type.range !== undefined && type.range.least >= 0n
  const signed = operator === '-=' ? !unsigned(target) : !(unsigned(target) && (unsigned(value) || literal(value))) && !(unsigned(value) && literal(target))
  return { kind: 'int', bits: 64, signed }
}

function pointerCompound(c: CheckContext, operator: string, target: Type, value: Type, statement: Statement): void {
  if ((operator === '+=' || operator === '-=') && (isIntLike(value) || value.kind === 'none')) return
  c.error(
    `The ${operator} operator can not be used on expressions of types '${typeName(target)}', '${typeName(value)}'`, statement.span,
  )
}

function assignMap(c: CheckContext, statement: Statement & { kind: 'assignMap' }): void {
  const { target, value, operator } = statement
  const info = target.kind === 'map' ? useMap(c, target.name, target.span, null) : useMap(
    c, target.map, target.mapSpan, target.key,
  )
  if (operator !== '=') {
    const type = valueType(c, value)
    if (info.value.kind === 'pointer') return pointerCompound(c, operator, info.value, type, statement)
    if (info.value.kind === 'aggregate' || !(isIntLike(type) || type.kind === 'none') || !(isIntLike(info.value) || info.value.kind === 'none')) {
      return c.error(
        `The ${operator} operator can not be used on expressions of types '${typeName(info.value)}', '${typeName(type)}'`, statement.span,
      )
    }
    return assignType(c, info, compoundType(info.value, type, operator), statement)
  }
  const type = typeOf(c, value, { aggregate: true })
  target.type = info.value
  if (type.kind === 'void') return c.error(`Map value cannot be of type '${typeName(type)}'`, value.span)
  if (type.kind === 'aggregate') {
    // A call of count() and the like is what makes such a map; another map of the kind is not.
    if (isAggregateCall(value)) return assignType(c, info, type, statement)
    return assignType(c, info, copied(c, type, info.value, value.span, 'map'), statement)
  }
  if (info.value.kind === 'aggregate' && type.kind !== 'none') {
    return c.error(
      `Type mismatch for ${info.name}: trying to assign value of type '${typeName(type)}' when map already has a type '${typeName(info.value)}'`, statement.span,
    )
  }
  assignType(c, info, type, statement)
}

function isAggregateCall(value: Expression): boolean {
  switch (value.kind) {
    case 'call': return functionNamed(plainName(value.name))?.returns === 'aggregate'
    case 'block': return value.result !== null && isAggregateCall(value.result)
    case 'if': return isAggregateCall(value.then)
    case 'ternary': return value.then !== null && isAggregateCall(value.then)
    default: return false
  }
}

function loop(c: CheckContext, body: Block): void {
  c.loops++
  checkBlock(c, body, { unused: true })
  c.loops--
}

function unroll(c: CheckContext, statement: Statement & { kind: 'unroll' }): void {
  valueType(c, statement.count)
  const { count } = statement
  if (count.kind !== 'integer') c.error('unroll count must be a literal', count.span)
  else if (count.value > 100n) c.error(`unroll maximum value is 100`, count.span)
  else if (count.value < 1n) c.error('unroll minimum value is 1', count.span)
  checkBlock(c, statement.body, { unused: true })
}

function forMap(c: CheckContext, statement: Statement & { kind: 'forMap' }): void {
  const info = c.map(statement.map.name, statement.map.span)
  if (info.key === null) c.error(
    `${info.name} has no explicit keys (scalar map), and cannot be used for iteration`, statement.map.span,
  )
  else if (info.key.kind === 'none') c.error(`Undefined map: ${info.name}`, statement.map.span)
  const value = asNumber(info.value)
  if (value.kind === 'aggregate') c.error(`Loop expression does not support type: ${typeName(value)}`, statement.map.span)
  if (c.variable(statement.variable) !== undefined) {
    c.error(`Loop variable ${shown(statement.variable)} shadows another variable`, statement.variableSpan)
  }
  callback(
    c, statement, info.key === null || info.key.kind === 'none' || value.kind === 'none' ? none : {
      kind: 'tuple', elements: [info.key, value],
    },
  )
}

function forRange(c: CheckContext, statement: Statement & { kind: 'forRange' }): void {
  for (const end of [statement.from, statement.to]) {
    const type = valueType(c, end)
    if (type.kind !== 'none' && type.kind !== 'int') {
      c.error(
        `Loop range requires an integer for the ${end === statement.from ? 'start' : 'end'} value, not ${typeName(type)}`, end.span,
      )
    }
  }
  if (c.variable(statement.variable) !== undefined) {
    c.error(`Loop variable ${shown(statement.variable)} shadows another variable`, statement.variableSpan)
  }
  callback(c, statement, { kind: 'int', bits: 64, signed: true })
}

function callback(c: CheckContext, statement: Statement & { kind: 'forMap' | 'forRange' }, type: Type): void {
  c.scoped(statement, () => {
    const info = c.declare(statement.variable, type)
    info.assigned = true
    if (type.kind !== 'none' && !sameType(info.type, type)) {
      info.type = type
      c.changed = true
    }
    c.variables.set(statement, info)
    c.loops++
    c.callbacks++
    checkBlock(c, statement.body, { unused: true })
    c.callbacks--
    c.loops--
  })
}

function jump(c: CheckContext, statement: Statement & { kind: 'jump' }): void {
  if (statement.jump !== 'return') {
    if (c.loops === 0) c.error(`'${statement.jump}' statement outside of a loop`, statement.span)
    return
  }
  const type = statement.value === null ? voidType : valueType(c, statement.value)
  if (c.subprogram === null) {
    if (type.kind !== 'void' && type.kind !== 'none' && !isIntLike(type) && type.kind !== 'pointer') {
      c.error(`Probes return numbers, not ${typeName(type)}`, statement.span)
    }
    return
  }
  const wanted = writtenType(c, c.subprogram.returns)
  if (type.kind === 'none' || wanted.kind === 'none') return
  const fits = wanted.kind === 'void' || type.kind === 'void' ? wanted.kind === type.kind : fitsReturn(wanted, type)
  if (!fits) {
    c.error(`Function ${c.subprogram.name} is of type ${typeName(wanted)}, cannot return ${typeName(type)}`, statement.span)
  }
}

function fitsReturn(wanted: Type, type: Type): boolean {
  const merged = mergeTypes(wanted, type)
  return merged !== null && !merged.lossy && typeName(merged.type) === typeName(wanted)
}
