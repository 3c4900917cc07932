import { AttachType } from '../../spec/spec.ts'
import { Link } from '../link.ts'
import { createLink } from '../link-create.ts'
import type { Program } from '../program.ts'

export interface NetfilterOptions {
  family: 'ipv4' | 'ipv6'
  hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
  /** Lower ones run first; iptables' filter table has 0. Each number can be had once a hook. */
  priority: number
  /** Packets are put together before the program sees them (6.6). */
  defragment?: boolean
}

const families = { ipv4: 2, ipv6: 10 } as const
const hooks = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const
const BPF_F_NETFILTER_IP_DEFRAG = 1

/** A hook of the firewall, in this thread's network namespace (see inNetworkNamespace). Kernel 6.4. */
export function attachNetfilter(program: Program, { family, hook, priority, defragment = false }: NetfilterOptions): Link {
  const place = `netfilter ${family} ${hook} at ${priority}`
  return Link.at(place, createLink({
    place, fd: program.fd, attachType: AttachType.netfilter, size: 32,
    fill(attr) {
      attr.u32(16, families[family])
      attr.u32(20, hooks[hook])
      attr.u32(24, priority)
      attr.u32(28, defragment ? BPF_F_NETFILTER_IP_DEFRAG : 0)
    },
  }))
}
