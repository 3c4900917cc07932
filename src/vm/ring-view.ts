import type { Schema, StructSchema, ValueOf } from '../spec/schema.ts'
import type { PerfArray } from './maps/reference-map.ts'
import type { RingMap, RingRecord } from './maps/ring-map.ts'
import { decodeBytes } from './map-view.ts'

/** What an event signal declares: its number on the ring and its record, `type` first. */
interface EventShape { readonly kind: 'event'; readonly type: number; readonly record: StructSchema<any> }

/** A ring buffer of a simulation, seen by its reader. Reading consumes. */
export class RingView {
  readonly #ring: RingMap

  constructor(ring: RingMap) {
    this.#ring = ring
  }

  /** Records as bytes, with how many of them the program never wrote. */
  raw(): RingRecord[] {
    return this.#ring.take()
  }

  /** Records decoded by one schema. */
  records<S extends Schema>(schema: S): ValueOf<S>[] {
    return this.#ring.take().map(({ bytes }) => decodeBytes(schema, bytes) as ValueOf<S>)
  }

  /**
   * Records of the event signals that a probe module exports, by their export names: { event: 'started', …fields }.
   * @throws RangeError for a record of no such type
   */
  events(module: Readonly<Record<string, unknown>>): ({ event: string } & Record<string, any>)[] {
    const events = Object.entries(module).filter((entry): entry is [string, EventShape] => isEvent(entry[1]))
    return this.#ring.take().map(({ bytes }) => {
      const type = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
      const found = events.find(([, event]) => event.type === type)
      if (found === undefined) {
        throw new RangeError(
          `a record of type ${type} is on the ring '${this.#ring.shape.name}', which no event of the module declares`,
        )
      }
      const { type: _, ...fields } = decodeBytes(found[1].record, bytes) as Record<string, unknown>
      return { event: found[0], ...fields }
    })
  }

  /** Bytes that wait for the reader. */
  get waiting(): number { return this.#ring.query(0) }
  /** How often submits would have woken the reader. */
  get wakeUps(): number { return this.#ring.wakeUps }
}

function isEvent(value: unknown): value is EventShape {
  return typeof value === 'object' && value !== null && (value as EventShape).kind === 'event'
    && typeof (value as EventShape).type === 'number'
}

/** A perf event array, seen by its reader. Reading consumes. */
export class PerfView {
  readonly #map: PerfArray
  constructor(map: PerfArray) {
    this.#map = map
  }

  records(): { cpu: number; bytes: Uint8Array }[] {
    return this.#map.take()
  }
}
