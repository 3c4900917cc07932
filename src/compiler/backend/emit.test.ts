import { describe, expect, test } from 'vitest'
import { interpret } from '../ir/interpret.ts'
import { printFunction } from '../ir/print.ts'
import { validate } from '../ir/validate.ts'
import type { IrFunction } from '../ir/ir.ts'
import { encodeInstructions, runBytecode } from './bytecode-oracle.ts'
import { emitFunction } from './emit.ts'
import { contextWords, randomEnvironment } from './random-environment.ts'
import { randomFunction, type RandomOptions } from './random-function.ts'
import type { Isa } from './select.ts'

/** What IR and machine code do; equal if the back end is right. */
function difference(fn: IrFunction, seed: number, isa: Isa): string | null {
  const expected = randomEnvironment(seed)
  const actual = randomEnvironment(seed)
  const wanted = interpret(fn, expected)
  const got = runBytecode(encodeInstructions(emitFunction(fn, { isa }).instructions), actual)
  if (wanted !== got) return `returned ${got}, not ${wanted}`
  return expected.calls.join('\n') === actual.calls.join('\n') ? null : 'other calls'
}

function options(seed: number, isa: Isa): RandomOptions {
  return { statements: 4 + seed % 37, variables: 1 + seed % 19, v4: isa === 4, sources: seed % 5 === 0 ? [] : [5, 14], contextWords }
}

describe('random programs', () => {
  for (const isa of [1, 2, 3, 4] as const) {
    test(`v${isa}: machine code does what the IR says`, () => {
      let spilled = 0
      for (let seed = 0; seed < 1000; seed++) {
        const fn = randomFunction(seed * 4 + isa, options(seed, isa))
        validate(fn)
        let problem: string | null
        try {
          problem = difference(fn, seed, isa)
          if (emitFunction(fn, { isa }).stackBytes > fn.slots.length * 16) spilled++
        } catch (error) {
          problem = (error as Error).stack!
        }
        if (problem !== null) expect.fail(`seed ${seed}: ${problem}\n${printFunction(fn)}`)
      }
      expect(spilled).toBeGreaterThan(300)
    })
  }
})
