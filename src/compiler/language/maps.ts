import type { MapTypeName } from '../../spec/spec.ts'
import { u32, type Schema, type ValueOf } from '../../spec/schema.ts'

/**
 * Map declarations: what a probe module says of its maps. Plain data until the compiler meets
 * them as captures of a kernel function; the methods are the kernel-side operations and
 * have meaning only inside one.
 */
export interface MapOptions {
  /** Name in the Spec; by default the variable that kernel functions capture it under. */
  name?: string
  /** Entries the map holds at most. */
  maxEntries?: number
  /** BPF_F_* flags of map creation. */
  flags?: number
}

function onlyInKernel(method: string): never {
  throw new Error(`map.${method}() works inside a 'use bpf' function; in user space read the loaded map (bpf/map.ts)`)
}

export class MapDeclaration<K extends Schema = Schema, V extends Schema = Schema> {
  readonly type: MapTypeName
  readonly key: K
  readonly value: V
  readonly maxEntries: number
  readonly flags: number
  name: string | undefined

  constructor(type: MapTypeName, key: K, value: V, options: Required<Pick<MapOptions, 'maxEntries'>> & MapOptions) {
    const { maxEntries } = options
    if (!Number.isInteger(maxEntries) || maxEntries < 1 || maxEntries > 2 ** 31) {
      throw new RangeError(`${type}: maxEntries must be an integer from 1 to 2^31, not ${maxEntries}`)
    }
    this.type = type
    this.key = key
    this.value = value
    this.maxEntries = maxEntries
    this.flags = options.flags ?? 0
    this.name = options.name
  }

  get perCpu(): boolean { return this.type === 'percpuHash' || this.type === 'percpuArray' || this.type === 'lruPercpuHash' }
  get isArray(): boolean { return this.type === 'array' || this.type === 'percpuArray' }

  /**
   * The value under `key`, or undefined. A scalar is a copy; a struct is the stored value itself
   * and is edited in place.
   */
  get(_key: ValueOf<K>): ValueOf<V> | undefined { return onlyInKernel('get') }
  /** Stores a value, replacing any. False when the map is full. */
  set(_key: ValueOf<K>, _value: ValueOf<V>): boolean { return onlyInKernel('set') }
  /** Removes a key; nothing happens if it is not there. */
  delete(_key: ValueOf<K>): void { return onlyInKernel('delete') }
  /** The value in place, inserted as zeros if it was not there; undefined when the map is full. */
  getOrInsert(_key: ValueOf<K>): ValueOf<V> | undefined { return onlyInKernel('getOrInsert') }
  /** Adds to an integer value (inserted as 0 if missing): plain on per-CPU maps, atomic on others. False when the map is full. */
  add(_key: ValueOf<K>, _amount: number): boolean { return onlyInKernel('add') }
}

/** BPF_MAP_TYPE_HASH (3.19). */
export function hash<K extends Schema, V extends Schema>(key: K, value: V, options: MapOptions = {}): MapDeclaration<K, V> {
  return new MapDeclaration('hash', key, value, { maxEntries: 10_240, ...options })
}
/** BPF_MAP_TYPE_LRU_HASH (4.10): evicts the least recently used entry instead of refusing a new one. */
export function lruHash<K extends Schema, V extends Schema>(key: K, value: V, options: MapOptions = {}): MapDeclaration<K, V> {
  return new MapDeclaration('lruHash', key, value, { maxEntries: 10_240, ...options })
}
/** BPF_MAP_TYPE_PERCPU_HASH (4.6): one value per key and CPU. */
export function percpuHash<K extends Schema, V extends Schema>(key: K, value: V, options: MapOptions = {}): MapDeclaration<K, V> {
  return new MapDeclaration('percpuHash', key, value, { maxEntries: 1024, ...options })
}
/** BPF_MAP_TYPE_ARRAY (3.19): keys 0 … maxEntries - 1, always present. */
export function arrayMap<V extends Schema>(value: V, options: MapOptions = {}): MapDeclaration<typeof u32, V> {
  return new MapDeclaration('array', u32, value, { maxEntries: 1, ...options })
}
/** BPF_MAP_TYPE_PERCPU_ARRAY (4.6). */
export function percpuArray<V extends Schema>(value: V, options: MapOptions = {}): MapDeclaration<typeof u32, V> {
  return new MapDeclaration('percpuArray', u32, value, { maxEntries: 1, ...options })
}

export interface RingOptions { name?: string; /** Size of the buffer: a power of two, at least one page. */ bytes?: number }

/** BPF_MAP_TYPE_RINGBUF (5.8): variable-length records from all CPUs to one reader, in order. */
export class RingDeclaration {
  readonly type = 'ringbuf'
  readonly bytes: number
  name: string | undefined

  constructor(options: RingOptions = {}) {
    this.bytes = options.bytes ?? 256 * 1024
    if (!Number.isInteger(Math.log2(this.bytes)) || this.bytes < 4096) {
      throw new RangeError(`ringbuf: bytes must be a power of two and at least 4096, not ${this.bytes}`)
    }
    this.name = options.name
  }

  /** Room for one record, to be filled and then submitted or discarded on every path; undefined when the ring is full. */
  reserve<S extends Schema>(_schema: S): ValueOf<S> | undefined { return onlyInKernel('reserve') }
  /** Hands a reserved record to the reader. `flags`: 0 wakes a reader that has caught up, RING_NO_WAKEUP, RING_FORCE_WAKEUP. */
  submit(_record: unknown, _flags: number): void { return onlyInKernel('submit') }
  discard(_record: unknown): void { return onlyInKernel('discard') }
  /** Bytes that wait for the reader. */
  available(): number { return onlyInKernel('available') }
}

export function ringbuf(options: RingOptions = {}): RingDeclaration {
  return new RingDeclaration(options)
}

/** BPF_RB_NO_WAKEUP and BPF_RB_FORCE_WAKEUP of linux/bpf.h. */
export const RING_NO_WAKEUP = 1
export const RING_FORCE_WAKEUP = 2
