import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { command } from '../bpf/command.ts'
import { features, has } from '../bpf/features.ts'
import { Program } from '../bpf/program.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import { allocate, release, type Block } from '../sys/memory.ts'
import { contextOf, families, instructionCases, operands } from './instruction-cases.test-support.ts'
import { Bench } from './run-code.test-support.ts'

/** BPF_PROG_TEST_RUN of raw tracepoints (5.10) runs a program once on a given context. */
const testRun = process.platform === 'linux' && process.arch === 'x64' && has(features.rawTracepoint)

describe.runIf(testRun)('the vm and the kernel give the same (feature: raw tracepoints)', () => {
  let context: Block
  beforeAll(() => { context = allocate(32) })
  afterAll(() => release(context))

  const cases = instructionCases().filter(({ notInKernel }) => notInKernel !== true)
  test.each(families(cases))('%s', (_family, members) => {
    for (const { name, program, version } of members) {
      const bench = new Bench(program, 32)
      const loaded = load(program)
      if (loaded === null) {
        // Load-acquire is of 6.15, the fourth CPU version of 6.6; all else must be there.
        expect(['acquire', 4]).toContain(version)
        continue
      }
      try {
        for (const [a, b, c] of some(operands(name))) {
          for (const shift of [0, 32]) {
            const bytes = contextOf(a, b, c, shift)
            const wanted = Number(BigInt.asUintN(32, bench.run(bytes)))
            context.u8.set(bytes)
            const got = run(loaded, context)
            if (got !== wanted) expect.fail(
              `${name}: a=0x${a.toString(16)} b=0x${b.toString(16)} c=0x${c.toString(16)} >> ${shift}: the kernel gives 0x${got.toString(16)}, the vm 0x${wanted.toString(16)}`,
            )
          }
        }
      } finally {
        loaded.close()
      }
    }
  })
})

/** Every fifth: five and the number of boundary values have no common divisor, so each value comes on both sides. */
function* some<T>(all: Iterable<T>): Generator<T> {
  let index = 0
  for (const one of all) if (index++ % 5 === 0) yield one
}

function load(spec: ProgramSpec): Program | null {
  try {
    return Program.load(spec, {
      license: 'GPL', btf: undefined, btfFd: undefined, mapFd: () => -1, kernelBtf: () => { throw new Error('not needed') }, relocate: ({ code }) => code,
    })
  } catch {
    return null
  }
}

/** The low 32 bits of what the program returns. */
function run(program: Program, context: Block): number {
  let result = -1
  const status = command('BPF_PROG_TEST_RUN', 80, (attr) => {
    attr.u32(0, program.fd)
    attr.u32(40, 32)
    attr.u64(48, context.address)
  }, (attr) => { result = attr.read(4) })
  if (status < 0) throw new Error(`BPF_PROG_TEST_RUN: ${status}`)
  return result
}
