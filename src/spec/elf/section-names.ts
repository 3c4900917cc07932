import { ProgramFlag, type AttachTarget, type AttachTypeName, type ProgramSpec, type ProgramTypeName } from '../spec.ts'

/* What the name of a section says of the programs in it: libbpf's table. */

/** What a section name gives to its programs. */
export type SectionMeaning = Pick<ProgramSpec, 'type' | 'attach' | 'attachType' | 'flags' | 'autoload'>

interface Definition {
  type: ProgramTypeName
  attachType?: AttachTypeName
  flags?: number
  /** Reads what follows the slash. Without it the name must be exact, and the target is given when attaching. */
  target?: (rest: string) => AttachTarget
}

const named = (kind: (AttachTarget & { name: string })['kind']) => (name: string) => ({ kind, name }) as AttachTarget
type Traced = 'tp_btf' | 'fentry' | 'fexit' | 'fmod_ret' | 'iter'
const tracing = (kind: Traced, attachType: AttachTypeName, flags?: number): Definition =>
  ({ type: 'tracing', attachType, flags, target: named(kind) })
const kernelProbe = (kind: 'kprobe' | 'kretprobe'): Definition =>
  ({ type: 'kprobe', target: (rest) => ({ kind, ...symbolAndOffset(rest) }) })
const kernelProbes = (kind: 'kprobe.multi' | 'kretprobe.multi' | 'kprobe.session', attachType: AttachTypeName): Definition =>
  ({ type: 'kprobe', attachType, target: (name) => ({ kind, name }) })
const userProbe = (kind: 'uprobe' | 'uretprobe', flags?: number): Definition =>
  ({ type: 'kprobe', flags, target: (rest) => ({ kind, ...pathAndRest(rest, symbolAndOffset) }) })
type UserProbes = 'uprobe.multi' | 'uretprobe.multi' | 'uprobe.session'
const userProbes = (kind: UserProbes, attachType: AttachTypeName, flags?: number): Definition =>
  ({ type: 'kprobe', attachType, flags, target: (rest) => ({ kind, ...pathAndRest(rest, (name) => ({ name })) }) })
const given = (type: ProgramTypeName, attachType?: AttachTypeName, flags?: number): Definition => ({ type, attachType, flags })
const SLEEPABLE = ProgramFlag.sleepable
const FRAGMENTS = ProgramFlag.xdpFragments
const tracepoint: Definition = { type: 'tracepoint', target: categoryAndName }
const rawTracepoint: Definition = { type: 'raw_tracepoint', target: named('raw_tp') }
const rawWritable: Definition = { type: 'raw_tracepoint_writable', target: named('raw_tp') }
const usdt = (flags?: number): Definition => ({ type: 'kprobe', flags, target: usdtTarget })

const definitions: Record<string, Definition> = {
  socket: given('socket_filter'),
  'sk_reuseport/migrate': given('sk_reuseport', 'sk_reuseport_select_or_migrate'),
  sk_reuseport: given('sk_reuseport', 'sk_reuseport_select'),
  kprobe: kernelProbe('kprobe'), kretprobe: kernelProbe('kretprobe'),
  uprobe: userProbe('uprobe'), 'uprobe.s': userProbe('uprobe', SLEEPABLE),
  uretprobe: userProbe('uretprobe'), 'uretprobe.s': userProbe('uretprobe', SLEEPABLE),
  'kprobe.multi': kernelProbes('kprobe.multi', 'trace_kprobe_multi'),
  'kretprobe.multi': kernelProbes('kretprobe.multi', 'trace_kprobe_multi'),
  'kprobe.session': kernelProbes('kprobe.session', 'trace_kprobe_session'),
  'uprobe.multi': userProbes('uprobe.multi', 'trace_uprobe_multi'),
  'uretprobe.multi': userProbes('uretprobe.multi', 'trace_uprobe_multi'),
  'uprobe.session': userProbes('uprobe.session', 'trace_uprobe_session'),
  'uprobe.multi.s': userProbes('uprobe.multi', 'trace_uprobe_multi', SLEEPABLE),
  'uretprobe.multi.s': userProbes('uretprobe.multi', 'trace_uprobe_multi', SLEEPABLE),
  'uprobe.session.s': userProbes('uprobe.session', 'trace_uprobe_session', SLEEPABLE),
  ksyscall: { type: 'kprobe', target: named('ksyscall') }, kretsyscall: { type: 'kprobe', target: named('kretsyscall') },
  usdt: usdt(), 'usdt.s': usdt(SLEEPABLE),
  'tc/ingress': given('sched_cls', 'tcx_ingress'), 'tc/egress': given('sched_cls', 'tcx_egress'),
  'tcx/ingress': given('sched_cls', 'tcx_ingress'), 'tcx/egress': given('sched_cls', 'tcx_egress'),
  tc: given('sched_cls'), classifier: given('sched_cls'), action: given('sched_act'),
  'netkit/primary': given('sched_cls', 'netkit_primary'), 'netkit/peer': given('sched_cls', 'netkit_peer'),
  tracepoint, tp: tracepoint,
  raw_tracepoint: rawTracepoint, raw_tp: rawTracepoint, 'raw_tracepoint.w': rawWritable, 'raw_tp.w': rawWritable,
  tp_btf: tracing('tp_btf', 'trace_raw_tp'),
  fentry: tracing('fentry', 'trace_fentry'), 'fentry.s': tracing('fentry', 'trace_fentry', SLEEPABLE),
  fexit: tracing('fexit', 'trace_fexit'), 'fexit.s': tracing('fexit', 'trace_fexit', SLEEPABLE),
  fmod_ret: tracing('fmod_ret', 'modify_return'), 'fmod_ret.s': tracing('fmod_ret', 'modify_return', SLEEPABLE),
  freplace: { type: 'ext', target: named('freplace') },
  lsm: { type: 'lsm', attachType: 'lsm_mac', target: named('lsm') },
  'lsm.s': { type: 'lsm', attachType: 'lsm_mac', flags: SLEEPABLE, target: named('lsm') },
  lsm_cgroup: { type: 'lsm', attachType: 'lsm_cgroup', target: named('lsm_cgroup') },
  iter: tracing('iter', 'trace_iter'), 'iter.s': tracing('iter', 'trace_iter', SLEEPABLE),
  syscall: given('syscall', undefined, SLEEPABLE),
  'xdp.frags/devmap': given('xdp', 'xdp_devmap', FRAGMENTS), 'xdp/devmap': given('xdp', 'xdp_devmap'),
  'xdp.frags/cpumap': given('xdp', 'xdp_cpumap', FRAGMENTS), 'xdp/cpumap': given('xdp', 'xdp_cpumap'),
  'xdp.frags': given('xdp', 'xdp', FRAGMENTS), xdp: given('xdp', 'xdp'),
  perf_event: given('perf_event'),
  lwt_in: given('lwt_in'), lwt_out: given('lwt_out'), lwt_xmit: given('lwt_xmit'), lwt_seg6local: given('lwt_seg6local'),
  sockops: given('sock_ops', 'cgroup_sock_ops'),
  'sk_skb/stream_parser': given('sk_skb', 'sk_skb_stream_parser'),
  'sk_skb/stream_verdict': given('sk_skb', 'sk_skb_stream_verdict'),
  'sk_skb/verdict': given('sk_skb', 'sk_skb_verdict'), sk_skb: given('sk_skb'),
  sk_msg: given('sk_msg', 'sk_msg_verdict'), lirc_mode2: given('lirc_mode2', 'lirc_mode2'),
  flow_dissector: given('flow_dissector', 'flow_dissector'),
  'cgroup_skb/ingress': given('cgroup_skb', 'cgroup_inet_ingress'),
  'cgroup_skb/egress': given('cgroup_skb', 'cgroup_inet_egress'),
  'cgroup/skb': given('cgroup_skb'),
  'cgroup/sock_create': given('cgroup_sock', 'cgroup_inet_sock_create'),
  'cgroup/sock': given('cgroup_sock', 'cgroup_inet_sock_create'),
  'cgroup/sock_release': given('cgroup_sock', 'cgroup_inet_sock_release'),
  'cgroup/post_bind4': given('cgroup_sock', 'cgroup_inet4_post_bind'),
  'cgroup/post_bind6': given('cgroup_sock', 'cgroup_inet6_post_bind'),
  'cgroup/bind4': given('cgroup_sock_addr', 'cgroup_inet4_bind'), 'cgroup/bind6': given('cgroup_sock_addr', 'cgroup_inet6_bind'),
  'cgroup/connect4': given('cgroup_sock_addr', 'cgroup_inet4_connect'),
  'cgroup/connect6': given('cgroup_sock_addr', 'cgroup_inet6_connect'),
  'cgroup/connect_unix': given('cgroup_sock_addr', 'cgroup_unix_connect'),
  'cgroup/sendmsg4': given('cgroup_sock_addr', 'cgroup_udp4_sendmsg'),
  'cgroup/sendmsg6': given('cgroup_sock_addr', 'cgroup_udp6_sendmsg'),
  'cgroup/sendmsg_unix': given('cgroup_sock_addr', 'cgroup_unix_sendmsg'),
  'cgroup/recvmsg4': given('cgroup_sock_addr', 'cgroup_udp4_recvmsg'),
  'cgroup/recvmsg6': given('cgroup_sock_addr', 'cgroup_udp6_recvmsg'),
  'cgroup/recvmsg_unix': given('cgroup_sock_addr', 'cgroup_unix_recvmsg'),
  'cgroup/getpeername4': given('cgroup_sock_addr', 'cgroup_inet4_getpeername'),
  'cgroup/getpeername6': given('cgroup_sock_addr', 'cgroup_inet6_getpeername'),
  'cgroup/getpeername_unix': given('cgroup_sock_addr', 'cgroup_unix_getpeername'),
  'cgroup/getsockname4': given('cgroup_sock_addr', 'cgroup_inet4_getsockname'),
  'cgroup/getsockname6': given('cgroup_sock_addr', 'cgroup_inet6_getsockname'),
  'cgroup/getsockname_unix': given('cgroup_sock_addr', 'cgroup_unix_getsockname'),
  'cgroup/sysctl': given('cgroup_sysctl', 'cgroup_sysctl'),
  'cgroup/getsockopt': given('cgroup_sockopt', 'cgroup_getsockopt'),
  'cgroup/setsockopt': given('cgroup_sockopt', 'cgroup_setsockopt'),
  'cgroup/dev': given('cgroup_device', 'cgroup_device'),
  struct_ops: { type: 'struct_ops', target: named('struct_ops') },
  'struct_ops.s': { type: 'struct_ops', flags: SLEEPABLE, target: named('struct_ops') },
  sk_lookup: given('sk_lookup', 'sk_lookup'), netfilter: given('netfilter', 'netfilter'),
}

/** Sections by what they begin with, for messages. */
export const sectionNames = Object.keys(definitions)

/** What a section name means; undefined if it names no type of program. @throws Error that says what is wrong with the target */
export function meaningOf(section: string): SectionMeaning | undefined {
  const autoload = !section.startsWith('?')
  const name = autoload ? section : section.slice(1)
  const slash = name.indexOf('/')
  const head = slash < 0 ? name : name.slice(0, slash)
  const known = (key: string) => (Object.hasOwn(definitions, key) ? definitions[key] : undefined)
  const prefix = known(head)
  const definition = known(name) ?? (prefix?.target === undefined ? undefined : prefix)
  if (definition === undefined) return undefined
  const { type, attachType, flags, target } = definition
  return {
    type,
    attach: target === undefined ? { kind: 'given', name: '' } : target(slash < 0 ? '' : name.slice(slash + 1)),
    ...(attachType === undefined ? {} : { attachType }),
    ...(flags === undefined ? {} : { flags }),
    ...(autoload ? {} : { autoload }),
  }
}

/**
 * A section name that means what the program is: its own if it came from an object and still means it.
 * @throws Error when no section name of libbpf means that
 */
export function sectionNameOf(program: ProgramSpec): string {
  const wanted = meaningKey(program)
  if (program.section !== undefined) {
    if (means(program.section)) return program.section
  }
  for (const head of sectionNames) {
    if (definitions[head]!.type !== program.type) continue
    const rest = definitions[head]!.target === undefined ? '' : restOf(program.attach)
    const section = `${program.autoload === false ? '?' : ''}${head}${rest === '' ? '' : `/${rest}`}`
    if (means(section)) return section
  }
  throw new Error(`no section name means a ${program.type} program for ${program.attach.kind} '${program.attach.name}'`)

  function means(section: string): boolean {
    try {
      const meaning = meaningOf(section)
      return meaning !== undefined && meaningKey(meaning) === wanted
    } catch {
      // A target that this head cannot be followed by.
      return false
    }
  }
}

function meaningKey({ type, attach, attachType, flags, autoload }: SectionMeaning): string {
  const target = Object.entries(attach).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([type, target, attachType ?? impliedType(type, attach), flags ?? 0, autoload ?? true])
}

/** The compiler leaves out what the hook implies. */
function impliedType(type: ProgramTypeName, attach: AttachTarget): AttachTypeName | null {
  return type === 'tracing' && attach.kind === 'tp_btf' ? 'trace_raw_tp' : null
}

function restOf(attach: AttachTarget): string {
  switch (attach.kind) {
    case 'tracepoint': return attach.name === '' ? '' : `${attach.category}/${attach.name}`
    case 'kprobe': case 'kretprobe': return withOffset(attach.name, attach.offset)
    case 'uprobe': case 'uretprobe':
      if (attach.path === '') return ''
      return `${attach.path}:${attach.name === '' ? `0x${attach.offset.toString(16)}` : withOffset(attach.name, attach.offset)}`
    case 'uprobe.multi': case 'uretprobe.multi': case 'uprobe.session':
      return attach.path === '' ? '' : `${attach.path}:${attach.name}`
    case 'usdt': return attach.path === '' ? '' : `${attach.path}:${attach.provider}:${attach.name}`
    default: return attach.name
  }
}

const withOffset = (name: string, offset: number) => (offset === 0 ? name : `${name}+0x${offset.toString(16)}`)

function categoryAndName(rest: string): AttachTarget {
  const slash = rest.indexOf('/')
  if (rest !== '' && (slash <= 0 || slash === rest.length - 1)) {
    throw new Error(`'${rest}' names no tracepoint: write category/name`)
  }
  return { kind: 'tracepoint', category: rest.slice(0, Math.max(0, slash)), name: rest.slice(slash + 1) }
}

/** `do_exit+0x10`, `0x4f0` (an offset in a file, without a symbol). */
function symbolAndOffset(rest: string): { name: string; offset: number } {
  if (/^(0x[0-9a-fA-F]+|\d+)$/.test(rest)) return { name: '', offset: Number(rest) }
  const plus = rest.lastIndexOf('+')
  if (plus < 0) return { name: rest, offset: 0 }
  const offset = rest.slice(plus + 1)
  if (plus === 0 || !/^(0x[0-9a-fA-F]{1,13}|\d{1,15})$/.test(offset)) {
    throw new Error(`'${rest}' is no function with an offset: write name+0x10`)
  }
  return { name: rest.slice(0, plus), offset: Number(offset) }
}

/** The path may contain slashes, the part after its colon may not contain colons. */
function pathAndRest<T extends { name: string }>(rest: string, read: (rest: string) => T): { path: string } & T {
  const colon = rest.lastIndexOf(':')
  if (rest === '') return { path: '', ...read('') }
  if (colon <= 0 || colon === rest.length - 1) throw new Error(`'${rest}' names no function of a file: write path:function`)
  return { path: rest.slice(0, colon), ...read(rest.slice(colon + 1)) }
}

function usdtTarget(rest: string): AttachTarget {
  if (rest === '') return { kind: 'usdt', path: '', provider: '', name: '' }
  const parts = rest.split(':')
  if (parts.length < 3 || parts.some((part) => part === '')) {
    throw new Error(`'${rest}' names no USDT probe: write path:provider:name`)
  }
  return { kind: 'usdt', path: parts.slice(0, -2).join(':'), provider: parts.at(-2)!, name: parts.at(-1)! }
}
