import type { AttachTarget } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release, writeU64 } from '../sys/memory.ts'
import { check, ioctl, perfEventOpen } from '../sys/syscall.ts'
import { command, commandError } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { PolicyError } from './load-error.ts'
import type { Program } from './program.ts'
import { TargetError } from './program-load.ts'
import { tracepointId } from './tracefs.ts'

const BPF_PERF_EVENT = 41
const PERF_TYPE_TRACEPOINT = 2
const PERF_FLAG_FD_CLOEXEC = 8
const PERF_ATTR_SIZE = 112
const PERF_EVENT_IOC_SET_BPF = 0x40042408
const PERF_EVENT_IOC_ENABLE = 0x2400

/** How a program hangs on its hook: a bpf_link, or (tracepoints before 5.15) a perf event that runs it. */
export type LinkMechanism = 'link' | 'perf event'

/**
 * A program attached to a hook. Never pinned: close(), or the death of this process in whatever way, detaches it.
 */
export class Link {
  readonly target: AttachTarget
  readonly mechanism: LinkMechanism
  readonly #descriptor: Descriptor

  constructor(target: AttachTarget, mechanism: LinkMechanism, descriptor: Descriptor) {
    this.target = target
    this.mechanism = mechanism
    this.#descriptor = descriptor
  }

  /** @throws ClosedError after close() */
  get fd(): number {
    return this.#descriptor.fd
  }

  get closed(): boolean {
    return this.#descriptor.closed
  }

  /** Detaches. Runs in flight on other CPUs may still finish. */
  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** 'tp_btf:sched_switch', 'tracepoint:syscalls:sys_enter_openat'. */
export function targetName(target: AttachTarget): string {
  return target.kind === 'tracepoint' ? `tracepoint:${target.category}:${target.name}` : `${target.kind}:${target.name}`
}

/**
 * Attaches the program; it runs from now on.
 * @throws TargetError (no such hook), PolicyError (not permitted), SysError
 */
export function attach(program: Program, target: AttachTarget = program.spec.attach): Link {
  switch (target.kind) {
    case 'tp_btf':
    case 'raw_tp': return attachRawTracepoint(program, target)
    case 'tracepoint': return attachTracepoint(program, target)
    default: throw new TargetError(targetName(target), `programs of this kind cannot be attached; those of tp_btf, raw_tp and tracepoint can`)
  }
}

/** Also for tp_btf, whose tracepoint was chosen when it was loaded. Kernel 4.17 (raw_tp), 5.5 (tp_btf). */
function attachRawTracepoint(program: Program, target: AttachTarget & { kind: 'tp_btf' | 'raw_tp' }): Link {
  const name = allocate(128)
  try {
    new TextEncoder().encodeInto(target.name, name.u8.subarray(0, 127))
    const result = command('BPF_RAW_TRACEPOINT_OPEN', 16, (attr) => {
      attr.u64(0, target.kind === 'raw_tp' ? name.address : 0)
      attr.u32(8, program.fd)
    })
    if (result < 0) throw attachError('BPF_RAW_TRACEPOINT_OPEN', result, target)
    return new Link(target, 'link', new Descriptor('link', targetName(target), result))
  } finally {
    release(name)
  }
}

function attachTracepoint(program: Program, target: AttachTarget & { kind: 'tracepoint' }): Link {
  const event = openTracepoint(target)
  let keep = false
  try {
    const result = command('BPF_LINK_CREATE', 24, (attr) => {
      attr.u32(0, program.fd)
      attr.u32(4, event.fd)
      attr.u32(8, BPF_PERF_EVENT)
    })
    // The link holds the event from here on; its descriptor is not needed.
    if (result >= 0) return new Link(target, 'link', new Descriptor('link', targetName(target), result))
    if (result !== -Errno.EINVAL && result !== -Errno.ENOTSUPP) throw attachError('BPF_LINK_CREATE', result, target)
    const link = attachToEvent(program, target, event)
    keep = true
    return link
  } finally {
    if (!keep) event.close()
  }
}

/** Before 5.15: the perf event itself owns the program. */
export function attachToEvent(program: Program, target: AttachTarget, event: Descriptor): Link {
  const set = ioctl(event.fd, PERF_EVENT_IOC_SET_BPF, program.fd)
  if (set === -Errno.EPERM || set === -Errno.EACCES) throw new PolicyError('ioctl(PERF_EVENT_IOC_SET_BPF)', -set, `attaching to ${targetName(target)}`)
  check(set, 'ioctl(PERF_EVENT_IOC_SET_BPF)', targetName(target))
  check(ioctl(event.fd, PERF_EVENT_IOC_ENABLE, 0), 'ioctl(PERF_EVENT_IOC_ENABLE)', targetName(target))
  return new Link(target, 'perf event', event)
}

/** A perf event for the tracepoint. It names CPU 0, but a program on it runs on every CPU. */
export function openTracepoint(target: AttachTarget & { kind: 'tracepoint' }): Descriptor {
  const id = tracepointId(target.category, target.name)
  if (id === undefined) throw new TargetError(targetName(target), 'this kernel has no such tracepoint')
  const attr = allocate(PERF_ATTR_SIZE)
  try {
    attr.u32[0] = PERF_TYPE_TRACEPOINT
    attr.u32[1] = PERF_ATTR_SIZE
    writeU64(attr.u32, 8, id)
    const fd = perfEventOpen(attr.address, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)
    if (fd === -Errno.EPERM || fd === -Errno.EACCES) throw new PolicyError('perf_event_open', -fd, `tracing ${targetName(target)}`)
    return new Descriptor('perf event', targetName(target), check(fd, 'perf_event_open', targetName(target)))
  } finally {
    release(attr)
  }
}

function attachError(name: 'BPF_RAW_TRACEPOINT_OPEN' | 'BPF_LINK_CREATE', result: number, target: AttachTarget): Error {
  if (result === -Errno.ENOENT) return new TargetError(targetName(target), 'this kernel has no such tracepoint')
  if (result === -Errno.EPERM || result === -Errno.EACCES) {
    return new PolicyError(`bpf(${name})`, -result, `attaching to ${targetName(target)}`)
  }
  return commandError(name, result, targetName(target))
}
