import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { command } from '../../bpf/command.ts'
import { features, has } from '../../bpf/features.ts'
import { Program } from '../../bpf/program.ts'
import { allocate, release, type Block as MemoryBlock } from '../../sys/memory.ts'
import { interpret } from '../ir/interpret.ts'
import type { IrFunction, Value } from '../ir/ir.ts'
import { printFunction } from '../ir/print.ts'
import { encodeInstructions } from './bytecode-oracle.ts'
import { emitFunction } from './emit.ts'
import { nowhere, randomFunction } from './random-function.ts'
import { contextWords, randomEnvironment } from './random-environment.ts'
import type { Isa } from './select.ts'

/** BPF_PROG_TEST_RUN of raw tracepoints (5.10) runs a program once on a given context. */
const testRun = process.platform === 'linux' && has(features.rawTracepoint)

describe.runIf(testRun)('random programs in the kernel (feature: raw tracepoints)', () => {
  let context: MemoryBlock
  beforeAll(() => { context = allocate(contextWords * 8) })
  afterAll(() => release(context))

  for (const isa of [1, 2, 3, 4] as const) {
    test(`v${isa}: the verifier accepts them and they return what the IR says`, () => {
      for (let seed = 0; seed < 60; seed++) {
        const fn = randomFunction(seed * 4 + isa, {
          statements: 4 + seed % 23, variables: 1 + seed % 13, v4: isa === 4, sources: [], contextWords,
        })
        foldResult(fn)
        const environment = randomEnvironment(seed)
        const wanted = Number(BigInt.asUintN(32, interpret(fn, environment)))
        context.u8.set(randomEnvironment(seed).contextBytes)
        expect.soft(runInKernel(fn, isa, context), `seed ${seed}\n${printFunction(fn)}`).toBe(wanted)
      }
    })
  }
})

/** The kernel gives back 32 bits: both halves of the result go into them. */
function foldResult(fn: IrFunction): void {
  const block = fn.blocks.find(({ terminator }) => terminator.op === 'return')!
  if (block.terminator.op !== 'return') return
  const value = (): Value => ({ id: fn.nextValue++, type: { kind: 'int', bits: 64, signed: false } })
  const [count, high, folded] = [value(), value(), value()]
  const left = block.terminator.value
  block.ops.push(
    { op: 'const', out: count, value: 32n, span: nowhere },
    { op: 'binary', out: high, operator: 'shr', width: 64, left, right: count, span: nowhere },
    { op: 'binary', out: folded, operator: 'xor', width: 64, left, right: high, span: nowhere },
  )
  block.terminator.value = folded
}

function runInKernel(fn: IrFunction, isa: Isa, context: MemoryBlock): number {
  const code = encodeInstructions(emitFunction(fn, { isa }).instructions)
  const program = Program.load(
    { name: fn.name, type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'sys_enter' }, code, maps: [], relocations: [], functions: [], lines: [] },
    { license: 'GPL', btf: undefined, btfFd: undefined, mapFd: () => -1, kernelBtf: () => { throw new Error('not needed') }, relocate: (spec) => spec.code },
  )
  try {
    let result = -1
    const status = command('BPF_PROG_TEST_RUN', 80, (attr) => {
      attr.u32(0, program.fd)
      attr.u32(40, contextWords * 8)
      attr.u64(48, context.address)
    }, (attr) => { result = attr.read(4) })
    if (status < 0) throw new Error(`BPF_PROG_TEST_RUN: ${status}`)
    return result
  } finally {
    program.close()
  }
}
