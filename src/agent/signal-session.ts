import type { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import type { EventSignal, Signal } from '../signals/signal.ts'
import { EventReader, openKernelRings, type OpenRings } from './event-reader.ts'
import type { MeterRow } from './meter.ts'
import type { ReadableMap } from './readable-map.ts'
import { SignalReader, type AggregateSignal } from './signal-reader.ts'

/** What one aggregated signal counted: its rows hold until the next reading. */
export interface SignalReading { signal: AggregateSignal; rows: MeterRow<any>[] }

/** The number of the event on its ring says nothing to a person. */
function withoutType(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([field]) => field !== 'type'))
}

/** Reads all signals of one loaded module: events as they come, sums when asked. */
export class SignalSession {
  private readonly events: EventReader
  private readonly readers: SignalReader[] = []
  private readonly losses: ReadableMap[] = []

  /** A signal whose maps no program uses has none, and is left out. */
  constructor(
    signals: readonly Signal[], mapOf: (declaration: MapDeclaration | RingDeclaration) => ReadableMap | undefined,
    onEvent: (signal: EventSignal, record: Record<string, unknown>) => void, openRings: OpenRings = openKernelRings,
  ) {
    this.events = new EventReader(openRings)
    for (const signal of signals) {
      const map = mapOf(signal.kind === 'event' ? signal.ring : signal.map)
      const lost = mapOf(signal.lost)
      if (lost !== undefined) this.losses.push(lost)
      if (map === undefined) continue
      if (signal.kind === 'event') this.events.listen(signal, map, (record) => onEvent(signal, withoutType(record)))
      else this.readers.push(new SignalReader(signal, map))
    }
    this.events.start()
  }

  /** The events that wait go out first, so that they stand before the sums that count them. `now` in milliseconds of any clock. */
  read(now: number): SignalReading[] {
    this.events.drain()
    return this.readers.map((reader) => ({ signal: reader.signal, rows: [...reader.read(now)] }))
  }

  /** Hands out the events that wait. */
  drain(): void {
    this.events.drain()
  }

  /** What the kernel side could not record since the start. */
  get lost(): number {
    return this.losses.reduce((sum, map) => sum + (map.get(0) as number[]).reduce((all, one) => all + one, 0), 0)
  }

  close(): void {
    this.events.close()
  }
}
