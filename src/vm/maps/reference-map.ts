import type { Code } from '../code.ts'
import { BASE, type Memory } from '../memory.ts'
import { HashMap } from './hash-map.ts'
import { Errno, MapModel, type MapShape } from './map-model.ts'

/** Maps whose values are other objects of the kernel; programs can only look them up or use them in a helper. */

/** progArray (4.2): the targets of tail calls. */
export class ProgramArray extends MapModel {
  readonly #programs = new Map<number, Code>()

  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory, 1, false)
  }

  override program(index: number): Code | null {
    return this.#programs.get(index >>> 0) ?? null
  }

  /** Puts a program in, or takes it out. */
  set(index: number, code: Code | null): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.shape.maxEntries) {
      throw new RangeError(`map '${this.shape.name}': there is no index ${index}; it has ${this.shape.maxEntries}`)
    }
    if (code === null) this.#programs.delete(index)
    else this.#programs.set(index, code)
  }

  override lookup(): number { return -1 }
  override update(): number { return Errno.EINVAL }
  override remove(keyAt: number): number {
    return this.#programs.delete(this.memory.getWord(keyAt) >>> 0) ? 0 : Errno.ENOENT
  }
  override *entries(): Generator<{ key: Uint8Array; slot: number }> { /* Programs are no bytes. */ }
}

/** perfEventArray (4.3): records per CPU. */
export class PerfArray extends MapModel {
  #records: { cpu: number; bytes: Uint8Array }[] = []

  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory, 1, false)
  }

  output(cpu: number, bytes: Uint8Array): void {
    this.#records.push({ cpu, bytes })
  }

  take(): { cpu: number; bytes: Uint8Array }[] {
    const records = this.#records
    this.#records = []
    return records
  }

  override lookup(): number { return -1 }
  override update(): number { return Errno.EINVAL }
  override remove(): number { return Errno.ENOENT }
  override *entries(): Generator<{ key: Uint8Array; slot: number }> { /* Events are no bytes. */ }
}

/** arrayOfMaps and hashOfMaps (4.12): a look-up gives the inner map itself. */
export class MapOfMaps extends MapModel {
  readonly #inner = new Map<string, MapModel>()

  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory, 1, false)
  }

  set(key: Uint8Array, map: MapModel | null): void {
    if (map === null) this.#inner.delete(String(key))
    else this.#inner.set(String(key), map)
  }

  inner(keyAt: number): MapModel | null {
    return this.#inner.get(String(this.memory.u8.subarray(keyAt, keyAt + this.shape.keySize))) ?? null
  }

  override lookup(): number { return -1 }
  override update(): number { return Errno.EINVAL }
  override remove(): number { return Errno.EINVAL }
  override *entries(): Generator<{ key: Uint8Array; slot: number }> { /* Maps are no bytes. */ }
}

/**
 * taskStorage (5.11), inodeStorage (5.10), skStorage (5.2), cgrpStorage (6.2): a value for each kernel object, by its address.
 */
export class StorageMap extends HashMap {
  readonly #key: number

  constructor(shape: MapShape, memory: Memory) {
    super({ ...shape, keySize: 8, maxEntries: Math.max(shape.maxEntries, 65_536) }, memory, 1, false)
    this.#key = memory.start(memory.add({ kind: 'memory', name: 'an owner', size: 16 + this.stride, flags: 0 }))
  }

  /** Lower half of the address of the owner's value; with `create` it is made as a copy of `initial` (zeros for -1). */
  of(low: number, high: number, create: boolean, initial: number): number | null {
    const { memory } = this
    memory.putWord(this.#key, low)
    memory.putWord(this.#key + 4, high)
    let offset = this.lookup(this.#key, 0)
    if (offset < 0 && create) {
      const zeros = this.#key + 16
      memory.u8.fill(0, zeros, zeros + this.stride)
      this.update(this.#key, initial < 0 ? zeros : initial, 0, 0)
      offset = this.lookup(this.#key, 0)
    }
    return offset < 0 ? null : BASE + offset
  }

  drop(low: number, high: number): number {
    this.memory.putWord(this.#key, low)
    this.memory.putWord(this.#key + 4, high)
    return this.remove(this.#key)
  }
}
