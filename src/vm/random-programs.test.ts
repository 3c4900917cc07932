import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { command } from '../bpf/command.ts'
import { features, has } from '../bpf/features.ts'
import { Program } from '../bpf/program.ts'
import { runBytecode } from '../compiler/backend/bytecode-oracle.ts'
import { emitFunction } from '../compiler/backend/emit.ts'
import { contextWords, randomEnvironment } from '../compiler/backend/random-environment.ts'
import { randomFunction } from '../compiler/backend/random-function.ts'
import type { Isa } from '../compiler/backend/select.ts'
import { interpret } from '../compiler/ir/interpret.ts'
import { printFunction } from '../compiler/ir/print.ts'
import { encode } from '../asm/encode.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import { allocate, release, type Block } from '../sys/memory.ts'
import { Bench } from './run-code.test-support.ts'

/** A random function of the compiler's IR and its machine code. */
function sample(seed: number, isa: Isa) {
  const fn = randomFunction(
    seed * 4 + isa, { statements: 4 + seed % 23, variables: 1 + seed % 13, v4: isa === 4, sources: [], contextWords },
  )
  const code = encode(emitFunction(fn, { isa }).instructions)
  const spec: ProgramSpec = {
    name: 'random', type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'sys_enter' }, code, maps: [], relocations: [], functions: [], lines: [],
  }
  return { fn, spec, code }
}

describe.each([1, 2, 3, 4] as const)('random programs, v%i', (isa) => {
  test('IR, byte code oracle, interpreter and compiled code agree, and nothing faults', () => {
    for (let seed = 0; seed < 100; seed++) {
      const { fn, spec, code } = sample(seed, isa)
      const context = randomEnvironment(seed).contextBytes
      const wanted = interpret(fn, randomEnvironment(seed))
      const [interpreted, compiled] = [new Bench(spec, context.length), new Bench(spec, context.length, true)]
      expect(compiled.code.compiled === null).toBe(!compiled.code.safe)
      const stepped = new Bench(spec, context.length)
      stepped.machine.watch = () => {}
      const results = [
        interpreted.run(context), compiled.run(context), stepped.run(context), runBytecode(code, randomEnvironment(seed)),
      ]
      expect(results, `seed ${seed}\n${printFunction(fn)}`).toEqual([wanted, wanted, wanted, wanted])
      expect([compiled.machine.left, stepped.machine.left], `instructions of seed ${seed}`).toEqual(
        [interpreted.machine.left, interpreted.machine.left],
      )
    }
  })
})

const testRun = process.platform === 'linux' && process.arch === 'x64' && has(features.rawTracepoint)

describe.runIf(testRun)('random programs in the kernel (feature: raw tracepoints)', () => {
  let memory: Block
  beforeAll(() => { memory = allocate(contextWords * 8) })
  afterAll(() => release(memory))

  test.each([1, 2, 3, 4] as const)('v%i: the vm gives the low half of what the kernel gives', (isa) => {
    for (let seed = 1000; seed < 1030; seed++) {
      const { fn, spec } = sample(seed, isa)
      const { contextBytes } = randomEnvironment(seed)
      const wanted = Number(BigInt.asUintN(32, new Bench(spec, contextBytes.length).run(contextBytes)))
      memory.u8.set(contextBytes)
      expect(inKernel(spec, memory), `seed ${seed}\n${printFunction(fn)}`).toBe(wanted)
    }
  })
})

function inKernel(spec: ProgramSpec, memory: Block): number {
  const loaded = Program.load(spec, {
    license: 'GPL', btf: undefined, btfFd: undefined, mapFd: () => -1, kernelBtf: () => { throw new Error('not needed') }, relocate: ({ code }) => code,
  })
  try {
    let result = -1
    const status = command('BPF_PROG_TEST_RUN', 80, (attr) => {
      attr.u32(0, loaded.fd)
      attr.u32(40, contextWords * 8)
      attr.u64(48, memory.address)
    }, (attr) => { result = attr.read(4) })
    if (status < 0) throw new Error(`BPF_PROG_TEST_RUN: ${status}`)
    return result
  } finally {
    loaded.close()
  }
}
