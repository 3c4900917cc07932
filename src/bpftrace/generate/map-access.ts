import type { Value } from '../../compiler/ir/ir.ts'
import type { MapSpec } from '../../spec/spec.ts'
import type { MapInfo } from '../check/context.ts'
import { mapTypes } from '../check/map-declarations.ts'
import type { Expression, Of } from '../syntax/ast.ts'
import { asNumber, sizeOf, type Type } from '../types/type.ts'
import { expression, register } from './expression.ts'
import type { Generation } from './generation.ts'
import { copy, storeAs, toMemory, toRegister, zero, type Place } from './memory.ts'
import type { Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'
import { readAggregate } from './aggregate.ts'
import { record } from './record.ts'
import { pointerType, word } from './writer.ts'

const noPrealloc = 1
const largeMap = 1 << 20

/** Bytes of a key; histograms and series have the number of the bucket behind it. */
export function keySize(info: MapInfo): number {
  return (info.key === null ? 8 : Math.max(8, Math.ceil(sizeOf(info.key) / 8) * 8)) + (hasBuckets(info.value) ? 8 : 0)
}

export function hasBuckets(type: Type): boolean {
  return type.kind === 'aggregate' && (type.fn === 'hist' || type.fn === 'lhist' || type.fn === 'tseries')
}

export function valueSize(info: MapInfo): number {
  if (info.value.kind === 'aggregate' && info.value.fn === 'tseries') return 24
  return Math.max(8, Math.ceil(sizeOf(info.value) / 8) * 8)
}

/** The map in the Spec, made at its first use. */
export function useMap(generation: Generation, name: string): MapInfo {
  const info = generation.checked.maps.get(name)!
  if (generation.maps.has(name)) return info
  const aggregate = info.value.kind === 'aggregate'
  const declared = info.declaration?.type
  const lru = declared !== undefined && declared.includes('lru')
  const type: MapSpec['type'] = mapTypes[declared ?? '']?.perCpu ?? aggregate ? (lru ? 'lruPercpuHash' : 'percpuHash') : lru ? 'lruHash' : 'hash'
  const maxEntries = info.key === null && !hasBuckets(info.value) ? 1 : info.declaration?.size ?? Number(generation.checked.config.max_map_keys)
  const [key, value] = [keySize(info), valueSize(info)]
  generation.addMap({
    name, type, keySize: key, valueSize: value, maxEntries, flags: !lru && (key + value) * maxEntries > largeMap ? noPrealloc : 0,
  })
  return info
}

/** The key in memory, padded. `bucket` comes behind it. */
export function keyPlace(p: ProgramWriter, info: MapInfo, key: Expression | null, bucket: Value | null = null): Place {
  const { f } = p
  const size = keySize(info)
  const operand = key === null ? null : expression(p, key)
  const place = p.temporary(size, 'key')
  if (info.key === null || operand === null) f.store(place.base, place.offset, 8, f.number(0))
  else {
    const own = sizeOf(info.key)
    const end = Math.max(8, Math.ceil(own / 8) * 8)
    if (own < end) zero(p, { base: place.base, offset: place.offset + Math.floor(own / 8) * 8 }, end - Math.floor(own / 8) * 8)
    storeAs(p, operand, place, info.key, true)
  }
  if (bucket !== null) f.store(place.base, place.offset + size - 8, 8, bucket)
  return place
}

export function address(p: ProgramWriter, place: Place): Value {
  return p.f.offset(place.base, place.offset)
}

export function lookup(p: ProgramWriter, info: MapInfo, key: Place): Value {
  return p.f.call('map_lookup_elem', [p.f.map(info.name), address(p, key)], pointerType('mapValue', true))
}

/** Runs `there` with the entry, or `missing`. */
export function whenFound(p: ProgramWriter, found: Value, there: (entry: Value) => void, missing: () => void = () => {}): void {
  const { f } = p
  f.when('ne', found, f.number(0), () => {
    const entry = f.value(pointerType('mapValue'))
    f.add({ op: 'refine', out: entry, value: found, span: f.span })
    there(entry)
  }, missing)
}

/** The value at a key; zero where there is none. */
export function readMap(p: ProgramWriter, name: string, key: Expression | null): Operand {
  const { f } = p
  const info = useMap(p.generation, name)
  const place = keyPlace(p, info, key)
  const { value } = info
  if (value.kind === 'aggregate') return readAggregate(p, info, place)
  const found = lookup(p, info, place)
  if (isScalar(value)) {
    const entry = f.value(pointerType('mapValue'))
    const result = f.choose('ne', found, f.number(0), () => {
      f.add({ op: 'refine', out: entry, value: found, span: f.span })
      return toRegister(p, { kind: 'memory', base: entry, offset: 0, type: value })
    }, () => f.number(0))
    return register(result, value)
  }
  const memory = p.temporary(sizeOf(value), 'entry')
  whenFound(p, found, (entry) => copy(p, { base: entry, offset: 0 }, memory, sizeOf(value)), () => zero(p, memory, sizeOf(value)))
  return { kind: 'memory', ...memory, type: value }
}

export function writeMap(p: ProgramWriter, info: MapInfo, key: Place, value: Operand): void {
  const { f } = p
  const size = valueSize(info)
  const own = sizeOf(info.value)
  let place: Place
  if (value.kind === 'memory' && !isScalar(info.value) && own === size && value.type.kind === info.value.kind && sizeOf(value.type) === own && info.value.kind !== 'tuple' && info.value.kind !== 'record') place = value
  else {
    place = p.temporary(size, 'value')
    if (own < size) zero(p, { base: place.base, offset: place.offset + Math.floor(own / 8) * 8 }, size - Math.floor(own / 8) * 8)
    storeAs(p, value, place, info.value, true)
  }
  update(p, info, key, place, f.number(0))
}

/** map_update_elem; a full map is told. */
export function update(p: ProgramWriter, info: MapInfo, key: Place, value: Place, flags: Value): void {
  const { f } = p
  const result = f.call(
    'map_update_elem', [f.map(info.name), address(p, key), address(p, value), flags], { kind: 'int', bits: 64, signed: true },
  )
  const span = spanOf(p)
  const event = p.generation.event({
    kind: 'helperError', helper: 'map_update_elem', code: { offset: 8, type: { kind: 'int', bits: 64, signed: true } }, span, message: "Map full; can't update element. Try increasing max_map_keys config or manually setting the max entries in a map declaration e.g. `let @a = hash(5000)`",
  })
  // E2BIG: there is no room. Others cannot happen here, or are races that lose nothing.
  f.when('eq', result, f.number(-7), () => record(p, event, 16, (to) => f.store(to, 8, 8, f.number(-7))))
}

function spanOf(p: ProgramWriter): { start: number; end: number } {
  const { start, end } = p.f.span
  return { start, end }
}

/** Changes a number in a map: what it was and what it is. With `by` the change is an atomic addition. */
export function changeMap(p: ProgramWriter, target: Of<'map'> | Of<'mapAccess'>, change: (old: Value) => Value, by: number | null = null): { before: Value; after: Value } {
  const { f } = p
  const info = useMap(p.generation, target.kind === 'map' ? target.name : target.map)
  const key = keyPlace(p, info, target.kind === 'map' ? null : target.key)
  const found = lookup(p, info, key)
  const size = sizeOf(info.value)
  const before = f.value(word)
  const after = f.value(word)
  const end = f.block(before, after)
  const [there, missing] = [f.block(), f.block()]
  f.branch('ne', found, f.number(0), there, missing)
  f.start(there)
  const entry = f.value(pointerType('mapValue'))
  f.add({ op: 'refine', out: entry, value: found, span: f.span })
  const old = f.load(entry, 0, size, asNumber(info.value).kind === 'int' && (info.value as { signed: boolean }).signed)
  const now = change(old)
  if (by !== null && size === 8) f.atomicAdd(entry, 0, f.number(by))
  else f.store(entry, 0, size, now)
  f.jump(end, old, now)
  f.start(missing)
  const first = change(f.number(0))
  writeMap(p, info, key, register(first, info.value))
  f.jump(end, f.number(0), first)
  f.start(end)
  return { before, after }
}

/** The address of a map's value, or of the map where it has keys. */
export function mapAddress(p: ProgramWriter, node: Expression): Value {
  const { f } = p
  if (node.kind === 'map') {
    const info = useMap(p.generation, node.name)
    return f.retype(info.key === null ? lookup(p, info, keyPlace(p, info, null)) : f.map(info.name), word)
  }
  if (node.kind !== 'mapAccess') return f.number(0)
  const info = useMap(p.generation, node.map)
  return f.retype(lookup(p, info, keyPlace(p, info, node.key)), word)
}

export { toMemory }
