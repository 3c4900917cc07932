import { setTimeout as sleep } from 'node:timers/promises'
import { generatorName, isRoot, rates, runLoad, type LoadKind } from './load.ts'
import type { Options } from './measurements.ts'
import { bpftrace, equivalentScript, hasBpftrace, skep, snapshot } from './peers.ts'
import { root } from './places.ts'
import { interleave, summarise, type Case, type Sample, type Series } from './rounds.ts'
import type { Running } from './running.ts'
import { resultOf, type Result } from './table.ts'

const kinds = ['switches', 'calls'] as const

/** Both loads beside `observer`, whose own CPU time is counted while they run. */
async function loads(seconds: number, observer: Running | null): Promise<Sample> {
  const sample: Sample = {}
  for (const kind of kinds) {
    const before = observer?.cpuMs() ?? 0
    const { events, cpuNs, perSecond } = await runLoad(kind, seconds)
    sample[`${kind}Ns`] = cpuNs / events
    sample[`${kind}PerSecond`] = perSecond
    if (observer !== null) sample[`${kind}Observer`] = (observer.cpuMs() - before) / seconds / 10
  }
  return sample
}

async function besideSkep(checkout: string, seconds: number): Promise<Sample> {
  const agent = skep(checkout)
  await snapshot(agent)
  // In its first second, and then in one of ten, the agent measures its own programs, which takes time of its own.
  await sleep(1300)
  const sample = await loads(seconds, agent)
  await agent.stop()
  return sample
}

async function besideBpftrace(seconds: number): Promise<Sample> {
  const { running } = await bpftrace(equivalentScript)
  while (await running.line() !== 'ready');
  await sleep(1300)
  const sample = await loads(seconds, running)
  await running.stop('SIGINT')
  return sample
}

export async function cost({ quick, peer }: Options): Promise<Result[]> {
  if (!isRoot()) throw new Error('cost: loading probes needs root')
  const seconds = quick ? 1 : 2
  const cases: Case[] = [{ name: 'nothing', run: () => loads(seconds, null) }, { name: 'skep', run: () => besideSkep(root, seconds) }]
  if (peer !== null) cases.push({ name: "peer's skep", run: () => besideSkep(peer, seconds) })
  if (hasBpftrace()) cases.push({ name: 'bpftrace', run: () => besideBpftrace(seconds) })
  const series = await interleave(cases, quick ? 3 : 9)
  return kinds.map((kind) => report(kind, series))
}

function report(kind: LoadKind, series: Series): Result {
  const rate = rates[kind]
  const alone = series.get('nothing')!
  const samples: Series = new Map([...series].map(([name, list]) => [name, list.map((sample, round): Sample => {
    const ns = sample[`${kind}Ns`]!
    if (name === 'nothing') return { ns, perSecond: sample[`${kind}PerSecond`]! }
    const added = ns - alone[round]![`${kind}Ns`]!
    return { ns, perSecond: sample[`${kind}PerSecond`]!, added, share: added * rate / 1e7, observer: sample[`${kind}Observer`]! }
  })]))
  const reached = summarise(alone.map((sample) => sample[`${kind}PerSecond`]!)).median
  return resultOf('cost', `CPU of a load of ${rate} ${kind} a second`, samples, [
    { key: 'ns', title: 'CPU ns an event', digits: 0, peers: ['nothing', 'bpftrace'] },
    { key: 'added', title: 'added CPU ns an event', digits: 0, peers: ['bpftrace', "peer's skep"] },
    { key: 'share', title: `added, % of one CPU at ${rate}/s`, peers: [] },
    { key: 'observer', title: "the tool's own process, % of one CPU", digits: 2, peers: ['bpftrace'] },
  ], [
    `${generatorName()}; alone it reached ${Math.round(reached)} a second. ${kind === 'switches' ? 'With each switch go a read or write of a pipe and a wake-up.' : 'getppid.'}`,
    'bpftrace: run-queue latency, CPU time, switches, calls and errors by command, as skep tells them by workload.',
  ])
}
