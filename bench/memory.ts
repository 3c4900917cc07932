import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { isRoot, startLoad } from './load.ts'
import type { Options } from './measurements.ts'
import { bpftrace, equivalentScript, hasBpftrace, skep, snapshot } from './peers.ts'
import { root } from './places.ts'
import { Running } from './running.ts'
import type { Case, Sample, Series } from './rounds.ts'
import { resultOf, type Result } from './table.ts'

const memoryOf = (running: Running): Sample => ({
  rss: running.memoryMb('status', 'VmRSS'), peak: running.memoryMb('status', 'VmHWM'),
  anonymous: running.memoryMb('status', 'RssAnon'), proportional: running.memoryMb('smaps_rollup', 'Pss'),
})

/** All side by side, since memory does not depend on who else runs. */
export async function memory({ quick, peer }: Options): Promise<Result[]> {
  if (!isRoot()) throw new Error('memory: loading probes needs root')
  const seconds = quick ? 8 : 30
  const agent = (checkout: string): Case['run'] => async () => {
    const running = skep(checkout)
    const until = performance.now() + seconds * 1000
    let mapBytes = 0
    while (performance.now() < until) ({ agent: { mapBytes } } = await snapshot(running))
    const sample = { ...memoryOf(running), maps: mapBytes / 2 ** 20 }
    await running.stop()
    return sample
  }
  const cases: Case[] = [
    { name: `node ${process.version}, idle`, run: async () => {
      const running = new Running(process.execPath, ['-e', 'console.log(0); setInterval(() => {}, 1e6)'])
      await running.line()
      await sleep(seconds * 1000)
      const sample = memoryOf(running)
      await running.stop()
      return sample
    } },
    { name: 'skep', run: agent(root) },
  ]
  if (peer !== null) cases.push({ name: "peer's skep", run: agent(peer) })
  if (hasBpftrace()) cases.push({ name: 'bpftrace', run: async () => {
    const { running } = await bpftrace(equivalentScript)
    while (await running.line() !== 'ready');
    await sleep(seconds * 1000)
    const sample = memoryOf(running)
    await running.stop('SIGINT')
    return sample
  } })
  const loads = [startLoad('switches', seconds + 5), startLoad('calls', seconds + 5)]
  const all = await Promise.all(cases.map(async ({ name, run }): Promise<[string, Sample[]]> => [name, [await run()]]))
  for (const load of loads) await load.stop()
  const series: Series = new Map(all)
  const bundle = join(root, 'dist/skep.js')
  const kib = (bytes: number) => `${Math.round(bytes / 1024)} KiB`
  const metrics = [['rss', 'resident, MiB'], ['peak', 'resident at most, MiB'], ['anonymous', 'its own pages, MiB'], ['proportional', 'with a share of shared pages, MiB'], ['maps', "kernel memory of its maps, MiB"]] as const
  return [resultOf('memory', `after ${seconds} s beside 100,000 switches and 200,000 calls a second`, series,
    metrics.map(([key, title]) => ({ key, title, peers: ['bpftrace'] })),
    [`dist/skep.js: ${kib(statSync(bundle).size)}, ${kib(gzipSync(readFileSync(bundle)).length)} with gzip`])]
}
