import type { Memory } from '../memory.ts'
import { KeyTable } from './key-table.ts'
import { allowed, Errno, MapModel, type MapShape } from './map-model.ts'

/** hash (3.19), percpuHash (4.6), and with `lru` lruHash and lruPercpuHash (4.10). */
export class HashMap extends MapModel {
  readonly #table: KeyTable
  /** Slot → when it was last used; null unless LRU. */
  readonly #uses: Map<number, true> | null

  constructor(shape: MapShape, memory: Memory, cpus: number, lru: boolean) {
    super(shape, memory, cpus)
    this.#table = new KeyTable(shape.keySize, shape.maxEntries)
    this.#uses = lru ? new Map() : null
  }

  get size(): number { return this.#table.size }

  override lookup(keyAt: number, cpu: number, touch = true): number {
    const slot = this.#table.find(this.memory, keyAt)
    if (slot < 0) return -1
    if (touch) this.#touch(slot)
    return this.offset(slot, cpu)
  }

  override update(keyAt: number, valueAt: number, flags: number, cpu: number): number {
    let slot = this.#table.find(this.memory, keyAt)
    const status = allowed(flags, slot >= 0)
    if (status !== 0) return status
    if (slot < 0) {
      slot = this.#insert(keyAt)
      if (slot < 0) return Errno.E2BIG
    }
    this.#touch(slot)
    this.put(slot, valueAt, cpu)
    return 0
  }

  /** A new entry; other CPUs' values begin as zeros. */
  #insert(keyAt: number): number {
    if (this.#uses !== null && this.#table.size >= this.shape.maxEntries) {
      // A Map keeps insertion order, so the first is the one not used for longest.
      const [oldest] = this.#uses.keys()
      this.#drop(oldest!)
    }
    const slot = this.#table.insert(this.memory, keyAt)
    if (slot < 0) return -1
    this.reserve(slot + 1)
    for (let cpu = 0; cpu < this.cpus; cpu++) this.value(slot, cpu).fill(0)
    return slot
  }

  override remove(keyAt: number): number {
    const slot = this.#table.find(this.memory, keyAt)
    if (slot < 0) return Errno.ENOENT
    this.#drop(slot)
    return 0
  }

  #drop(slot: number): void {
    this.#uses?.delete(slot)
    this.#table.remove(slot)
  }

  #touch(slot: number): void {
    if (this.#uses === null) return
    this.#uses.delete(slot)
    this.#uses.set(slot, true)
  }

  override *entries(): Generator<{ key: Uint8Array; slot: number }> {
    for (const slot of this.#table.slots()) yield { key: this.#table.key(slot), slot }
  }

  override settle(): void {
    this.#table.settle()
  }
}
