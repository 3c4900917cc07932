import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { processStatus } from '../src/sys/machine.ts'
import { AgentProcess, Child, type Ended } from './agent-process.ts'
import { expectGone, heldBy, kernelObjects, mountsAndPins, type KernelObjects } from './kernel-objects.ts'
import { buildProduct, skep } from './product.ts'
import { until } from './until.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

describe.skipIf(processStatus().euid !== 0)('stopping leaves no program, map, link or mount (needs root)', () => {
  let mounts: string[]
  beforeAll(async () => {
    await buildProduct()
    mounts = mountsAndPins()
  })
  afterAll(() => expect(mountsAndPins()).toEqual(mounts))

  /** What the running agent holds: all that the built-in probes load. */
  function holding(pid: number): KernelObjects {
    const { programs, maps, links } = heldBy(pid)
    const mine = { programs, links, maps: new Set(maps.keys()) }
    expect(mine.programs.size).toBeGreaterThanOrEqual(13)
    expect(mine.links.size).toBeGreaterThanOrEqual(13)
    expect(mine.maps.size).toBeGreaterThan(10)
    const all = kernelObjects()
    for (const kind of ['programs', 'maps', 'links'] as const) for (const id of mine[kind]) expect(all[kind].has(id)).toBe(true)
    return mine
  }

  test.each<[NodeJS.Signals, Ended]>([
    ['SIGINT', { status: 0, signal: null }],
    ['SIGTERM', { status: 0, signal: null }],
    ['SIGHUP', { status: 0, signal: null }],
    ['SIGKILL', { status: null, signal: 'SIGKILL' }],
    // A crash below JavaScript.
    ['SIGSEGV', { status: null, signal: 'SIGSEGV' }],
  ])('%s', async (signal, ended) => {
    const before = kernelObjects()
    const agent = await AgentProcess.start('--listen', '127.0.0.1:0')
    const mine = holding(agent.pid)
    expect(await agent.stop(signal)).toEqual(ended)
    await expectGone(before, mine)
    if (ended.status === 0) expect(agent.stderr.trim().split('\n')).toHaveLength(1)
  })

  test('a signal while the probes are being loaded', async () => {
    const before = kernelObjects()
    const child = new Child(spawn(process.execPath, [skep, '--json', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] }))
    await until('page', () => child.stderr.includes('page at'), 20_000, 1)
    const mine = heldBy(child.pid)
    expect(await child.stop('SIGTERM')).toEqual({ status: 0, signal: null })
    await expectGone(before, { ...mine, maps: new Set(mine.maps.keys()) })
  })

  test('a second Ctrl-C leaves at once', async () => {
    const before = kernelObjects()
    const agent = await AgentProcess.start()
    const mine = holding(agent.pid)
    agent.process.kill('SIGINT')
    const { status } = await agent.stop('SIGINT')
    // The first one may have been enough already.
    expect([0, 130]).toContain(status)
    await expectGone(before, mine)
  })

  test('a reader that goes away: skep | head -1', async () => {
    const before = kernelObjects()
    const script = '"$0" "$1" --no-page --interval 100ms | head -1; exit "${PIPESTATUS[0]}"'
    const child = new Child(spawn('bash', ['-c', script, process.execPath, skep], { stdio: ['ignore', 'pipe', 'pipe'] }))
    expect(await child.ended, `${child.stderr}`).toEqual({ status: 0, signal: null })
    expect(child.stdout.trimEnd().split('\n')).toEqual(['skep: no page'])
    expect(child.stderr).toBe('')
    await expectGone(before, { programs: new Set(), maps: new Set(), links: new Set() })
  })

  test('an uncaught exception: one clear message, status 1', async () => {
    const before = kernelObjects()
    // Thrown from a callback of the event loop, when the agent has been ticking for a while.
    const crash = `data:text/javascript,process.on('SIGUSR2', () => { throw new Error('provoked') })`
    const child = new Child(spawn(process.execPath, ['--import', crash, skep, '--json', '--no-page'], { stdio: ['ignore', 'pipe', 'pipe'] }))
    await until('first tick', () => child.stdout.includes('\n'))
    const mine = holding(child.pid)
    expect(await child.stop('SIGUSR2')).toEqual({ status: 1, signal: null })
    expect(child.stderr).toMatch(/^skep: internal error, please report it: Error: provoked/)
    await expectGone(before, mine)
  })
})
