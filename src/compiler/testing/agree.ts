import { expect } from 'vitest'
import { decoder, recordView } from '../../spec/codec.ts'
import { i64, type Schema, type ValueOf } from '../../spec/schema.ts'
import { arrayMap } from '../language/maps.ts'
import { raw_tp } from '../language/programs.ts'
import { runEverywhere, type RunOptions } from './engines.ts'
import type { Outcome } from './simulated-kernel.ts'

/** The outcome that all engines agree on. */
export function agreed(module: Record<string, unknown>, contexts: readonly (readonly bigint[])[] = [[]], options: RunOptions = {}): Outcome {
  const outcomes = runEverywhere(module, contexts, options)
  const [[, first], ...others] = Object.entries(outcomes) as [[string, Outcome], ...[string, Outcome][]]
  for (const [engine, outcome] of others) expect({ engine, ...outcome }).toEqual({ engine, ...first })
  return first
}

/** Entries of a map in an outcome, decoded; array maps by index. */
export function entriesOf<V extends Schema>(outcome: Outcome, name: string, value: V, key: Schema): [unknown, ValueOf<V>][] {
  return outcome.maps[name]!.map(([keyBytes, valueBytes]) => [decode(key, keyBytes), decode(value, valueBytes)])
}

export function decode<S extends Schema>(schema: S, hexBytes: string): ValueOf<S> {
  const bytes = new Uint8Array(Math.ceil(schema.size / 8) * 8)
  bytes.set(Buffer.from(hexBytes, 'hex'))
  return decoder(schema)(recordView(bytes.buffer), 0)
}

type Numbers = (a: any, b: any) => any

const out = arrayMap(i64, { name: 'out' })

/**
 * What a kernel function of two numbers gives, by all engines: the arguments have the types of the hook,
 * a tracepoint of the small kernel. The result is stored in 64 bits.
 */
export function compute(hook: string, fn: Numbers, a: bigint | number, b: bigint | number, options: RunOptions = {}): bigint {
  const program = raw_tp(hook, (a, b) => {
    'use bpf'
    out.set(0, fn(a, b))
  })
  const outcome = agreed({ out, program }, [[BigInt(a), BigInt(b)]], options)
  return Buffer.from(outcome.maps['out']![0]![1], 'hex').readBigInt64LE()
}

/** Where a kernel function of two numbers gives something else than as plain JavaScript. */
export function disagreements(hook: string, fn: Numbers, pairs: readonly (readonly [number, number])[], options: RunOptions = {}): { a: number; b: number; kernel: bigint; javaScript: bigint }[] {
  return pairs.flatMap(([a, b]) => {
    const kernel = compute(hook, fn, a, b, options)
    const javaScript = BigInt(Number(fn(a, b)))
    return kernel === javaScript ? [] : [{ a, b, kernel, javaScript }]
  })
}
