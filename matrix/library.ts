/**
 * The kernel library inside a guest: every kind of hook with the smallest program, made to run and seen to have run; every type
 * of map; every
 * feature of the whole lists. What a kernel lacks must be told as that, by a TargetError or an errno that means it.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { BtfBuilder } from '../src/btf/builder.ts'
import {
  attach, attachCgroup, attachCgroupDirectly, attachClsact, attachFeatures, attachIterator, attachNetfilter, attachNetworkNamespace, attachPerfEvent, attachTcx,
  attachXdp, attachXdpByNetlink, constantProgram, enableStats, explainFeature, findExecutable, iterate, kernelBtf, load, mapFeatures, programFeatures,
  SysError, TargetError, type AttachTarget, type Link, type Program, type ProgramSpec, type ProgramTypeName, type Spec,
} from '../src/bpf/bpf.ts'

type Tell = (check: string, passed: boolean | null, detail: string) => void

const lacking = new Set(['EINVAL', 'ENOTSUPP', 'EOPNOTSUPP', 'E2BIG', 'ENOSYS', 'ENOENT'])

/** A hook of the kernel by the Spec's words, with what makes it run. */
const hooks: [name: string, type: ProgramTypeName, target: AttachTarget, value?: number, extra?: Partial<ProgramSpec>][] = [
  ['kprobe', 'kprobe', { kind: 'kprobe', name: 'vfs_read', offset: 0 }],
  ['kretprobe', 'kprobe', { kind: 'kretprobe', name: 'vfs_read', offset: 0 }],
  ['ksyscall', 'kprobe', { kind: 'ksyscall', name: 'getppid' }],
  ['kprobe.multi', 'kprobe', { kind: 'kprobe.multi', name: 'vfs_rea?' }],
  ['kretprobe.multi', 'kprobe', { kind: 'kretprobe.multi', name: 'vfs_read' }],
  ['kprobe.session', 'kprobe', { kind: 'kprobe.session', name: 'vfs_read' }],
  ['fentry', 'tracing', { kind: 'fentry', name: 'vfs_read' }],
  ['fexit', 'tracing', { kind: 'fexit', name: 'vfs_read' }],
  ['fmod_ret', 'tracing', { kind: 'fmod_ret', name: 'security_file_open' }],
  ['lsm', 'lsm', { kind: 'lsm', name: 'file_open' }],
  ['tp_btf', 'tracing', { kind: 'tp_btf', name: 'sys_enter' }],
  ['raw_tp', 'raw_tracepoint', { kind: 'raw_tp', name: 'sys_enter' }],
  ['tracepoint', 'tracepoint', { kind: 'tracepoint', category: 'syscalls', name: 'sys_enter_getppid' }],
  ['uprobe', 'kprobe', { kind: 'uprobe', path: 'libc.so.6', name: 'getppid', offset: 0 }],
  ['uretprobe', 'kprobe', { kind: 'uretprobe', path: 'libc.so.6', name: 'getppid', offset: 0 }],
  ['uprobe.multi', 'kprobe', { kind: 'uprobe.multi', path: 'libc.so.6', name: 'getppi?' }],
  ['uprobe.session', 'kprobe', { kind: 'uprobe.session', path: 'libc.so.6', name: 'getppid' }],
]

export function libraryChecks(tell: Tell): void {
  for (const feature of [...mapFeatures(), ...programFeatures(), ...attachFeatures()]) {
    const verdict = feature.probe()
    tell(`feature ${feature.name}`, verdict === 'yes' ? true : verdict === 'no' ? null : false, explainFeature(feature))
  }
  const trigger = () => {
    for (let times = 0; times < 20; times++) {
      void process.ppid
      readFileSync('/proc/self/comm')
    }
  }
  for (const [name, type, target, value = 0, extra = {}] of hooks) {
    hook(tell, name, { ...constantProgram('check', type, value, target), ...extra }, (program) => attach(program), trigger)
  }
  const given = (name: string, type: ProgramTypeName, value: number, extra: Partial<ProgramSpec>, to: (program: Program) => Link, run?: () => void) =>
    hook(tell, name, { ...constantProgram('check', type, value), ...extra }, to, run)
  given('XDP link', 'xdp', 2, {}, (program) => attachXdp(program, { interface: 'lo', mode: 'generic' }))
  given('XDP netlink', 'xdp', 2, {}, (program) => attachXdpByNetlink(program, { interface: 'lo', mode: 'generic' }))
  given('tcx', 'sched_cls', -1, {}, (program) => attachTcx(program, { interface: 'lo', direction: 'egress' }))
  given('clsact', 'sched_cls', -1, {}, (program) => attachClsact(program, { interface: 'lo', direction: 'egress' }))
  given('netfilter', 'netfilter', 1, {}, (program) => attachNetfilter(program, { family: 'ipv4', hook: 'output', priority: 5 }))
  given('sk_lookup', 'sk_lookup', 1, {}, (program) => attachNetworkNamespace(program))
  given('perf event', 'perf_event', 0, {}, (program) => attachPerfEvent(program, { event: { software: 'cpuClock' }, sample: { frequency: 997 } }), () => {
    for (const end = performance.now() + 100; performance.now() < end;) Math.sqrt(end)
  })
  given('iterator', 'tracing', 0, { attach: { kind: 'iter', name: 'task' } }, (program) => {
    const link = attachIterator(program)
    iterate(link)
    return link
  }, () => {})
  const cgroup = '/sys/fs/cgroup/skep-check'
  if (existsSync('/sys/fs/cgroup/cgroup.procs')) {
    mkdirSync(cgroup)
    given('cgroup link', 'cgroup_skb', 1, {}, (program) => attachCgroup(program, { cgroup, attachType: 'cgroup_inet_egress' }))
    given('cgroup attachment', 'cgroup_skb', 1, {}, (program) => attachCgroupDirectly(program, { cgroup, attachType: 'cgroup_inet_egress' }))
    given('lsm_cgroup', 'lsm', 1, { attach: { kind: 'lsm_cgroup', name: 'socket_bind' } }, (program) => attachCgroup(program, { cgroup }))
    rmdirSync(cgroup)
  }
  replaced(tell)
  tell('libc', existsSync(findExecutable('libc.so.6')), findExecutable('libc.so.6'))
  tell('kernel types', kernelBtf().typeCount > 1000, String(kernelBtf().typeCount))
}

/** Loads, attaches, asks for information, and with `run` sees that the program ran. */
function hook(tell: Tell, name: string, spec: ProgramSpec, to: (program: Program) => Link, run?: () => void): void {
  const collection = load({ name: 'check', license: 'GPL', maps: [], btf: null, programs: [spec] })
  const stats = enableStats()
  try {
    collection.requireAll()
    const program = collection.programs.get('check')!
    const link = to(program)
    run?.()
    const info = link.mechanism === 'link' ? link.info().kind : link.mechanism
    const { runCount } = program.stats()
    link.close()
    tell(`hook ${name}`, run === undefined || runCount > 0, `${info}, ${runCount} runs`)
  } catch (error) {
    const absent = error instanceof TargetError || (error instanceof SysError && lacking.has(error.code))
    tell(`hook ${name}`, absent ? null : false, String(error))
  } finally {
    stats.close()
    collection.close()
  }
}

/** A function of a program, replaced by another program and traced by a third. */
function replaced(tell: Tell): void {
  const call = [0x85, 0x10, 0, 0, 1, 0, 0, 0]
  const exit = [0x95, 0, 0, 0, 0, 0, 0, 0]
  const returns = (value: number) => [0xb7, 0, 0, 0, value, 0, 0, 0, ...exit]
  const types = new BtfBuilder()
  const int = types.int('int', 4, { signed: true })
  const context = types.ptr(types.struct('__sk_buff', 4, [{ name: 'len', type: types.int('__u32', 4), bitOffset: 0 }]))
  const proto = types.funcProto(int, [{ name: 'skb', type: context }])
  const [ask, answer] = [types.func('ask', proto, 'global'), types.func('answer', proto, 'global')]
  const btf = types.build()
  const spec = (program: ProgramSpec): Spec => ({ name: 'check', license: 'GPL', maps: [], btf, programs: [program] })
  const program = (name: string, type: ProgramTypeName, code: number[], functions: ProgramSpec['functions'], attach: AttachTarget): ProgramSpec =>
    ({ name, type, attach, code: Uint8Array.from(code), maps: [], relocations: [], functions, lines: [] })
  const target = load(spec(program('ask', 'sched_cls', [...call, ...exit, ...returns(1)], [{ slot: 0, type: ask }, { slot: 2, type: answer }], { kind: 'given', name: '' })))
  try {
    const asked = target.requireAll().programs.get('ask')!
    const replacement = program('other', 'ext', returns(42), [{ slot: 0, type: answer }], { kind: 'freplace', name: 'answer' })
    const trace = program('trace', 'tracing', returns(0), [{ slot: 0, type: answer }], { kind: 'fentry', name: 'answer' })
    const other = load(spec(replacement), { targets: { other: asked } })
    const tracing = load(spec(trace), { targets: { trace: asked } })
    try {
      const results = [asked.testRun().returnValue]
      const traced = tracing.requireAll().attach('trace')
      results.push(asked.testRun().returnValue)
      traced.close()
      const link = other.requireAll().attach('other')
      results.push(asked.testRun().returnValue)
      const { kind } = link.info()
      link.close()
      results.push(asked.testRun().returnValue)
      tell('hook freplace', results.join() === '1,1,42,1', `${kind}: ${results.join()}`)
    } finally {
      other.close()
      tracing.close()
    }
  } catch (error) {
    tell('hook freplace', false, String(error))
  } finally {
    target.close()
  }
}
