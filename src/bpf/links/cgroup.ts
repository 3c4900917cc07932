import { AttachType } from '../../spec/spec.ts'
import type { AttachTypeName } from '../../spec/spec.ts'
import { Errno } from '../../sys/errno.ts'
import { command, commandError } from '../command.ts'
import { openCgroup } from '../handles.ts'
import { Link, undoable } from '../link.ts'
import { createLink, linkError } from '../link-create.ts'
import { fillOrder, orderFlags } from '../order.ts'
import type { Order } from '../order.ts'
import type { Program } from '../program.ts'
import { attachTypeOf } from '../program-target.ts'
import { TargetError } from '../target-error.ts'

export interface CgroupOptions {
  /** The directory, in a version 2 hierarchy. */
  cgroup: string
  /** The hook; by default what the program was loaded for. */
  attachType?: AttachTypeName
  /** Among the programs of this cgroup (6.17). */
  order?: Order
  revision?: number
}

/**
 * Whatever processes of a cgroup and of those below do: packets, sockets, addresses, socket options, devices, sysctls, LSM
 * hooks. By a
 * link, which ends with this process, beside other programs (5.7).
 */
export function attachCgroup(program: Program, options: CgroupOptions): Link {
  const attachType = hookOf(program, options)
  const place = `${attachType} of ${options.cgroup}`
  const { flags, relative } = orderFlags(options.order)
  const ordered = options.order !== undefined || options.revision !== undefined
  const directory = openCgroup(options.cgroup)
  try {
    return Link.at(place, createLink({
      place, fd: program.fd, target: directory.fd, attachType: AttachType[attachType], flags, size: ordered ? 32 : 16,
      fill: (attr) => { if (ordered) fillOrder(attr, relative, options.revision) },
    }))
  } finally {
    directory.close()
  }
}

const BPF_F_ALLOW_MULTI = 2

/**
 * As before 5.7 (4.10; several programs 4.15): it stays when the process ends, until it is closed.
 */
export function attachCgroupDirectly(program: Program, options: CgroupOptions): Link {
  const attachType = hookOf(program, options)
  const place = `${attachType} of ${options.cgroup}`
  const directory = openCgroup(options.cgroup)
  const call = (name: 'BPF_PROG_ATTACH' | 'BPF_PROG_DETACH') => command(name, 20, (attr) => {
    attr.u32(0, directory.fd)
    attr.u32(4, program.fd)
    attr.u32(8, AttachType[attachType])
    if (name === 'BPF_PROG_ATTACH') attr.u32(12, BPF_F_ALLOW_MULTI)
  })
  const result = call('BPF_PROG_ATTACH')
  if (result < 0) {
    directory.close()
    throw linkError('BPF_PROG_ATTACH', result, place)
  }
  return undoable(place, 'attachment', () => {
    const detached = call('BPF_PROG_DETACH')
    directory.close()
    if (detached < 0 && detached !== -Errno.ENOENT) throw commandError('BPF_PROG_DETACH', detached, place)
  })
}

function hookOf(program: Program, { attachType }: CgroupOptions): AttachTypeName {
  const hook = attachType ?? attachTypeOf(program.spec) ?? implied[program.spec.type]
  if (hook === undefined) throw new TargetError(`'${program.name}'`, 'say which hook of the cgroup it is for (attachType)')
  return hook
}

/** Types of program with one hook. */
const implied: Partial<Record<string, AttachTypeName>> = {
  cgroup_sock: 'cgroup_inet_sock_create', cgroup_device: 'cgroup_device', cgroup_sysctl: 'cgroup_sysctl', sock_ops: 'cgroup_sock_ops',
}
