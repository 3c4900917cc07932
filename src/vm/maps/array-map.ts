import type { Memory } from '../memory.ts'
import { allowed, Errno, MapModel, NOEXIST, type MapShape } from './map-model.ts'

/** array (3.19) and percpuArray (4.6): all entries are always there. Memory is taken as far as indexes are used. */
export class ArrayMap extends MapModel {
  constructor(shape: MapShape, memory: Memory, cpus: number) {
    super(shape, memory, cpus)
    // Small ones at once, so that a pointer to value 0 (lddw of a map value) is good from the start.
    this.reserve(this.stride * cpus > 4096 ? 1 : Math.min(shape.maxEntries, 16))
  }

  #index(keyAt: number): number {
    const index = this.memory.getWord(keyAt) >>> 0
    if (index >= this.shape.maxEntries) return -1
    this.reserve(index + 1)
    return index
  }

  override lookup(keyAt: number, cpu: number): number {
    const index = this.#index(keyAt)
    return index < 0 ? -1 : this.offset(index, cpu)
  }

  override update(keyAt: number, valueAt: number, flags: number, cpu: number): number {
    if ((flags & ~4) > 2) return Errno.EINVAL
    const index = this.#index(keyAt)
    if (index < 0) return Errno.E2BIG
    const status = flags === NOEXIST ? Errno.EEXIST : allowed(flags, true)
    if (status !== 0) return status
    this.put(index, valueAt, cpu)
    return 0
  }

  override remove(_keyAt: number): number {
    return Errno.EINVAL
  }

  /** All entries, also those that nobody has touched. */
  override *entries(): Generator<{ key: Uint8Array; slot: number }> {
    for (let index = 0; index < this.shape.maxEntries; index++) {
      const key = new Uint8Array(4)
      new DataView(key.buffer).setUint32(0, index, true)
      this.reserve(index + 1)
      yield { key, slot: index }
    }
  }
}
