import { Errno, SysError } from './errno.ts'
import { allocate, release } from './memory.ts'
import { readAttributes, type NetlinkMessage } from './netlink-message.ts'
import { check, close, receive, send, setsockopt, socket } from './syscall.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0x8_0000
const NETLINK_ROUTE = 0
const SOL_NETLINK = 270
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
const NLM_F_CAPPED = 0x100
const NLM_F_ACK_TLVS = 0x200
const NLMSGERR_ATTR_MSG = 1
const bufferSize = 64 * 1024

/** One message of the kernel's answer. */
export interface NetlinkReply { type: number; payload: Uint8Array }

/**
 * Sends one request of NETLINK_ROUTE to the kernel and waits for its acknowledgement; what came before that is returned.
 * It concerns the network namespace that the thread is in (see inNetworkNamespace).
 * @throws SysError with the kernel's own words where it has some (4.12)
 */
export function netlink(message: NetlinkMessage): NetlinkReply[] {
  const fd = check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), 'socket(AF_NETLINK)')
  const buffer = allocate(bufferSize)
  try {
    // Kernels before 4.12 know neither: their errors are numbers only.
    buffer.u32[0] = 1
    for (const option of [NETLINK_CAP_ACK, NETLINK_EXT_ACK]) setsockopt(fd, SOL_NETLINK, option, buffer.address, 4)
    const bytes = message.encode(1)
    buffer.u8.set(bytes)
    check(send(fd, buffer.address, bytes.length), `netlink(${message.name})`)
    const replies: NetlinkReply[] = []
    for (;;) {
      const length = receive(fd, buffer.address, bufferSize)
      if (length === -Errno.EINTR) continue
      check(length, `netlink(${message.name})`)
      if (read(message.name, buffer.u8.slice(0, length), replies)) return replies
    }
  } finally {
    release(buffer)
    close(fd)
  }
}

/** @returns whether this was the end */
function read(name: string, bytes: Uint8Array, replies: NetlinkReply[]): boolean {
  const view = new DataView(bytes.buffer)
  for (let offset = 0; offset + 16 <= bytes.length;) {
    const length = view.getUint32(offset, true)
    if (length < 16 || offset + length > bytes.length) throw new Error(`netlink(${name}): a malformed answer`)
    const type = view.getUint16(offset + 4, true)
    if (type === NLMSG_DONE) return true
    if (type === NLMSG_ERROR) {
      const error = view.getInt32(offset + 16, true)
      if (error === 0) return true
      throw new SysError(
        `netlink(${name})`, -error, wordsOf(bytes.subarray(offset, offset + length), view.getUint16(offset + 6, true))
      )
    }
    replies.push({ type, payload: bytes.subarray(offset + 16, offset + length) })
    offset += length + 3 & ~3
  }
  return false
}

function wordsOf(message: Uint8Array, flags: number): string {
  if ((flags & NLM_F_ACK_TLVS) === 0) return ''
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  // After the error: the request's header, and the request itself unless it was left out.
  const echoed = (flags & NLM_F_CAPPED) === 0 ? view.getUint32(20, true) : 16
  const words = readAttributes(message, 20 + (echoed + 3 & ~3)).get(NLMSGERR_ATTR_MSG)
  return words === undefined ? '' : new TextDecoder().decode(words).replace(/\0+$/, '')
}
