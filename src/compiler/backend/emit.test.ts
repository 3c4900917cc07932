import { describe, expect, test } from 'vitest'
import { interpret, Memory, type Helper } from '../ir/interpret.ts'
import { printFunction } from '../ir/print.ts'
import { validate } from '../ir/validate.ts'
import type { IrFunction } from '../ir/ir.ts'
import { encodeInstructions, runBytecode } from './bytecode-oracle.ts'
import { emitFunction } from './emit.ts'
import { copyHelper, randomFunction, type RandomOptions } from './random-function.ts'
import type { Isa } from './select.ts'

const contextAddress = 0x1000n

function environment(seed: number) {
  const memory = new Memory()
  const context = new Uint8Array(64)
  for (let index = 0; index < context.length; index++) context[index] = Math.imul(seed + index, 0x9e3779b1) >>> 24
  memory.map(contextAddress, context)
  let time = BigInt(seed)
  const calls: string[] = []
  const record = (name: string, result: bigint) => {
    calls.push(`${name} ${result}`)
    return result
  }
  const copy: Helper = ([to, size, from], inMemory) => {
    for (let at = 0n; at < size!; at++) inMemory.store(to! + at, 1, inMemory.load(from! + at, 1))
    return record('copy', size!)
  }
  const helpers: Record<number, Helper> = {
    5: () => record('ktime', time += 0x1234_5678_9abcn), 14: () => record('pid', 0x0000_1234_0000_1235n), [copyHelper]: copy,
  }
  return { memory, context: contextAddress, helpers, calls }
}

/** What IR and machine code do; equal if the back end is right. */
function difference(fn: IrFunction, seed: number, isa: Isa): string | null {
  const expected = environment(seed)
  const actual = environment(seed)
  const wanted = interpret(fn, expected)
  const got = runBytecode(encodeInstructions(emitFunction(fn, { isa }).instructions), actual)
  if (wanted !== got) return `returned ${got}, not ${wanted}`
  return expected.calls.join('\n') === actual.calls.join('\n') ? null : 'other calls'
}

function options(seed: number, isa: Isa): RandomOptions {
  return { statements: 4 + seed % 37, variables: 1 + seed % 19, v4: isa === 4, sources: seed % 5 === 0 ? [] : [5, 14], contextWords: 8 }
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
