import type { AttachTarget } from '../../spec/spec.ts'
import { withString, writeU64 } from '../../sys/memory.ts'
import type { AttachOptions } from '../attach.ts'
import { Executable, findExecutable } from '../executable.ts'
import { targetName } from '../link.ts'
import type { Link } from '../link.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'
import { attachToPerfEvent, openPerfEvent, pmuBit, pmuType } from './perf-open.ts'

type Uprobe = AttachTarget & { kind: 'uprobe' | 'uretprobe' }

/** A function of a program or library, or (`name` empty) an offset in its file; of one process or of all. Kernel 4.3. */
export function attachUprobe(program: Program, target: Uprobe, options: AttachOptions = {}): Link {
  const path = findExecutable(target.path, options.pid)
  const start = target.name === '' ? 0 : Executable.open(path).function(target.name).offset
  const place = { path, offset: start + target.offset, semaphore: 0, return: target.kind === 'uretprobe' }
  return attachUprobeAt(program, target, { ...options, ...place })
}

/** A place in a file. `semaphore` is the offset of a counter that the kernel keeps up while somebody listens (4.20); 0: none. */
export interface UprobePlace extends AttachOptions { path: string; offset: number; semaphore: number; return: boolean }

/** The probe at a place in a file, by the perf event source 'uprobe' (4.17). @throws TargetError where this kernel has none */
export function attachUprobeAt(program: Program, target: AttachTarget, where: UprobePlace): Link {
  const place = targetName(target)
  const type = pmuType('uprobe')
  const returnBit = pmuBit('uprobe', 'retprobe')
  if (type === undefined || returnBit === undefined) {
    throw new TargetError(place, 'this kernel has no uprobes (no event source of that name: CONFIG_UPROBE_EVENTS)')
  }
  const pid = where.pid ?? -1
  const event = withString(where.path, (path) => openPerfEvent(place, { pid, cpu: pid === -1 ? 0 : -1 }, ({ u32 }) => {
    u32[0] = type
    u32[2] = where.return ? 1 << returnBit : 0
    u32[3] = where.semaphore
    writeU64(u32, 56, path)
    writeU64(u32, 64, where.offset)
  }))
  return attachToPerfEvent(program, target, event, place, where.cookie)
}
