import { struct, u64 } from '../spec/schema.ts'
import { keyedMap, labelSchema, lossCounter, type CounterGroupSignal, type Labels, type SignalOptions } from './signal.ts'

export interface CounterGroupOptions<L extends Labels, F extends Record<string, string>> extends Omit<SignalOptions<L>, 'unit'> {
  /** Name of each counter → its unit. */
  counters: F
}

/** Several sums under one key, per CPU in the kernel. */
export function counterGroup<L extends Labels, F extends Record<string, string>>(name: string, options: CounterGroupOptions<L, F>): CounterGroupSignal<L, F> {
  const labels = labelSchema(options.by)
  const value = struct(Object.fromEntries(Object.keys(options.counters).map((field) => [field, u64])))
  const map = keyedMap(name, labels, value, options.maxKeys ?? 1024)
  const lost = lossCounter(name)
  const labelled = labels !== null

  function at(key?: any): any {
    'use bpf'
    const slot = map.getOrInsert(labelled ? key : 0)
    if (slot === undefined) lost.add(0, 1)
    return slot
  }

  const { counters, description = '' } = options
  return { kind: 'counterGroup', name, unit: '', description, labels, counters, map, lost, at }
}
