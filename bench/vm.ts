/**
 * node build/run.mjs bench/vm.ts: instructions a second of the vm, interpreted and compiled, and simulated events through the
 * run-queue probe. The best of several rounds; ratios are to the interpreter.
 */
import { existsSync, readFileSync } from 'node:fs'
import { encode } from '../src/asm/encode.ts'
import type { Instruction } from '../src/asm/instruction.ts'
import { Btf } from '../src/btf/btf.ts'
import { compileModule } from '../src/compiler/compile.ts'
import * as scheduler from '../src/probes/scheduler.ts'
import type { Spec } from '../src/spec/spec.ts'
import { kernelObject } from '../src/vm/kernel-object.ts'
import { simulate, type Simulation } from '../src/vm/simulate.ts'

const ins = (code: number, dst: number, src = 0, off = 0, imm = 0): Instruction => ({ code, dst, src, off, imm })
const exit = ins(0x95, 0)
const ROUNDS = 7

const programs: Record<string, Instruction[]> = {
  // r0 = r0 * 31 + i ^ r0 >> 7, two million instructions.
  'arithmetic, 64 bits': [
    ins(0xb7, 0, 0, 0, 1), ins(0xb7, 1, 0, 0, 0),
    ins(0x27, 0, 0, 0, 31), ins(0x0f, 0, 1), ins(0xbf, 2, 0), ins(0x77, 2, 0, 0, 7), ins(0xaf, 0, 2), ins(0x07, 1, 0, 0, 1), ins(0xa5, 1, 0, -7, 285_000), exit,
  ],
  'additions and a jump': [
    ins(0xb7, 0, 0, 0, 0), ins(0xb7, 1, 0, 0, 0), ins(0x0f, 0, 1), ins(0x07, 1, 0, 0, 1), ins(0xa5, 1, 0, -3, 660_000), exit,
  ],
  'arithmetic, 32 bits': [
    ins(0xb4, 0, 0, 0, 1), ins(0xb4, 1, 0, 0, 0),
    ins(0x24, 0, 0, 0, 31), ins(0x0c, 0, 1), ins(0xbc, 2, 0), ins(0x74, 2, 0, 0, 7), ins(0xac, 0, 2), ins(0x04, 1, 0, 0, 1), ins(0xa6, 1, 0, -7, 285_000), exit,
  ],
  'the stack': [
    ins(0x7a, 10, 0, -8, 0), ins(0xb7, 1, 0, 0, 0),
    ins(0x79, 2, 10, -8), ins(0x07, 2, 0, 0, 3), ins(0x7b, 10, 2, -8), ins(0x07, 1, 0, 0, 1), ins(0xa5, 1, 0, -5, 400_000), ins(0x79, 0, 10, -8), exit,
  ],
  'memory through a pointer': [
    ins(0xb7, 2, 0, 0, 0), ins(0xb7, 0, 0, 0, 0),
    ins(0x71, 3, 1, 5), ins(0x0f, 0, 3), ins(0x79, 3, 1, 8), ins(0x0f, 0, 3), ins(0x07, 2, 0, 0, 1), ins(0xa5, 2, 0, -6, 330_000), exit,
  ],
  'calls of a function': [
    ins(0xb7, 6, 0, 0, 0), ins(0xb7, 7, 0, 0, 0), ins(0xbf, 1, 6), ins(0x85, 0, 1, 0, 5), ins(0x0f, 7, 0), ins(0x07, 6, 0, 0, 1), ins(0xa5, 6, 0, -5, 250_000),
    ins(0xbf, 0, 7), exit, ins(0xbf, 0, 1), ins(0x67, 0, 0, 0, 1), exit,
  ],
}

function specOf(instructions: Instruction[]): Spec {
  const program = {
    name: 'p', type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'x' }, code: encode(instructions), maps: [], relocations: [], functions: [], lines: [],
  } as const
  return {
    name: 'bench', license: 'GPL', maps: [], programs: [{ ...program, maps: [], relocations: [], functions: [], lines: [] }],
    btf: null,
  }
}

/** Best speed of several rounds, in millions of instructions a second, and the result. */
function speed(instructions: Instruction[], compiled: boolean): { perSecond: number; result: bigint } {
  const m = simulate(specOf(instructions), { compiled })
  let best = 0
  let result = 0n
  for (let round = 0; round < ROUNDS; round++) {
    const from = performance.now()
    const run = m.fire('p', new Uint8Array(16).fill(3))
    best = Math.max(best, run.instructions / (performance.now() - from) / 1000)
    result = run.result
  }
  return { perSecond: best, result }
}

console.log(`${'program'.padEnd(26)} ${'interpreted'.padStart(14)} ${'compiled'.padStart(14)} ${'ratio'.padStart(7)}`)
for (const [name, instructions] of Object.entries(programs)) {
  const [interpreted, compiled] = [speed(instructions, false), speed(instructions, true)]
  if (interpreted.result !== compiled.result) throw new Error(`${name}: the results differ`)
  const row = [interpreted, compiled].map(({ perSecond }) => `${perSecond.toFixed(0)} M/s`.padStart(14)).join(' ')
  console.log(`${name.padEnd(26)} ${row} ${(compiled.perSecond / interpreted.perSecond).toFixed(1).padStart(6)}x`)
}

const vmlinux = '/sys/kernel/btf/vmlinux'
if (existsSync(vmlinux)) {
  const btf = Btf.parse(readFileSync(vmlinux))
  const spec = compileModule(scheduler, { btf, name: 'scheduler' })
  console.log(
    `\n${'run-queue probe'.padEnd(26)} ${'first'.padStart(14)} ${'best'.padStart(14)}   10,000 events (sched_wakeup and sched_switch in turn)`,
  )
  const interpreted = events(simulate(spec, { btf }), btf)
  for (const [name, times] of [['interpreted', interpreted], ['compiled', events(simulate(spec, { btf, compiled: true }), btf)]] as const) {
    const row = [times[0]!, Math.min(...times)].map((ms) => `${ms.toFixed(1)} ms`.padStart(14)).join(' ')
    console.log(`${name.padEnd(26)} ${row} ${(Math.min(...interpreted) / Math.min(...times)).toFixed(1).padStart(6)}x`)
  }
}

/** Milliseconds of each round. */
function events(m: Simulation, btf: Btf): number[] {
  const cgroups = { dfl_cgrp: { kn: { id: 77 } } }
  const tasks = Array.from({ length: 64 }, (_, index) => kernelObject(btf, 'task_struct', {
    pid: index + 1, tgid: index + 1, comm: `task${index}`, cgroups, __state: 0, flags: 0,
  }))
  return Array.from({ length: ROUNDS }, () => {
    const from = performance.now()
    for (let index = 0; index < 5000; index++) {
      m.fire('wakeup', [tasks[index % 64]!])
      m.advance(1000)
      m.fire('switched', [false, tasks[(index + 63) % 64]!, tasks[index % 64]!])
    }
    return performance.now() - from
  })
}
