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
import { shrink } from './shrink.ts'

/** What IR and machine code do differently; null if the back end is right. */
function difference(fn: IrFunction, seed: number, isa: Isa): string | null {
  const expected = randomEnvironment(seed)
  const actual = randomEnvironment(seed)
  const wanted = interpret(fn, expected)
  try {
    const got = runBytecode(encodeInstructions(emitFunction(fn, { isa }).instructions), actual)
    if (wanted !== got) return `returned ${got}, not ${wanted}`
  } catch (error) {
    return (error as Error).stack ?? String(error)
  }
  return expected.calls.join('\n') === actual.calls.join('\n') ? null : 'other calls'
}

/** Whether it is a valid function that ends, and still goes wrong. */
function stillFails(fn: IrFunction, seed: number, isa: Isa): boolean {
  try {
    validate(fn)
    interpret(fn, { ...randomEnvironment(seed), maxSteps: 10_000 })
  } catch {
    return false
  }
  return difference(fn, seed, isa) !== null
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
        const problem = difference(fn, seed, isa)
        if (problem !== null) {
          const smaller = shrink(fn, (candidate) => stillFails(candidate, seed, isa))
          expect.fail(`seed ${seed}: ${problem}\nshrunk: ${difference(smaller, seed, isa)}\n${printFunction(smaller)}`)
        }
        if (emitFunction(fn, { isa }).stackBytes > fn.slots.length * 16) spilled++
      }
      expect(spilled).toBeGreaterThan(300)
    }, 300_000)
  }

  test('a failing one is shrunk to what matters', () => {
    const fn = randomFunction(12, options(12, 3))
    const divides = (candidate: IrFunction) => candidate.blocks.some(({ ops }) => ops.some((op) => op.op === 'binary' && op.operator === 'mod'))
    const isValid = (candidate: IrFunction) => {
      try {
        validate(candidate)
      } catch {
        return false
      }
      return true
    }
    expect(divides(fn)).toBe(true)
    const smaller = shrink(fn, (candidate) => isValid(candidate) && divides(candidate))
    expect(smaller.blocks.flatMap(({ ops }) => ops.filter(({ op }) => op !== 'const')).length).toBe(1)
  })
})
