import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { LoadedProbe } from '../src/agent/loaded-probe.ts'
import { kernelBtf } from '../src/bpf/kernel-btf.ts'
import { compileModule } from '../src/compiler/compile.ts'
import * as scheduler from '../src/probes/scheduler.ts'
import { AgentProcess } from './agent-process.ts'
import { Cgroup, cgroupMount, perl } from './generator.ts'
import { buildProduct } from './product.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** What the kernel says of a task: CPU time and time on a run queue in nanoseconds, times that it was given a CPU. */
function schedstat(pid: number): { ran: number; waited: number; slices: number } {
  const [ran, waited, slices] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number)
  return { ran: ran!, waited: waited!, slices: slices! }
}

/** Idle CPU seconds of the machine since boot: the kernel measures them, while it samples what is busy at each tick. */
function idleSeconds(): number {
  const [, , , idle, iowait] = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))![1]!.split(' ').map(Number)
  return (idle! + iowait!) / 100
}

/** How late a snapshot may come for a reference that is read then. */
const lagMs = 10

/**
 * Measures again, three times at most, when the two disagree by more than 1 %. The kernel's clock of a run queue is not
 * read anew at a switch that a wake-up asked for (RQCF_REQ_SKIP in kernel/sched/core.c): its own figures then give the
 * milliseconds until that switch to the wrong task, as often as other loads wake up there. The bound stays.
 */
async function agreeing(measure: () => Promise<Record<string, [seen: number, reference: number]>>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const figures = await measure()
    const apart = Object.entries(figures).filter(([, [seen, reference]]) => difference(seen, reference) > 0.01)
    if (apart.length === 0) return
    if (attempt === 3) expect.fail(apart.map(([what, [seen, reference]]) => `${what}: skep saw ${seen}, the kernel ${reference}`).join('; '))
  }
}

const difference = (seen: number, reference: number) => Math.abs(seen - reference) / reference

describe.skipIf(cgroupMount === null)('CPU time and run queues (needs root and a cgroup v2 hierarchy)', () => {
  let agent: AgentProcess
  beforeAll(async () => {
    await buildProduct()
    agent = await AgentProcess.start()
  })
  afterAll(() => agent?.stop())

  test('the CPU time of a workload is that of cpu.stat', async () => {
    const cgroup = new Cgroup('cpu')
    const load = cgroup.perl(`hurry(); say('up');
      for (;;) { step(); my $child = fork(); burn(1.5); if (!$child) { exit } wait; say('burnt') }`)
    try {
      await load.line()
      await agreeing(async () => {
        const { sequence } = await agent.settled()
        const before = cgroup.cpuSeconds
        expect(await load.ask()).toBe('burnt')
        await agent.settled()
        const counted = cgroup.cpuSeconds - before
        expect(counted).toBeGreaterThan(2.9)
        return { 'CPU seconds': [agent.sums(cgroup.is, sequence).cpuSeconds, counted] }
      })
    } finally {
      await load.stop()
      await cgroup.remove()
    }
  })

  test('what runs without ever leaving its CPU is seen while it runs', async () => {
    const cgroup = new Cgroup('spin')
    const load = cgroup.perl(`hurry(); say('up'); 1 while 1`)
    try {
      await load.line()
      const [first, before] = [await agent.prompt(lagMs), cgroup.cpuSeconds]
      await sleep(4000)
      const [last, after] = [await agent.prompt(lagMs), cgroup.cpuSeconds]
      const seen = agent.sums(cgroup.is, first.sequence).cpuSeconds
      const counted = after - before
      // The reference comes up to 10 ms after the snapshot, and counts a running task at its ticks, 4 or 10 ms apart.
      expect(last.sequence).toBeGreaterThan(first.sequence)
      expect(Math.abs(seen - counted), `skep saw ${seen} s, cpu.stat ${counted} s`).toBeLessThanOrEqual(2 * (lagMs + 10) / 1000)
    } finally {
      await load.stop('SIGKILL')
      await cgroup.remove()
    }
  })

  test('busy cores are those of /proc/stat', async () => {
    const load = perl(`hurry(); pin(0); say('up'); 1 while 1`)
    try {
      await load.line()
      // /proc/stat has 10 ms steps, and a snapshot comes up to 10 ms after its making: at both ends, on each CPU.
      const first = await agent.prompt(lagMs)
      const [idleBefore, before] = [idleSeconds(), performance.now()]
      await sleep(6000)
      const last = await agent.prompt(lagMs)
      const [idleAfter, after] = [idleSeconds(), performance.now()]
      const seconds = (after - before) / 1000
      const reference = cpus().length - (idleAfter - idleBefore) / seconds
      const ticks = agent.snapshots.filter(({ sequence }) => sequence > first.sequence && sequence <= last.sequence)
      const ofTicks = ticks.reduce((sum, { intervalSeconds }) => sum + intervalSeconds, 0)
      const seen = ticks.reduce((sum, { totals, intervalSeconds }) => sum + totals.cpu.busyCores * intervalSeconds, 0) / ofTicks
      const granularity = cpus().length * 2 * (0.01 + lagMs / 1000) / seconds
      expect(Math.abs(seen - reference), `skep saw ${seen} busy cores, /proc/stat ${reference}`).toBeLessThanOrEqual(granularity)
    } finally {
      await load.stop('SIGKILL')
    }
  })

  test('two busy tasks on one CPU wait as the kernel says they do, each pre-emption a record', async () => {
    const cgroup = new Cgroup('queue')
    const script = `pin(${cpus().length - 1}); say($$); for (;;) { step(); burn(1.2); say('burnt') }`
    const tasks = [cgroup.perl(script), cgroup.perl(script)]
    try {
      const pids = await Promise.all(tasks.map(async (task) => Number(await task.line())))
      const read = () => pids.map(schedstat).reduce((a, b) => ({ ran: a.ran + b.ran, waited: a.waited + b.waited, slices: a.slices + b.slices }))
      await agreeing(async () => {
        const { sequence } = await agent.settled()
        const before = read()
        await Promise.all(tasks.map((task) => task.ask()))
        await agent.settled()
        const after = read()
        const seen = agent.sums(cgroup.is, sequence)
        const kernel = { ran: after.ran - before.ran, waited: after.waited - before.waited, slices: after.slices - before.slices }
        // They shared a CPU, and neither ever slept: what they waited for is the other one, or somebody else.
        expect(kernel.waited).toBeGreaterThan(kernel.ran * 0.7)
        expect(kernel.slices).toBeGreaterThan(100)
        return { 'ns waited': [seen.waitNs, kernel.waited], waits: [seen.waits, kernel.slices], 'CPU ns': [seen.cpuSeconds * 1e9, kernel.ran] }
      })
      expect(agent.newest.agent.lost).toBe(0)
    } finally {
      for (const task of tasks) await task.stop()
      await cgroup.remove()
    }
  })
})

describe.skipIf(cgroupMount === null)('the stamps of queued tasks (needs root)', () => {
  test('go when the tasks exit', async () => {
    const probe = LoadedProbe.load(scheduler.probe, () => compileModule(scheduler, { btf: kernelBtf(), name: 'scheduler' }))
    try {
      expect(probe.failure).toBe(null)
      probe.attach()
      const stamps = probe.maps.find(({ spec }) => spec.name === 'queuedAt')!
      const load = perl(`hurry(); pin(0); my (@brief, @busy);
        for (1..200) { my $pid = fork() // die; exit if !$pid; push @brief, $pid }
        for (1..20) { my $pid = fork() // die; if (!$pid) { setpriority(0, 0, 0); 1 while 1 } push @busy, $pid }
        say("@brief"); say("@busy"); step(); kill 'KILL', @busy; waitpid($_, 0) for @brief, @busy; say('done'); step()`)
      const stamped = (pids: readonly number[]) => {
        const all = new Set(stamps.readAll().map(([, { since, pid }]) => (since === 0 ? 0 : pid)))
        return pids.filter((pid) => all.has(pid))
      }
      const brief = (await load.line()).split(' ').map(Number)
      const busy = (await load.line()).split(' ').map(Number)
      expect([brief.length, busy.length]).toEqual([200, 20])
      // One of them runs, the others wait.
      expect(stamped(busy).length).toBeGreaterThan(10)
      expect(await load.ask()).toBe('done')
      expect(stamped([...brief, ...busy])).toEqual([])
      await load.stop()
    } finally {
      probe.close()
    }
  })
})
