import { u64 } from '../spec/schema.ts'
import { keyedMap, labelSchema, lossCounter, type CounterSignal, type Labels, type SignalOptions } from './signal.ts'

/** A sum that only grows, per CPU in the kernel, by labels. */
export function counter<L extends Labels>(name: string, options: SignalOptions<L>): CounterSignal<L> {
  const labels = labelSchema(options.by)
  const map = keyedMap(name, labels, u64, options.maxKeys ?? 1024)
  const lost = lossCounter(name)
  const labelled = labels !== null

  function add(amount: number, key?: any): void {
    'use bpf'
    if (labelled) {
      if (!map.add(key, amount)) lost.add(0, 1)
    } else {
      map.add(0, amount)
    }
  }

  return { kind: 'counter', name, unit: options.unit, description: options.description ?? '', labels, map, lost, add }
}
