import { describe, expect, test } from 'vitest'
import { compileModule } from '../compiler/compile.ts'
import { smallKernel } from '../compiler/testing/small-kernel.ts'
import { catalogue } from '../probes/catalogue.ts'
import { kernelObject, type FieldValue } from '../vm/kernel-object.ts'
import { parseRecording } from '../vm/recording.ts'
import { Replay } from '../vm/replay.ts'
import { simulate } from '../vm/simulate.ts'
import { compileRecorder, recordingHeader, type RecorderOptions } from './recorder.ts'
import { RecordingWriter } from './recording-writer.ts'
import { Redaction } from './redaction.ts'

const btf = smallKernel()
const everything = { kind: 'all', ids: [], name: 'everything' } as const
const scopes = [everything, { kind: 'pid', ids: [7], name: 'process 7' }, { kind: 'cgroup', ids: [77], name: 'one cgroup' }] as const

/** The recorder in a simulation: fire hooks, and get the file. */
function recorder(more: Partial<RecorderOptions> = {}) {
  const options: RecorderOptions = { btf, scope: everything, keepText: false, version: '0', ...more }
  const program = compileRecorder(Object.values(catalogue), options)
  const m = simulate(program.compiled, { btf, current: {} })
  for (const id of options.scope.ids) m.map(program.declarations.scope).set(id, 1)
  const hasScope = options.scope.kind !== 'all'
  const writer = new RecordingWriter(program.plans, new Redaction(options.keepText, hasScope), { redacted: !options.keepText, hasScope }, m.now)
  const header = JSON.stringify(recordingHeader(program, options, m.now))
  const lines: string[] = []
  return {
    fire(current: ReturnType<typeof task>, hook: string, args: readonly FieldValue[]): void {
      m.advance(1000)
      m.current = { pid: Number(current.get('tgid')), tid: Number(current.get('pid')), cgroup: 77, task: current }
      m.hit(hook, args)
      for (const { bytes } of m.ring(program.declarations.ring).raw()) lines.push(writer.line(bytes))
    },
    lines,
    get text(): string { return [header, ...lines, JSON.stringify({ end: true, events: lines.length, lost: 0, duration: 1e6, stopped: 'test' })].join('\n') },
  }
}

const cgroups = { dfl_cgrp: { kn: { id: 77 } } }
function task(pid: number, comm: string, parent: FieldValue = null, group: FieldValue = cgroups) {
  const made = kernelObject(btf, 'task_struct', {
    pid, tgid: pid, comm, flags: 0, __state: 0, cgroups: group, real_parent: parent, cred: { uid: { val: 1000 } },
    signal: { live: { counter: 0 }, flags: 0, group_exit_code: 0 }, exit_code: 256, start_time: 42,
  })
  return made.set({ group_leader: made })
}

describe('the recorder', () => {
  test.each(scopes)('compiles for the built-in probes on the small kernel, in scope $kind', (scope) => {
    const { plans, compiled, leftOut } = compileRecorder(Object.values(catalogue), { btf, scope, keepText: false, version: '0' })
    expect([...leftOut]).toEqual([])
    expect(plans.length).toBe(12)
    expect(compiled.spec.programs.length).toBe(scope.kind === 'pid' ? 13 : 12)
  })

  test('what it wrote replays to what happened, with text replaced', () => {
    const r = recorder({ scope: scopes[1] })
    const shell = task(7, 'shell')
    const child = task(8, 'shell', shell)
    r.fire(shell, 'sched_process_fork', [shell, child])
    child.set({ comm: 'ls' })
    r.fire(child, 'sched_process_exec', [child, 8, { filename: '/secret/ls' }])
    r.fire(child, 'sched_process_exit', [child, true])
    expect(r.text).not.toContain('secret')
    const replay = new Replay(parseRecording(r.text))
    const again = replay.attach(compileModule(catalogue.process, { btf: replay.types.btf, name: 'process' }))
    replay.advanceTo(replay.end)
    const who = { pid: 8, ppid: 7, uid: 1000, workload: { cgroup: 77, comm: '' } }
    expect(again.ring(catalogue.process.ring).events(catalogue.process)).toMatchObject([
      { event: 'started', ...who, name: 'shell' },
      { event: 'executed', ...who, name: 'ls', executable: 'text-1' },
      { event: 'ended', ...who, name: 'ls', startedAt: 42, code: 256 },
    ])
  })

  test('tasks outside of the scope have no name and look idle; events without any of its tasks are not there', () => {
    const r = recorder({ scope: scopes[1] })
    const [mine, other, third] = [task(7, 'mine'), task(9, 'private'), task(10, 'other')]
    r.fire(other, 'sched_switch', [false, other, third, 0])
    expect(r.lines).toEqual([])
    r.fire(other, 'sched_switch', [false, other, mine, 0])
    expect(r.lines.length).toBe(1)
    expect(r.text).toContain('"mine"')
    expect(r.text).toContain('"task-1"')
    expect(r.text).not.toMatch(/private|"pid":9|\b9,9,/)
    // A stack's registers are at the same address for the next task.
    r.fire(mine, 'sys_exit', [{ ax: 1 }, 0])
    r.fire(other, 'sys_exit', [{ ax: 1 }, 0])
    expect(r.lines.length).toBe(2)
  })

  test('the whole machine: all names are replaced, the same by the same, and addresses that system calls return', () => {
    const r = recorder()
    const [one, two] = [task(7, 'one'), task(8, 'two')]
    for (const prev of [one, two, one]) r.fire(prev, 'sched_switch', [false, prev, prev === one ? two : one, 0])
    r.fire(one, 'sys_exit', [null, 0x7fff_1234_5000])
    r.fire(one, 'sys_exit', [null, -2])
    expect(r.text).not.toMatch(/"one"|"two"|140733/)
    expect(r.lines.map((line) => (JSON.parse(line) as any[])[3]?.[3] ?? '')).toEqual(['task-1', 'task-2', 'task-1', '', ''])
    expect(JSON.parse(r.lines.at(-1)!)[4][1]).toBe(-2)
  })

  test('network addresses become those of documentation', () => {
    const r = recorder()
    const common = { skc_num: 40_000, skc_family: 2, skc_flags: 0, skc_dport: 0x5000, skc_rcv_saddr: 0x0100_000a, skc_daddr: 0x0200_000a, skc_net: { net: { ns: { inum: 9 } } }, skc_v6_daddr: { words: [1, 2, 3, 4] }, skc_v6_rcv_saddr: { words: [0, 0, 0, 0] } }
    const sk = kernelObject(btf, 'tcp_sock', { inet_conn: { sk_protocol: 6, __sk_common: common }, bytes_received: 0, bytes_sent: 0, bytes_retrans: 0 }, { unset: 'zero' })
    r.fire(task(7, 'curl'), 'inet_sock_set_state', [sk, 7, 2])
    const changes = JSON.parse(r.lines[0]!)[5] as [number, string, Record<string, unknown>][]
    const fields = changes.find(([, struct]) => struct === 'sock')![2]
    const ip = (value: unknown) => [0, 8, 16, 24].map((shift) => (value as number) >>> shift & 255).join('.')
    expect([ip(fields['__sk_common.skc_daddr']), ip(fields['__sk_common.skc_rcv_saddr'])].toSorted()).toEqual(['192.0.2.1', '192.0.2.2'])
    expect(fields['__sk_common.skc_v6_daddr']).toMatch(/^20010db8/)
    expect(fields['__sk_common.skc_v6_rcv_saddr']).toBe('0'.repeat(32))
  })

  test('--keep-text keeps text and addresses', () => {
    const r = recorder({ keepText: true })
    r.fire(task(7, 'shell'), 'sched_process_exec', [task(7, 'shell', task(1, 'init')), 7, { filename: '/usr/bin/ls' }])
    expect(r.text).toContain('/usr/bin/ls')
    expect(r.text).toContain('"shell"')
  })
})
