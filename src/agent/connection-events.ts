import { INCOMING, OUTGOING, type closed, type opened } from '../probes/tcp.ts'
import type { ValueOf } from '../spec/schema.ts'
import type { Cgroups } from './cgroups.ts'
import type { Clock } from './clock.ts'
import type { ConnectionEvent } from './snapshot.ts'
import type { Workload } from './workload.ts'

type Opened = ValueOf<typeof opened.record>
type Closed = ValueOf<typeof closed.record>
type Endpoints = Opened['endpoints']
export type ConnectionRecord = { type: 'opened'; record: Opened } | { type: 'closed'; record: Closed }

/** linux/socket.h */
const AF_INET6 = 10

/** The record of the kernel in the terms of the snapshot, and the workload of the socket's owner; null when no one knows it. */
export function connectionEvent(from: ConnectionRecord, clock: Clock, cgroups: Cgroups): { event: ConnectionEvent; workload: Workload | null } {
  const { endpoints, owner, at, duration } = from.record
  const known = owner.pid !== 0 || owner.name !== ''
  const workload = known ? cgroups.workload(owner.workload.cgroup, owner.workload.comm) : null
  const ended = from.type === 'closed' ? from.record : null
  const failed = ended !== null && ended.established === 0
  const incoming = endpoints.direction === INCOMING
  const event: ConnectionEvent = {
    at: clock.at(at),
    type: ended === null ? (incoming ? 'accepted' : 'opened') : failed ? 'failed' : 'closed',
    ...addresses(endpoints),
    direction: incoming ? 'in' : endpoints.direction === OUTGOING ? 'out' : 'unknown',
    pid: owner.pid, name: owner.name, workload: workload?.name ?? '',
    durationNs: duration === 0 ? null : duration,
    bytesSent: ended === null ? null : ended.sent,
    bytesReceived: ended === null ? null : ended.received,
  }
  return { event, workload }
}

function addresses(ends: Endpoints): Pick<ConnectionEvent, 'family' | 'local' | 'localPort' | 'peer' | 'peerPort'> {
  const { localPort, peerPort } = ends
  if (ends.family !== AF_INET6) return { family: 4, local: ipv4(ends.local4), localPort, peer: ipv4(ends.peer4), peerPort }
  return { family: 6, local: ipv6(ends.local6), localPort, peer: ipv6(ends.peer6), peerPort }
}

/** A 4-byte address in network order, as read on a little-endian machine. */
export function ipv4(address: number): string {
  return `${address & 0xff}.${address >>> 8 & 0xff}.${address >>> 16 & 0xff}.${address >>> 24 & 0xff}`
}

/** RFC 5952: lower case, the longest run of zero groups (at least two, the first of equals) as '::', IPv4-mapped in dots. */
export function ipv6(address: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, index) => address[index * 2]! << 8 | address[index * 2 + 1]!)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${address.slice(12).join('.')}`
  let [best, length] = [-1, 1]
  for (let start = 0; start < 8; start++) {
    let end = start
    while (end < 8 && groups[end] === 0) end++
    if (end - start > length) [best, length] = [start, end - start]
  }
  const hex = groups.map((group) => group.toString(16))
  if (best < 0) return hex.join(':')
  return `${hex.slice(0, best).join(':')}::${hex.slice(best + length).join(':')}`
}
