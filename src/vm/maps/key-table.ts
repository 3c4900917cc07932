import type { Memory } from '../memory.ts'

/** Finds slots by keys of a fixed size: an index with chains, that grows. Keys are compared as bytes. */
export class KeyTable {
  readonly keySize: number
  readonly most: number
  /** Entries there are. */
  size = 0
  #keys: Uint8Array
  #hashes: Int32Array
  #next: Int32Array
  #buckets: Int32Array
  /** 1 while a slot is in use. */
  #used: Uint8Array
  /** Slots handed out so far; those freed come back through `#free`. */
  #slots = 0
  readonly #free: number[] = []
  readonly #removed: number[] = []

  constructor(keySize: number, most: number) {
    this.keySize = keySize
    this.most = most
    const first = Math.min(16, most)
    this.#keys = new Uint8Array(first * keySize)
    this.#hashes = new Int32Array(first)
    this.#next = new Int32Array(first)
    this.#used = new Uint8Array(first)
    this.#buckets = new Int32Array(16).fill(-1)
  }

  find(memory: Memory, keyAt: number): number {
    const hash = this.#hash(memory.u8, keyAt)
    for (let slot = this.#buckets[hash & (this.#buckets.length - 1)]!; slot >= 0; slot = this.#next[slot]!) {
      if (this.#hashes[slot] === hash && this.#equal(memory.u8, keyAt, slot)) return slot
    }
    return -1
  }

  /**
   * A slot for a key that is not there; -1 when the table is full. Slots removed in this run may serve when nothing else is left.
   */
  insert(memory: Memory, keyAt: number): number {
    if (this.size >= this.most) return -1
    let slot = this.#free.pop()
    if (slot === undefined) {
      if (this.#slots < this.most) slot = this.#slots++
      else slot = this.#removed.shift()!
    }
    if (slot >= this.#hashes.length) this.#grow()
    const hash = this.#hash(memory.u8, keyAt)
    this.#keys.set(memory.u8.subarray(keyAt, keyAt + this.keySize), slot * this.keySize)
    this.#hashes[slot] = hash
    this.#used[slot] = 1
    this.#link(slot)
    this.size++
    return slot
  }

  remove(slot: number): void {
    const bucket = this.#hashes[slot]! & (this.#buckets.length - 1)
    let before = -1
    for (let at = this.#buckets[bucket]!; at !== slot; at = this.#next[at]!) before = at
    if (before < 0) this.#buckets[bucket] = this.#next[slot]!
    else this.#next[before] = this.#next[slot]!
    this.#used[slot] = 0
    this.#removed.push(slot)
    this.size--
  }

  /** Slots that were removed may be used again: no program holds a pointer to them any more. */
  settle(): void {
    while (this.#removed.length > 0) this.#free.push(this.#removed.pop()!)
  }

  key(slot: number): Uint8Array {
    return this.#keys.subarray(slot * this.keySize, (slot + 1) * this.keySize)
  }

  has(slot: number): boolean {
    return this.#used[slot] === 1
  }

  /** Slots in use, ascending. */
  *slots(): Generator<number> {
    for (let slot = 0; slot < this.#slots; slot++) if (this.#used[slot] === 1) yield slot
  }

  #hash(bytes: Uint8Array, at: number): number {
    let hash = 0x811c_9dc5 | 0
    for (let index = 0; index < this.keySize; index++) hash = Math.imul(hash ^ bytes[at + index]!, 0x0100_0193)
    return hash ^ hash >>> 15
  }

  #equal(bytes: Uint8Array, at: number, slot: number): boolean {
    const from = slot * this.keySize
    for (let index = 0; index < this.keySize; index++) if (bytes[at + index] !== this.#keys[from + index]) return false
    return true
  }

  #link(slot: number): void {
    const bucket = this.#hashes[slot]! & (this.#buckets.length - 1)
    this.#next[slot] = this.#buckets[bucket]!
    this.#buckets[bucket] = slot
  }

  #grow(): void {
    const length = Math.min(this.#hashes.length * 2, this.most)
    const larger = <T extends Uint8Array | Int32Array>(from: T, to: T): T => {
      to.set(from as never)
      return to
    }
    this.#keys = larger(this.#keys, new Uint8Array(length * this.keySize))
    this.#hashes = larger(this.#hashes, new Int32Array(length))
    this.#next = larger(this.#next, new Int32Array(length))
    this.#used = larger(this.#used, new Uint8Array(length))
    this.#buckets = new Int32Array(2 ** Math.ceil(Math.log2(length))).fill(-1)
    for (let slot = 0; slot < this.#slots; slot++) if (this.#used[slot] === 1) this.#link(slot)
  }
}
