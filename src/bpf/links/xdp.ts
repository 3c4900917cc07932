import { AttachType } from '../../spec/spec.ts'
import { NetlinkMessage, attributeNumber, readAttributes } from '../../sys/netlink-message.ts'
import { netlink } from '../../sys/netlink.ts'
import { interfaceIndex } from '../interface.ts'
import { Link, undoableHere } from '../link.ts'
import { createLink } from '../link-create.ts'
import type { Program } from '../program.ts'

/**
 * Where XDP runs: in the driver, after it on any interface ('generic', slower), or in the hardware; undefined: the best that
 * there is.
 */
export type XdpMode = 'generic' | 'driver' | 'hardware'

export interface XdpOptions {
  interface: string | number
  mode?: XdpMode
}

const modeFlags: Record<XdpMode, number> = { generic: 1 << 1, driver: 1 << 2, hardware: 1 << 3 }
const XDP_FLAGS_UPDATE_IF_NOEXIST = 1
const XDP_FLAGS_REPLACE = 1 << 4
const RTM_GETLINK = 18
const RTM_SETLINK = 19
const IFLA_XDP = 43
const IFLA_XDP_FD = 1
const IFLA_XDP_ATTACHED = 2
const IFLA_XDP_FLAGS = 3
const IFLA_XDP_PROG_ID = 4
const IFLA_XDP_EXPECTED_FD = 8

/** By a link, which ends with this process. Kernel 5.9. @throws SysError: EBUSY if another program is there */
export function attachXdp(program: Program, { interface: name, mode }: XdpOptions): Link {
  const place = `xdp on ${name}`
  return Link.at(place, createLink({
    place, fd: program.fd, target: interfaceIndex(name), attachType: AttachType.xdp, size: 16,
    flags: mode === undefined ? 0 : modeFlags[mode],
  }))
}

/**
 * By netlink, as before 5.9: it stays when the process ends, until it is closed. Only where no program is yet, or in place of
 * `replace` (5.7); close() takes it away only while it is still this program.
 */
export function attachXdpByNetlink(program: Program, { interface: name, mode }: XdpOptions, replace?: Program): Link {
  const index = interfaceIndex(name)
  const flags = mode === undefined ? 0 : modeFlags[mode]
  setXdp(index, program.fd, flags | (replace === undefined ? XDP_FLAGS_UPDATE_IF_NOEXIST : XDP_FLAGS_REPLACE), replace?.fd)
  const { id } = program.info()
  return undoableHere(`xdp on ${name}`, () => {
    if (xdpProgram(index)?.programId === id) setXdp(index, -1, flags)
  })
}

/** The program on an interface, however it was attached; undefined if there is none. */
export function xdpProgram(name: string | number): { programId: number; mode: XdpMode } | undefined {
  const [reply] = netlink(new NetlinkMessage('RTM_GETLINK', RTM_GETLINK, 0, linkHeader(interfaceIndex(name))))
  const xdp = readAttributes(reply!.payload, 16).get(IFLA_XDP)
  if (xdp === undefined) return undefined
  const attributes = readAttributes(xdp)
  const programId = attributeNumber(attributes.get(IFLA_XDP_PROG_ID) ?? new Uint8Array())
  if (programId === 0) return undefined
  const attached = attributeNumber(attributes.get(IFLA_XDP_ATTACHED) ?? new Uint8Array())
  return { programId, mode: attached === 1 ? 'driver' : attached === 3 ? 'hardware' : 'generic' }
}

function setXdp(index: number, fd: number, flags: number, expected?: number): void {
  netlink(new NetlinkMessage('RTM_SETLINK', RTM_SETLINK, 0, linkHeader(index)).nest(IFLA_XDP, (xdp) => {
    xdp.u32(IFLA_XDP_FD, fd).u32(IFLA_XDP_FLAGS, flags)
    if (expected !== undefined) xdp.u32(IFLA_XDP_EXPECTED_FD, expected)
  }))
}

/** `struct ifinfomsg` */
function linkHeader(index: number): Uint8Array {
  const head = new Uint8Array(16)
  new DataView(head.buffer).setInt32(4, index, true)
  return head
}
