import { Errno } from '../../sys/errno.ts'
import type { BpfMap } from '../map.ts'
import { KeylessElements } from './element.ts'

const BPF_ANY = 0
const BPF_EXIST = 2

/** A queue (first in, first out) or a stack (last in, first out), shared with programs. Kernel 4.20. */
export class Queue<V = any> {
  readonly map: BpfMap
  readonly #elements: KeylessElements<V>

  /** @param map of type queue or stack; it stays the owner of the descriptor */
  constructor(map: BpfMap) {
    this.map = map
    this.#elements = new KeylessElements(map, ['queue', 'stack'], 'queue or stack')
  }

  /**
   * Adds a value.
   * @param overwrite when full, drop the one that would come out first
   * @returns false if it is full
   */
  push(value: V, { overwrite = false } = {}): boolean {
    return this.#elements.put('BPF_MAP_UPDATE_ELEM', value, overwrite ? BPF_EXIST : BPF_ANY, Errno.E2BIG)
  }

  /** Takes the next value out; undefined if there is none. */
  pop(): V | undefined {
    return this.#elements.take('BPF_MAP_LOOKUP_AND_DELETE_ELEM')
  }

  /** The next value, left where it is; undefined if there is none. */
  peek(): V | undefined {
    return this.#elements.take('BPF_MAP_LOOKUP_ELEM')
  }

  /** Takes out what is there now, at most as many as fit in the map, so that a busy producer cannot hold the loop. */
  *drain(): Generator<V, void, undefined> {
    for (let left = this.map.spec.maxEntries; left > 0; left--) {
      const value = this.pop()
      if (value === undefined) return
      yield value
    }
  }
}
