import type { MapInfo } from '../check/context.ts'
import { sizeOf, type Type } from '../types/type.ts'
import { decode, integer, type StringLimit, type Value } from './value.ts'

/** Raw entries of a map: keys one after the other; values with one part a CPU for per-CPU maps. */
export interface RawMap { count: number; keySize: number; keys: Uint8Array; valueStride: number; values: Uint8Array; /** Parts a value has, and their distance. */ cpus: number; cpuStride: number }

export type MapValue =
  | { kind: 'value'; value: Value }
  | { kind: 'number'; value: bigint }
  | { kind: 'stats'; count: bigint; total: bigint; average: bigint }
  | { kind: 'buckets'; counts: Map<number, bigint> }
  | { kind: 'series'; points: { epoch: bigint; value: bigint }[] }

export interface MapEntry { key: Value | null; value: MapValue }
export interface MapData { name: string; type: Type; entries: MapEntry[] }

/** Everything in a map, decoded and sorted as it is printed: by value, the largest last. */
export function readMapData(info: MapInfo, raw: RawMap, limit: StringLimit): MapData {
  const keys = new DataView(raw.keys.buffer, raw.keys.byteOffset, raw.keys.byteLength)
  const values = new DataView(raw.values.buffer, raw.values.byteOffset, raw.values.byteLength)
  const type = info.value
  const buckets = type.kind === 'aggregate' && (type.fn === 'hist' || type.fn === 'lhist' || type.fn === 'tseries')
  const entries: MapEntry[] = []
  const groups = new Map<string, MapEntry>()
  for (let index = 0; index < raw.count; index++) {
    const keyAt = index * raw.keySize
    const key = info.key === null ? null : decode(keys, keyAt, info.key, limit)
    const valueAt = index * raw.valueStride
    if (!buckets) {
      entries.push({
        key, value: type.kind === 'aggregate' ? aggregate(values, valueAt, raw, type) : {
          kind: 'value', value: decode(values, valueAt, type, limit),
        },
      })
      continue
    }
    const name = Buffer.from(raw.keys.subarray(keyAt, keyAt + raw.keySize - 8)).toString('latin1')
    const fn = (type as Type & { kind: 'aggregate' }).fn
    let group = groups.get(name)
    if (group === undefined) {
      groups.set(
        name, (group = {
          key, value: fn === 'tseries' ? { kind: 'series', points: [] } : { kind: 'buckets', counts: new Map() },
        }),
      )
    }
    const bucket = Number(keys.getBigUint64(keyAt + raw.keySize - 8, true))
    if (group.value.kind === 'buckets') group.value.counts.set(bucket, sum(values, valueAt, raw, 0))
    else if (group.value.kind === 'series') point(group.value.points, values, valueAt, raw, type as Type & { kind: 'aggregate' })
  }
  entries.push(...groups.values())
  return { name: info.name, type, entries: sorted(entries) }
}

function sum(values: DataView, at: number, raw: RawMap, offset: number): bigint {
  let total = 0n
  for (let cpu = 0; cpu < raw.cpus; cpu++) total = BigInt.asIntN(
    64, total + values.getBigInt64(at + cpu * raw.cpuStride + offset, true),
  )
  return total
}

function aggregate(values: DataView, at: number, raw: RawMap, type: Type & { kind: 'aggregate' }): MapValue {
  const shown = (value: bigint): MapValue => ({ kind: 'number', value: type.signed ? value : BigInt.asUintN(64, value) })
  switch (type.fn) {
    case 'count': case 'sum': return shown(sum(values, at, raw, 0))
    case 'avg': case 'stats': {
      const [total, count] = [sum(values, at, raw, 0), sum(values, at, raw, 8)]
      const whole = type.signed ? total : BigInt.asUintN(64, total)
      const average = count === 0n ? 0n : whole / count
      return type.fn === 'avg' ? { kind: 'number', value: average } : { kind: 'stats', count, total: whole, average }
    }
    default: return shown(extreme(values, at, raw, type))
  }
}

function extreme(values: DataView, at: number, raw: RawMap, type: Type & { kind: 'aggregate' }): bigint {
  let found: bigint | null = null
  for (let cpu = 0; cpu < raw.cpus; cpu++) {
    const from = at + cpu * raw.cpuStride
    if (values.getBigUint64(from + 8, true) === 0n) continue
    const value = integer(values, from, 64, type.signed)
    if (found === null || (type.fn === 'min' ? value < found : value > found)) found = value
  }
  return found ?? 0n
}

/** One interval of a series, put together from all CPUs; those that saw an older round of it do not count. */
function point(points: { epoch: bigint; value: bigint }[], values: DataView, at: number, raw: RawMap, type: Type & { kind: 'aggregate' }): void {
  const parts = Array.from({ length: raw.cpus }, (_, cpu) => at + cpu * raw.cpuStride)
    .map((from) => ({
      epoch: values.getBigUint64(from, true), value: integer(values, from + 8, 64, type.signed), extra: values.getBigUint64(from + 16, true),
    }))
    .filter(({ epoch }) => epoch > 0n)
  const newest = parts.reduce((most, { epoch }) => (epoch > most ? epoch : most), 0n)
  const same = parts.filter(({ epoch }) => epoch === newest)
  if (same.length === 0) return
  points.push({ epoch: newest, value: combine(same, type.merge ?? 'last') })
}

function combine(parts: { value: bigint; extra: bigint }[], merge: string): bigint {
  const values = parts.map(({ value }) => value)
  switch (merge) {
    case 'min': return values.reduce((a, b) => (b < a ? b : a))
    case 'max': return values.reduce((a, b) => (b > a ? b : a))
    case 'sum': return values.reduce((a, b) => a + b)
    case 'avg': return values.reduce((a, b) => a + b) / parts.reduce((all, { extra }) => all + extra, 0n)
    default: return parts.reduce((a, b) => (b.extra > a.extra ? b : a)).value
  }
}

function sorted(entries: MapEntry[]): MapEntry[] {
  return entries.sort((a, b) => compareValues(a.value, b.value) || compareKeys(a.key, b.key))
}

function weight(value: MapValue): bigint | null {
  switch (value.kind) {
    case 'number': return value.value
    case 'stats': return value.average
    case 'buckets': return [...value.counts.values()].reduce((all, one) => all + one, 0n)
    case 'series': return null
    case 'value': return value.value.kind === 'int' || value.value.kind === 'enum' || value.value.kind === 'pointer' ? value.value.value : null
  }
}

function compareValues(a: MapValue, b: MapValue): number {
  const [x, y] = [weight(a), weight(b)]
  return x === null || y === null ? 0 : x < y ? -1 : x > y ? 1 : 0
}

/** Numbers by size, texts by their letters, the rest element by element. */
export function compareKeys(a: Value | null, b: Value | null): number {
  if (a === null || b === null) return 0
  if ((a.kind === 'int' || a.kind === 'pointer' || a.kind === 'enum') && 'value' in b && typeof b.value === 'bigint') {
    return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
  }
  if (a.kind === 'string' && b.kind === 'string') return a.value < b.value ? -1 : a.value > b.value ? 1 : 0
  if ((a.kind === 'tuple' || a.kind === 'array') && (b.kind === 'tuple' || b.kind === 'array')) {
    for (const [index, element] of a.elements.entries()) {
      const order = compareKeys(element, b.elements[index] ?? null)
      if (order !== 0) return order
    }
  }
  if (a.kind === 'fields' && b.kind === 'fields') {
    for (const [index, [, field]] of a.fields.entries()) {
      const order = compareKeys(field, b.fields[index]?.[1] ?? null)
      if (order !== 0) return order
    }
  }
  return 0
}

export { sizeOf }
