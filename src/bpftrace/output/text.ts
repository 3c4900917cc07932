import { sizeOf, type Type } from '../types/type.ts'
import { bucketsOf, drawHistogram } from './histogram.ts'
import type { MapData, MapEntry } from './map-data.ts'
import type { Output, Place } from './output.ts'
import type { Symbols } from './symbols.ts'
import { textOf, type TextOptions } from './text-value.ts'
import type { Value } from './value.ts'

/** bpftrace's own text. */
export class TextOutput implements Output {
  readonly #symbols: Symbols
  readonly #options: TextOptions

  constructor(symbols: Symbols, options: TextOptions) {
    this.#symbols = symbols
    this.#options = options
  }

  attached(probes: number): string { return `Attached ${probes} probe${probes === 1 ? '' : 's'}\n` }
  printf(text: string): string { return text }
  time(text: string): string { return text }
  join(text: string): string { return `${text}\n` }
  cat(text: string): string { return text }
  system(text: string): string { return text }
  value(value: Value): string { return `${this.#text(value)}\n` }
  lost(count: bigint): string { return `Lost ${count} events\n` }
  message(_kind: 'errorf' | 'warnf', text: string): string { return text }
  helperError(message: string, _helper: string, _code: bigint, place: Place): string { return framed(place, message) }
  runtimeError(message: string, place: Place): string { return framed(place, message) }
  benchmark(name: string, averageNs: bigint): string { return `${name}: ${averageNs} ns\n` }
  test(name: string, passed: boolean): string { return `${passed ? 'PASS' : 'FAIL'}: ${name}\n` }
  end(): string { return '\n' }

  #text(value: Value, key = false): string {
    return textOf(value, this.#symbols, this.#options, key)
  }

  map(data: MapData, top: number | null, divisor: bigint | null): string {
    const shown = top === null || top === 0 ? data.entries : data.entries.slice(-top)
    const by = divisor === null || divisor === 0n ? 1n : divisor
    return shown.map((entry) => this.#entry(data, entry, by)).join('')
  }

  #entry({ name, type }: MapData, { key, value }: MapEntry, divisor: bigint): string {
    const head = key === null ? name : `${name}[${this.#text(key, true)}]`
    switch (value.kind) {
      case 'value': return `${head}: ${value.value.kind === 'int' && divisor !== 1n ? value.value.value / divisor : this.#text(value.value)}\n`
      case 'number': return `${head}: ${value.value / divisor}\n`
      case 'stats': return `${head}: { .count = ${value.count}, .average = ${value.average / divisor}, .total = ${value.total / divisor} }\n`
      case 'buckets': {
        const aggregate = type as Type & { kind: 'aggregate' }
        return [
          `${head}:`, ...drawHistogram(bucketsOf(value.counts, aggregate), divisor, aggregate.fn === 'lhist'), '', '',
        ].join('\n')
      }
      case 'series': return [
        `${head}:`, ...series(value.points, type as Type & { kind: 'aggregate' }, this.#symbols), '', '',
      ].join('\n')
    }
  }
}

function framed(place: Place, message: string): string {
  return `${place.text.replace('%s', message)}\n`
}

const plotWidth = 52

/** A row an interval, from the oldest to the newest, with a mark where its value lies between the least and the most. */
function series(points: readonly { epoch: bigint; value: bigint }[], { options }: Type & { kind: 'aggregate' }, symbols: Symbols): string[] {
  const [interval, count] = options as [bigint, bigint]
  if (points.length === 0) return []
  const byEpoch = new Map(points.map(({ epoch, value }) => [epoch, value]))
  const last = points.reduce((most, { epoch }) => (epoch > most ? epoch : most), 0n)
  const oldest = points.reduce((least, { epoch }) => (epoch < least ? epoch : least), last)
  const first = last - count + 1n > oldest ? last - count + 1n : oldest
  const values = [...byEpoch.values()]
  const least = values.reduce((a, b) => (b < a ? b : a))
  const most = values.reduce((a, b) => (b > a ? b : a))
  const rows: string[] = []
  for (let epoch = first; epoch <= last; epoch++) {
    const value = byEpoch.get(epoch)
    const at = value === undefined ? -1 : most === least ? plotWidth - 1 : Number(
      (value - least) * BigInt(plotWidth - 1) / (most - least),
    )
    const bar = Array.from({ length: plotWidth }, (_, index) => (index === at ? '*' : '.')).join('')
    rows.push(
      `${symbols.time(interval >= 1_000_000_000n ? '%H:%M:%S' : '%H:%M:%S.%3f', epoch * interval, 'boot')} |${bar}| ${value ?? '-'}`,
    )
  }
  return rows
}

export { sizeOf }
