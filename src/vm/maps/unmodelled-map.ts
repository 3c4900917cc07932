import { VmFault } from '../fault.ts'
import type { Memory } from '../memory.ts'
import { MapModel, type MapShape } from './map-model.ts'

/** A map of a type that has no model: it can be there, but not be used. */
export class UnmodelledMap extends MapModel {
  constructor(shape: MapShape, memory: Memory) {
    super(shape, memory, 1, false)
  }

  #refuse(): never {
    throw new VmFault('not-modelled', `map '${this.shape.name}': the type ${this.shape.type} is not modelled`)
  }

  override lookup(): number { return this.#refuse() }
  override update(): number { return this.#refuse() }
  override remove(): number { return this.#refuse() }
  override program(): never { return this.#refuse() }
  override push(): number { return this.#refuse() }
  override pop(): number { return this.#refuse() }
  override peek(): number { return this.#refuse() }
  override entries(): never { return this.#refuse() }
}
