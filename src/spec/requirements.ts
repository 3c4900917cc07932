import { decode } from '../asm/decode.ts'
import { slotsOf } from '../asm/encode.ts'
import { helperNameOf } from '../asm/helper-names.ts'
import { helperSince } from '../asm/helper-since.ts'
import type { Instruction } from '../asm/instruction.ts'
import type { AttachTarget, MapSpec, MapTypeName, ProgramSpec, ProgramTypeName, Spec } from './spec.ts'

/** Something that a kernel must have, with the mainline release it came with. */
export interface Requirement {
  kind: 'hook' | 'map' | 'helper' | 'instruction'
  /** 'tp_btf', 'ringbuf', 'bpf_ringbuf_reserve', 'jmp32'. */
  name: string
  /** '5.8'. Distributions may have brought it to older kernels. */
  since: string
  /** Program that needs it; null for maps. */
  program: string | null
  /** Slot of the first instruction that needs it; null for hooks and maps. */
  slot: number | null
}

/** Releases by map type: the comments of `enum bpf_map_type` have none, the history of linux/bpf.h has. */
const mapSince: Record<MapTypeName, string> = {
  hash: '3.19', array: '3.19', progArray: '4.2', perfEventArray: '4.3', percpuHash: '4.6', percpuArray: '4.6',
  stackTrace: '4.6', cgroupArray: '4.8', lruHash: '4.10', lruPercpuHash: '4.10', lpmTrie: '4.11', arrayOfMaps: '4.12',
  hashOfMaps: '4.12', devmap: '4.14', sockmap: '4.14', cpumap: '4.15', xskmap: '4.18', sockhash: '4.18',
  cgroupStorage: '4.19', reuseportSockarray: '4.19', percpuCgroupStorage: '4.20', queue: '4.20', stack: '4.20',
  skStorage: '5.2', devmapHash: '5.4', structOps: '5.6', ringbuf: '5.8', inodeStorage: '5.10', taskStorage: '5.11',
  bloomFilter: '5.16', userRingbuf: '6.1', cgrpStorage: '6.2', arena: '6.9', insnArray: '6.19',
}
const hookSince: Record<Exclude<AttachTarget['kind'], 'given'>, string> = {
  tp_btf: '5.5', raw_tp: '4.17', tracepoint: '4.7', fentry: '5.5', fexit: '5.5', fmod_ret: '5.7', freplace: '5.6',
  lsm: '5.7', lsm_cgroup: '6.0', iter: '5.8', kprobe: '4.1', kretprobe: '4.1', 'kprobe.multi': '5.18',
  'kretprobe.multi': '5.18', 'kprobe.session': '6.10', ksyscall: '4.1', kretsyscall: '4.1', uprobe: '4.3',
  uretprobe: '4.3', 'uprobe.multi': '6.6', 'uretprobe.multi': '6.6', 'uprobe.session': '6.13', usdt: '4.3',
  struct_ops: '5.6',
}
/** Releases by type, for programs whose hook is given when they are attached. */
const typeSince: Record<ProgramTypeName, string> = {
  socket_filter: '3.19', kprobe: '4.1', sched_cls: '4.1', sched_act: '4.1', tracepoint: '4.7', xdp: '4.8',
  perf_event: '4.9', cgroup_skb: '4.10', cgroup_sock: '4.10', lwt_in: '4.10', lwt_out: '4.10', lwt_xmit: '4.10',
  sock_ops: '4.13', sk_skb: '4.14', cgroup_device: '4.15', sk_msg: '4.17', raw_tracepoint: '4.17',
  cgroup_sock_addr: '4.17', lwt_seg6local: '4.18', lirc_mode2: '4.18', sk_reuseport: '4.19', flow_dissector: '4.20',
  cgroup_sysctl: '5.2', raw_tracepoint_writable: '5.2', cgroup_sockopt: '5.3', tracing: '5.5', struct_ops: '5.6',
  ext: '5.6', lsm: '5.7', sk_lookup: '5.9', syscall: '5.14', netfilter: '6.4',
}

/** What a Spec needs of the kernel, each thing once a program, newest first. */
export function requirementsOf(spec: Spec): Requirement[] {
  const all = [...spec.maps.map(ofMap), ...spec.programs.flatMap(ofProgram)]
  return all.sort((a, b) => compareReleases(b.since, a.since))
}

/** The first mainline release that has all of it. */
export function firstKernel(requirements: readonly Requirement[]): string {
  return requirements.reduce((newest, { since }) => (compareReleases(since, newest) > 0 ? since : newest), '3.19')
}

/** Negative when `a` is older than `b`. */
export function compareReleases(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}

function ofMap({ type }: MapSpec): Requirement {
  return { kind: 'map', name: type, since: mapSince[type], program: null, slot: null }
}

function ofProgram({ name, type, attach, code }: ProgramSpec): Requirement[] {
  const found = new Map<string, Requirement>()
  const hook = attach.kind === 'given' ? { name: type, since: typeSince[type] } : { name: attach.kind, since: hookSince[attach.kind] }
  found.set('hook', { kind: 'hook', ...hook, program: name, slot: null })
  let slot = 0
  for (const instruction of decode(code)) {
    for (const [kind, what, since] of ofInstruction(instruction)) {
      if (!found.has(what)) found.set(what, { kind, name: what, since, program: name, slot })
    }
    slot += slotsOf(instruction)
  }
  return [...found.values()]
}

const JMP32 = 0x06
const MODE_SIGN_EXTENDED = 0x80
const MODE_ATOMIC = 0xc0

/** Base instructions and the older comparisons are everywhere; what came later is named here. */
function ofInstruction({ code, src, off, imm }: Instruction): ['helper' | 'instruction', string, string][] {
  const operation = code & 0xf0
  switch (code & 7) {
    case 0x05:
      if (code === 0x85 && src === 0) return [['helper', `bpf_${helperNameOf(imm) ?? `helper ${imm}`}`, helperSince(imm) ?? '3.19']]
      if (code === 0x85 && src === 1) return [['instruction', 'calls between BPF functions', '4.16']]
      if (code === 0x85 && src === 2) return [['instruction', 'kfunc calls', '5.13']]
      if (operation === 0xe0) return [['instruction', 'may_goto', '6.9']]
      return operation >= 0xa0 && operation <= 0xd0 ? [['instruction', 'jlt, jle, jslt, jsle', '4.14']] : []
    case JMP32: return code === 0x06 ? [['instruction', 'gotol', '6.6']] : [['instruction', 'jmp32', '5.1']]
    case 0x04: case 0x07:
      if (operation === 0xd0 && (code & 7) === 7) return [['instruction', 'bswap', '6.6']]
      if (off !== 0 && operation === 0xb0) return [['instruction', 'movsx', '6.6']]
      return off !== 0 && (operation === 0x30 || operation === 0x90) ? [['instruction', 'sdiv, smod', '6.6']] : []
    case 0x01: return (code & 0xe0) === MODE_SIGN_EXTENDED ? [['instruction', 'sign-extending loads', '6.6']] : []
    case 0x03:
      if ((code & 0xe0) !== MODE_ATOMIC) return []
      if (imm === 0x100 || imm === 0x110) return [['instruction', 'load-acquire, store-release', '6.15']]
      return imm === 0 ? [] : [['instruction', 'atomic operations other than add', '5.12']]
    default: return []
  }
}
