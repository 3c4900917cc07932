import type { Memory } from '../memory.ts'
import { Errno, MapModel, type MapShape } from './map-model.ts'

/** BPF_EXIST: a push into a full queue drops the oldest. */
const REPLACE = 2

/** queue and stack (4.20): values without keys, first in first out, or last in first out. */
export class QueueMap extends MapModel {
  readonly #items: Uint8Array[] = []
  readonly #last: boolean

  constructor(shape: MapShape, memory: Memory, lastInFirstOut: boolean) {
    super(shape, memory, 1, false)
    this.#last = lastInFirstOut
  }

  override push(valueAt: number, flags: number): number {
    if (flags !== 0 && flags !== REPLACE) return Errno.EINVAL
    if (this.#items.length >= this.shape.maxEntries) {
      if (flags !== REPLACE) return Errno.E2BIG
      this.#items.shift()
    }
    this.#items.push(this.memory.u8.slice(valueAt, valueAt + this.shape.valueSize))
    return 0
  }

  override pop(valueAt: number): number {
    return this.#give(this.#last ? this.#items.pop() : this.#items.shift(), valueAt)
  }

  override peek(valueAt: number): number {
    return this.#give(this.#last ? this.#items.at(-1) : this.#items[0], valueAt)
  }

  #give(item: Uint8Array | undefined, valueAt: number): number {
    if (item === undefined) {
      this.memory.u8.fill(0, valueAt, valueAt + this.shape.valueSize)
      return Errno.ENOENT
    }
    this.memory.u8.set(item, valueAt)
    return 0
  }

  /** What is inside, in the order in which it comes out. */
  items(): Uint8Array[] {
    return this.#last ? this.#items.toReversed() : [...this.#items]
  }

  override lookup(): number { return -1 }
  override update(): number { return Errno.EINVAL }
  override remove(): number { return Errno.EINVAL }
  override *entries(): Generator<{ key: Uint8Array; slot: number }> { /* No keys. */ }
}

/**
 * bloomFilter (5.16): push adds, peek asks. Values are remembered exactly: the model never says that a value may be there that
 * is not, which the kernel sometimes does.
 */
export class BloomFilter extends MapModel {
  readonly #seen = new Set<string>()

  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory, 1, false)
  }

  #text(valueAt: number): string {
    return String.fromCharCode(...this.memory.u8.subarray(valueAt, valueAt + this.shape.valueSize))
  }

  override push(valueAt: number, flags: number): number {
    if (flags !== 0) return Errno.EINVAL
    this.#seen.add(this.#text(valueAt))
    return 0
  }

  override peek(valueAt: number): number {
    return this.#seen.has(this.#text(valueAt)) ? 0 : Errno.ENOENT
  }

  override pop(): number { return Errno.EOPNOTSUPP }
  override lookup(): number { return -1 }
  override update(): number { return Errno.EINVAL }
  override remove(): number { return Errno.EOPNOTSUPP }
  override *entries(): Generator<{ key: Uint8Array; slot: number }> { /* It cannot list. */ }
}
