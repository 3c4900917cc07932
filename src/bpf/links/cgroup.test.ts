import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Spec } from '../../spec/spec.ts'
import { availableCpus, parseCpuList } from '../../sys/machine.ts'
import { Collection } from '../collection.ts'
import { features, has } from '../features.ts'
import { openCgroup } from '../handles.ts'
import { PolicyError } from '../load-error.ts'
import { queryPrograms } from '../query.ts'
import { TargetError } from '../target-error.ts'
import { compiler, fromC } from '../testing/c-object.ts'
import { keeper } from '../testing/keeper.ts'
import { cgroup, cgroupRoot } from '../testing/places.ts'
import { attachCgroup, attachCgroupDirectly } from './cgroup.ts'
import { attachPerfEvent } from './perf-event.ts'

const ready = process.platform === 'linux' && compiler && has(features.cgroupLink) && cgroupRoot() !== undefined

const kinds = [
  'cgroup_skb/ingress', 'cgroup_skb/egress', 'cgroup/sock_create', 'cgroup/sock_release', 'cgroup/post_bind4', 'cgroup/post_bind6',
  'cgroup/bind4', 'cgroup/bind6', 'cgroup/connect4', 'cgroup/connect6', 'cgroup/connect_unix', 'cgroup/sendmsg4', 'cgroup/sendmsg6',
  'cgroup/sendmsg_unix', 'cgroup/recvmsg4', 'cgroup/recvmsg6', 'cgroup/recvmsg_unix', 'cgroup/getpeername4', 'cgroup/getpeername6',
  'cgroup/getsockname4', 'cgroup/getsockname6', 'cgroup/sysctl', 'cgroup/getsockopt', 'cgroup/setsockopt', 'cgroup/dev', 'sockops',
]

describe.runIf(ready)('cgroups (features: clang, links to cgroups)', () => {
  const keep = keeper()
  let place: { path: string; close(): void }
  let every: Spec
  beforeAll(() => {
    place = cgroup()
    every = fromC(kinds.map((section, index) => `SEC("${section}") int run${index}(void *ctx) { return 1; }`).join('\n'))
  })
  afterAll(() => place.close())
  const load = (text: string) => keep(Collection.load(fromC(text)).requireAll())
  /** A process in the cgroup. */
  const run = (script: string) => execFileSync('/bin/sh', ['-c', `echo $$ > '${place.path}/cgroup.procs'; ${script}`], { encoding: 'latin1' })

  test.each(kinds)('%s: attached, listed, informed of, detached', (section) => {
    const name = `run${kinds.indexOf(section)}`
    const object = keep(Collection.load(every, { programs: (program) => program.name === name }).requireAll())
    const program = object.programs.get(name)!
    const link = keep(attachCgroup(program, { cgroup: place.path }))
    const { attachType } = program.spec
    expect(link.info()).toMatchObject({ kind: 'cgroup', attachType, programId: program.info().id })
    const directory = keep(openCgroup(place.path))
    expect(queryPrograms(directory, attachType!).programs).toMatchObject([{ id: program.info().id }])
    link.detach()
    expect(queryPrograms(directory, attachType!).programs).toEqual([])
  })

  test('connections are refused while a program says so, for processes of the cgroup only', () => {
    const object = load(`
      int count;
      SEC("cgroup/connect4") int refuse(struct bpf_sock_addr *ctx) { count++; return 0; }
      SEC("cgroup/connect4") int allow(struct bpf_sock_addr *ctx) { return 1; }`)
    const script = `'${process.execPath}' -e "require('net').connect(9, '127.0.0.1').on('error', (error) => console.log(error.code))"`
    expect(run(script).trim()).toBe('ECONNREFUSED')
    const link = keep(attachCgroup(object.programs.get('refuse')!, { cgroup: place.path }))
    expect(run(script).trim()).toBe('EPERM')
    expect(object.variable('count').get()).toBe(1)
    link.update(object.programs.get('allow')!)
    expect(run(script).trim()).toBe('ECONNREFUSED')
  })

  test('devices and sysctls, as before links: several programs, gone after close', () => {
    const object = load(`
      int reads;
      SEC("cgroup/sysctl") int sysctl(void *ctx) { reads++; return 1; }
      SEC("cgroup/dev") int deny(struct bpf_cgroup_dev_ctx *ctx) { return 0; }
      SEC("cgroup/dev") int allow(struct bpf_cgroup_dev_ctx *ctx) { return 1; }`)
    const [deny, allow] = [object.programs.get('deny')!, object.programs.get('allow')!]
    const links = [deny, allow].map((program) => attachCgroupDirectly(program, { cgroup: place.path }))
    const sysctl = attachCgroupDirectly(object.programs.get('sysctl')!, { cgroup: place.path })
    expect(sysctl.mechanism).toBe('attachment')
    expect(run(`cat /proc/sys/kernel/ostype; (head -c1 /dev/zero) 2>&1 || true`)).toMatch(/Linux[^]*not permitted/)
    expect(object.variable('reads').get()).toBeGreaterThanOrEqual(1)
    for (const link of [...links, sysctl]) link.close()
    const directory = keep(openCgroup(place.path))
    expect(queryPrograms(directory, 'cgroup_device').programs).toEqual([])
  })

  test('an order among programs (6.17), or an error', () => {
    const object = load(`
      SEC("cgroup_skb/egress") int one(void *ctx) { return 1; }
      SEC("cgroup_skb/egress") int two(void *ctx) { return 1; }`)
    const [one, two] = [object.programs.get('one')!, object.programs.get('two')!]
    keep(attachCgroup(one, { cgroup: place.path }))
    const directory = keep(openCgroup(place.path))
    try {
      keep(attachCgroup(two, { cgroup: place.path, order: { before: { program: one } } }))
    } catch (error) {
      expect((error as Error).message).toMatch(/EINVAL|E2BIG/)
      return
    }
    expect(queryPrograms(directory, 'cgroup_inet_egress').programs.map(({ id }) => id)).toEqual([two.info().id, one.info().id])
  })

  test('lsm_cgroup: attached, or refused by a policy that is named', () => {
    const object = keep(Collection.load(fromC(`SEC("lsm_cgroup/socket_bind") int run(void *ctx) { return 1; }`)))
    const failure = object.failures.get('run')
    if (failure !== undefined) expect(failure).toBeInstanceOf(PolicyError)
    else expect(keep(attachCgroup(object.programs.get('run')!, { cgroup: place.path })).info()).toMatchObject({ kind: 'cgroup', attachType: 'lsm_cgroup' })
  })

  test('without a hook, it is asked for', () => {
    const object = load(`SEC("cgroup/skb") int run(void *ctx) { return 1; }`)
    expect(() => attachCgroup(object.programs.get('run')!, { cgroup: place.path })).toThrow('say which hook of the cgroup')
    keep(attachCgroup(object.programs.get('run')!, { cgroup: place.path, attachType: 'cgroup_inet_ingress' }))
  })
})

describe.runIf(process.platform === 'linux' && compiler && has(features.perfLink))('perf events (features: clang, links on perf events)', () => {
  const keep = keeper()
  const load = () => keep(Collection.load(fromC(`
    long count, cookie;
    SEC("perf_event") int sample(struct bpf_perf_event_data *ctx) { __sync_fetch_and_add(&count, 1); cookie = bpf_get_attach_cookie(ctx); return 0; }`)).requireAll())
  const burn = (ms: number) => { for (const end = performance.now() + ms; performance.now() < end;) Math.sqrt(end) }

  test('samples of the CPU clock, with a cookie, on every CPU; none after close', () => {
    const object = load()
    const count = () => object.variable('count').get()
    const link = keep(attachPerfEvent(object.programs.get('sample')!, { event: { software: 'cpuClock' }, sample: { frequency: 997 }, pid: process.pid, cookie: 9n }))
    while (count() < 20) burn(50)
    expect(object.variable('cookie').get()).toBe(9)
    link.close()
    const after = count()
    burn(100)
    expect(count()).toBe(after)
  })

  test('an event of one CPU says what it is', () => {
    const object = load()
    const [cpu] = availableCpus()
    const link = keep(attachPerfEvent(object.programs.get('sample')!, { event: { software: 'contextSwitches' }, sample: { period: 1 }, cpus: [cpu!] }))
    expect(link.info()).toMatchObject({ kind: 'perf_event', event: { kind: 'event', type: 1, config: 3 } })
  })

  test('hardware counters: sampled, or said not to be there', () => {
    const object = load()
    try {
      keep(attachPerfEvent(object.programs.get('sample')!, { event: { hardware: 'cycles' }, sample: { period: 1_000_000 } }))
    } catch (error) {
      expect(error).toBeInstanceOf(TargetError)
      expect((error as Error).message).toContain('perf event cycles on CPU 0: this kernel or processor has no such event')
    }
  })

  test('lists of CPUs', () => {
    expect([parseCpuList('0\n'), parseCpuList('0,2-4'), parseCpuList('')]).toEqual([[0], [0, 2, 3, 4], []])
  })
})
