import { AttachType } from '../../spec/spec.ts'
import type { AttachTarget } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { allocate, release, writeU64 } from '../../sys/memory.ts'
import { Descriptor } from '../descriptor.ts'
import { kernelFunctions } from '../kallsyms.ts'
import { Link, targetName } from '../link.ts'
import { linkError, tryLink } from '../link-create.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'
import { readTracefs } from '../tracefs.ts'

const BPF_F_KPROBE_MULTI_RETURN = 1
type Kprobes = AttachTarget & { kind: 'kprobe.multi' | 'kretprobe.multi' | 'kprobe.session' }

/**
 * All functions of the kernel whose names match a pattern with `*` and `?`, by one link. Kernel 5.18; sessions 6.10.
 * @param functions names to use instead of those that match, with a cookie each if wanted
 */
export function attachKprobes(
  program: Program, target: Kprobes, functions: readonly { name: string; cookie?: bigint }[] = matching(target)
): Link {
  const place = targetName(target)
  if (functions.length === 0) throw new TargetError(place, 'this kernel has no function of that name that can be traced')
  const count = functions.length
  const names = new TextEncoder().encode(functions.map(({ name }) => `${name}\0`).join(''))
  const cookies = functions.some(({ cookie }) => cookie !== undefined)
  const memory = allocate(count * 16 + names.length)
  try {
    memory.u8.set(names, count * 16)
    const cookieList = new BigUint64Array(memory.u8.buffer, memory.u8.byteOffset + count * 8, count)
    let at = memory.address + count * 16
    functions.forEach(({ name, cookie = 0n }, index) => {
      writeU64(memory.u32, index * 8, at)
      cookieList[index] = cookie
      at += Buffer.byteLength(name) + 1
    })
    const result = tryLink({
      place, fd: program.fd, size: 48,
      attachType: target.kind === 'kprobe.session' ? AttachType.trace_kprobe_session : AttachType.trace_kprobe_multi,
      fill(attr) {
        attr.u32(16, target.kind === 'kretprobe.multi' ? BPF_F_KPROBE_MULTI_RETURN : 0)
        attr.u32(20, count)
        attr.u64(24, memory.address)
        if (cookies) attr.u64(40, memory.address + count * 8)
      },
    })
    if (result === -Errno.EOPNOTSUPP || result === -Errno.ENOTSUPP) {
      throw new TargetError(place, 'this kernel was built without what kprobe.multi needs (CONFIG_FPROBE)')
    }
    if (result < 0) throw linkError('BPF_LINK_CREATE', result, place)
    return new Link(target, 'link', new Descriptor('link', place, result))
  } finally {
    release(memory)
  }
}

function matching(target: Kprobes): { name: string }[] {
  if (!/[*?]/.test(target.name)) return [{ name: target.name }]
  const all = kernelFunctions(target.name)
  // Not all functions can be traced; which ones, only root may read, and not everywhere.
  const traceable = traceableFunctions()
  return (traceable === undefined ? all : all.filter((name) => traceable.has(name))).map((name) => ({ name }))
}

function traceableFunctions(): Set<string> | undefined {
  try {
    const text = readTracefs('available_filter_functions')
    return text === undefined ? undefined : new Set(text.split('\n').map((line) => line.split(' ')[0]!))
  } catch (error) {
    if (['EPERM', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
