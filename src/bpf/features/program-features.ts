import { AttachType, ProgramType } from '../../spec/spec.ts'
import type { AttachTypeName, ProgramTypeName } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { close } from '../../sys/syscall.ts'
import { kernelBtf } from '../kernel-btf.ts'
import { loadBytes, Op } from '../tiny-program.ts'
import { feature, verdictOf } from './feature.ts'
import type { Feature, Verdict } from './feature.ts'

/** What the smallest program of a type needs: what it returns, and for some the hook that it is for. */
interface Smallest {
  since: string
  returns?: number
  attachType?: AttachTypeName
  flags?: number
  /** A function or typedef of the kernel. */
  target?: [name: string, kind: 'func' | 'typedef']
}

const SLEEPABLE = 1 << 4

const smallest: Record<ProgramTypeName, Smallest> = {
  socket_filter: { since: '3.19' }, kprobe: { since: '4.1' }, sched_cls: { since: '4.1' }, sched_act: { since: '4.1' },
  tracepoint: { since: '4.7' }, xdp: { since: '4.8', returns: 2 }, perf_event: { since: '4.9' }, cgroup_skb: { since: '4.10', returns: 1 },
  cgroup_sock: { since: '4.10', returns: 1 }, lwt_in: { since: '4.10' }, lwt_out: { since: '4.10' }, lwt_xmit: { since: '4.10' },
  sock_ops: { since: '4.13', returns: 1 }, sk_skb: { since: '4.14' }, cgroup_device: { since: '4.15', returns: 1 }, sk_msg: { since: '4.17' },
  raw_tracepoint: { since: '4.17' }, cgroup_sock_addr: { since: '4.17', returns: 1, attachType: 'cgroup_inet4_connect' },
  lwt_seg6local: { since: '4.18' }, lirc_mode2: { since: '4.18' }, sk_reuseport: { since: '4.19' }, flow_dissector: { since: '4.20' },
  cgroup_sysctl: { since: '5.2', returns: 1 }, raw_tracepoint_writable: { since: '5.2' },
  cgroup_sockopt: { since: '5.3', returns: 1, attachType: 'cgroup_getsockopt' },
  tracing: { since: '5.5', attachType: 'trace_raw_tp', target: ['btf_trace_sched_process_exec', 'typedef'] },
  struct_ops: { since: '5.6' }, ext: { since: '5.6' },
  lsm: { since: '5.7', attachType: 'lsm_mac', target: ['bpf_lsm_file_open', 'func'] },
  sk_lookup: { since: '5.9', returns: 1, attachType: 'sk_lookup' }, syscall: { since: '5.14', flags: SLEEPABLE },
  netfilter: { since: '6.4', returns: 1, attachType: 'netfilter' },
}

/** A type of program as a feature: asked by loading the smallest one. For struct_ops and freplace by the kernel's types. */
export function programFeature(type: ProgramTypeName): Feature {
  return feature(`programs of type ${type}`, smallest[type].since, () => {
    if (type === 'struct_ops') return kernelBtf().find('bpf_struct_ops_tcp_congestion_ops', 'struct') === 0 ? 'no' : 'yes'
    // Replacing takes a program to replace.
    if (type === 'ext') return hasProgramType('BPF_PROG_TYPE_EXT') ? 'yes' : 'no'
    return load(type, smallest[type])
  })
}

/** Every type of program. */
export const programFeatures = (): Feature[] => (Object.keys(ProgramType) as ProgramTypeName[]).map(programFeature)

function hasProgramType(value: string): boolean {
  const btf = kernelBtf()
  const id = btf.find('bpf_prog_type', 'enum')
  const type = id === 0 ? undefined : btf.type(id)
  return type?.kind === 'enum' && type.values.some(({ name }) => name === value)
}

function load(type: ProgramTypeName, { returns = 0, attachType, flags = 0, target }: Smallest): Verdict {
  let id = 0
  if (target !== undefined && (id = kernelBtf().find(...target)) === 0) return 'no'
  const result = loadBytes(type, [Op.mov(0, returns), Op.exit], (attr) => {
    attr.u32(44, flags)
    attr.u32(68, attachType === undefined ? 0 : AttachType[attachType])
    attr.u32(108, id)
  })
  return verdictOf('BPF_PROG_LOAD', result, `a program of type ${type}`)
}

/** Hooks that are chosen when a program is loaded, with the kind of program and the release. */
const hooks: [AttachTypeName, ProgramTypeName, string, Partial<Smallest>?][] = [
  ['trace_fentry', 'tracing', '5.5', { target: ['bpf_fentry_test1', 'func'] }],
  ['trace_fexit', 'tracing', '5.5', { target: ['bpf_fentry_test1', 'func'] }],
  ['modify_return', 'tracing', '5.7', { target: ['security_file_open', 'func'] }],
  ['trace_iter', 'tracing', '5.8', { target: ['bpf_iter_task', 'func'] }],
  ['lsm_cgroup', 'lsm', '6.0', { target: ['bpf_lsm_socket_bind', 'func'], returns: 1 }],
  ['cgroup_inet4_post_bind', 'cgroup_sock', '4.17'], ['cgroup_inet_sock_release', 'cgroup_sock', '5.9'],
  ['cgroup_inet4_bind', 'cgroup_sock_addr', '4.17'], ['cgroup_udp4_sendmsg', 'cgroup_sock_addr', '4.18'],
  ['cgroup_udp4_recvmsg', 'cgroup_sock_addr', '5.2'], ['cgroup_inet4_getpeername', 'cgroup_sock_addr', '5.8'],
  ['cgroup_unix_connect', 'cgroup_sock_addr', '6.7'], ['cgroup_setsockopt', 'cgroup_sockopt', '5.3'],
  ['xdp_devmap', 'xdp', '5.8', { returns: 2 }], ['xdp_cpumap', 'xdp', '5.9', { returns: 2 }],
  ['sk_reuseport_select_or_migrate', 'sk_reuseport', '5.14'], ['tcx_ingress', 'sched_cls', '6.6'], ['netkit_primary', 'sched_cls', '6.7'],
  ['trace_kprobe_multi', 'kprobe', '5.18'], ['trace_kprobe_session', 'kprobe', '6.10'], ['trace_uprobe_multi', 'kprobe', '6.6'],
  ['trace_uprobe_session', 'kprobe', '6.13'],
]

/** Hooks as features: whether a program can be loaded for them. Kernels that do not check a hook when loading say yes. */
export function attachFeatures(): Feature[] {
  return hooks.map(([attachType, type, since, more]) => feature(`${type} programs for ${attachType}`, since, () =>
    load(type, { ...smallest[type], target: undefined, ...more, attachType } as Smallest)))
}

/** Instructions and limits, each asked by a program that uses it and is otherwise valid. */
const code = {
  /** Jumps by `<` and `≤`. */
  isa2: ['instruction set v2', '4.14', [Op.mov(0, 0), [0xa5, 0, 1, 0, 1, 0, 0, 0], Op.mov(0, 0), Op.exit]],
  /** Jumps on 32 bits. */
  isa3: ['instruction set v3', '5.1', [Op.mov(0, 0), [0x16, 0, 1, 0, 0, 0, 0, 0], Op.mov(0, 0), Op.exit]],
  /** Division with a sign. */
  isa4: ['instruction set v4', '6.6', [Op.mov(0, -8), [0x37, 0, 1, 0, 2, 0, 0, 0], Op.mov(0, 0), Op.exit]],
  /** Fetch and add on the stack. */
  atomics: ['atomics that fetch', '5.12', [
    Op.mov(0, 0), [0x7b, 0x0a, 0xf8, 0xff, 0, 0, 0, 0], Op.mov(1, 1), [0xdb, 0x1a, 0xf8, 0xff, 1, 0, 0, 0], Op.exit,
  ]],
  /** Load-acquire of the stack. */
  loadAcquire: ['load-acquire and store-release', '6.15', [
    Op.mov(0, 0), [0x7b, 0x0a, 0xf8, 0xff, 0, 0, 0, 0], [0xdb, 0xa0, 0xf8, 0xff, 0, 1, 0, 0], Op.mov(0, 0), Op.exit,
  ]],
  mayGoto: ['may_goto', '6.9', [Op.mov(0, 0), [0xe5, 0, 1, 0, 0, 0, 0, 0], Op.mov(0, 0), Op.exit]],
  /** Counts to 4. */
  boundedLoops: ['bounded loops', '5.3', [Op.mov(0, 0), Op.addImm(0, 1), [0xa5, 0, 0xfe, 0xff, 4, 0, 0, 0], Op.mov(0, 0), Op.exit]],
  largePrograms: ['programs of more than 4096 instructions', '5.2', [...Array.from({ length: 5000 }, () => Op.mov(0, 0)), Op.exit]],
} as const satisfies Record<string, [string, string, (readonly number[])[]]>

type CodeFeature = keyof typeof code

/** Features of instructions, for programs of a type that every kernel has. */
export const codeFeatures = Object.fromEntries(Object.entries(code).map(([key, [name, since, instructions]]) =>
  [key, feature(name, since, () => instructionVerdict(instructions, name))])) as Record<CodeFeature, Feature>

function instructionVerdict(instructions: readonly (readonly number[])[], name: string): Verdict {
  const result = loadBytes('socket_filter', instructions)
  // An opcode or a loop that the verifier does not know, or too many instructions.
  if (result === -Errno.EACCES || result === -Errno.E2BIG) return 'no'
  if (result >= 0) {
    close(result)
    return 'yes'
  }
  return verdictOf('BPF_PROG_LOAD', result, name)
}
