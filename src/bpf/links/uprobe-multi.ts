import { AttachType } from '../../spec/spec.ts'
import type { AttachTarget } from '../../spec/spec.ts'
import { allocate, release, withString, writeU64 } from '../../sys/memory.ts'
import type { AttachOptions } from '../attach.ts'
import { Descriptor } from '../descriptor.ts'
import { Executable, ExecutableError, findExecutable } from '../executable.ts'
import { Link, targetName } from '../link.ts'
import { createLink } from '../link-create.ts'
import type { Program } from '../program.ts'

const BPF_F_UPROBE_MULTI_RETURN = 1
type Uprobes = AttachTarget & { kind: 'uprobe.multi' | 'uretprobe.multi' | 'uprobe.session' }

/** One place of many in a file. */
export interface MultiPlace { offset: number; /** Of a counter that the kernel keeps up; 0: none. */ semaphore?: number; cookie?: bigint }

/** All functions of a file whose names match a pattern with `*` and `?`, by one link. Kernel 6.6; sessions 6.13. */
export function attachUprobes(program: Program, target: Uprobes, options: AttachOptions = {}): Link {
  const path = findExecutable(target.path, options.pid)
  const file = Executable.open(path)
  const functions = /[*?]/.test(target.name) ? file.matching(target.name) : [file.function(target.name)]
  if (functions.length === 0) throw new ExecutableError(path, `has no function that matches '${target.name}'`)
  const offsets = [...new Set(functions.map(({ offset }) => offset))]
  const places = offsets.map((offset): MultiPlace => options.cookie === undefined ? { offset } : { offset, cookie: options.cookie })
  return attachUprobesAt(program, target, path, places, options)
}

/** Places in a file by one link. */
export function attachUprobesAt(
  program: Program, target: AttachTarget, path: string, places: readonly MultiPlace[], options: AttachOptions = {}
): Link {
  const count = places.length
  const memory = allocate(count * 24)
  try {
    const { u32, address } = memory
    const cookies = new BigUint64Array(memory.u8.buffer, memory.u8.byteOffset + count * 16, count)
    places.forEach(({ offset, semaphore = 0, cookie = 0n }, index) => {
      writeU64(u32, index * 8, offset)
      writeU64(u32, count * 8 + index * 8, semaphore)
      cookies[index] = cookie
    })
    const place = targetName(target)
    const fd = withString(path, (pathAddress) => createLink({
      place, fd: program.fd, size: 64,
      attachType: target.kind === 'uprobe.session' ? AttachType.trace_uprobe_session : AttachType.trace_uprobe_multi,
      fill(attr) {
        attr.u64(16, pathAddress)
        attr.u64(24, address)
        attr.u64(32, places.some(({ semaphore = 0 }) => semaphore !== 0) ? address + count * 8 : 0)
        attr.u64(40, places.some(({ cookie }) => cookie !== undefined) ? address + count * 16 : 0)
        attr.u32(48, count)
        attr.u32(52, target.kind === 'uretprobe.multi' ? BPF_F_UPROBE_MULTI_RETURN : 0)
        attr.u32(56, options.pid ?? 0)
      },
    }))
    return new Link(target, 'link', new Descriptor('link', place, fd), place)
  } finally {
    release(memory)
  }
}
