import { AttachType } from '../../spec/spec.ts'
import { interfaceIndex } from '../interface.ts'
import { Link } from '../link.ts'
import { createLink } from '../link-create.ts'
import { fillOrder, orderFlags } from '../order.ts'
import type { Order } from '../order.ts'
import type { Program } from '../program.ts'

export interface TcxOptions {
  interface: string | number
  direction: 'ingress' | 'egress'
  order?: Order
  /** What queryPrograms said of the hook: if it changed since, nothing is attached (ESTALE). */
  revision?: number
}

/** Packets as they come in or go out, with several programs in an order. Kernel 6.6. */
export function attachTcx(program: Program, { interface: name, direction, order, revision }: TcxOptions): Link {
  const { flags, relative } = orderFlags(order)
  const place = `tcx ${direction} on ${name}`
  return Link.at(place, createLink({
    place, fd: program.fd, target: interfaceIndex(name), flags, size: 32,
    attachType: direction === 'ingress' ? AttachType.tcx_ingress : AttachType.tcx_egress, fill: (attr) => fillOrder(attr, relative, revision),
  }))
}

export interface NetkitOptions {
  interface: string | number
  /** The end in the host, or the one in the container. */
  end: 'primary' | 'peer'
  order?: Order
  revision?: number
}

/** Packets between a container and the host, on netkit interfaces. Kernel 6.7. */
export function attachNetkit(program: Program, { interface: name, end, order, revision }: NetkitOptions): Link {
  const { flags, relative } = orderFlags(order)
  const place = `netkit ${end} on ${name}`
  return Link.at(place, createLink({
    place, fd: program.fd, target: interfaceIndex(name), flags, size: 32,
    attachType: end === 'primary' ? AttachType.netkit_primary : AttachType.netkit_peer, fill: (attr) => fillOrder(attr, relative, revision),
  }))
}
