import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { processStatus } from '../src/sys/machine.ts'
import { AgentProcess } from './agent-process.ts'
import { heldBy } from './kernel-objects.ts'
import { buildProduct } from './product.ts'
import { until } from './until.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** CPU time of a process in seconds: what /proc/PID/stat tells in steps of 10 ms, here in nanoseconds of its threads. */
function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((tid) => Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]))
  return threads.reduce((sum, ns) => sum + ns, 0) / 1e9
}

/** User and system time, rounded down to 10 ms each. */
function statSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024
}

describe.skipIf(processStatus().euid !== 0)("the agent's own cost (needs root)", () => {
  let agent: AgentProcess
  let page: string
  beforeAll(async () => {
    await buildProduct()
    agent = await AgentProcess.start('--listen', '127.0.0.1:0')
    page = /page at (\S+)/.exec(agent.stderr)![1]!
  })
  afterAll(() => agent?.stop())

  test('its kernel programs are measured after some ticks, and their sum is the whole', async () => {
    const { agent: cost } = await agent.snapshot((snapshot) => snapshot.agent.kernelCores !== null)
    const sum = cost.programs.reduce((all, { runsPerSecond, nsPerRun }) => all + runsPerSecond! * (nsPerRun ?? 0), 0) / 1e9
    expect(cost.kernelCores).toBeGreaterThan(0)
    expect(Math.abs(sum - cost.kernelCores!) / cost.kernelCores!).toBeLessThanOrEqual(0.01)
    expect(cost.kernelMeasuredAt).toBeGreaterThan(agent.newest.host.startedAt)
    const switched = cost.programs.find(({ hook }) => hook === 'tp_btf/sched_switch')!
    expect(switched.runsPerSecond).toBeGreaterThan(0)
    expect(switched.nsPerRun).toBeGreaterThan(0)
  })

  test('the memory of its maps is what the kernel says of each', () => {
    const maps = [...heldBy(agent.pid).maps.values()]
    expect(maps.length).toBeGreaterThan(10)
    expect(agent.newest.agent.mapBytes).toBe(maps.reduce((sum, { memlock }) => sum + memlock, 0))
  })

  test('its CPU time is that of /proc/PID/stat', async () => {
    const first = await agent.prompt()
    const before = cpuSeconds(agent.pid)
    const statBefore = statSeconds(agent.pid)
    await until('3 s of CPU time', async () => {
      await Promise.all(Array.from({ length: 64 }, async () => (await fetch(`${page}api/snapshot`)).arrayBuffer()))
      return cpuSeconds(agent.pid) - before > 3
    }, 100_000, 0)
    await agent.settled()
    const last = await agent.prompt()
    const counted = cpuSeconds(agent.pid) - before
    const stat = statSeconds(agent.pid) - statBefore
    const seen = agent.snapshots.filter(({ sequence }) => sequence > first.sequence && sequence <= last.sequence)
      .reduce((sum, { agent: cost, intervalSeconds }) => sum + cost.userCores * intervalSeconds, 0)
    expect(Math.abs(seen - counted) / counted, `skep says ${seen} s, the kernel ${counted} s`).toBeLessThanOrEqual(0.01)
    // Two figures of 10 ms steps at both ends.
    expect(Math.abs(seen - stat), `skep says ${seen} s, /proc/PID/stat ${stat} s`).toBeLessThanOrEqual(0.01 * stat + 0.04)
  })

  test('its resident memory is that of /proc/PID/status, and less than 120 MB', async () => {
    // Memory changes between the agent's look and ours: one of some looks finds it at rest.
    let told = ''
    await until(`look at memory at rest; the last: ${told}`, async () => {
      const { agent: cost } = await agent.prompt()
      const counted = residentBytes(agent.pid)
      told = `skep says ${cost.residentBytes}, the kernel ${counted}`
      return Math.abs(cost.residentBytes - counted) / counted <= 0.01
    }, 30_000)
    for (const { agent: cost } of agent.snapshots) expect(cost.residentBytes).toBeLessThan(120e6)
  })
})
