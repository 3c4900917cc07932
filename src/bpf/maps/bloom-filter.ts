import { Errno } from '../../sys/errno.ts'
import type { BpfMap } from '../map.ts'
import { KeylessElements } from './element.ts'

/**
 * A set that may say yes to what was never added, and never no to what was. Kernel 5.16. The map's `mapExtra` is the number of
 * hash functions, 5 by default; nothing can be taken out.
 */
export class BloomFilter<V = any> {
  readonly map: BpfMap
  readonly #elements: KeylessElements<V>

  constructor(map: BpfMap) {
    this.map = map
    this.#elements = new KeylessElements(map, ['bloomFilter'], 'bloom filter')
  }

  add(value: V): void {
    this.#elements.put('BPF_MAP_UPDATE_ELEM', value, 0, 0)
  }

  /** False: certainly not added. */
  has(value: V): boolean {
    return this.#elements.put('BPF_MAP_LOOKUP_ELEM', value, 0, Errno.ENOENT)
  }
}
