import { Memory, type Helper, type InterpretEnvironment } from '../ir/interpret.ts'
import { copyHelper } from './random-function.ts'

/** What random functions run against: random context words, helpers that remember how they were called. */
export interface RandomEnvironment extends InterpretEnvironment {
  contextBytes: Uint8Array
  /** The helper calls in order. */
  calls: string[]
}

export const contextWords = 8

export function randomEnvironment(seed: number): RandomEnvironment {
  const memory = new Memory()
  const contextBytes = new Uint8Array(contextWords * 8)
  // Words of all lengths, so that comparisons go both ways.
  for (let at = 0; at < contextBytes.length; at++) {
    if (at % 8 <= (seed + (at >> 3)) % 8) contextBytes[at] = Math.imul(seed * 64 + at + 1, 0x9e3779b1) >>> 24
  }
  const context = 0x1000n
  memory.map(context, contextBytes)
  let time = BigInt(seed)
  const calls: string[] = []
  const record = (name: string, result: bigint) => {
    calls.push(`${name} ${result}`)
    return result
  }
  const copy: Helper = ([to, size, from], inMemory) => {
    calls.push(`copy ${size}`)
    for (let at = 0n; at < size!; at++) inMemory.store(to! + at, 1, inMemory.load(from! + at, 1))
    return 0n
  }
  const helpers: Record<number, Helper> = {
    5: () => record('ktime', time += 0x1234_5678_9abcn), 14: () => record('pid', 0x0000_1234_0000_1235n), [copyHelper]: copy,
  }
  return { memory, context, contextBytes, helpers, calls }
}
