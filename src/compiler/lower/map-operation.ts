import type { EsNode } from '../capture/kernel-function.ts'
import { MapDeclaration } from '../language/maps.ts'
import type { IntType, Size, Value } from '../ir/ir.ts'
import { suggest } from '../nearest.ts'
import type { Span } from '../span.ts'
import { convert, toScalar } from './arithmetic.ts'
import { expression } from './expression.ts'
import type { Lowering } from './lowering.ts'
import { mapAddress } from './map-address.ts'
import { call, materialise, ofSchema, scalarType } from './memory.ts'
import { host, I64, pointerTo, U8, U64, type Operand } from './operand.ts'

/** BPF_ANY and BPF_NOEXIST of linux/bpf.h. */
const ANY = 0
const NOEXIST = 1

const signatures: Record<string, readonly string[]> = { get: ['key'], set: ['key', 'value'], delete: ['key'], getOrInsert: ['key'], add: ['key', 'amount'] }

export function mapOperation(l: Lowering, node: EsNode, map: MapDeclaration, method: string): Operand {
  const wanted = Object.hasOwn(signatures, method) ? signatures[method] : undefined
  if (wanted === undefined) {
    return l.fail('SKEP-C09', node.callee.property, `a map has no '${method}' in the kernel`, suggest(method, Object.keys(signatures), `it has ${Object.keys(signatures).join(', ')}`))
  }
  const args = node.arguments as EsNode[]
  if (args.length !== wanted.length) {
    l.fail('SKEP-C07', node, `${method}() takes ${wanted.length} argument${wanted.length === 1 ? '' : 's'}, not ${args.length}`, `write ${method}(${wanted.join(', ')})`)
  }
  const span = l.span(node)
  const key = materialise(l, expression(l, args[0]!), map.key, 'key', l.span(args[0]!))
  switch (method) {
    case 'get': return get(l, map, key, span)
    case 'set': return set(l, map, key, expression(l, args[1]!), span, l.span(args[1]!))
    case 'delete':
      if (map.isArray) l.fail('SKEP-C01', node, 'an array map has all its entries always', 'set the entry to zero')
      call(l, 'map_delete_elem', [mapAddress(l, map, span), key], span)
      return { kind: 'void' }
    case 'getOrInsert': return getOrInsert(l, map, key, span)
    default: return add(l, map, key, expression(l, args[1]!), span)
  }
}

function lookup(l: Lowering, map: MapDeclaration, key: Value, span: Span): Value {
  const out = l.value(pointerTo('mapValue', true))
  call(l, 'map_lookup_elem', [mapAddress(l, map, span), key], span, out)
  return out
}

/** A scalar is copied at once, since the entry may change or go; a struct is used in place. */
function get(l: Lowering, map: MapDeclaration, key: Value, span: Span): Operand {
  const pointer = lookup(l, map, key, span)
  const content = ofSchema(map.value)
  const type = scalarType(l, content)
  if (type === null) return { kind: 'optional', pointer, content, copy: null }
  const found = l.join()
  const missing = l.join()
  const end = l.join()
  l.branch({ operator: 'ne', width: 64, left: pointer, right: l.constant(0, span) }, found, missing, span)
  l.start(found)
  const refined = l.value(pointerTo('mapValue'))
  l.emit({ op: 'refine', out: refined, value: pointer, span })
  const copy = l.value(type)
  l.emit({ op: 'load', out: copy, pointer: refined, offset: 0, size: (type.bits / 8) as Size, signed: type.signed, span })
  const results = new Map([[l.jump(end, span), copy]])
  l.start(missing)
  const nothing = l.constant(0, span, type)
  results.set(l.jump(end, span), nothing)
  l.start(end)
  return { kind: 'optional', pointer, content, copy: l.parameter(end, type, results) }
}

function update(l: Lowering, map: MapDeclaration, key: Value, value: Value, flags: number, span: Span): Value {
  const out = l.value(I64)
  call(l, 'map_update_elem', [mapAddress(l, map, span), key, value, l.constant(flags, span)], span, out)
  return out
}

function set(l: Lowering, map: MapDeclaration, key: Value, value: Operand, span: Span, valueSpan: Span): Operand {
  const stored = materialise(l, value, map.value, 'value', valueSpan)
  const status = update(l, map, key, stored, ANY, span)
  return succeeded(l, status, span)
}

/** Helpers return 0 or a negative errno. */
function succeeded(l: Lowering, status: Value, span: Span): Operand {
  const yes = l.join()
  const no = l.join()
  const end = l.join()
  l.branch({ operator: 'eq', width: 64, left: status, right: l.constant(0, span) }, yes, no, span)
  const results = new Map()
  for (const [side, result] of [[yes, 1], [no, 0]] as const) {
    l.start(side)
    const value = l.constant(result, span, U8)
    results.set(l.jump(end, span), value)
  }
  l.start(end)
  return { kind: 'scalar', value: l.parameter(end, U8, results), type: U8 }
}

/** Looks up; if missing inserts zeros and looks up again, so that two CPUs that race end with the same entry. */
function getOrInsert(l: Lowering, map: MapDeclaration, key: Value, span: Span): Operand {
  const content = ofSchema(map.value)
  const first = lookup(l, map, key, span)
  if (map.isArray) return { kind: 'optional', pointer: first, content, copy: null }
  const found = l.join()
  const missing = l.join()
  const end = l.join()
  l.branch({ operator: 'ne', width: 64, left: first, right: l.constant(0, span) }, found, missing, span)
  l.start(found)
  const results = new Map([[l.jump(end, span), first]])
  l.start(missing)
  const zeros = zeroValue(l, map, span)
  if (zeros !== null) {
    update(l, map, key, zeros.value, NOEXIST, span)
    const second = lookup(l, map, key, span)
    results.set(l.jump(end, span), second)
    if (zeros.missing !== null) {
      l.start(zeros.missing)
      results.set(l.jump(end, span), zeros.template!)
    }
  }
  l.start(end)
  return { kind: 'optional', pointer: l.parameter(end, pointerTo('mapValue', true), results, 'entry'), content, copy: null }
}

/** Values above this many bytes are not zeroed on the 512-byte stack but copied from an array map that nobody writes. */
const LARGE_VALUE = 64
const templates = new WeakMap<MapDeclaration, MapDeclaration>()

function zeroValue(l: Lowering, map: MapDeclaration, span: Span): { value: Value; missing: ReturnType<Lowering['join']> | null; template: Value | null } | null {
  if (map.value.size <= LARGE_VALUE) {
    return { value: materialise(l, { kind: 'aggregate', fields: new Map(), span, spans: new Map() }, emptied(map), 'zeros', span), missing: null, template: null }
  }
  let template = templates.get(map)
  if (template === undefined) {
    template = new MapDeclaration('array', arrayKey, map.value, { maxEntries: 1, name: `${l.context.mapNames.get(map) ?? map.name}_zero` })
    templates.set(map, template)
  }
  const key = materialise(l, host(0), arrayKey, 'zero', span)
  const pointer = lookup(l, template, key, span)
  const there = l.join()
  const missing = l.join()
  l.branch({ operator: 'ne', width: 64, left: pointer, right: l.constant(0, span) }, there, missing, span)
  l.start(there)
  const refined = l.value(pointerTo('mapValue'))
  l.emit({ op: 'refine', out: refined, value: pointer, span })
  return { value: refined, missing, template: pointer }
}

const arrayKey = { kind: 'int', name: 'u32', bits: 32, signed: false, size: 4, align: 4 } as const

/** A struct schema without fields to fill: all zeros. */
function emptied(map: MapDeclaration): MapDeclaration['value'] {
  return { kind: 'struct', name: '', fields: [], size: map.value.size, align: 8 }
}

/** Adds in place: plainly where only this CPU writes, atomically where others may. */
function add(l: Lowering, map: MapDeclaration, key: Value, amount: Operand, span: Span): Operand {
  const type = scalarType(l, ofSchema(map.value))
  if (type === null || type.bits < 32) {
    return l.fail('SKEP-C04', span, 'only maps of u32, u64, i32 or i64 can be added to', 'use getOrInsert() and change the field in place')
  }
  const entry = getOrInsert(l, map, key, span) as Operand & { kind: 'optional' }
  const found = l.join()
  const missing = l.join()
  const end = l.join()
  l.branch({ operator: 'ne', width: 64, left: entry.pointer, right: l.constant(0, span) }, found, missing, span)
  l.start(found)
  const pointer = l.value(pointerTo('mapValue'))
  l.emit({ op: 'refine', out: pointer, value: entry.pointer, span })
  addInPlace(l, map, pointer, convert(l, toScalar(l, amount, span, type), type, span).value, type, span)
  const results = new Map()
  const yes = l.constant(1, span, U8)
  results.set(l.jump(end, span), yes)
  l.start(missing)
  const no = l.constant(0, span, U8)
  results.set(l.jump(end, span), no)
  l.start(end)
  return { kind: 'scalar', value: l.parameter(end, U8, results), type: U8 }
}

function addInPlace(l: Lowering, map: MapDeclaration, pointer: Value, amount: Value, type: IntType, span: Span): void {
  const size = (type.bits / 8) as 4 | 8
  if (!map.perCpu) return l.emit({ op: 'atomicAdd', pointer, offset: 0, size, value: amount, span })
  const old = l.value(type)
  l.emit({ op: 'load', out: old, pointer, offset: 0, size, signed: type.signed, span })
  const sum = l.value(U64)
  l.emit({ op: 'binary', out: sum, operator: 'add', width: 64, left: old, right: amount, span })
  l.emit({ op: 'store', pointer, offset: 0, size, value: sum, span })
}
