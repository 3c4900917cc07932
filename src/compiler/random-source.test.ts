import { describe, expect, test } from 'vitest'
import * as intrinsics from './language/intrinsics.ts'
import { i64 } from '../spec/schema.ts'
import { arrayMap } from './language/maps.ts'
import { raw_tp } from './language/programs.ts'
import { kernelRuns, runEverywhere } from './testing/engines.ts'
import { evaluateModule } from './testing/module-text.ts'
import { randomSource } from './testing/random-source.ts'

/**
 * Random kernel functions written in TypeScript: as plain JavaScript, as IR before and after the passes, as bytecode
 * v1 … v4 and in the running kernel they give the same. SKEP_SEEDS and SKEP_FIRST_SEED choose more of them.
 */
const seeds = Number(process.env['SKEP_SEEDS'] ?? 40)
const first = Number(process.env['SKEP_FIRST_SEED'] ?? 0)
const tables: Record<number, number[]> = { 1: [5], 2: [5, -7], 3: [5, -7, 100], 4: [5, -7, 100, 0] }
const inputs = [0, 1, 7, -0x8000_0000, 123_456]

const chunk = 10

describe(`random functions (kernel: ${kernelRuns ? 'yes' : 'no raw tracepoints'})`, () => {
  const out = arrayMap(i64, { name: 'out', maxEntries: 8 })
  let inKernel = 0

  for (let from = first; from < first + seeds; from += chunk) {
    test(`seeds ${from} to ${from + chunk - 1}`, () => {
      for (let seed = from; seed < from + chunk; seed++) {
        const { kernel: source, javaScript } = randomSource(seed)
        const names = { ...intrinsics, tables }
        const { fn } = evaluateModule(source, 'random.ts', names) as { fn: (a: any, b: any) => number }
        const { fn: twin } = evaluateModule(javaScript, 'random.ts', names) as { fn: (a: number, b: number) => number }
        const program = raw_tp('mixed_s32_s64', (a, index) => {
          'use bpf'
          out.set(index as unknown as u32, fn(a, (a >> 3) ^ 5))
        })
        const results = inputs.map((a) => BigInt(twin(a, (a >> 3) ^ 5)))
        const outcomes = runEverywhere({ out, program }, inputs.map((a, index) => [BigInt(a), BigInt(index)]), { mayBeTooLarge: true })
        if ('kernel' in outcomes) inKernel++
        for (const [engine, outcome] of Object.entries(outcomes)) {
          const found = outcome.maps['out']!.slice(0, inputs.length).map(([, bytes]) => Buffer.from(bytes, 'hex').readBigInt64LE())
          expect({ seed, engine, source, found }).toEqual({ seed, engine, source, found: results })
        }
      }
    }, 300_000)
  }

  test.runIf(kernelRuns)('the verifier gives up on few of them, which have too many paths', () => {
    expect(inKernel).toBeGreaterThan(seeds * 0.8)
  })
})

type u32 = number
