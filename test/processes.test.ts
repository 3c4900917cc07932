import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { processStatus } from '../src/sys/machine.ts'
import { AgentProcess } from './agent-process.ts'
import { perl } from './generator.ts'
import { buildProduct } from './product.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const runs = 1000

/** All forks since boot, threads included. */
function forks(): number {
  return Number(/^processes (\d+)/m.exec(readFileSync('/proc/stat', 'utf8'))![1])
}

describe.skipIf(processStatus().euid !== 0)('processes (needs root)', () => {
  let agent: AgentProcess
  beforeAll(async () => {
    await buildProduct()
    agent = await AgentProcess.start()
  })
  afterAll(() => agent?.stop())

  test('a loop of 1,000 /bin/true is 1,000 starts, execs and ends, none lost, and as many forks as /proc/stat counts', async () => {
    const loop = perl(`rush(); say($$); step();
      for (1..${runs}) { my $pid = fork() // die; if (!$pid) { exec '/bin/true' } waitpid($pid, 0) }
      say('done'); step()`)
    try {
      const ppid = Number(await loop.line())
      const before = await agent.prompt()
      const forksBefore = forks()
      expect(await loop.ask()).toBe('done')
      await agent.settled()
      const after = await agent.prompt()
      const forksAfter = forks()

      const mine = agent.processes.filter((event) => event.ppid === ppid)
      const of = (type: string) => mine.filter((event) => event.type === type)
      expect({ starts: of('start').length, execs: of('exec').length, ends: of('end').length }).toEqual({ starts: runs, execs: runs, ends: runs })
      for (const type of ['start', 'exec', 'end']) expect(new Set(of(type).map(({ pid }) => pid)).size).toBe(runs)
      expect(new Set(of('exec').map(({ executable, name }) => `${executable} ${name}`))).toEqual(new Set(['/bin/true true']))
      expect(new Set(of('end').map(({ status, signal }) => `${status} ${signal}`))).toEqual(new Set(['0 null']))
      expect(of('end').every(({ durationNs }) => durationNs! > 0)).toBe(true)
      expect(after.agent.lost).toBe(0)

      const seen = after.totals.processes.forks - before.totals.processes.forks
      const counted = forksAfter - forksBefore
      expect(counted).toBeGreaterThanOrEqual(runs)
      expect(Math.abs(seen - counted) / counted, `skep saw ${seen} forks, /proc/stat ${counted}`).toBeLessThanOrEqual(0.01)
      expect(after.totals.processes.starts - before.totals.processes.starts).toBeGreaterThanOrEqual(runs)
      expect(after.totals.processes.ends - before.totals.processes.ends).toBeGreaterThanOrEqual(runs)
    } finally {
      await loop.stop()
    }
  })

  test('how processes end: with an exit status, by a signal', async () => {
    const parent = perl(`say($$); step();
      if (!fork()) { exit 7 } wait;
      if (!fork()) { kill 'KILL', $$ } wait;
      say('done'); step()`)
    try {
      const ppid = Number(await parent.line())
      expect(await parent.ask()).toBe('done')
      await agent.settled()
      const ends = agent.processes.filter((event) => event.type === 'end' && event.ppid === ppid)
      expect(ends.map(({ status, signal }) => ({ status, signal }))).toEqual([{ status: 7, signal: null }, { status: null, signal: 9 }])
    } finally {
      await parent.stop()
    }
  })
})
