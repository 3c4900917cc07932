import { load, type Collection } from '../src/bpf/collection.ts'
import { kernelBtf } from '../src/bpf/kernel-btf.ts'
import { compileModule } from '../src/compiler/compile.ts'
import { catalogue } from '../src/probes/catalogue.ts'
import { inChild } from './child.ts'
import { isRoot } from './load.ts'
import type { Options } from './measurements.ts'
import { interleave, type Case, type Sample } from './rounds.ts'
import { resultOf, type Result } from './table.ts'

type ProbeName = keyof typeof catalogue
const names = Object.keys(catalogue) as ProbeName[]

function compileProbe(name: ProbeName) {
  return compileModule(catalogue[name], { btf: kernelBtf(), name })
}

function timed<T>(action: () => T): { ms: number; value: T } {
  const started = performance.now()
  const value = action()
  return { ms: performance.now() - started, value }
}

/** The probes named, one after the other in a process that compiled nothing before; the index of the kernel's types is there. */
export function compileChild(probes: string[]): void {
  kernelBtf().find('task_struct', 'struct')
  process.stdout.write(JSON.stringify({ coldMs: timed(() => probes.map((name) => compileProbe(name as ProbeName))).ms }))
}

function loadTime(name: ProbeName): number {
  const { spec } = compileProbe(name)
  let collection: Collection | undefined
  try {
    const { ms, value } = timed(() => load(spec))
    collection = value
    if (collection.failures.size > 0) return NaN
    return ms
  } finally {
    collection?.close()
  }
}

export async function compile({ quick }: Options): Promise<Result[]> {
  const kernel = isRoot()
  for (let turn = 0; turn < (quick ? 10 : 40); turn++) for (const name of names) compileProbe(name)
  const one = (name: ProbeName): Case => ({ name, run: async (): Promise<Sample> => {
    const { coldMs } = await inChild<{ coldMs: number }>('compile', name)
    const { ms, value } = timed(() => compileProbe(name))
    const instructions = value.spec.programs.reduce((sum, program) => sum + program.code.length / 8, 0)
    return { coldMs, warmMs: ms, ...(kernel ? { loadMs: loadTime(name) } : {}), instructions, usPerInstruction: ms * 1000 / instructions }
  } })
  const all: Case = { name: 'all, in one process', run: async () => {
    const { coldMs } = await inChild<{ coldMs: number }>('compile', ...names)
    const warmMs = timed(() => { for (const name of names) compileProbe(name) }).ms
    return { coldMs, warmMs, ...(kernel ? { loadMs: names.reduce((sum, name) => sum + loadTime(name), 0) } : {}) }
  } }
  const series = await interleave([...names.map(one), all], quick ? 4 : 15)
  return [resultOf('compile', 'TypeScript → Spec for each built-in probe', series, [
    { key: 'warmMs', title: 'warm, ms', digits: 2, peers: [] },
    { key: 'coldMs', title: 'in a fresh process, ms', peers: [] },
    ...(kernel ? [{ key: 'loadMs', title: 'kernel: maps, verifier, JIT, ms', digits: 2, peers: [] }] : []),
    { key: 'instructions', title: 'instructions', digits: 0, peers: [] },
    { key: 'usPerInstruction', title: 'warm, µs an instruction', peers: [] },
  ])]
}
