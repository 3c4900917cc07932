import type { AttachTarget } from '../../spec/spec.ts'
import { withString, writeU64 } from '../../sys/memory.ts'
import { Errno, SysError } from '../../sys/errno.ts'
import type { AttachOptions } from '../attach.ts'
import { syscallPrefix } from '../kernel-config.ts'
import { targetName } from '../link.ts'
import type { Link } from '../link.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'
import { attachToPerfEvent, openPerfEvent, pmuBit, pmuType } from './perf-open.ts'

/** A function of the kernel, entered (kprobe) or left (kretprobe). Kernel 4.1; by the perf event source 'kprobe' (4.17). */
export function attachKprobe(
  program: Program, target: AttachTarget & { kind: 'kprobe' | 'kretprobe' }, options: AttachOptions = {}
): Link {
  return attachAt(program, target, target.name, target.offset, target.kind === 'kretprobe', options)
}

/** A system call's function in the kernel: its name has a prefix of the processor since 4.17. */
export function attachSyscall(
  program: Program, target: AttachTarget & { kind: 'ksyscall' | 'kretsyscall' }, options: AttachOptions = {}
): Link {
  return attachAt(program, target, `${syscallPrefix() ?? 'sys_'}${target.name}`, 0, target.kind === 'kretsyscall', options)
}

function attachAt(
  program: Program, target: AttachTarget, name: string, offset: number, onReturn: boolean, options: AttachOptions
): Link {
  const place = targetName(target)
  const type = pmuType('kprobe')
  const returnBit = pmuBit('kprobe', 'retprobe')
  if (type === undefined || returnBit === undefined) {
    throw new TargetError(
      place, 'this kernel was built without kprobes (CONFIG_KPROBES); fentry, tracepoints and tp_btf need none'
    )
  }
  const event = withString(name, (address) => notFoundIsTarget(place, () => openPerfEvent(place, { pid: -1, cpu: 0 }, ({ u32 }) => {
    u32[0] = type
    u32[2] = onReturn ? 1 << returnBit : 0
    writeU64(u32, 56, address)
    writeU64(u32, 64, offset)
  })))
  return attachToPerfEvent(program, target, event, place, options.cookie)
}

/** Functions that are not there, that forbid probes, and names of several functions give these. */
function notFoundIsTarget<T>(place: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (error instanceof SysError && (error.errno === Errno.EINVAL || error.errno === Errno.EADDRNOTAVAIL)) {
      throw new TargetError(place, 'this kernel has no such function, or it forbids probes in it')
    }
    throw error
  }
}
