import type { Value } from '../../compiler/ir/ir.ts'
import { sizes, typeinfos } from '../check/expressions.ts'
import { plainName } from '../check/functions.ts'
import type { Block, Expression, Of } from '../syntax/ast.ts'
import { asNumber, i64, int, layOut, pointerTo, sizeOf, typeName, u64, type AddressSpace, type Type } from '../types/type.ts'
import { binary, step, unary } from './arithmetic.ts'
import { builtin } from './builtin.ts'
import { call } from './call.ts'
import { fieldOf } from './field.ts'
import { readMap } from './map-access.ts'
import { effective, storeAs, toMemory, toRegister, type Place } from './memory.ts'
import type { Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { statements } from './statement.ts'
import { word } from './writer.ts'

const nothing: Operand = { kind: 'void' }

/** The code of an expression, and where its value is afterwards. */
export function expression(p: ProgramWriter, node: Expression): Operand {
  p.at(node.span)
  const type = node.type ?? { kind: 'none' }
  switch (node.kind) {
    case 'integer': return register(p.f.number(node.value), type)
    case 'string': return { kind: 'literal', text: node.value, type }
    case 'bool': return register(p.f.number(node.value ? 1 : 0), type)
    case 'positional': case 'positionalCount': return register(p.f.number(0), type)
    case 'identifier': return builtin(p, plainName(node.name), node)
    case 'variable': return readVariable(p, node)
    case 'map': return readMap(p, node.name, null)
    case 'mapAccess': return readMap(p, node.map, node.key)
    case 'call': return call(p, node)
    case 'unary': return node.operator === '++' || node.operator === '--' ? step(p, node) : unary(p, node)
    case 'binary': return binary(p, node)
    case 'ternary': return ternary(p, node)
    case 'field': return fieldOf(p, node)
    case 'tupleField': return element(p, expression(p, node.operand), node.index)
    case 'index': return indexed(p, node)
    case 'cast': return cast(p, node)
    case 'tuple': return { kind: 'parts', parts: node.elements.map((one) => fixed(p, expression(p, one))), type }
    case 'record': return { kind: 'parts', parts: node.fields.map(({ value }) => fixed(p, expression(p, value))), type }
    case 'sizeof': case 'offsetof': return register(p.f.number(sizes.get(node) ?? 0n), type)
    case 'typeinfo': return typeinfo(p, node)
    case 'typeof': return nothing
    case 'comptime': return expression(p, node.operand)
    case 'block': return block(p, node)
    case 'if': return conditional(p, node)
  }
}

/** What is known of a type, as texts. */
function typeinfo(p: ProgramWriter, node: Of<'typeinfo'>): Operand {
  const type = typeinfos.get(node) ?? { kind: 'none' }
  const text = (value: string): Operand => ({ kind: 'literal', text: value, type: { kind: 'string', size: 64 } })
  return {
    kind: 'parts', parts: [
      register(p.f.number(0), u64), text(type.kind), text(typeName(type)),
    ], type: node.type ?? { kind: 'none' },
  }
}

export function register(value: Value, type: Type): Operand {
  return { kind: 'register', value, type }
}

/** Parts of a tuple are computed in order, and what later parts could change is taken now. */
function fixed(p: ProgramWriter, operand: Operand): Operand {
  if (operand.kind === 'remote' && isScalar(operand.type)) return register(toRegister(p, operand), operand.type)
  return operand
}

export function number(p: ProgramWriter, node: Expression): Value {
  return toRegister(p, expression(p, node))
}

function readVariable(p: ProgramWriter, node: Of<'variable'>): Operand {
  const info = p.generation.checked.variables.get(node)
  if (info === undefined) return register(p.f.number(0), node.type ?? u64)
  const home = p.home(info)
  const { type } = info
  if (home.in === 'frame') return register(p.loadShared(home.offset), type)
  const memory: Operand = { kind: 'memory', base: p.scratch, offset: home.offset, type }
  return isScalar(type) ? register(toRegister(p, memory), type) : memory
}

export function storeVariable(p: ProgramWriter, node: object, operand: Operand): void {
  const info = p.generation.checked.variables.get(node)
  if (info === undefined || info.type.kind === 'none') return
  const home = p.home(info)
  if (home.in === 'frame') p.storeShared(home.offset, toRegister(p, operand))
  else storeAs(p, operand, { base: p.scratch, offset: home.offset }, info.type, true)
}

/** The address of a variable's own memory, for `&$x`. */
export function variableAddress(p: ProgramWriter, node: Of<'variable'>): Value {
  const info = p.generation.checked.variables.get(node)!
  const home = p.home(info)
  const { f } = p
  if (home.in === 'scratch') return f.retype(f.offset(p.scratch, home.offset), word)
  return f.retype(f.offset(p.sharedAddress(), home.offset), word)
}

/** Truth of a condition as 0 or not 0. */
export function condition(p: ProgramWriter, node: Expression): Value {
  if (node.kind === 'string') return p.f.number(node.value === '' ? 0 : 1)
  const operand = expression(p, node)
  if (operand.kind === 'memory' && operand.type.kind === 'usym') return p.f.load(operand.base, operand.offset, 8)
  return toRegister(p, operand)
}

function ternary(p: ProgramWriter, node: Of<'ternary'>): Operand {
  const { then, otherwise } = node
  if (then !== null) {
    return branches(
      p, node.type ?? { kind: 'none' }, condition(p, node.condition), () => expression(p, then), () => expression(p, otherwise),
    )
  }
  const value = condition(p, node.condition)
  return branches(
    p, node.type ?? { kind: 'none' }, value, () => register(value, node.condition.type ?? i64), () => expression(p, otherwise),
  )
}

function conditional(p: ProgramWriter, node: Of<'if'>): Operand {
  if (node.condition.kind === 'comptime') {
    // Decided by the checker: only one side has types.
    const taken = node.then.type !== undefined ? node.then : node.otherwise
    return taken === null ? nothing : expression(p, taken)
  }
  const type = node.type ?? { kind: 'none' }
  const value = condition(p, node.condition)
  return branches(
    p, type, value, () => expression(p, node.then), () => (node.otherwise === null ? nothing : expression(p, node.otherwise)),
  )
}

/** A value by one of two ways: in a register, or in memory that both write to. */
function branches(p: ProgramWriter, type: Type, value: Value, then: () => Operand, otherwise: () => Operand): Operand {
  const { f } = p
  if (type.kind === 'void' || type.kind === 'none') {
    f.when('ne', value, f.number(0), () => void p.statement(then), () => void p.statement(otherwise))
    return nothing
  }
  if (isScalar(type)) {
    return register(f.choose('ne', value, f.number(0), () => toRegister(p, then()), () => toRegister(p, otherwise())), type)
  }
  const place = p.temporary(sizeOf(type), 'choice')
  f.when('ne', value, f.number(0), () => storeAs(p, then(), place, type, true), () => storeAs(p, otherwise(), place, type, true))
  return { kind: 'memory', ...place, type }
}

function block(p: ProgramWriter, node: Block): Operand {
  statements(p, node.statements)
  return node.result === null ? nothing : expression(p, node.result)
}

export function element(_p: ProgramWriter, operand: Operand, index: number): Operand {
  if (operand.kind === 'parts') return operand.parts[index]!
  if (operand.kind !== 'memory' || operand.type.kind !== 'tuple') return nothing
  const { elements } = operand.type
  return { kind: 'memory', base: operand.base, offset: operand.offset + layOut(elements).offsets[index]!, type: elements[index]! }
}

function indexed(p: ProgramWriter, node: Of<'index'>): Operand {
  const operand = expression(p, node.operand)
  const type = node.operand.type ?? { kind: 'none' }
  if (type.kind === 'tuple') return element(p, operand, node.index.kind === 'integer' ? Number(node.index.value) : 0)
  const elementType = node.type ?? u64
  const size = sizeOf(elementType)
  const constant = node.index.kind === 'integer' ? Number(node.index.value) : null
  if (type.kind === 'pointer') {
    const base = toRegister(p, operand)
    const offset = constant !== null ? p.f.number(constant * size) : p.f.binary('mul', number(p, node.index), p.f.number(size))
    return remote(p, p.f.binary('add', base, offset), type.space, elementType)
  }
  const length = type.kind === 'array' ? type.length : type.kind === 'string' || type.kind === 'buffer' ? type.size : 0
  if (operand.kind === 'remote') return remoteElement(p, operand, elementType, size, constant, node)
  if (operand.kind === 'context' && constant !== null) {
    return { kind: 'context', offset: operand.offset + constant * size, type: elementType }
  }
  const place = operand.kind === 'memory' ? operand : toMemory(
    p, operand, operand.kind === 'literal' || operand.kind === 'remoteString' ? operand.type : type,
  )
  if (constant !== null) return { kind: 'memory', base: place.base, offset: place.offset + constant * size, type: elementType }
  return ownElement(p, place, elementType, size, length, node)
}

function remoteElement(p: ProgramWriter, operand: Operand & { kind: 'remote' }, type: Type, size: number, constant: number | null, node: Of<'index'>): Operand {
  if (constant !== null) {
    const path = operand.path === null ? null : { root: operand.path.root, steps: [...operand.path.steps, constant] }
    return { ...operand, type, offset: operand.offset + constant * size, path }
  }
  const { f } = p
  const index = number(p, node.index)
  const length = node.operand.type?.kind === 'array' ? node.operand.type.length : 0
  if (length > 0) warnOutside(p, index, length, node)
  return remote(p, f.binary('add', effective(p, operand), f.binary('mul', index, f.number(size))), operand.space, type)
}

/** An element of own memory by an index that is only known when it runs: kept inside. */
function ownElement(p: ProgramWriter, place: Place, type: Type, size: number, length: number, node: Of<'index'>): Operand {
  const { f } = p
  const index = number(p, node.index)
  warnOutside(p, index, length, node)
  const result = p.temporary(Math.max(8, sizeOf(type)), 'element')
  f.store(result.base, result.offset, 8, f.number(0))
  // The address as a number: the kernel reads it without the verifier's bounds.
  const address = f.binary('add', f.retype(f.offset(place.base, place.offset), word), f.binary('mul', index, f.number(size)))
  f.when(
    'lt', index, f.number(length), () => void f.call(
      'probe_read_kernel', [f.offset(result.base, result.offset), f.number(sizeOf(type)), address],
    ),
  )
  return { kind: 'memory', ...result, type }
}

function warnOutside(p: ProgramWriter, index: Value, length: number, node: Of<'index'>): void {
  const { f } = p
  const id = p.generation.event({
    kind: 'runtimeError', message: 'Array access out of bounds. This can lead to unexpected results.', span: node.span,
  })
  f.when('ge', index, f.number(length), () => notify(p, id))
}

/** A record without anything but its number. */
export function notify(p: ProgramWriter, id: number): void {
  const { f } = p
  const slot = f.slot(8, 'record')
  f.store(f.stack(slot), 0, 8, f.number(id))
  f.call('ringbuf_output', [f.map(p.ring()), f.stack(slot), f.number(8), f.number(1)])
}

export function remote(p: ProgramWriter, address: Value, space: AddressSpace, type: Type): Operand {
  const root = type.kind === 'struct' ? type.definition.btfId : null
  return {
    kind: 'remote', address, space: space === 'unknown' ? defaultSpace(p) : space, type, path: root === null ? null : { root, steps: [] }, offset: 0,
  }
}

/** Where a pointer without an origin points: user programs see themselves. */
export function defaultSpace(p: ProgramWriter): AddressSpace {
  switch (p.target.kind) {
    case 'uprobe': case 'uretprobe': case 'usdt': return 'user'
    case 'fentry': case 'fexit': case 'kprobe': case 'kretprobe': case 'iter': case 'rawtracepoint': return 'kernel'
    default: return 'unknown'
  }
}

function cast(p: ProgramWriter, node: Of<'cast'>): Operand {
  const { f } = p
  const to = node.type ?? u64
  const operand = expression(p, node.operand)
  const from = asNumber(node.operand.type ?? { kind: 'none' })
  switch (to.kind) {
    case 'int': case 'enum': {
      const value = from.kind === 'array' || from.kind === 'string' ? bytesAsNumber(p, operand, from) : toRegister(p, operand)
      return register(f.extend(value, to.bits, to.signed), to)
    }
    case 'bool': return register(f.compare('ne', toRegister(p, operand), f.number(0)), to)
    case 'pointer': {
      if (operand.kind === 'memory' && !isScalar(operand.type)) {
        return register(f.retype(f.offset(operand.base, operand.offset), word), pointerTo(to.to, 'own'))
      }
      if (operand.kind === 'literal') return register(toRegister(p, operand), pointerTo(to.to, 'own'))
      return register(toRegister(p, operand), to)
    }
    case 'array': {
      if (operand.kind === 'memory' || operand.kind === 'remote' || operand.kind === 'context') {
        if (!isScalar(operand.type)) return { ...operand, type: to } as Operand
      }
      const place = p.temporary(sizeOf(to), 'array')
      storeAs(p, register(toRegister(p, operand), u64), place, to, true)
      return { kind: 'memory', ...place, type: to }
    }
    case 'string': {
      const place = p.temporary(to.size, 'string')
      storeAs(p, operand, place, to, true)
      return { kind: 'memory', ...place, type: to }
    }
    case 'usym': {
      const place = p.temporary(16, 'usym')
      f.store(place.base, place.offset, 8, toRegister(p, operand))
      f.store(place.base, place.offset + 8, 8, f.binary('shr', f.call('get_current_pid_tgid', []), f.number(32)))
      return { kind: 'memory', ...place, type: to }
    }
    case 'ksym': case 'username': case 'timestamp': return register(toRegister(p, operand), to)
    default: return operand
  }
}

function bytesAsNumber(p: ProgramWriter, operand: Operand, type: Type): Value {
  const size = sizeOf(type)
  const place = p.temporary(8, 'bytes')
  p.f.store(place.base, 0, 8, p.f.number(0))
  storeAs(p, operand, place, { kind: 'array', element: int(8, false), length: Math.min(8, size) }, true)
  return p.f.load(place.base, 0, 8)
}
