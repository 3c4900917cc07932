import { NetlinkMessage } from '../sys/netlink-message.ts'
import { netlink } from '../sys/netlink.ts'
import { Errno, SysError } from '../sys/errno.ts'
import { TargetError } from './target-error.ts'

const RTM_GETLINK = 18
const IFLA_IFNAME = 3

/**
 * The number of a network interface of this thread's namespace (see inNetworkNamespace).
 * @throws TargetError if there is none of that name
 */
export function interfaceIndex(nameOrIndex: string | number): number {
  if (typeof nameOrIndex === 'number') return nameOrIndex
  try {
    const [reply] = netlink(new NetlinkMessage('RTM_GETLINK', RTM_GETLINK, 0, new Uint8Array(16)).string(IFLA_IFNAME, nameOrIndex))
    return new DataView(reply!.payload.buffer, reply!.payload.byteOffset).getInt32(4, true)
  } catch (error) {
    if (error instanceof SysError && error.errno === Errno.ENODEV) {
      throw new TargetError(`interface ${nameOrIndex}`, 'there is no such interface in this network namespace')
    }
    throw error
  }
}
