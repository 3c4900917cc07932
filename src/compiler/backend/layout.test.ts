import { describe, expect, test } from 'vitest'
import type { Instruction } from '../../asm/instruction.ts'
import { FunctionBuilder } from '../ir/function-builder.ts'
import { interpret } from '../ir/interpret.ts'
import type { Comparison, IrFunction } from '../ir/ir.ts'
import { validate } from '../ir/validate.ts'
import { encodeInstructions, runBytecode } from './bytecode-oracle.ts'
import { emitFunction } from './emit.ts'
import { contextWords, randomEnvironment } from './random-environment.ts'
import { randomFunction } from './random-function.ts'

const versions = [1, 2, 3, 4] as const

/** Slots that no path from the first one reaches: the kernel refuses a program that has any. */
function unreachable(instructions: readonly Instruction[]): number[] {
  const at = new Map<number, Instruction>()
  let slots = 0
  for (const instruction of instructions) {
    at.set(slots, instruction)
    slots += instruction.code === 0x18 ? 2 : 1
  }
  const seen = new Set<number>()
  const waiting = [0]
  for (let slot = waiting.pop(); slot !== undefined; slot = waiting.pop()) {
    if (seen.has(slot)) continue
    const instruction = at.get(slot)
    if (instruction === undefined) throw new Error(`slot ${slot} is not the start of an instruction`)
    seen.add(slot)
    const { code, off, imm } = instruction
    if (code === 0x95) continue
    const next = slot + (code === 0x18 ? 2 : 1)
    const isJump = ((code & 7) === 5 || (code & 7) === 6) && code !== 0x85
    if (isJump) waiting.push(next + (code === 0x06 ? imm : off))
    if (code !== 0x05 && code !== 0x06) waiting.push(next)
  }
  return [...at.keys()].filter((slot) => !seen.has(slot))
}

/** Returns what one call gave, or what another one gives. */
function earlyReturn(operator: Comparison): IrFunction {
  const b = new FunctionBuilder('early')
  const ids = b.call(14, 'get_current_pid_tgid', [])
  const [more, done] = [b.block(), b.block()]
  b.branch(ids, operator, b.number(4), more, done)
  b.at(more)
  b.return(b.call(5, 'ktime_get_ns', []))
  b.at(done)
  return b.return(ids)
}

/** Lets some blocks return early what they computed; null if others need what comes later. */
function withEarlyReturns(fn: IrFunction, seed: number): IrFunction | null {
  fn.blocks.forEach((block, index) => {
    const { terminator } = block
    const last = block.ops.findLast((op) => 'out' in op && op.out?.type.kind === 'int')
    if (index === 0 || terminator.op !== 'jump' || (seed * 7 + index * 5) % 3 !== 0) return
    if (last !== undefined && 'out' in last && last.out !== null) block.terminator = { op: 'return', value: last.out, span: terminator.span }
  })
  try {
    validate(fn)
    return fn
  } catch {
    return null
  }
}

describe('no instruction is left that nothing reaches', () => {
  for (const operator of ['eq', 'lt', 'gt', 'sle', 'test'] as const) {
    test(`an early return behind '${operator}'`, () => {
      for (const isa of versions) expect(unreachable(emitFunction(earlyReturn(operator), { isa }).instructions), `v${isa}`).toEqual([])
    })
  }

  test('random programs with early returns, which also do what the IR says', () => {
    let compared = 0
    for (let seed = 0; seed < 1500; seed++) {
      const isa = versions[seed % 4]!
      const options = { statements: 3 + seed % 29, variables: 1 + seed % 7, v4: isa === 4, sources: [5, 14], contextWords }
      const fn = withEarlyReturns(randomFunction(seed, options), seed)
      if (fn === null) continue
      compared++
      const { instructions } = emitFunction(fn, { isa })
      expect(unreachable(instructions), `seed ${seed}`).toEqual([])
      const [wanted, got] = [interpret(fn, randomEnvironment(seed)), runBytecode(encodeInstructions(instructions), randomEnvironment(seed))]
      expect(got, `seed ${seed}`).toBe(wanted)
    }
    expect(compared).toBeGreaterThan(300)
  })
})
