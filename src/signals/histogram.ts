import { log2, min } from '../compiler/language/intrinsics.ts'
import { array, struct, u64 } from '../spec/schema.ts'
import { keyedMap, labelSchema, lossCounter, type HistogramSignal, type Labels, type SignalOptions } from './signal.ts'

export interface HistogramOptions<L extends Labels> extends SignalOptions<L> {
  /** Number of base-2 buckets; 40 reach 2^40, for nanoseconds 18 minutes. */
  buckets?: number
}

/** A base-2 exponential histogram (OpenTelemetry's scale 0), per CPU in the kernel, by labels. */
export function histogram<L extends Labels>(name: string, options: HistogramOptions<L>): HistogramSignal<L> {
  const labels = labelSchema(options.by)
  const buckets = options.buckets ?? 40
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > 64) {
    throw new RangeError(`histogram '${name}': buckets must be an integer from 1 to 64, not ${buckets}`)
  }
  const value = struct({ sum: u64, buckets: array(u64, buckets) })
  const map = keyedMap(name, labels, value, options.maxKeys ?? 512)
  const lost = lossCounter(name)
  const labelled = labels !== null
  const last = buckets - 1

  function record(amount: number, key?: any): void {
    'use bpf'
    const slot = map.getOrInsert(labelled ? key : 0)
    if (slot === undefined) {
      lost.add(0, 1)
      return
    }
    slot.sum += amount
    slot.buckets[min(log2(amount), last)] += 1
  }

  return { kind: 'histogram', name, unit: options.unit, description: options.description ?? '', labels, buckets, map, lost, record }
}
