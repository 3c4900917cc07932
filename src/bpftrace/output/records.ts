import { frameOf, placeOf, sources } from '../diagnostic.ts'
import type { Event, Field } from '../generate/events.ts'
import type { Source, Span } from '../source.ts'
import { format } from './printf.ts'
import type { Output, Place } from './output.ts'
import type { Symbols } from './symbols.ts'
import type { TextOptions } from './text-value.ts'
import { decode, integer, type StringLimit } from './value.ts'

/** What a record asks its reader to do. */
export type Action =
  | { kind: 'write'; text: string; error?: boolean }
  | { kind: 'printMap'; map: string; top: number | null; divisor: bigint | null }
  | { kind: 'clear' | 'zero'; map: string }
  | { kind: 'exit'; code: number }
  | { kind: 'system' | 'cat'; command: string }
  | { kind: 'none' }

export interface RecordOptions extends TextOptions, StringLimit { source: Source; warnings: boolean }

/** Turns records of the ring into what is to be done, in order. Pure: whoever calls it acts. */
export class Records {
  readonly #events: readonly Event[]
  readonly #output: Output
  readonly #symbols: Symbols
  readonly #options: RecordOptions
  readonly #told = new Set<Event>()

  constructor(events: readonly Event[], output: Output, symbols: Symbols, options: RecordOptions) {
    this.#events = events
    this.#output = output
    this.#symbols = symbols
    this.#options = options
  }

  action(record: DataView): Action {
    const event = this.#events[Number(record.getBigUint64(0, true))]
    if (event === undefined) return { kind: 'none' }
    const write = (text: string): Action => ({ kind: 'write', text })
    switch (event.kind) {
      case 'printf': return write(this.#output.printf(this.#format(event, record)))
      case 'system': case 'cat': return { kind: event.kind, command: this.#format(event, record) }
      case 'errorf': case 'warnf': return { kind: 'write', text: this.#message(event, event.kind, record), error: true }
      case 'print': return write(this.#output.value(decode(record, event.value.offset, event.value.type, this.#options)))
      case 'printMap': return { kind: 'printMap', map: event.map, top: event.top, divisor: event.divisor }
      case 'clear': case 'zero': return { kind: event.kind, map: event.map }
      case 'exit': return { kind: 'exit', code: Number(BigInt.asIntN(32, integer(record, event.code.offset, 64, true))) }
      case 'time': return write(this.#output.time(this.#symbols.time(event.format, 0n, 'wall')))
      case 'join': return write(this.#output.join(joined(record, event)))
      case 'helperError': {
        if (!this.#first(event)) return { kind: 'none' }
        return {
          kind: 'write', error: true, text: this.#output.helperError(
            event.message ?? `Failed to ${event.helper}`, event.helper, integer(record, event.code.offset, 64, true), this.#place(event.span),
          ),
        }
      }
      case 'runtimeError':
        if (!this.#first(event)) return { kind: 'none' }
        return { kind: 'write', error: true, text: this.#output.runtimeError(event.message, this.#place(event.span)) }
      case 'unwatch': case 'cgroupPath': case 'skboutput': return { kind: 'none' }
    }
  }

  /** Warnings of one place are told once. */
  #first(event: Event): boolean {
    if (!this.#options.warnings || this.#told.has(event)) return false
    this.#told.add(event)
    return true
  }

  #format(event: { format: string; args: readonly Field[] }, record: DataView): string {
    return format(
      event.format, event.args.map(
        ({ offset, type }) => decode(record, offset, type, this.#options),
      ), this.#symbols, this.#options,
    )
  }

  #message(event: { format: string; args: readonly Field[]; expandedFrom: readonly Span[]; span: Span }, kind: 'errorf' | 'warnf', record: DataView): string {
    const text = this.#format(event, record)
    const { source } = this.#options
    const word = kind === 'errorf' ? 'ERROR' : 'WARNING'
    const lines = [`${placeOf(source, event.span)}: ${word}: ${text.replace(/\n$/, '')}`, ...frameOf(source, event.span)]
    for (const from of event.expandedFrom) lines.push(
      `${placeOf(source, from)}: ${word}: expanded from`, ...frameOf(source, from),
    )
    const place = this.#place(event.span)
    return this.#output.message(kind, this.#isText() ? `${lines.join('\n')}\n` : text, place)
  }

  #isText(): boolean {
    return this.#output.end() !== ''
  }

  #place(span: Span): Place {
    const source = sources.get(span) ?? this.#options.source
    const { line, column } = source.position(span.start)
    return {
      filename: source.name, line, column, text: [`${placeOf(source, span)}: WARNING: %s`, ...frameOf(source, span)].join('\n'),
    }
  }
}

const decoder = new TextDecoder()

function joined(record: DataView, { count, size, separator }: Event & { kind: 'join' }): string {
  const words: string[] = []
  for (let index = 0; index < count; index++) {
    const at = 8 + index * size
    let length = 0
    while (length < size && record.getUint8(at + length) !== 0) length++
    if (length === 0) break
    words.push(decoder.decode(new Uint8Array(record.buffer, record.byteOffset + at, length)))
  }
  return words.join(separator)
}
