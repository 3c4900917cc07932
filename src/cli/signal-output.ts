import type { SignalReading } from '../agent/signal-session.ts'
import type { EventSignal } from '../signals/signal.ts'
import { eventLine, labelText, readingJson, readingLines } from './signal-lines.ts'

/** Where the signals of a module that runs go: lines for a person, or JSON. */
export class SignalOutput {
  private readonly json: boolean
  private readonly write: (text: string) => void

  constructor(json: boolean, write: (text: string) => void = (text) => { process.stdout.write(`${text}\n`) }) {
    this.json = json
    this.write = write
  }

  readonly event = (signal: EventSignal, record: Record<string, unknown>): void => {
    this.write(this.json ? JSON.stringify({ event: signal.name, ...record }) : eventLine(signal, record))
  }

  /** A tick; `at` in milliseconds since the epoch. */
  tick(readings: readonly SignalReading[], at: number): void {
    if (this.json) for (const reading of readings) this.write(JSON.stringify({ at, ...readingJson(reading) }))
    else if (readings.length > 0) this.write(readings.flatMap((reading) => [...readingLines(reading), '']).join('\n'))
  }

  /** An exported map, once at the end. */
  map(name: string, entries: readonly (readonly [unknown, unknown])[]): void {
    if (this.json) return this.write(JSON.stringify({ map: name, entries }))
    this.write(`${name}: ${entries.length} entries`)
    for (const [key, value] of entries) this.write(`  ${part(key)}: ${part(value)}`)
  }
}

function part(value: unknown): string {
  return labelText(value) || String(value)
}
