import type { BpfMap } from '../bpf/map.ts'
import { RingReader } from '../bpf/ring.ts'
import type { ReadableMap } from './readable-map.ts'
import type { EventSignal } from '../signals/signal.ts'
import { decoder, type RecordView } from '../spec/codec.ts'

type Handler = (view: RecordView, offset: number) => void

/** What reads rings: gives each record to the handler, with the index of its ring. */
export interface RingSource {
  start(handler: RingHandler): void
  drain(handler: RingHandler): number
  close(): void
}
export type RingHandler = (view: RecordView, offset: number, length: number, ring: number) => void
export type OpenRings = (maps: readonly ReadableMap[]) => RingSource

/** The rings of the kernel. */
export const openKernelRings: OpenRings = (maps) => RingReader.open(maps as readonly BpfMap[])

/** Reads the events of any number of signals from their rings: one reader for all of them, each record to its own listener. */
export class EventReader {
  private readonly maps: ReadableMap[] = []
  /** By ring, in the order of `maps`: the listeners by event type. */
  private readonly handlers: Map<number, Handler>[] = []
  private reader: RingSource | null = null
  private readonly open: OpenRings

  constructor(open: OpenRings = openKernelRings) {
    this.open = open
  }

  /** Calls `handle` with each record of `signal`, which travels on the ring `map`. Before start(). */
  listen(signal: EventSignal, map: ReadableMap, handle: (record: any) => void): void {
    if (!this.maps.includes(map)) {
      this.maps.push(map)
      this.handlers.push(new Map())
    }
    const decode = decoder(signal.record)
    this.handlers[this.maps.indexOf(map)]!.set(signal.type, (view, offset) => handle(decode(view, offset)))
  }

  /** Reads from now on; does nothing when nobody listens. */
  start(): void {
    if (this.maps.length === 0) return
    this.reader = this.open(this.maps)
    this.reader.start(this.onRecord)
  }

  /** Reads what waits now, so that a tick has all that came before it. */
  drain(): void {
    this.reader?.drain(this.onRecord)
  }

  close(): void {
    this.reader?.close()
    this.reader = null
  }

  private readonly onRecord = (view: RecordView, offset: number, _length: number, ring: number) => {
    const type = view.u32[offset >> 2]!
    const handler = this.handlers[ring]!.get(type)
    if (handler === undefined) throw new Error(`a record of the unknown type ${type} came from the ring '${this.maps[ring]!.spec.name}'`)
    handler(view, offset)
  }
}
