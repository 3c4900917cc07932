import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Snapshot } from '../src/agent/snapshot.ts'
import { processStatus } from '../src/sys/machine.ts'
import { Child, runSkep } from './agent-process.ts'
import { perl } from './generator.ts'
import { buildProduct, skep } from './product.ts'
import { until } from './until.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = processStatus().euid === 0
let folder: string

beforeAll(async () => {
  await buildProduct()
  folder = mkdtempSync(join(tmpdir(), 'skep-recording-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const probe = `import { counter, tp_btf } from 'skep'
export const forks = counter('forks', { unit: '{process}' })
export const forked = tp_btf('sched_process_fork', (parent, child) => { 'use bpf'; if (child.pid === child.tgid) forks.add(1) })
`

test('skep demo shows the recording to any user, and says in each snapshot that it is one', async () => {
  const { status, stdout, stderr } = await runSkep(['demo', '--json', '--no-page', '--count', '3', '--interval', '0.5'])
  expect(status).toBe(0)
  expect(stderr).toContain('this is a recording of 20')
  const snapshots = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Snapshot)
  expect(snapshots.map(({ recording }) => recording?.round)).toEqual([1, 1, 1])
  expect(snapshots[0]!.host.name).toBe('recording')
  expect(snapshots.at(-1)!.probes.map(({ state }) => state)).toEqual(['on', 'on', 'on', 'on', 'on', 'on'])
  expect(snapshots.at(-1)!.workloads.map(({ name }) => name)).toContain('batch.service')
  const lines = await runSkep(['demo', '--no-page', '--count', '2', '--interval', '0.5'])
  expect(lines.stdout).toContain('RECORDING, not this machine')
})

test.each<[string, string, string]>([
  ['no recording', 'hello', 'this is no recording of skep'],
  ['another version', '{"v":2,"skep":"9.0.0"}\n', 'of version 2, this skep reads version 1'],
])('%s ends run --replay with status 2', async (_what, text, problem) => {
  const { status, stderr } = await runSkep(['run', '--replay', file('bad.skeprec', text), file('forks.ts', probe)])
  expect(stderr).toContain(problem)
  expect(status).toBe(2)
})

describe.skipIf(!root)('skep record (needs root)', () => {
  test('records a process and its children until Ctrl-C, and replays it twice the same', async () => {
    const out = join(folder, 'own.skeprec')
    const load = perl(`say('up'); step(); for (1..5) { system('/bin/true') } say('done'); step()`)
    const path = file('forks.ts', probe)
    const recorder = new Child(spawn(process.execPath, [skep, 'record', path, '--pid', String(load.pid), '-o', out, '--duration', '60'], { stdio: ['ignore', 'pipe', 'pipe'] }))
    try {
      await load.line()
      await until('recorder', () => recorder.stderr.includes('Ctrl-C ends') || null)
      await load.ask()
      await sleep(300)
      expect(await recorder.stop('SIGINT')).toEqual({ status: 0, signal: null })
    } finally {
      await recorder.stop('SIGKILL')
      await load.stop()
    }
    expect(recorder.stderr).toMatch(/5 events, /)
    expect(statSync(out).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(out, 'utf8').trimEnd().split('\n').at(-1)!)).toMatchObject({ end: true, events: 5, lost: 0 })
    const { stdout: trace } = await runSkep(['run', '--replay', out, path, '--trace'])
    expect(trace).toMatch(/forks\.ts:\d+ .*\n +0: r\d = .* r0=0x0 r1=0x/)
    const runs = [await runSkep(['run', '--replay', out, path, '--json']), await runSkep(['run', '--replay', out, path, '--json'])]
    expect(runs[0]!.status).toBe(0)
    expect(JSON.parse(runs[0]!.stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({ signal: 'forks', rows: [{ value: 5 }] })
    expect(runs[1]!.stdout).toBe(runs[0]!.stdout)
  })

  test('stops at its limits', async () => {
    const out = join(folder, 'limits.skeprec')
    const count = await runSkep(['record', '-o', out, '--count', '50'])
    expect(count.status).toBe(0)
    expect(JSON.parse(readFileSync(out, 'utf8').trimEnd().split('\n').at(-1)!)).toMatchObject({ events: 50, stopped: 'count' })
    const size = await runSkep(['record', '-o', out, '--size', '32KB'])
    expect(size.stderr).toContain('stopped by --size')
    expect(statSync(out).size).toBeLessThan(33 * 1024)
  })

  test('a probe that reads what was not recorded is told so, with status 2', async () => {
    const out = join(folder, 'other.skeprec')
    await runSkep(['record', file('forks.ts', probe), '-o', out, '--duration', '0.2'])
    const other = file('other.ts', probe.replace('child.pid', 'child.prio'))
    const { status, stderr } = await runSkep(['run', '--replay', out, other])
    expect(status).toBe(2)
    expect(stderr).toMatch(/other\.ts:3:\d+: SKEP-C05: this kernel's struct task_struct has no field 'prio'/)
    expect(stderr).toContain('skep record FILE.ts')
  })
})
