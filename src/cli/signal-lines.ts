import type { SignalReading } from '../agent/signal-session.ts'
import type { MeterRow } from '../agent/meter.ts'
import { summarise } from '../agent/histogram.ts'
import type { EventSignal, HistogramSignal } from '../signals/signal.ts'
import { amount, byteCount, nanoseconds } from './format.ts'
import { plain } from './text.ts'

/** Rows shown of one signal, largest first. */
const shownRows = 20
const barColumns = 40

/** A value in its unit: nanoseconds and bytes as people read them, others as counts. */
export function inUnit(unit: string, value: number): string {
  if (unit === 'ns') return nanoseconds(value)
  return unit === 'By' ? byteCount(value) : amount(value)
}

/** 'cgroup=12 comm=sh', or '' without labels. Labels that are structs are written out. */
export function labelText(labels: unknown): string {
  if (labels === null || typeof labels !== 'object') return ''
  return Object.entries(labels).map(([name, value]) => isRecord(value) ? labelText(value) : `${name}=${valueText(value)}`).join(' ')
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? (value === '' ? '""' : plain(value)) : value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value)
}

/** An event on one line. */
export function eventLine(signal: EventSignal, record: Record<string, unknown>): string {
  return `${signal.name}  ${labelText(record)}`
}

/** What an aggregated signal counted since its start, as plain lines. */
export function readingLines({ signal, rows }: SignalReading): string[] {
  const shown = rows.filter((row) => row.total.some((cell) => cell !== 0)).toSorted((a, b) => weight(signal.kind, b) - weight(signal.kind, a))
  const head = `${signal.name}${signal.unit === '' ? '' : ` (${signal.unit})`}${signal.description === '' ? '' : `: ${signal.description}`}`
  if (shown.length === 0) return [head, '  nothing yet']
  const lines = shown.slice(0, shownRows).flatMap((row) => {
    const label = labelText(row.key)
    if (signal.kind === 'histogram') return histogramLines(signal, row, label)
    if (signal.kind === 'counter') return [`  ${inUnit(signal.unit, row.total[0]!).padStart(8)}  ${label}`]
    const parts = Object.entries(signal.counters).map(([name, unit], index) => `${name} ${inUnit(unit as string, row.total[index]!)}`)
    return [`  ${parts.join(' · ')}  ${label}`]
  })
  const rest = shown.length - shownRows
  return [head, ...lines, ...(rest > 0 ? [`  … and ${rest} more`] : [])]
}

/** Histograms by their count, the others by their first counter. */
function weight(kind: string, row: MeterRow<any>): number {
  return kind === 'histogram' ? row.total.subarray(1).reduce((sum, here) => sum + here, 0) : row.total[0]!
}

function histogramLines({ unit }: HistogramSignal, row: MeterRow<any>, label: string): string[] {
  const { buckets, count, sum, p50, p99 } = summarise(row.total.subarray(1), row.total[0]!)
  const largest = Math.max(...buckets)
  const first = buckets.findIndex((here) => here > 0)
  const head = `  ${label === '' ? '' : `${label}  `}count ${amount(count)} · mean ${inUnit(unit, count === 0 ? 0 : sum / count)} · p50 ${inUnit(unit, p50 ?? 0)} · p99 ${inUnit(unit, p99 ?? 0)}`
  const bars = buckets.slice(first).map((here, index) => {
    const low = first + index
    const range = `[${inUnit(unit, low === 0 ? 0 : 2 ** low)}, ${inUnit(unit, 2 ** (low + 1))})`
    return `    ${range.padEnd(20)} ${amount(here).padStart(6)} |${'@'.repeat(Math.round(here / largest * barColumns)).padEnd(barColumns)}|`
  })
  return [head, ...bars]
}

/** A reading as plain data for `--json`: since the start, only rows with something in them. */
export function readingJson({ signal, rows }: SignalReading): object {
  const seen = rows.filter((row) => row.total.some((cell) => cell !== 0))
  return {
    signal: signal.name, kind: signal.kind, unit: signal.unit,
    rows: seen.map((row) => ({ labels: row.key ?? {}, ...valueJson(signal, row) })),
  }
}

function valueJson(signal: SignalReading['signal'], row: MeterRow<any>): object {
  if (signal.kind === 'counter') return { value: row.total[0] }
  if (signal.kind === 'histogram') return summarise(row.total.subarray(1), row.total[0]!)
  return Object.fromEntries(Object.keys(signal.counters).map((name, index) => [name, row.total[index]]))
}
