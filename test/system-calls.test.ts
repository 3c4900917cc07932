import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { AgentProcess } from './agent-process.ts'
import { Cgroup, cgroupMount, type Generator } from './generator.ts'
import { buildProduct } from './product.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const calls = 200_000
const failing = 1000

describe.skipIf(cgroupMount === null)('system calls (needs root and a cgroup v2 hierarchy)', () => {
  let agent: AgentProcess
  beforeAll(async () => {
    await buildProduct()
    agent = await AgentProcess.start()
  })
  afterAll(() => agent?.stop())

  /** System calls of the workload while the generator does one step. */
  async function during(cgroup: Cgroup, load: Generator, step: string) {
    const { sequence } = await agent.settled()
    expect(await load.ask(step)).toBe('done')
    await agent.settled()
    return agent.sums(cgroup.is, sequence)
  }

  test('200,000 calls and 1,000 failures are counted one by one, by errno', async () => {
    const cgroup = new Cgroup('calls')
    // Between two steps: the read that brings the step returns, then the calls, then the write of the answer.
    const load = cgroup.perl(`use POSIX (); rush(); say('up');
      for (;;) {
        my $do = step();
        if ($do eq 'getppid') { getppid() for 1..${calls} }
        if ($do eq 'fail') { sysopen(my $f, '/none', 0) for 1..${failing}; POSIX::close(999) for 1..10 }
        say('done') }`)
    try {
      await load.line()
      const nothing = await during(cgroup, load, 'nothing')
      expect(nothing).toMatchObject({ calls: 2, errors: new Map() })
      const many = await during(cgroup, load, 'getppid')
      expect(many).toMatchObject({ calls: calls + 2, errors: new Map() })
      const failed = await during(cgroup, load, 'fail')
      expect([...failed.errors].sort()).toEqual([['EBADF', 10], ['ENOENT', failing]])
      expect(failed.calls).toBe(failing + 10 + 2)
      const row = agent.newest.workloads.find(cgroup.is)!
      expect(row.errors.find(({ name }) => name === 'ENOENT')!.total).toBeGreaterThanOrEqual(failing)
      expect(row).toMatchObject({ kind: 'cgroup', cgroup: cgroup.name })
      expect(agent.newest.totals.syscalls.total).toBeGreaterThan(calls)
    } finally {
      await load.stop()
      await cgroup.remove()
    }
  })
})
