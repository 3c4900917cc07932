import { assign } from '../compiler/language/intrinsics.ts'
import { RING_FORCE_WAKEUP, RING_NO_WAKEUP, type RingDeclaration } from '../compiler/language/maps.ts'
import { struct, u32, type FieldsOf } from '../spec/schema.ts'
import { lossCounter, type EventSignal, type Labels } from './signal.ts'

export interface EventOptions<F extends Labels> {
  description?: string
  /** The record's fields. */
  fields: F
  /** The ring it travels on; events of one ring keep their order. */
  ring: RingDeclaration
}

/** Bytes that wait before a producer wakes the reader; below, the reader's flush timer comes first. */
const WAKE_BYTES = 64 * 1024
const typesOnRing = new WeakMap<RingDeclaration, number>()

/** Something that is rare or matters one by one: a record on a ring buffer. */
export function event<F extends Labels>(name: string, options: EventOptions<F>): EventSignal<F> {
  const { ring } = options
  if ('type' in options.fields) throw new TypeError(`event '${name}': the field 'type' is the record's own; give yours another name`)
  const type = (typesOnRing.get(ring) ?? 0) + 1
  typesOnRing.set(ring, type)
  const record = struct({ type: u32, ...options.fields }) as EventSignal<F>['record']
  const lost = lossCounter(name)
  const wakeBytes = Math.min(WAKE_BYTES, ring.bytes / 4)

  function emit(fields: FieldsOf<F>): void {
    'use bpf'
    const slot = ring.reserve(record)
    if (slot === undefined) {
      lost.add(0, 1)
      return
    }
    slot.type = type
    assign(slot, fields)
    if (ring.available() >= wakeBytes) ring.submit(slot, RING_FORCE_WAKEUP)
    else ring.submit(slot, RING_NO_WAKEUP)
  }

  return { kind: 'event', name, unit: '{event}', description: options.description ?? '', ring, type, record, lost, emit }
}
