import { AttachType } from '../../spec/spec.ts'
import type { AttachTarget } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import type { AttachOptions } from '../attach.ts'
import { command } from '../command.ts'
import { Descriptor } from '../descriptor.ts'
import { Link, targetName } from '../link.ts'
import { linkError, tryLink } from '../link-create.ts'
import type { Program } from '../program.ts'
import { attachTypeOf } from '../program-target.ts'

/**
 * Functions of the kernel (fentry, fexit, fmod_ret: 5.5 to 5.7), LSM hooks (5.7) and functions of other programs (freplace,
 * 5.6). The
 * function was chosen when the program was loaded.
 */
export function attachTracing(program: Program, target: AttachTarget, options: AttachOptions = {}): Link {
  const place = targetName(target)
  const attachType = attachTypeOf(program.spec)
  const { cookie } = options
  const result = tryLink({
    place, fd: program.fd, attachType: attachType === undefined ? 0 : AttachType[attachType], size: cookie === undefined ? 24 : 32,
    fill: (attr) => { if (cookie !== undefined) attr.u64(24, cookie) },
  })
  // Links of this kind could be made in this way from 5.18 on only.
  const made = result === -Errno.EINVAL && cookie === undefined
    ? command('BPF_RAW_TRACEPOINT_OPEN', 16, (attr) => attr.u32(8, program.fd)) : result
  if (made < 0) throw linkError('BPF_LINK_CREATE', made, place)
  return new Link(target, 'link', new Descriptor('link', place, made))
}
