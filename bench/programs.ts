import { setTimeout as sleep } from 'node:timers/promises'
import type { ProgramCost } from '../src/agent/snapshot.ts'
import { generatorName, isRoot, rates, startLoad, type LoadKind } from './load.ts'
import type { Options } from './measurements.ts'
import { skep, snapshot } from './peers.ts'
import { root } from './places.ts'
import { interleave, type Case, type Sample, type Series } from './rounds.ts'
import { resultOf, type Result } from './table.ts'

const watched: Record<LoadKind, string[]> = {
  switches: ['tp_btf/sched_switch', 'tp_btf/sched_wakeup', 'tp_btf/sys_exit'],
  calls: ['tp_btf/sys_exit'],
}

/** The agent measures its programs in the first second; the load runs through all of it. */
async function measured(checkout: string, kind: LoadKind): Promise<ProgramCost[]> {
  const load = startLoad(kind, 10)
  try {
    await sleep(50)
    const agent = skep(checkout)
    const { agent: { programs } } = await snapshot(agent, ({ agent: { kernelMeasuredAt } }) => kernelMeasuredAt !== null)
    await agent.stop()
    return programs
  } finally {
    await load.stop()
  }
}

export async function programs({ quick, peer }: Options): Promise<Result[]> {
  if (!isRoot()) throw new Error('programs: loading probes needs root')
  const results: Result[] = []
  for (const kind of ['switches', 'calls'] as const) {
    const one = (name: string, checkout: string): Case => ({ name, run: async (): Promise<Sample> => {
      const sample: Sample = {}
      for (const { hook, nsPerRun } of await measured(checkout, kind)) {
        if (watched[kind].includes(hook)) sample[hook] = nsPerRun ?? NaN
      }
      return sample
    } })
    const cases = [one('skep', root), ...(peer === null ? [] : [one("peer's skep", peer)])]
    const series: Series = await interleave(cases, quick ? 3 : 7, 0)
    results.push(resultOf('programs', `ns a run as the kernel measures it, ${rates[kind]} ${kind} a second`, series,
      watched[kind].map((hook) => ({ key: hook, title: `${hook}, ns`, digits: 0, peers: ["peer's skep"] })),
      [`${generatorName()}. BPF statistics themselves take some 20–50 ns of each run, which are in these figures.`]))
  }
  return results
}
