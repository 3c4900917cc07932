import type { Value } from '../../compiler/ir/ir.ts'
import type { MapInfo } from '../check/context.ts'
import type { Expression, Of } from '../syntax/ast.ts'
import { asNumber, type Type } from '../types/type.ts'
import { plainName } from '../check/functions.ts'
import { number, register } from './expression.ts'
import { address, keyPlace, keySize, lookup, update, valueSize, whenFound } from './map-access.ts'
import { storeAs, zero, type Place } from './memory.ts'
import type { Operand } from './operand.ts'
import { bucketOf, linearBucket } from './buckets.ts'
import { series } from './series.ts'
import type { ProgramWriter } from './program-writer.ts'
import { pointerType, word } from './writer.ts'

/** `@m[k] = count()` and the like: each CPU changes its own value, so nothing is lost and nothing is locked. */
export function assignAggregate(p: ProgramWriter, info: MapInfo, key: Expression | null, call: Of<'call'>): void {
  const { f } = p
  const fn = plainName(call.name)
  const value = call.args[0] === undefined ? null : number(p, call.args[0])
  switch (fn) {
    case 'count': return change(p, info, keyPlace(p, info, key), [f.number(1)], (entry) => add(p, entry, 0, f.number(1)))
    case 'sum': return change(p, info, keyPlace(p, info, key), [value!], (entry) => add(p, entry, 0, value!))
    case 'avg': case 'stats':
      return change(p, info, keyPlace(p, info, key), [value!, f.number(1)], (entry) => {
        add(p, entry, 0, value!)
        add(p, entry, 8, f.number(1))
      })
    case 'min': case 'max':
      return change(p, info, keyPlace(p, info, key), [value!, f.number(1)], (entry) => extreme(p, info, entry, value!, fn))
    case 'hist': {
      const bits = Number((info.value as Type & { kind: 'aggregate' }).options[0] ?? 0n)
      return change(
        p, info, keyPlace(p, info, key, bucketOf(p, value!, bits)), [f.number(1)], (entry) => add(p, entry, 0, f.number(1)),
      )
    }
    case 'lhist': {
      const [least, most, step] = (info.value as Type & { kind: 'aggregate' }).options as [bigint, bigint, bigint]
      return change(
        p, info, keyPlace(
          p, info, key, linearBucket(p, value!, least, most, step),
        ), [f.number(1)], (entry) => add(p, entry, 0, f.number(1)),
      )
    }
    case 'tseries': return series(p, info, key, value!)
  }
}

function add(p: ProgramWriter, entry: Value, offset: number, value: Value): void {
  p.f.store(entry, offset, 8, p.f.binary('add', p.f.load(entry, offset, 8), value))
}

function extreme(p: ProgramWriter, info: MapInfo, entry: Value, value: Value, fn: 'min' | 'max'): void {
  const { f } = p
  const signed = info.value.kind === 'aggregate' && info.value.signed
  const set = () => {
    f.store(entry, 0, 8, value)
    f.store(entry, 8, 8, f.number(1))
  }
  f.when('eq', f.load(entry, 8, 8), f.number(0), set, () => {
    const old = f.load(entry, 0, 8)
    f.when(fn === 'min' ? (signed ? 'slt' : 'lt') : signed ? 'sgt' : 'gt', value, old, set)
  })
}

/** Changes the entry in place, or adds one with these words. */
export function change(p: ProgramWriter, info: MapInfo, key: Place, first: readonly Value[], there: (entry: Value) => void): void {
  const { f } = p
  whenFound(p, lookup(p, info, key), there, () => {
    const place = p.temporary(valueSize(info), 'value')
    zero(p, place, valueSize(info))
    first.forEach((value, index) => f.store(place.base, place.offset + index * 8, 8, value))
    // A race with another CPU leaves the other's entry in place (NOEXIST), and this one is tried again.
    update(p, info, key, place, f.number(0))
  })
}

/** An aggregate read as one number: the sum over all CPUs, or the extreme. */
export function readAggregate(p: ProgramWriter, info: MapInfo, key: Place): Operand {
  const { f } = p
  const type = info.value as Type & { kind: 'aggregate' }
  const cpus = p.generation.options.environment.cpus
  const total = f.slot(16, 'total')
  const base = f.stack(total)
  f.store(base, 0, 8, f.number(0))
  f.store(base, 8, 8, f.number(0))
  const index = f.value(word)
  const head = f.block(index)
  const body = f.block()
  const end = f.block()
  f.jump(head, f.number(0))
  f.start(head)
  f.branch('lt', index, f.number(cpus), body, end)
  f.start(body)
  const found = f.call('map_lookup_percpu_elem', [f.map(info.name), address(p, key), index], pointerType('mapValue', true))
  const next = f.block()
  const there = f.block()
  f.branch('ne', found, f.number(0), there, next)
  f.start(there)
  const entry = f.value(pointerType('mapValue'))
  f.add({ op: 'refine', out: entry, value: found, span: f.span })
  merge(p, type, entry, f.stack(total))
  f.jump(next)
  f.start(next)
  f.jump(head, f.binary('add', index, f.number(1)))
  f.start(end)
  const sum = f.load(f.stack(total), 0, 8)
  if (type.fn !== 'avg') return register(sum, asNumber(type))
  const count = f.load(f.stack(total), 8, 8)
  const divided = f.choose('ne', count, f.number(0), () => signedQuotient(p, sum, count, type.signed), () => f.number(0))
  return register(divided, asNumber(type))
}

function signedQuotient(p: ProgramWriter, sum: Value, count: Value, signed: boolean): Value {
  const { f } = p
  if (!signed) return f.binary('div', sum, count)
  return f.choose(
    'slt', sum, f.number(0), () => f.negate(f.binary('div', f.negate(sum), count)), () => f.binary('div', sum, count),
  )
}

function merge(p: ProgramWriter, type: Type & { kind: 'aggregate' }, entry: Value, total: Value): void {
  const { f } = p
  if (type.fn === 'count' || type.fn === 'sum') return add(p, total, 0, f.load(entry, 0, 8))
  if (type.fn === 'avg' || type.fn === 'stats') {
    add(p, total, 0, f.load(entry, 0, 8))
    return add(p, total, 8, f.load(entry, 8, 8))
  }
  f.when('ne', f.load(entry, 8, 8), f.number(0), () => {
    const value = f.load(entry, 0, 8)
    const set = () => {
      f.store(total, 0, 8, value)
      f.store(total, 8, 8, f.number(1))
    }
    const less = type.fn === 'min' ? (type.signed ? 'slt' : 'lt') : type.signed ? 'sgt' : 'gt'
    f.when('eq', f.load(total, 8, 8), f.number(0), set, () => f.when(less, value, f.load(total, 0, 8), set))
  })
}

export { keySize, storeAs }
