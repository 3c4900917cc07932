import { Errno } from '../sys/errno.ts'
import { command, commandError } from './command.ts'
import type { Attr } from './command.ts'
import { PolicyError } from './load-error.ts'
import { TargetError } from './target-error.ts'

/** One BPF_LINK_CREATE. Fields beyond the first 16 bytes depend on the attach type. */
export interface LinkRequest {
  /** For messages: 'xdp on interface 2'. */
  place: string
  /** Of the program, or for struct_ops of the map. */
  fd: number
  /** A descriptor or an interface's index. */
  target?: number
  attachType: number
  flags?: number
  /** Bytes of the attr; 24 by default. */
  size?: number
  fill?(attr: Attr): void
}

/** Creates the link: its descriptor, or the negated errno. */
export function tryLink({ fd, target = 0, attachType, flags = 0, size = 24, fill }: LinkRequest): number {
  return command('BPF_LINK_CREATE', size, (attr) => {
    attr.u32(0, fd)
    attr.u32(4, target)
    attr.u32(8, attachType)
    attr.u32(12, flags)
    fill?.(attr)
  })
}

/** Creates the link: its descriptor. @throws PolicyError, TargetError (ENOENT: no such hook), SysError */
export function createLink(request: LinkRequest): number {
  const result = tryLink(request)
  if (result < 0) throw linkError('BPF_LINK_CREATE', result, request.place)
  return result
}

/** What a failed attaching means. */
export function linkError(
  name: 'BPF_RAW_TRACEPOINT_OPEN' | 'BPF_LINK_CREATE' | 'BPF_PROG_ATTACH' | 'BPF_ITER_CREATE', result: number, place: string
): Error {
  if (result === -Errno.ENOENT) return new TargetError(place, 'this kernel has no such hook')
  if (result === -Errno.EPERM || result === -Errno.EACCES) return new PolicyError(`bpf(${name})`, -result, `attaching to ${place}`)
  return commandError(name, result, `${place}${meanings[-result] ?? ''}`)
}

const meanings: Record<number, string> = {
  [Errno.EBUSY]: ': another program is there already',
  [Errno.EINVAL]: ': this kernel does not know this kind of link, or not for this program',
  [Errno.ENOTSUPP]: ': this kernel was built without it',
  [Errno.EOPNOTSUPP]: ': this kernel was built without it',
  [Errno.ENODEV]: ': there is no such interface',
}
