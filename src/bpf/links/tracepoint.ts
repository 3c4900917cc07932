import type { AttachTarget } from '../../spec/spec.ts'
import { writeU64 } from '../../sys/memory.ts'
import type { AttachOptions } from '../attach.ts'
import type { Descriptor } from '../descriptor.ts'
import { targetName } from '../link.ts'
import type { Link } from '../link.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'
import { tracepointId } from '../tracefs.ts'
import { attachByIoctl, attachToPerfEvent, openPerfEvent } from './perf-open.ts'

const PERF_TYPE_TRACEPOINT = 2
type Tracepoint = AttachTarget & { kind: 'tracepoint' }

/** A tracepoint by its category and name. Kernel 4.7; a link from 5.15 on. */
export function attachTracepoint(program: Program, target: Tracepoint, options: AttachOptions = {}): Link {
  return attachToPerfEvent(program, target, openTracepoint(target), targetName(target), options.cookie)
}

/** As before 5.15: the perf event itself owns the program. */
export function attachToEvent(program: Program, target: AttachTarget, event: Descriptor): Link {
  return attachByIoctl(program, target, event, targetName(target))
}

/** A perf event for the tracepoint. It names CPU 0, but a program on it runs on every CPU. */
export function openTracepoint(target: Tracepoint): Descriptor {
  const id = tracepointId(target.category, target.name)
  if (id === undefined) throw new TargetError(targetName(target), 'this kernel has no such tracepoint')
  return openPerfEvent(targetName(target), { pid: -1, cpu: 0 }, (attr) => {
    attr.u32[0] = PERF_TYPE_TRACEPOINT
    writeU64(attr.u32, 8, id)
  })
}
