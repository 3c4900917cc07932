import { AttachType } from '../../spec/spec.ts'
import type { AttachTypeName } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { command, commandError } from '../command.ts'
import { Link, undoable } from '../link.ts'
import { linkError, tryLink } from '../link-create.ts'
import type { BpfMap } from '../map.ts'
import type { Program } from '../program.ts'
import { attachTypeOf } from '../program-target.ts'
import { TargetError } from '../target-error.ts'

/**
 * Data of all sockets in a sockmap or sockhash: sk_msg (what is sent), sk_skb (what is received: parser, verdict). By a link from
 * 6.10 on; before (4.14), it stays with the map until it is closed.
 */
export function attachSockmap(
  program: Program, map: BpfMap, attachType: AttachTypeName | undefined = attachTypeOf(program.spec)
): Link {
  const hook = attachType ?? (program.spec.type === 'sk_msg' ? 'sk_msg_verdict' : undefined)
  if (hook === undefined) throw new TargetError(`'${program.name}'`, 'say which hook of the sockets it is for (attachType)')
  const place = `${hook} of map '${map.spec.name}'`
  const result = tryLink({ place, fd: program.fd, target: map.fd, attachType: AttachType[hook], size: 16 })
  if (result >= 0) return Link.at(place, result)
  if (result !== -Errno.EINVAL) throw linkError('BPF_LINK_CREATE', result, place)
  const call = (name: 'BPF_PROG_ATTACH' | 'BPF_PROG_DETACH') => command(name, 20, (attr) => {
    attr.u32(0, map.fd)
    attr.u32(4, program.fd)
    attr.u32(8, AttachType[hook])
  })
  const attached = call('BPF_PROG_ATTACH')
  if (attached < 0) throw linkError('BPF_PROG_ATTACH', attached, place)
  return undoable(place, 'attachment', () => {
    const detached = call('BPF_PROG_DETACH')
    if (detached < 0 && detached !== -Errno.ENOENT) throw commandError('BPF_PROG_DETACH', detached, place)
  })
}
