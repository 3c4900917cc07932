import type { AttachTarget } from '../spec/spec.ts'
import { targetName } from './link.ts'
import type { Link } from './link.ts'
import { attachIterator } from './links/iterator.ts'
import { attachKprobe, attachSyscall } from './links/kprobe.ts'
import { attachKprobes } from './links/kprobe-multi.ts'
import { attachRawTracepoint } from './links/raw-tracepoint.ts'
import { attachTracepoint } from './links/tracepoint.ts'
import { attachTracing } from './links/tracing.ts'
import { attachUprobe } from './links/uprobe.ts'
import { attachUprobes } from './links/uprobe-multi.ts'
import { attachUsdt } from './links/usdt.ts'
import type { Program } from './program.ts'
import { TargetError } from './target-error.ts'

/** What can be said of attaching beside the hook. */
export interface AttachOptions {
  /**
   * A number that the program gets by bpf_get_attach_cookie: which of several hooks it runs for (5.15; tracing 5.19;
   * tracepoints raw and typed 6.10).
   */
  cookie?: bigint
  /** The process to watch, for uprobes and USDT; all by default. */
  pid?: number
}

/**
 * Attaches the program to the hook that its Spec names, or to `target`; it runs from now on.
 * @throws TargetError (no such hook), PolicyError (not permitted), SysError
 */
export function attach(program: Program, target: AttachTarget = program.spec.attach, options: AttachOptions = {}): Link {
  switch (target.kind) {
    case 'tp_btf': case 'raw_tp': return attachRawTracepoint(program, target, options)
    case 'tracepoint': return attachTracepoint(program, target, options)
    case 'fentry': case 'fexit': case 'fmod_ret': case 'lsm': case 'freplace': return attachTracing(program, target, options)
    case 'iter': return attachIterator(program, {}, target)
    case 'kprobe': case 'kretprobe': return attachKprobe(program, target, options)
    case 'ksyscall': case 'kretsyscall': return attachSyscall(program, target, options)
    case 'kprobe.multi': case 'kretprobe.multi': case 'kprobe.session': return attachKprobes(program, target)
    case 'uprobe': case 'uretprobe': return attachUprobe(program, target, options)
    case 'uprobe.multi': case 'uretprobe.multi': case 'uprobe.session': return attachUprobes(program, target, options)
    case 'usdt': return attachUsdt(program, target, options)
    case 'struct_ops': throw new TargetError(targetName(target), 'it is attached by its map: Collection.attachStructOps')
    case 'lsm_cgroup': throw new TargetError(targetName(target), 'say which cgroup: attachCgroup')
    case 'given': throw new TargetError(program.spec.section ?? program.spec.type, `${placeOf(program)}`)
  }
}

/** Who attaches programs whose hook the Spec does not name. */
function placeOf(program: Program): string {
  const { type, attachType } = program.spec
  switch (type) {
    case 'xdp': return 'say which interface: attachXdp'
    case 'sched_cls': return `say which interface: ${attachType?.startsWith('netkit') === true ? 'attachNetkit' : 'attachTcx or attachClsact'}`
    case 'sk_lookup': case 'flow_dissector': return 'say which network namespace: attachNetworkNamespace'
    case 'netfilter': return 'say which family and hook: attachNetfilter'
    case 'socket_filter': case 'sk_reuseport': return 'say which socket: attachSocketFilter or attachReuseport'
    case 'sk_skb': case 'sk_msg': return 'say which map of sockets: attachSockmap'
    case 'perf_event': return 'say which event: attachPerfEvent'
    case 'syscall': return 'it is run by testRun, not attached'
    default: return type.startsWith('cgroup') || type === 'sock_ops'
      ? 'say which cgroup: attachCgroup' : 'programs of this kind cannot be attached without being told where'
  }
}
