import { execFileSync } from 'node:child_process'
import { isRoot, startVisibleLoad } from './load.ts'
import type { Options } from './measurements.ts'
import { bpftrace, hasBpftrace, skep, snapshot } from './peers.ts'
import { otherNodes, root } from './places.ts'
import { interleave, type Case, type Sample } from './rounds.ts'
import { Running } from './running.ts'
import { resultOf, type Metric, type Result } from './table.ts'

/** Time and CPU until the moment when `shown` answers; then the process is stopped. */
async function until(running: Running, shown: () => Promise<unknown>, begunAt = running.startedAt, cpuBefore = 0): Promise<Sample> {
  await shown()
  const sample = { wallMs: performance.now() - begunAt, cpuMs: running.cpuMs() - cpuBefore }
  await running.stop()
  return sample
}

const nodeLine = ['-e', 'process.stdout.write("0\\n"); setInterval(() => {}, 1e6)']
const node = (path: string) => () => {
  const running = new Running(path, nodeLine)
  return until(running, () => running.line())
}
/** The first snapshot that has counted system calls: the probes are attached and something was seen through them. */
const agent = (checkout: string, path: string) => () => {
  const running = skep(checkout, path)
  return until(running, () => snapshot(running, ({ totals }) => totals.syscalls.total > 0))
}
/** The first system call of one process. */
const tracer = async () => {
  const visible = startVisibleLoad(60)
  const { running, begunAt } = await bpftrace(`tracepoint:raw_syscalls:sys_enter /pid == ${visible.pid}/ { printf("seen\\n"); }`)
  const cpuBefore = running.cpuMs()
  try {
    return await until(running, async () => { while (await running.line() !== 'seen'); }, begunAt, cpuBefore)
  } finally {
    await visible.stop()
  }
}

export async function start({ quick, peer }: Options): Promise<Result[]> {
  if (!isRoot()) throw new Error('start: loading probes needs root')
  const nodes = [process.execPath, ...otherNodes()].map((path) => ({ path, version: execFileSync(path, ['--version'], { encoding: 'utf8' }).trim() }))
  const tracing = hasBpftrace()
  const cases: Case[] = []
  for (const { path, version } of nodes) {
    cases.push({ name: `node ${version} -e`, run: node(path) }, { name: `skep, node ${version}`, run: agent(root, path) })
    if (peer !== null) cases.push({ name: `peer's skep, node ${version}`, run: agent(peer, path) })
  }
  if (tracing) cases.push({ name: 'bpftrace', run: tracer })
  const floor = `node ${process.version} -e`
  const series = await interleave(cases, quick ? 3 : 11)
  const peers = [floor, ...(tracing ? ['bpftrace'] : []), ...(peer === null ? [] : [`peer's skep, node ${process.version}`])]
  const metrics: Metric[] = [{ key: 'wallMs', title: 'wall, ms', digits: 0, peers }, { key: 'cpuMs', title: 'CPU, ms', digits: 0, peers }]
  return [resultOf('start', 'start of the process → first figures shown', series, metrics, [
    'skep --json --no-page: until the line of the first snapshot with counted system calls. node: until it wrote a line.',
    tracing ? 'bpftrace: one tracepoint with a filter for one process, until the line of its first event.' : 'bpftrace is not installed.',
    'Node from 22.1 on keeps compiled code between runs; the first round is not counted.',
  ])]
}
