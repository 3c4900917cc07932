import { readFileSync } from 'node:fs'
import { Errno } from '../../sys/errno.ts'
import { allocate, release } from '../../sys/memory.ts'
import type { Block } from '../../sys/memory.ts'
import { check, ioctl, perfEventOpen } from '../../sys/syscall.ts'
import type { AttachTarget } from '../../spec/spec.ts'
import { Descriptor } from '../descriptor.ts'
import { Link } from '../link.ts'
import { linkError, tryLink } from '../link-create.ts'
import { PolicyError } from '../load-error.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'

const BPF_PERF_EVENT = 41
const PERF_FLAG_FD_CLOEXEC = 8
const PERF_ATTR_SIZE = 136
const PERF_EVENT_IOC_SET_BPF = 0x40042408
const PERF_EVENT_IOC_ENABLE = 0x2400

/**
 * Opens a perf event; `fill` writes `struct perf_event_attr` from its type on (size is set). @throws PolicyError, TargetError,
 * SysError
 */
export function openPerfEvent(place: string, where: { pid: number; cpu: number }, fill: (attr: Block) => void): Descriptor {
  const attr = allocate(PERF_ATTR_SIZE)
  try {
    fill(attr)
    attr.u32[1] = PERF_ATTR_SIZE
    const fd = perfEventOpen(attr.address, where.pid, where.cpu, -1, PERF_FLAG_FD_CLOEXEC)
    if (fd === -Errno.EPERM || fd === -Errno.EACCES) throw new PolicyError('perf_event_open', -fd, `tracing ${place}`)
    if (fd === -Errno.ENOENT || fd === -Errno.EOPNOTSUPP) throw new TargetError(
      place, 'this kernel or processor has no such event'
    )
    return new Descriptor('perf event', place, check(fd, 'perf_event_open', place))
  } finally {
    release(attr)
  }
}

/**
 * Hangs a program on a perf event, by a link where the kernel has them (5.15). The event is the link's from here on, or closed
 * when this fails.
 */
export function attachToPerfEvent(
  program: Program, target: AttachTarget, event: Descriptor, place: string, cookie?: bigint
): Link {
  let keep = false
  try {
    const result = tryLink({
      place, fd: program.fd, target: event.fd, attachType: BPF_PERF_EVENT,
      fill: (attr) => { if (cookie !== undefined) attr.u64(16, cookie) },
    })
    if (result >= 0) {
      // A link enables nothing by itself: events are opened enabled, or else by who opened them.
      return new Link(target, 'link', new Descriptor('link', place, result), place)
    }
    const unknown = result === -Errno.EINVAL || result === -Errno.ENOTSUPP
    if (!unknown || cookie !== undefined) throw linkError('BPF_LINK_CREATE', result, place)
    const link = attachByIoctl(program, target, event, place)
    keep = true
    return link
  } finally {
    if (!keep) event.close()
  }
}

/** Before 5.15: the perf event itself owns the program. */
export function attachByIoctl(program: Program, target: AttachTarget, event: Descriptor, place: string): Link {
  const set = ioctl(event.fd, PERF_EVENT_IOC_SET_BPF, program.fd)
  if (set === -Errno.EPERM || set === -Errno.EACCES) throw new PolicyError(
    'ioctl(PERF_EVENT_IOC_SET_BPF)', -set, `attaching to ${place}`
  )
  check(set, 'ioctl(PERF_EVENT_IOC_SET_BPF)', place)
  check(ioctl(event.fd, PERF_EVENT_IOC_ENABLE, 0), 'ioctl(PERF_EVENT_IOC_ENABLE)', place)
  return new Link(target, 'perf event', event, place)
}

/** Number of a source of events, from sysfs; undefined if this kernel has none of that name. */
export function pmuType(name: string): number | undefined {
  return readNumber(`/sys/bus/event_source/devices/${name}/type`)
}

/** First bit of a field in an event's configuration: 'config:0' → 0, 'config:32-63' → 32. */
export function pmuBit(name: string, field: string): number | undefined {
  try {
    const text = readFileSync(`/sys/bus/event_source/devices/${name}/format/${field}`, 'latin1')
    return Number(/config:(\d+)/.exec(text)?.[1])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readNumber(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'latin1'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
