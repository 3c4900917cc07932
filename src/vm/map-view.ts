import { decoder, encoder, recordView } from '../spec/codec.ts'
import type { Schema } from '../spec/schema.ts'
import { VmFault } from './fault.ts'
import type { Machine } from './machine.ts'
import type { MapModel, MapShape } from './maps/map-model.ts'
import { EXIST, NOEXIST } from './maps/map-model.ts'
import { BloomFilter, QueueMap } from './maps/queue-map.ts'
import { MapOfMaps, ProgramArray } from './maps/reference-map.ts'

/**
 * A map of a simulation, seen from user space: as BpfMap of bpf/ for a map in the kernel. Keys and values are decoded by the
 * schemas of the Spec; without one they are bytes. Values of per-CPU maps are arrays, one element a CPU.
 */
export class MapView<K = any, V = any> {
  readonly #machine: Machine
  readonly #map: MapModel
  /** Arena place for a key and a value. */
  readonly #keyAt: number
  readonly #valueAt: number

  constructor(machine: Machine, map: MapModel) {
    this.#machine = machine
    this.#map = map
    const region = machine.memory.add(
      { kind: 'memory', name: 'user space', size: map.shape.keySize + map.shape.valueSize + 8, flags: 0 },
    )
    this.#keyAt = machine.memory.start(region)
    this.#valueAt = this.#keyAt + Math.ceil(map.shape.keySize / 8) * 8
  }

  get name(): string { return this.#map.shape.name }

  #perCpu(): boolean { return this.#map.shape.type.toLowerCase().includes('percpu') }

  /** The value of `key`; undefined if there is none. */
  get(key: K): V | undefined {
    this.#putKey(key)
    const offset = this.#map.lookup(this.#keyAt, 0, false)
    if (offset < 0) return undefined
    return this.#valueOf(offset / this.#map.stride / this.#map.cpus)
  }

  /** Sets a value. 'create' only adds, 'exists' only replaces: false if that was not possible. @throws VmFault when it is full */
  set(key: K, value: V, mode: 'any' | 'create' | 'exists' = 'any'): boolean {
    this.#putKey(key)
    const values = this.#perCpu() && Array.isArray(value) ? value : [value]
    for (let cpu = 0; cpu < this.#map.cpus; cpu++) {
      this.#put(this.#map.shape.value, values[cpu] ?? values[0], this.#valueAt, this.#map.shape.valueSize, 'value')
      const flags = cpu > 0 ? 0 : mode === 'create' ? NOEXIST : mode === 'exists' ? EXIST : 0
      const status = this.#map.update(this.#keyAt, this.#valueAt, flags, cpu)
      if (status === -17 || status === -2) return false
      if (status !== 0) throw new VmFault('bad-argument', `map '${this.name}': the update gives ${status}`)
    }
    return true
  }

  /** Whether the key was there. */
  delete(key: K): boolean {
    this.#putKey(key)
    const done = this.#map.remove(this.#keyAt) === 0
    this.#map.settle()
    return done
  }

  /** All entries; of array maps also those that nobody wrote. */
  entries(): [K, V][] {
    return [...this.#map.entries()].map(
      ({ key, slot }) => [this.#decode(this.#map.shape.key, key.slice()) as K, this.#valueOf(slot)],
    )
  }

  get size(): number { return [...this.#map.entries()].length }

  /** All entries in bytes: keys one after the other, and of each the values of its CPUs, `stride` apart. */
  raw(): { count: number; keys: Uint8Array; values: Uint8Array; cpus: number; stride: number } {
    const { cpus, stride, shape } = this.#map
    const entries = [...this.#map.entries()]
    const keys = new Uint8Array(entries.length * shape.keySize)
    const values = new Uint8Array(entries.length * cpus * stride)
    entries.forEach(({ key, slot }, index) => {
      keys.set(key, index * shape.keySize)
      for (let cpu = 0; cpu < cpus; cpu++) values.set(this.#map.value(slot, cpu), (index * cpus + cpu) * stride)
    })
    return { count: entries.length, keys, values, cpus, stride }
  }

  /** Deletes an entry by the bytes of its key. */
  deleteRaw(key: Uint8Array): boolean {
    this.#machine.memory.u8.set(key, this.#keyAt)
    const done = this.#map.remove(this.#keyAt) === 0
    this.#map.settle()
    return done
  }

  get shape(): MapShape { return this.#map.shape }
  /** Rows of each entry: one for each CPU of a per-CPU map. */
  get cpus(): number { return this.#map.cpus }
  get stride(): number { return this.#map.stride }

  /** Of a per-CPU map: entries with the CPUs' numbers added, field by field; what is no number is taken from the first CPU. */
  sums(): [K, any][] {
    return this.entries().map(([key, values]) => [key, (values as unknown as unknown[]).reduce(add)])
  }

  /** What is inside a queue or stack, in the order in which it comes out. */
  items(): V[] {
    if (!(this.#map instanceof QueueMap)) throw new TypeError(`map '${this.name}' (${this.#map.shape.type}) is no queue or stack`)
    return this.#map.items().map((bytes) => this.#decode(this.#map.shape.value, bytes) as V)
  }

  /** Adds to a queue, stack or bloom filter. */
  push(value: V): boolean {
    if (!(this.#map instanceof QueueMap) && !(this.#map instanceof BloomFilter)) {
      throw new TypeError(`map '${this.name}' (${this.#map.shape.type}) cannot be pushed to`)
    }
    this.#put(this.#map.shape.value, value, this.#valueAt, this.#map.shape.valueSize, 'value')
    return this.#map.push(this.#valueAt, 0) === 0
  }

  /** Puts a program of the Spec into a prog array, as the target of tail calls. */
  setProgram(index: number, program: string): void {
    if (!(this.#map instanceof ProgramArray)) {
      throw new TypeError(`map '${this.name}' (${this.#map.shape.type}) holds no programs`)
    }
    const code = this.#machine.codes.find(({ name }) => name === program)
    if (code === undefined) throw new RangeError(`there is no program '${program}'`)
    this.#map.set(index, code)
  }

  /** Puts a map of the Spec into an array or hash of maps. */
  setMap(key: K, map: string): void {
    if (!(this.#map instanceof MapOfMaps)) throw new TypeError(`map '${this.name}' (${this.#map.shape.type}) holds no maps`)
    const inner = [...this.#machine.maps.values()].find(({ shape }) => shape.name === map)
    if (inner === undefined) throw new RangeError(`there is no map '${map}'`)
    this.#putKey(key)
    this.#map.set(this.#machine.memory.u8.slice(this.#keyAt, this.#keyAt + this.#map.shape.keySize), inner)
  }

  #putKey(key: K): void {
    this.#put(this.#map.shape.key, key, this.#keyAt, this.#map.shape.keySize, 'key')
  }

  #put(schema: Schema | undefined, value: unknown, at: number, size: number, what: string): void {
    if (schema !== undefined) {
      encoder(schema)(value as never, this.#machine.memory.u8, at)
      return
    }
    if (typeof value === 'number' || typeof value === 'bigint') {
      if (size > 8) throw new TypeError(`map '${this.name}': a ${what} has ${size} bytes: give a Uint8Array`)
      for (let index = 0; index < size; index++) this.#machine.memory.u8[at + index] = Number(
        BigInt.asUintN(8, BigInt(value) >> BigInt(index * 8)),
      )
      return
    }
    if (!(value instanceof Uint8Array) || value.length !== size) {
      throw new TypeError(`map '${this.name}': the ${what} has no schema: give a Uint8Array of ${size} bytes`)
    }
    this.#machine.memory.u8.set(value, at)
  }

  #valueOf(slot: number): V {
    const cpus = Array.from(
      { length: this.#map.cpus }, (_, cpu) => this.#decode(this.#map.shape.value, this.#map.value(slot, cpu).slice()),
    )
    return (this.#perCpu() ? cpus : cpus[0]) as V
  }

  #decode(schema: Schema | undefined, bytes: Uint8Array): unknown {
    return decodeBytes(schema, bytes)
  }
}

/** A value from bytes; the bytes themselves without a schema. */
export function decodeBytes(schema: Schema | undefined, bytes: Uint8Array): unknown {
  if (schema === undefined) return bytes
  const whole = new Uint8Array(Math.ceil(Math.max(bytes.length, schema.size) / 8) * 8)
  whole.set(bytes)
  return decoder(schema)(recordView(whole.buffer), 0)
}

function add(left: unknown, right: unknown): unknown {
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (Array.isArray(left) && Array.isArray(right)) return left.map((one, index) => add(one, right[index]))
  if (left instanceof Uint8Array) return left
  if (typeof left === 'object' && left !== null && typeof right === 'object' && right !== null) {
    return Object.fromEntries(
      Object.entries(left).map(([name, value]) => [name, add(value, (right as Record<string, unknown>)[name])]),
    )
  }
  return left
}
