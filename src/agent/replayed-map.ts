import type { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import { recordView, type RecordView } from '../spec/codec.ts'
import type { MapView } from '../vm/map-view.ts'
import type { RingView } from '../vm/ring-view.ts'
import type { Simulation } from '../vm/simulate.ts'
import type { OpenRings, RingHandler, RingSource } from './event-reader.ts'
import type { ReadableMap } from './readable-map.ts'

/** A map of a simulation as the agent reads one. */
export class ReplayedMap implements ReadableMap {
  readonly spec: { readonly name: string }
  readonly layout: ReadableMap['layout']
  readonly ring: RingView | null
  readonly closed = false
  readonly memoryBytes = 0
  private readonly view: MapView

  constructor(simulation: Simulation, declaration: MapDeclaration | RingDeclaration, isRing: boolean) {
    this.view = simulation.map(declaration)
    const { shape, cpus, stride } = this.view
    this.spec = { name: shape.name }
    this.layout = { keySize: shape.keySize, valueSize: shape.valueSize, cpus, cpuStride: stride, valueStride: cpus * stride }
    this.ring = isRing ? simulation.ring(declaration) : null
  }

  get = (key: unknown): any => this.view.get(key)
  set = (key: unknown, value: unknown, mode: 'any' | 'create' | 'exists' = 'any'): boolean => this.view.set(key, value, mode)

  readRaw(): ReturnType<ReadableMap['readRaw']> {
    const { count, keys, values } = this.view.raw()
    return { ...this.layout, count, keys, values, keyView: viewOf(keys), valueView: viewOf(values) }
  }

  deleteBatch(keys: Uint8Array, count = keys.length / this.layout.keySize): number {
    const { keySize } = this.layout
    let deleted = 0
    for (let index = 0; index < count; index++) if (this.view.deleteRaw(keys.subarray(index * keySize, (index + 1) * keySize))) deleted++
    return deleted
  }

  entries(): [unknown, unknown][] {
    return this.view.entries()
  }
}

/** Views want whole words. */
function viewOf(bytes: Uint8Array): RecordView {
  const whole = new Uint8Array(Math.ceil(bytes.length / 8) * 8)
  whole.set(bytes)
  return recordView(whole.buffer)
}

/** The rings of simulations: read when asked, since nothing happens in between. */
export const openReplayedRings: OpenRings = (maps) => new ReplayedRings(maps as readonly ReplayedMap[])

class ReplayedRings implements RingSource {
  private readonly maps: readonly ReplayedMap[]

  constructor(maps: readonly ReplayedMap[]) {
    this.maps = maps
  }

  start(): void { /* Who plays the recording drains. */ }

  drain(handler: RingHandler): number {
    let records = 0
    this.maps.forEach(({ ring }, index) => {
      for (const { bytes } of ring!.raw()) {
        handler(viewOf(bytes), 0, bytes.length, index)
        records++
      }
    })
    return records
  }

  close(): void { /* Nothing is held. */ }
}
