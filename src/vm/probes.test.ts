import { describe, expect, test } from 'vitest'
import { compileModule } from '../compiler/compile.ts'
import * as block from '../probes/block.ts'
import * as cgroup from '../probes/cgroup.ts'
import * as process from '../probes/process.ts'
import * as scheduler from '../probes/scheduler.ts'
import * as syscalls from '../probes/syscalls.ts'
import * as tcp from '../probes/tcp.ts'
import { kernelObject, type Fields } from './kernel-object.ts'
import { simulate, type SimulateOptions, type Simulation } from './simulate.ts'
import { kernels } from './small-kernel.test-support.ts'

/** Each probe on each kernel, interpreted and compiled. */
const targets = kernels().flatMap(
  ([name, btf]) => [[`${name}, interpreted`, btf, false], [`${name}, compiled`, btf, true]] as const,
)

describe.each(targets)('the built-in probes on %s', (_name, btf, compiled) => {
  const load = (module: Record<string, unknown>, options: SimulateOptions = {}) => simulate(
    compileModule(module, { btf, name: 'probe' }), { btf, compiled, ...options },
  )
  const cgroups = (id: number): Fields => ({ dfl_cgrp: { kn: { id } } })
  /** A process with one thread. */
  const task = (pid: number, comm: string, more: Fields = {}) => {
    const made = kernelObject(btf, 'task_struct', { pid, tgid: pid, comm, flags: 0, __state: 1, cgroups: cgroups(77), ...more })
    return made.get('group_leader') === undefined ? made.set({ group_leader: made }) : made
  }

  /** When a task was queued: stamps lie at the process id times an odd number, modulo 65,536. */
  const stamp = (m: Simulation, pid: number) => m.map('queuedAt').get((pid * 40_503) % 65_536)

  test('scheduler: a woken task waits until it is switched to', () => {
    const m = load(scheduler)
    const [nginx, idle] = [task(7, 'nginx'), task(0, 'swapper/0')]
    m.fire('wakeup', [nginx])
    expect(stamp(m, 7)).toEqual({ since: m.now, pid: 7 })
    m.advance(5000)
    m.fire('switched', [false, idle, nginx])
    expect(stamp(m, 7).since).toBe(0)
    const [[key, waited]] = m.map(scheduler.latency.map).sums() as [[unknown, { sum: number; buckets: number[] }]]
    expect(key).toEqual({ cgroup: 77, comm: '' })
    expect(waited.sum).toBe(5000)
    // 4096 ≤ 5000 < 8192
    expect(waited.buckets.map((count, bucket) => (count > 0 ? bucket : -1)).filter((bucket) => bucket >= 0)).toEqual([12])
  })

  test('scheduler: CPU time goes to who ran, in the root cgroup by name, and a pre-empted task waits again', () => {
    const m = load(scheduler)
    const [bash, idle] = [task(7, 'bash', { cgroups: cgroups(1), __state: 0 }), task(0, 'swapper/0')]
    m.fire('switched', [false, idle, bash])
    m.advance(1_000_000)
    m.fire('switched', [true, bash, idle])
    expect(m.map(scheduler.cpu.map).sums()).toEqual([[{ cgroup: 1, comm: 'bash' }, { time: 1_000_000, switches: 1 }]])
    expect(stamp(m, 7)).toEqual({ since: m.now, pid: 7 })
    m.fire('exited', [bash])
    expect(stamp(m, 7).since).toBe(0)
  })

  test('scheduler: each CPU counts for itself', () => {
    const m = load(scheduler, { cpus: 4 })
    const [a, b, idle] = [task(7, 'a'), task(8, 'b', { cgroups: cgroups(88) }), task(0, 'swapper')]
    m.cpu = 1
    m.fire('switched', [false, idle, a])
    m.cpu = 3
    m.fire('switched', [false, idle, b])
    m.advance(10)
    m.fire('switched', [false, b, idle])
    expect(m.map(scheduler.cpu.map).get({ cgroup: 88, comm: '' })).toEqual(
      [0, 0, 0, 1].map((switches) => ({ time: switches * 10, switches })),
    )
    expect(m.map('running').get(0).map(({ pid }: { pid: number }) => pid)).toEqual([0, 7, 0, 0])
  })

  test('scheduler: a stamp that another task writes over is counted as lost', () => {
    const m = load(scheduler)
    m.fire('wakeup', [task(7, 'first')])
    m.fire('wakeup', [task(7 + 65_536, 'second')])
    expect(m.map(scheduler.stampsLost).sums()).toEqual([[0, 1]])
    m.fire('switched', [false, task(0, 'swapper'), task(7, 'first')])
    expect(m.map(scheduler.latency.map).size).toBe(0)
  })

  test('scheduler: a task that was woken before it slept waits from its next wake-up', () => {
    const m = load(scheduler)
    const [a, idle] = [task(7, 'a'), task(0, 'swapper')]
    m.fire('wakeup', [a])
    m.fire('switched', [false, a, idle])
    expect(stamp(m, 7).since).toBe(0)
  })

  test('process: fork, exec and exit of a process', () => {
    const m = load(process)
    const bash = task(5, 'bash')
    const child = task(
      7, 'bash',
      { real_parent: bash, cred: { uid: { val: 1000 } }, signal: { live: { counter: 0 }, flags: 0 }, exit_code: 256, start_time: 42 },
    )
    m.fire('forked', [bash, child])
    child.set({ comm: 'ls' })
    m.fire('exec', [child, 7, { filename: '/usr/bin/ls' }])
    m.advance(1_000)
    m.fire('exited', [child])
    const events = m.ring('process_events').events(process)
    const who = { pid: 7, ppid: 5, uid: 1000, workload: { cgroup: 77, comm: '' } }
    expect(events).toEqual([
      { event: 'started', at: m.now - 1_000, ...who, name: 'bash' },
      { event: 'executed', at: m.now - 1_000, ...who, name: 'ls', executable: '/usr/bin/ls' },
      { event: 'ended', at: m.now, ...who, name: 'ls', startedAt: 42, code: 256 },
    ])
    expect(m.map(process.lifecycle.map).sums()).toEqual([[0, { processes: 1, threads: 0, execs: 1, exits: 1 }]])
    expect(m.ring('process_events').waiting).toBe(0)
  })

  test('process: a thread is no process, and only the last one ends it', () => {
    const m = load(process)
    const leader = task(7, 'java', { signal: { live: { counter: 1 }, flags: 0 } })
    m.fire('forked', [leader, task(8, 'GC', { tgid: 7 })])
    m.fire('exited', [leader])
    expect(m.ring(process.ring).raw()).toEqual([])
    expect(m.map(process.lifecycle.map).sums()).toEqual([[0, { processes: 0, threads: 1, execs: 0, exits: 0 }]])
  })

  test('process: a full ring loses events and says so', () => {
    const m = load(process)
    const child = task(7, 'x', { real_parent: task(5, 'bash'), cred: { uid: { val: 0 } } })
    for (let index = 0; index < 20_000; index++) m.fire('forked', [child, child])
    const { length } = m.ring('process_events').raw()
    const [[, lost]] = m.map(process.started.lost).sums() as [[number, number]]
    expect(length).toBeGreaterThan(10_000)
    expect(length + lost).toBe(20_000)
  })

  test('syscalls: errors by workload and errno', () => {
    const m = load(syscalls, { current: { task: task(7, 'nginx', { cgroups: cgroups(1) }) } })
    for (const result of [0, 12, -2, -2, -13, -4096]) m.fire('returned', [null, result])
    expect(m.map(syscalls.calls.map).sums()).toEqual([[{ cgroup: 1, comm: 'nginx' }, { count: 6, errors: 3 }]])
    expect(m.map(syscalls.errors.map).sums()).toEqual([
      [{ cgroup: 1, comm: 'nginx', errno: 2 }, 2], [{ cgroup: 1, comm: 'nginx', errno: 13 }, 1],
    ])
  })

  const [ESTABLISHED, SYN_SENT, SYN_RECV, CLOSE, LISTEN] = [1, 2, 3, 7, 10]
  const socket = (port: number, common: Fields, more: Fields = {}) => kernelObject(btf, 'tcp_sock', {
    inet_conn: {
      icsk_inet: {
        sk: {
          sk_protocol: 6,
          __sk_common: { skc_num: port, skc_family: 2, skc_flags: 0, skc_net: { net: { ns: { inum: 9 } } }, ...common },
        },
        inet_sport: (port & 0xff) << 8 | port >> 8,
      },
    },
    bytes_received: 0, bytes_sent: 0, bytes_retrans: 0, ...more,
  })

  test('tcp: an outgoing connection from connect to close', () => {
    const m = load(tcp, { current: { task: task(7, 'curl') } })
    const sk = socket(
      40_000, { skc_dport: 0x5000, skc_rcv_saddr: 0x0100_007f, skc_daddr: 0x0200_007f },
      { bytes_sent: 110, bytes_retrans: 10, bytes_received: 500 },
    )
    m.fire('stateChanged', [sk, CLOSE, SYN_SENT])
    m.advance(2_000_000)
    m.fire('stateChanged', [sk, SYN_SENT, ESTABLISHED])
    m.advance(3_000_000)
    m.fire('stateChanged', [sk, ESTABLISHED, CLOSE])
    const [opened, closed] = m.ring('tcp_events').events(tcp)
    expect(opened).toMatchObject({ event: 'opened', duration: 2_000_000, owner: { pid: 7, name: 'curl' } })
    expect(opened!.endpoints).toMatchObject(
      { family: 2, localPort: 40_000, peerPort: 80, direction: tcp.OUTGOING, local4: 0x0100_007f, peer4: 0x0200_007f },
    )
    expect(closed).toMatchObject({ event: 'closed', duration: 5_000_000, sent: 100, received: 500, established: 1 })
    expect(m.map(tcp.connections.map).sums()).toEqual([[0, { opened: 1, accepted: 0, failed: 0, closed: 1 }]])
    expect(m.map('open').size).toBe(0)
  })

  test('tcp: an accepted connection belongs to who listens', () => {
    const m = load(tcp, { current: { task: task(5, 'nginx') } })
    m.fire('stateChanged', [socket(80, {}), CLOSE, LISTEN])
    m.current = { task: task(0, 'swapper/0') }
    const sk = socket(80, { skc_dport: 0x1234, skc_rcv_saddr: 1, skc_daddr: 2 })
    m.fire('stateChanged', [sk, SYN_RECV, ESTABLISHED])
    expect(m.ring('tcp_events').events(tcp)).toMatchObject(
      [{ event: 'opened', owner: { pid: 5, name: 'nginx' }, endpoints: { direction: tcp.INCOMING } }],
    )
  })

  test('tcp: a refused connection failed, other protocols are none', () => {
    const m = load(tcp, { current: { task: task(7, 'curl') } })
    const address = (byte: number) => ({ in6_u: addressField(new Uint8Array(16).fill(byte)) })
    const sk = socket(40_000, { skc_dport: 0x5000, skc_family: 10, skc_v6_rcv_saddr: address(1), skc_v6_daddr: address(2) })
    m.fire('stateChanged', [sk, CLOSE, SYN_SENT])
    m.fire('stateChanged', [sk, SYN_SENT, CLOSE])
    const [closed] = m.ring('tcp_events').events(tcp)
    expect(closed).toMatchObject(
      { event: 'closed', established: 0, endpoints: { family: 10, local6: new Uint8Array(16).fill(1), peer6: new Uint8Array(16).fill(2) } },
    )
    expect(m.map(tcp.connections.map).sums()).toEqual([[0, { opened: 0, accepted: 0, failed: 1, closed: 0 }]])
    const other = kernelObject(btf, 'tcp_sock', { inet_conn: { icsk_inet: { sk: { sk_protocol: 132 } } } })
    expect(m.fire('stateChanged', [other, CLOSE, SYN_SENT]).instructions).toBeLessThan(20)
  })

  /** The real struct in6_addr has a union inside. */
  function addressField(bytes: Uint8Array): Uint8Array | Fields {
    const in6 = btf.type(btf.find('in6_addr', 'struct'))
    const inner = in6.kind === 'struct' ? btf.type(btf.resolve(in6.members[0]!.type)) : in6
    return inner.kind === 'union' ? { u6_addr8: bytes } : bytes
  }

  test('cgroup: made and removed in the v2 hierarchy only', () => {
    const m = load(cgroup)
    const group = (id: number, hierarchy: number): Fields => ({ kn: { id }, root: { hierarchy_id: hierarchy } })
    m.hit('cgroup_mkdir', [group(1234, 0), '/system.slice/a.service'])
    m.hit('cgroup_mkdir', [group(9, 3), '/other'])
    m.hit('cgroup_rmdir', [group(1234, 0), '/system.slice/a.service'])
    expect(m.ring('cgroup_events').events(cgroup)).toEqual([
      { event: 'made', id: 1234, path: '/system.slice/a.service' }, {
        event: 'removed', id: 1234, path: '/system.slice/a.service',
      },
    ])
  })

  test('block: bytes, requests and latency by device', () => {
    const m = load(block)
    const rq = kernelObject(btf, 'request', { q: { disk: { major: 8, first_minor: 0 } }, cmd_flags: 0x801, __data_len: 8192 })
    m.fire('issued', [rq])
    m.advance(700)
    m.fire('completed', [rq, 0, 4096])
    rq.set({ __data_len: 4096 })
    m.advance(300)
    m.fire('completed', [rq, 0, 4096])
    const key = { major: 8, minor: 0, operation: 1 }
    expect(m.map(block.io.map).sums()).toEqual([[key, { requests: 1, bytes: 8192 }]])
    expect(m.map(block.latency.map).sums()).toMatchObject([[key, { sum: 1000 }]])
  })
})
