import { percpuArray, percpuHash, type MapDeclaration, type RingDeclaration } from '../compiler/language/maps.ts'
import { struct, u64, type FieldsOf, type IntSchema, type Schema, type StructSchema } from '../spec/schema.ts'

/**
 * A signal is what a probe measures: declared once with unit and labels. The kernel side (the
 * `record`, `add` or `emit` of each kind) is itself a kernel function; the store, the exporters
 * and the pages are derived from the declaration.
 */
export type Signal = CounterSignal | CounterGroupSignal | HistogramSignal | EventSignal

export type Labels = Record<string, Schema>

export interface SignalOptions<L extends Labels> {
  /** UCUM-like unit: 'ns', 'By', '{event}'. */
  unit: string
  /** One line for a person. */
  description?: string
  /** Labels, in the order of the key's fields; or a struct schema with them. */
  by?: L | StructSchema<FieldsOf<L>>
  /** Keys held at most; further ones are counted as lost. */
  maxKeys?: number
}

interface SignalBase {
  readonly name: string
  readonly unit: string
  /** One line for a person; '' when the module gives none. */
  readonly description: string
  /** One number a CPU: what could not be recorded since the map or ring was full. */
  readonly lost: MapDeclaration
}

export interface CounterSignal<L extends Labels = any> extends SignalBase {
  readonly kind: 'counter'
  /** The key of the map; null for a counter without labels (array index 0). */
  readonly labels: StructSchema<FieldsOf<L>> | null
  readonly map: MapDeclaration
  /** Kernel side. */
  add(amount: number, labels?: FieldsOf<L>): void
}

/** Several counters under one key, so that one look-up serves them all. */
export interface CounterGroupSignal<L extends Labels = any, F extends Record<string, string> = any> extends SignalBase {
  readonly kind: 'counterGroup'
  readonly labels: StructSchema<FieldsOf<L>> | null
  /** Name of each counter → its unit. */
  readonly counters: F
  readonly map: MapDeclaration
  /** Kernel side: the counters in place, undefined (and counted as lost) when the map is full. */
  at(labels?: FieldsOf<L>): { [K in keyof F]: number } | undefined
}

export interface HistogramSignal<L extends Labels = any> extends SignalBase {
  readonly kind: 'histogram'
  readonly labels: StructSchema<FieldsOf<L>> | null
  readonly map: MapDeclaration
  /** Number of buckets; bucket i counts values in [2^i, 2^(i+1)), bucket 0 also 0, the last one all above. */
  readonly buckets: number
  /** Kernel side. */
  record(value: number, labels?: FieldsOf<L>): void
}

export interface EventSignal<F extends Labels = any> extends SignalBase {
  readonly kind: 'event'
  readonly ring: RingDeclaration
  /** Number of this event on its ring: the record's first field, `type`. */
  readonly type: number
  /** The whole record, `type` first. */
  readonly record: StructSchema<FieldsOf<F> & { type: number }>
  /** Kernel side. */
  emit(fields: FieldsOf<F>): void
}

/** Kernel map names allow letters, digits, '_' and '.'. */
export function mapName(signal: string): string {
  if (!/^[a-z][a-z0-9_.]*$/.test(signal)) {
    throw new TypeError(`signal '${signal}': a name is made of lower-case letters, digits, '_' and '.', such as 'runq.latency'`)
  }
  return signal.replaceAll('.', '_')
}

export function lossCounter(signal: string): MapDeclaration<any, IntSchema> {
  return percpuArray(u64, { name: `${mapName(signal)}_lost` })
}

export function keyedMap<V extends Schema>(signal: string, labels: StructSchema<any> | null, value: V, maxKeys: number): MapDeclaration<any, V> {
  const name = mapName(signal)
  return labels === null ? percpuArray(value, { name }) : percpuHash(labels, value, { name, maxEntries: maxKeys })
}

export function labelSchema<L extends Labels>(labels: SignalOptions<L>['by']): StructSchema<FieldsOf<L>> | null {
  if (labels === undefined) return null
  if (isStruct(labels)) return labels
  return Object.keys(labels).length === 0 ? null : struct(labels)
}

function isStruct(labels: object): labels is StructSchema<any> {
  return (labels as StructSchema).kind === 'struct' && Array.isArray((labels as StructSchema).fields)
}
