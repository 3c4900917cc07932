import { Btf } from '../btf/btf.ts'
import type { BtfKind } from '../btf/btf.ts'
import { AttachType } from '../spec/spec.ts'
import type { AttachTarget, AttachTypeName, ProgramSpec, ProgramTypeName } from '../spec/spec.ts'
import type { Descriptor } from './descriptor.ts'
import { btfBytesById, findKernelType } from './module-btf.ts'
import { programInfo } from './program-info.ts'
import { TargetError } from './target-error.ts'

/** What loading a program must say of its hook. */
export interface LoadTarget {
  /** expected_attach_type. */
  attachType: number
  /** attach_btf_id, or 0. */
  btfId: number
  /** attach_prog_fd, or descriptor of a module's BTF; 0: the kernel. */
  objectFd: number
  /** Open until the program is loaded. */
  descriptor: Descriptor | undefined
}

/** The callback that a struct_ops program fills: the kernel's struct, and the member's place in it. */
export interface StructOpsMember { type: number; member: number; module?: Descriptor }

/** The kernel's name of what is traced: the typedef or function that describes its arguments. */
const traced: Partial<Record<AttachTarget['kind'], { prefix: string; kind: BtfKind; what: string }>> = {
  tp_btf: { prefix: 'btf_trace_', kind: 'typedef', what: 'tracepoint' },
  fentry: { prefix: '', kind: 'func', what: 'function' },
  fexit: { prefix: '', kind: 'func', what: 'function' },
  fmod_ret: { prefix: '', kind: 'func', what: 'function' },
  lsm: { prefix: 'bpf_lsm_', kind: 'func', what: 'LSM hook' },
  lsm_cgroup: { prefix: 'bpf_lsm_', kind: 'func', what: 'LSM hook' },
  iter: { prefix: 'bpf_iter_', kind: 'func', what: 'iterator' },
}

/** Attach types that a hook implies. */
const impliedByHook: Partial<Record<AttachTarget['kind'], AttachTypeName>> = {
  tp_btf: 'trace_raw_tp', fentry: 'trace_fentry', fexit: 'trace_fexit', fmod_ret: 'modify_return', lsm: 'lsm_mac',
  lsm_cgroup: 'lsm_cgroup', iter: 'trace_iter', 'kprobe.multi': 'trace_kprobe_multi', 'kretprobe.multi': 'trace_kprobe_multi',
  'kprobe.session': 'trace_kprobe_session', 'uprobe.multi': 'trace_uprobe_multi', 'uretprobe.multi': 'trace_uprobe_multi',
  'uprobe.session': 'trace_uprobe_session',
}

/** Attach types without which the kernel does not load a type of program. */
const impliedByType: Partial<Record<ProgramTypeName, AttachTypeName>> = {
  sk_lookup: 'sk_lookup', netfilter: 'netfilter', cgroup_sockopt: 'cgroup_getsockopt', cgroup_sock_addr: 'cgroup_inet4_connect',
}

/** expected_attach_type of loading. */
export function attachTypeOf(spec: ProgramSpec): AttachTypeName | undefined {
  return spec.attachType ?? impliedByHook[spec.attach.kind] ?? impliedByType[spec.type]
}

/**
 * Finds what a program is to be loaded for.
 * @param program the program that freplace replaces, or that fentry and fexit trace, by its descriptor
 * @throws TargetError if the kernel has no such hook
 */
export function loadTarget(spec: ProgramSpec, kernel: () => Btf, program?: { fd: number }, member?: StructOpsMember): LoadTarget {
  const named = attachTypeOf(spec)
  const attachType = named === undefined ? 0 : AttachType[named]
  const { attach } = spec
  if (attach.kind === 'struct_ops') {
    if (member === undefined) throw new TargetError(`struct_ops:${attach.name}`, 'no struct_ops map names this program')
    return { attachType: member.member, btfId: member.type, objectFd: member.module?.fd ?? 0, descriptor: undefined }
  }
  if (program !== undefined || attach.kind === 'freplace') return { attachType, ...functionOf(attach, program), descriptor: undefined }
  const search = traced[attach.kind]
  if (search === undefined) return { attachType, btfId: 0, objectFd: 0, descriptor: undefined }
  const name = `${search.prefix}${attach.name}`
  const found = findKernelType(kernel(), name, search.kind)
  if (found === undefined) {
    throw new TargetError(`${attach.kind}:${attach.name}`, `this kernel has no such ${search.what} (its BTF has no ${name})`)
  }
  return { attachType, btfId: found.id, objectFd: found.descriptor?.fd ?? 0, descriptor: found.descriptor }
}

/** A function of another program, by the types that it was loaded with. */
function functionOf(attach: AttachTarget, program: { fd: number } | undefined): { btfId: number; objectFd: number } {
  const target = `${attach.kind}:${attach.name}`
  if (program === undefined) throw new TargetError(target, 'say which program it is for (LoadOptions.targets)')
  const { btfId, name } = programInfo(program.fd)
  if (btfId === 0) throw new TargetError(target, `program '${name}' was loaded without types, so its functions cannot be found`)
  const id = Btf.parse(btfBytesById(btfId)).find(attach.name, 'func')
  if (id === 0) throw new TargetError(target, `program '${name}' has no function '${attach.name}'`)
  return { btfId: id, objectFd: program.fd }
}
