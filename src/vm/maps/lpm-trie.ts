import type { Memory } from '../memory.ts'
import { KeyTable } from './key-table.ts'
import { allowed, Errno, MapModel, type MapShape } from './map-model.ts'

/**
 * lpmTrie (4.11): keys are a prefix length (u32) and the data, most significant byte first; a look-up finds the longest
 * prefix that matches. Prefixes are kept in a table and tried from the longest down.
 */
export class LpmTrie extends MapModel {
  readonly #table: KeyTable
  readonly #bits: number
  /** How many entries have each prefix length. */
  readonly #lengths: Int32Array
  readonly #scratch: number

  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory)
    this.#table = new KeyTable(shape.keySize, shape.maxEntries)
    this.#bits = (shape.keySize - 4) * 8
    this.#lengths = new Int32Array(this.#bits + 1)
    this.#scratch = memory.start(memory.add({ kind: 'memory', name: 'a prefix', size: shape.keySize, flags: 0 }))
  }

  /** The key cut to `length` bits, at the scratch place. */
  #prefix(keyAt: number, length: number): number {
    const { u8 } = this.memory
    const at = this.#scratch
    this.memory.putWord(at, length)
    for (let index = 0; index < this.shape.keySize - 4; index++) {
      const kept = Math.max(0, Math.min(8, length - index * 8))
      u8[at + 4 + index] = u8[keyAt + 4 + index]! & (0xff00 >> kept)
    }
    return at
  }

  override lookup(keyAt: number): number {
    const most = this.memory.getWord(keyAt) >>> 0
    for (let length = Math.min(most, this.#bits); length >= 0; length--) {
      if (this.#lengths[length] === 0) continue
      const slot = this.#table.find(this.memory, this.#prefix(keyAt, length))
      if (slot >= 0) return this.offset(slot, 0)
    }
    return -1
  }

  override update(keyAt: number, valueAt: number, flags: number): number {
    const length = this.memory.getWord(keyAt) >>> 0
    if (length > this.#bits) return Errno.EINVAL
    const at = this.#prefix(keyAt, length)
    let slot = this.#table.find(this.memory, at)
    const status = allowed(flags, slot >= 0)
    if (status !== 0) return status
    if (slot < 0) {
      slot = this.#table.insert(this.memory, at)
      if (slot < 0) return Errno.ENOSPC
      this.#lengths[length]!++
      this.reserve(slot + 1)
    }
    this.put(slot, valueAt, 0)
    return 0
  }

  override remove(keyAt: number): number {
    const length = this.memory.getWord(keyAt) >>> 0
    if (length > this.#bits) return Errno.EINVAL
    const slot = this.#table.find(this.memory, this.#prefix(keyAt, length))
    if (slot < 0) return Errno.ENOENT
    this.#table.remove(slot)
    this.#lengths[length]!--
    return 0
  }

  override *entries(): Generator<{ key: Uint8Array; slot: number }> {
    for (const slot of this.#table.slots()) yield { key: this.#table.key(slot), slot }
  }

  override settle(): void {
    this.#table.settle()
  }
}
