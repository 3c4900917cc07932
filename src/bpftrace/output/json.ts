import type { Type } from '../types/type.ts'
import { bucketsOf } from './histogram.ts'
import type { MapData, MapEntry } from './map-data.ts'
import type { Output, Place } from './output.ts'
import type { Symbols } from './symbols.ts'
import { textOf, type TextOptions } from './text-value.ts'
import type { Value } from './value.ts'

/** One JSON object a line, in bpftrace's wording. */
export class JsonOutput implements Output {
  readonly #symbols: Symbols
  readonly #options: TextOptions

  constructor(symbols: Symbols, options: TextOptions) {
    this.#symbols = symbols
    this.#options = options
  }

  attached(probes: number): string { return `{"type": "attached_probes", "count": ${probes}, "data": {"probes": ${probes}}}\n` }
  printf(text: string): string { return line('printf', quote(text)) }
  time(text: string): string { return line('time', quote(text)) }
  join(text: string): string { return line('join', quote(text)) }
  cat(text: string): string { return line('cat', quote(text)) }
  system(text: string): string { return line('syscall', quote(text)) }
  value(value: Value): string { return line('value', this.#json(value)) }
  lost(count: bigint): string { return `{"type": "lost_events", "count": ${count}, "data": {"events": ${count}}}\n` }
  message(kind: 'errorf' | 'warnf', text: string, place: Place): string { return `{"type": "${kind}", "msg": ${quote(text)}, ${where(place)}}\n` }
  helperError(message: string, helper: string, code: bigint, place: Place): string {
    return `{"type": "helper_error", "msg": ${quote(message)}, "helper": ${quote(helper)}, "retcode": ${code}, ${where(place)}}\n`
  }
  runtimeError(message: string, place: Place): string { return `{"type": "runtime_error", "msg": ${quote(message)}, ${where(place)}}\n` }
  benchmark(name: string, averageNs: bigint, iterations: number): string {
    return line('benchmark_result', `{${quote(name)}: {"average": ${averageNs}, "iters": ${iterations}}}`)
  }
  test(name: string, passed: boolean): string { return line(
    'test_result', `{${quote(name)}: {"result": ${quote(passed ? 'PASS' : 'FAIL')}}}`,
  ) }
  end(): string { return '' }

  map(data: MapData, top: number | null, divisor: bigint | null): string {
    const shown = top === null || top === 0 ? data.entries : data.entries.slice(-top)
    if (shown.length === 0) return ''
    const by = divisor === null || divisor === 0n ? 1n : divisor
    const body = shown[0]!.key === null ? this.#value(data.type, shown[0]!, by)
      : `{${shown.map((entry) => `${quote(this.#key(entry.key!))}: ${this.#value(data.type, entry, by)}`).join(', ')}}`
    return line(kindOf(data.type), `{${quote(data.name)}: ${body}}`)
  }

  /** Keys are texts; those of several parts lose parentheses and blanks. */
  #key(key: Value): string {
    if (key.kind === 'tuple') return key.elements.map((element) => this.#key(element)).join(',')
    return textOf(key, this.#symbols, this.#options)
  }

  #value(type: Type, { value }: MapEntry, divisor: bigint): string {
    switch (value.kind) {
      case 'value': return value.value.kind === 'int' && divisor !== 1n ? number(value.value.value / divisor) : this.#json(value.value)
      case 'number': return number(value.value / divisor)
      case 'stats': return `{"count": ${number(value.count)}, "average": ${number(value.average / divisor)}, "total": ${number(value.total / divisor)}}`
      case 'buckets': {
        const buckets = bucketsOf(value.counts, type as Type & { kind: 'aggregate' })
        return `[${buckets.map(({ min, max, count }) => `{${min === null ? '' : `"min": ${min}, `}${max === null ? '' : `"max": ${max - 1n}, `}"count": ${count / divisor}}`).join(', ')}]`
      }
      case 'series': return this.#series(type as Type & { kind: 'aggregate' }, value.points)
    }
  }

  #series({ options }: Type & { kind: 'aggregate' }, points: readonly { epoch: bigint; value: bigint }[]): string {
    const [interval] = options as [bigint]
    const sorted = [...points].sort((a, b) => (a.epoch < b.epoch ? -1 : 1))
    return `[${sorted.map(({ epoch, value }) => `{"interval_start": ${quote(this.#symbols.time('%Y-%m-%dT%H:%M:%S.%6fZ', epoch * interval, 'boot'))}, "value": ${number(value)}}`).join(', ')}]`
  }

  #json(value: Value): string {
    switch (value.kind) {
      case 'int': case 'enum': case 'pointer': return number(value.value)
      case 'bool': return String(value.value)
      case 'array': case 'tuple': return `[${value.elements.map((element) => this.#json(element)).join(',')}]`
      case 'fields': return `{${value.fields.map(([name, field]) => `${quote(name)}: ${this.#json(field)}`).join(', ')}}`
      case 'ksym': case 'usym': return number(value.address)
      case 'none': return 'null'
      default: return quote(textOf(value, this.#symbols, this.#options))
    }
  }
}

function kindOf(type: Type): string {
  if (type.kind !== 'aggregate') return 'map'
  switch (type.fn) {
    case 'hist': case 'lhist': return 'hist'
    case 'stats': case 'tseries': return type.fn
    default: return 'map'
  }
}

function line(type: string, data: string): string {
  return `{"type": "${type}", "data": ${data}}\n`
}

/** Numbers that a double cannot hold are texts. */
function number(value: bigint): string {
  return BigInt(Number(value)) === value && value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? String(value) : `"${value}"`
}

function where({ filename, line: at, column }: Place): string {
  return `"filename": ${quote(filename)}, "line": ${at}, "col": ${column}`
}

export function quote(text: string): string {
  return `"${text.replace(/["\\\b\f\n\r\t]|[\x00-\x1f]/g, (char) => escapes[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}

const escapes: Record<string, string> = {
  '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t',
}
