import { statSync } from 'node:fs'
import { Errno, SysError } from '../../sys/errno.ts'
import { NetlinkMessage, attributeNumber, readAttributes } from '../../sys/netlink-message.ts'
import { netlink } from '../../sys/netlink.ts'
import type { NetlinkReply } from '../../sys/netlink.ts'
import { interfaceIndex } from '../interface.ts'
import { undoableHere } from '../link.ts'
import type { Link } from '../link.ts'
import type { Program } from '../program.ts'
import { TargetError } from '../target-error.ts'

export interface ClsactOptions {
  interface: string | number
  direction: 'ingress' | 'egress'
  /** Lower ones run first; by default the kernel chooses one below those that are there. */
  priority?: number
}

/** A filter of the hook, as the kernel lists them. */
export interface ClsactFilter { priority: number; handle: number; name: string; programId: number }

const RTM_NEWQDISC = 36
const RTM_DELQDISC = 37
const RTM_NEWTFILTER = 44
const RTM_DELTFILTER = 45
const RTM_GETTFILTER = 46
const NLM_F_CREATE = 0x400
const NLM_F_EXCL = 0x200
const NLM_F_ECHO = 0x8
const NLM_F_DUMP = 0x300
const TCA_KIND = 1
const TCA_OPTIONS = 2
const TCA_BPF_FD = 6
const TCA_BPF_NAME = 7
const TCA_BPF_FLAGS = 8
const TCA_BPF_ID = 11
const TCA_BPF_FLAG_ACT_DIRECT = 1
const CLSACT = 0xffff_fff1
const CLSACT_HANDLE = 0xffff_0000
const parents = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const
const ETH_P_ALL = 0x0003

/**
 * Packets as they come in or go out, by a filter of the clsact queueing discipline (4.5), which is made if it is not there and
 * taken away again by close() if nobody uses it. It stays when the process ends, until it is closed: prefer tcx where there is
 * one.
 */
export function attachClsact(program: Program, { interface: name, direction, priority = 0 }: ClsactOptions): Link {
  const index = interfaceIndex(name)
  const qdisc = useQdisc(index)
  try {
    // The echo tells which priority and handle the kernel chose.
    const flags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO
    const [reply] = netlink(filterMessage('RTM_NEWTFILTER', RTM_NEWTFILTER, flags, index, direction, priority, 0)
      .string(TCA_KIND, 'bpf').nest(TCA_OPTIONS, (options) => {
        options.u32(TCA_BPF_FD, program.fd).string(TCA_BPF_NAME, program.name).u32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT)
      }))
    const filter = readFilter(reply!.payload)
    return undoableHere(`clsact ${direction} on ${name}`, () => {
      removeFilter(index, direction, filter)
      qdisc.leave()
    })
  } catch (error) {
    qdisc.leave()
    throw error
  }
}

/** The filters of a hook that are programs, in the order in which they run. */
export function clsactFilters(name: string | number, direction: 'ingress' | 'egress'): ClsactFilter[] {
  return filters(interfaceIndex(name), direction).map(({ payload }) => readFilter(payload)).filter(({ programId }) => programId !== 0)
}

/** Filters of any kind. */
function filters(index: number, direction: 'ingress' | 'egress'): NetlinkReply[] {
  return netlink(filterMessage('RTM_GETTFILTER', RTM_GETTFILTER, NLM_F_DUMP, index, direction, 0, 0))
    .filter(({ type }) => type === RTM_NEWTFILTER)
}

/** Queueing disciplines that this process made, with how many of its filters are in them. */
const made = new Map<string, number>()

/**
 * Makes the queueing discipline if it is not there. The last filter of ours takes it away, if we made it and nobody else is in
 * it.
 */
function useQdisc(index: number): { leave(): void } {
  const key = `${statSync('/proc/thread-self/ns/net').ino}:${index}`
  const users = made.get(key)
  if (users !== undefined) made.set(key, users + 1)
  else if (makeQdisc(index)) made.set(key, 1)
  return {
    leave() {
      const left = (made.get(key) ?? 0) - 1
      if (left > 0) made.set(key, left)
      if (left !== 0) return
      made.delete(key)
      if (filters(index, 'ingress').length === 0 && filters(index, 'egress').length === 0) removeQdisc(index)
    },
  }
}

/** @returns whether it was not there before */
function makeQdisc(index: number): boolean {
  try {
    const address = head(index, CLSACT_HANDLE, CLSACT, 0)
    netlink(new NetlinkMessage('RTM_NEWQDISC', RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, address).string(TCA_KIND, 'clsact'))
    return true
  } catch (error) {
    if (error instanceof SysError && error.errno === Errno.EEXIST) return false
    if (error instanceof SysError && error.errno === Errno.ENOENT) {
      throw new TargetError('clsact', 'this kernel has no such queueing discipline (module sch_ingress)')
    }
    throw error
  }
}

function removeQdisc(index: number): void {
  netlink(new NetlinkMessage('RTM_DELQDISC', RTM_DELQDISC, 0, head(index, CLSACT_HANDLE, CLSACT, 0)))
}

function removeFilter(index: number, direction: 'ingress' | 'egress', { priority, handle }: ClsactFilter): void {
  try {
    netlink(filterMessage('RTM_DELTFILTER', RTM_DELTFILTER, 0, index, direction, priority, handle).string(TCA_KIND, 'bpf'))
  } catch (error) {
    // Somebody else took it away, with the interface perhaps.
    if (!(error instanceof SysError) || ![Errno.ENOENT, Errno.ENODEV, Errno.EINVAL].includes(error.errno as 2)) throw error
  }
}

function filterMessage(
  name: string, type: number, flags: number, index: number, direction: 'ingress' | 'egress', priority: number, handle: number,
): NetlinkMessage {
  const protocol = (ETH_P_ALL << 8) & 0xffff
  return new NetlinkMessage(name, type, flags, head(index, handle, parents[direction], (priority << 16 | protocol) >>> 0))
}

/** `struct tcmsg` */
function head(index: number, handle: number, parent: number, info: number): Uint8Array {
  const bytes = new Uint8Array(20)
  const view = new DataView(bytes.buffer)
  view.setInt32(4, index, true)
  view.setUint32(8, handle, true)
  view.setUint32(12, parent, true)
  view.setUint32(16, info, true)
  return bytes
}

function readFilter(payload: Uint8Array): ClsactFilter {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const options = readAttributes(readAttributes(payload, 20).get(TCA_OPTIONS) ?? new Uint8Array())
  return {
    priority: view.getUint32(16, true) >>> 16, handle: view.getUint32(8, true),
    name: new TextDecoder().decode(options.get(TCA_BPF_NAME) ?? new Uint8Array()).replace(/\0$/, ''),
    programId: attributeNumber(options.get(TCA_BPF_ID) ?? new Uint8Array()),
  }
}
