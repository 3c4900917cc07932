import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { History } from '../src/agent/history.ts'
import type { Snapshot } from '../src/agent/snapshot.ts'
import { processStatus } from '../src/sys/machine.ts'
import { AgentProcess, Child, runCommand, runSkep } from './agent-process.ts'
import { kernelObjects, expectGone } from './kernel-objects.ts'
import { buildForKernelWithout, buildProduct, skep } from './product.ts'
import { until } from './until.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = processStatus().euid === 0
const directory = mkdtempSync(join(tmpdir(), 'skep-start-'))

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

beforeAll(() => buildProduct())
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.skipIf(!root)('the start (needs root)', () => {
  test('the first thing told is where the page is, before any tick', async () => {
    const child = new Child(spawn(process.execPath, [skep, '--listen', '127.0.0.1:0', '--count', '1'], { stdio: ['ignore', 'pipe', 'pipe'] }))
    expect(await child.ended).toEqual({ status: 0, signal: null })
    const [first, second] = child.stdout.split('\n')
    expect(first).toMatch(/^skep: page at http:\/\/127\.0\.0\.1:\d+\/$/)
    expect(second).toMatch(/^\d{4}-.* \| cpu /)
  })

  test('the page, the API and the stream answer while it runs', async () => {
    const agent = await AgentProcess.start('--listen', '127.0.0.1:0')
    try {
      const page = /page at (\S+)/.exec(agent.stderr)![1]!
      const snapshot = await (await fetch(`${page}api/snapshot`)).json() as Snapshot
      expect(snapshot).toMatchObject({ v: 1, host: { cpus: expect.any(Number) } })
      expect(snapshot.probes.map(({ name }) => name)).toEqual(['cgroup', 'process', 'scheduler', 'syscalls', 'tcp', 'block'])
      expect(snapshot.probes.every(({ state, hooks }) => state !== 'off' && hooks.length > 0)).toBe(true)
      await agent.snapshot(({ sequence }) => sequence > 3)
      const history = await (await fetch(`${page}api/history`)).json() as History
      expect(history.intervalSeconds).toBe(0.25)
      expect(history.snapshots.length).toBeGreaterThanOrEqual(3)

      const stream = get(`${page}api/stream`)
      const [response] = await once(stream, 'response')
      expect(response.headers['content-type']).toContain('text/event-stream')
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk })
      const sequences = await until('three events', () => {
        const ids = [...text.matchAll(/^id: (\d+)\ndata: (\{.*\})$/gm)].map(([, id, data]) => [Number(id), (JSON.parse(data!) as Snapshot).sequence] as const)
        return ids.length >= 3 && ids
      })
      for (const [index, [id, sequence]] of sequences.entries()) {
        expect(sequence).toBe(id)
        expect(id).toBe(sequences[0]![0] + index)
      }
      stream.destroy()

      expect((await fetch(`${page}nothing`)).status).toBe(404)
      expect((await fetch(`${page}api/snapshot`, { method: 'POST' })).status).toBe(405)
      const foreign = get(`${page}api/snapshot`, { headers: { host: 'attacker.example' } })
      expect((await once(foreign, 'response'))[0].statusCode).toBe(403)
      foreign.destroy()
    } finally {
      expect(await agent.stop()).toEqual({ status: 0, signal: null })
    }
  })

  test('--duration and --count end it by themselves', async () => {
    const { status, stdout } = await runSkep(['--json', '--no-page', '--interval', '100ms', '--count', '3'])
    expect(status).toBe(0)
    expect(stdout.trim().split('\n').map((line) => (JSON.parse(line) as Snapshot).sequence)).toEqual([1, 2, 3])
    expect((await runSkep(['--no-page', '--duration', '300ms'])).status).toBe(0)
  })
})

describe.skipIf(!root)('bad input ends with status 2, and nothing is loaded (needs root)', () => {
  /** What it says when it refuses. */
  async function refusal(args: readonly string[]): Promise<string> {
    const before = kernelObjects()
    const { status, stderr, stdout } = await runSkep(args)
    expect({ status, stdout }, `${stderr}`).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^skep: /)
    expect(stderr).not.toMatch(/internal error|^ +at .*skep\.js/m)
    await expectGone(before, { programs: new Set(), maps: new Set(), links: new Set() })
    return stderr
  }

  test.each<[string, string[], RegExp]>([
    ['an unknown option, and the one that was meant', ['--lisen', '7070'], /unknown option --lisen; did you mean --listen\?\n.*skep --help/],
    ['an unknown command', ['rnu', 'x.ts'], /unknown command 'rnu'; did you mean 'run'\?/],
    ['an address that is none', ['--listen', 'here'], /--listen: 'here' is no address/],
    ['an address of another machine', ['--listen', '192.0.2.1:7070'], /192\.0\.2\.1 is not an address of this machine/],
    ['a probe file that is not there', ['run', join(directory, 'none.ts')], /cannot read .*none\.ts: there is no such file/],
    ['a probe file that is no module', ['run', write('probe.txt', '')], /probe\.txt: a probe is a TypeScript or JavaScript module/],
  ])('%s', async (_, args, message) => expect(await refusal(args)).toMatch(message))

  test('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    try {
      expect(await refusal(['--listen', `127.0.0.1:${port}`])).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} is in use by another process.*--listen.*sport = :${port}`))
    } finally {
      server.close()
    }
  })

  const preamble = ["import { hash, tp_btf, u32, u64 } from 'skep'", 'const seen = hash(u32, u64, { maxEntries: 16 })', 'export const other = hash(u32, u64, { maxEntries: 16 })']

  test.each<[string, string, string[], RegExp]>([
    ['a syntax error', 'syntax.ts', ["export const a = tp_btf('sched_switch', (preempt) => {", "  'use bpf'", '  const x = = 1', '})'], /syntax\.ts:6:13/],
    // Types that are stripped must not move what comes after them.
    ['a field that is none', 'field.ts', [
      'interface Gone { when: TypesAre; stripped: boolean }', 'type TypesAre = string',
      "export const a = tp_btf('sched_switch', (preempt, prev, next) => {", "  'use bpf'", '  const u: number = 1', '  seen.set(next.pidd, u)', '})',
    ], /field\.ts:9:17: .*'?pidd'?[^]*did you mean '?pid/],
    ['a value that may be undefined', 'nullable.ts', [
      "export const a = tp_btf('sched_switch', (preempt, prev, next) => {", "  'use bpf'", '  const since = seen.get(next.pid)', '  other.set(1, since + 1)', '})',
    ], /nullable\.ts:7:16: .*undefined/],
    ['a call of what the kernel has not', 'call.ts', ["export const a = tp_btf('sched_switch', () => {", "  'use bpf'", '  Promise.resolve(1)', '})'], /call\.ts:6:3: /],
  ])('a probe with a type error is shown at its line and column: %s', async (_, name, lines, message) => {
    expect(await refusal(['run', write(name, `${[...preamble, ...lines].join('\n')}\n`)])).toMatch(message)
  })
})

describe.skipIf(!root)('what is not granted (needs root)', () => {
  /** One clear paragraph: a single line that names the cause and the remedy. */
  function paragraph(text: string): string {
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength(1)
    return lines[0]!
  }

  const stranger = { uid: 65_534, gid: 65_534, cwd: '/' }
  const strangerReads = () => spawnSync(process.execPath, ['-e', 'fs.accessSync(process.argv[1])', skep], stranger).status === 0
  const canSetPrivileges = spawnSync('setpriv', ['--version']).status === 0
  const forbidden = 'nobody may not run this node, or not read this checkout'

  test.for([['the agent', ['--no-page']], ['a probe', ['run', 'probe.ts']]] as const)('%s of a user without capabilities: one paragraph, status 1', async ([, args], { skip }) => {
    skip(!strangerReads(), forbidden)
    const probe = write('probe.ts', [
      "import { hash, tp_btf, u32, u64 } from 'skep'",
      'const seen = hash(u32, u64, { maxEntries: 16 })',
      "export const a = tp_btf('sched_switch', (p, prev, next) => { 'use bpf'; seen.set(next.pid, 1) })", ''].join('\n'))
    chmodSync(directory, 0o755)
    const { status, stderr, stdout } = await runSkep(args.map((arg) => arg === 'probe.ts' ? probe : arg), stranger)
    expect({ status, stdout }, `${stderr}`).toEqual({ status: 1, stdout: '' })
    const text = paragraph(stderr)
    expect(text).toContain('Loading eBPF programs needs CAP_BPF and CAP_PERFMON, and user 65534 runs it without them.')
    expect(text).toContain('Run it as root (sudo skep)')
  })

  test.skipIf(!canSetPrivileges)('root without capabilities: one paragraph that says so (needs setpriv of util-linux)', async () => {
    const child = new Child(spawn('setpriv', ['--bounding-set=-all', '--inh-caps=-all', process.execPath, skep, '--no-page'], { stdio: ['ignore', 'pipe', 'pipe'] }))
    const { status } = await child.ended
    expect(status, `${child.stderr}`).toBe(1)
    expect(paragraph(child.stderr)).toMatch(/CAP_BPF and CAP_PERFMON, and this process is root without them\. Grant them: --cap-add BPF/)
  })

  test.skipIf(!canSetPrivileges)('a user with CAP_BPF and CAP_PERFMON alone sees the machine (needs setpriv of util-linux)', async ({ skip }) => {
    skip(!strangerReads(), forbidden)
    const capabilities = ['bpf', 'perfmon'].map((name) => `+${name}`).join(',')
    const child = new Child(spawn('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', `--inh-caps=${capabilities}`, `--ambient-caps=${capabilities}`,
      process.execPath, skep, '--json', '--no-page', '--count', '2'], { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/' }))
    const { status } = await child.ended
    expect(status, `${child.stderr}`).toBe(0)
    const snapshot = JSON.parse(child.stdout.trim().split('\n').at(-1)!) as Snapshot
    expect(snapshot.probes.map(({ state }) => state)).toEqual(Array(6).fill('on'))
    expect(snapshot.totals.syscalls.perSecond).toBeGreaterThan(0)
    // BPF statistics need more: the cost of the programs is unknown, and said to be.
    expect(snapshot.agent.kernelCores).toBe(null)
  })

  test('what the kernel refuses of a probe costs the programs that need it alone, and is told', async () => {
    // No kernel makes a map of this size; the program that uses it does not get its hook.
    const file = write('partly.ts', [
      "import { counter, hash, tp_btf, u32, u64 } from 'skep'",
      "export const switches = counter('switches', { unit: '{switch}' })",
      'const seen = hash(u32, u64, { maxEntries: 2 ** 31 })',
      "export const a = tp_btf('sched_switch', () => { 'use bpf'; switches.add(1) })",
      "export const b = tp_btf('sched_process_exec', () => { 'use bpf'; seen.set(0, 1) })", ''].join('\n'))
    const { status, stderr, stdout } = await runSkep(['run', '--json', '--count', '1', '--interval', '200ms', file])
    expect(status, `${stderr}`).toBe(0)
    expect(stderr).toMatch(/^skep: b is not attached: .*map 'seen'/)
    expect(stderr).toMatch(/^skep: attached tp_btf\/sched_switch; /m)
    expect(JSON.parse(stdout.split('\n')[0]!)).toMatchObject({ signal: 'switches', rows: [{ value: expect.any(Number) }] })
  })

  const probesOf = (stdout: string) => Object.fromEntries((JSON.parse(stdout.trim().split('\n').at(-1)!) as Snapshot).probes.map((probe) => [probe.name, probe]))

  test('a kernel that lacks a hook: the agent goes on without that probe, and marks it', async () => {
    const without = await buildForKernelWithout(['block_rq_issue'])
    const { status, stdout, stderr } = await runCommand(without, ['--json', '--no-page', '--count', '2', '--interval', '200ms'])
    expect(status, `${stderr}`).toBe(0)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toMatch(/^skep: block is off: .*no_block_rq_issue/)
    const { block, ...others } = probesOf(stdout)
    expect(block).toMatchObject({ state: 'off', hooks: [], reason: expect.stringContaining('no_block_rq_issue'), remedy: expect.any(String) })
    for (const { state } of Object.values(others)) expect(state).toBe('on')
  })

  test('a kernel that has none of the hooks: why, for each probe, and status 1', async () => {
    const without = await buildForKernelWithout(['cgroup_mkdir', 'sched_process_fork', 'sched_switch', 'sys_exit', 'inet_sock_set_state', 'block_rq_issue'])
    const { status, stdout, stderr } = await runCommand(without, ['--json', '--no-page', '--count', '2'])
    expect({ status, stdout }, `${stderr}`).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('no probe could be loaded, so there is nothing to show')
    for (const name of ['cgroup', 'process', 'scheduler', 'syscalls', 'tcp', 'block']) expect(stderr).toMatch(new RegExp(`^ +${name} is off: `, 'm'))
  })
})

test.skipIf(root)('without root the product says what it needs', async () => {
  const { status, stderr } = await runSkep(['--no-page'])
  expect(status).toBe(1)
  expect(stderr).toContain('Loading eBPF programs needs')
})
