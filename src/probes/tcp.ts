import type { inet_sock, sock, tcp_sock } from 'skep/vmlinux'
import { address, assign, currentTask, ktime, local, networkOrder16 } from '../compiler/language/intrinsics.ts'
import { lruHash, ringbuf } from '../compiler/language/maps.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { event } from '../signals/event.ts'
import { defineProbe } from '../signals/probe.ts'
import { bytes, chars, struct, u16, u32, u64 } from '../spec/schema.ts'
import { workload, workloadOf } from './workload.ts'

export const probe = defineProbe({
  name: 'tcp',
  title: 'TCP connections: opened, accepted, failed and closed, with duration and bytes',
})

/** net/tcp_states.h */
const TCP_ESTABLISHED = 1
const TCP_SYN_SENT = 2
const TCP_FIN_WAIT1 = 4
const TCP_CLOSE = 7
const TCP_LAST_ACK = 9
const TCP_LISTEN = 10
/** linux/socket.h */
const AF_INET6 = 10
const IPPROTO_TCP = 6
/** Bit of sk_flags that is set when the peer's FIN has arrived (SOCK_DONE of net/sock.h). */
const SOCK_DONE = 2

export const OUTGOING = 1
export const INCOMING = 2

export const ring = ringbuf({ name: 'tcp_events', bytes: 512 * 1024 })

export const connections = counterGroup('tcp', {
  description: 'TCP connections by what happened to them',
  counters: { opened: '{connection}', accepted: '{connection}', failed: '{connection}', closed: '{connection}' },
})

/** Addresses in network order: the 4-byte ones for family AF_INET, the 16-byte ones for AF_INET6. */
const endpoints = struct({
  family: u16, localPort: u16, peerPort: u16, direction: u16, local4: u32, peer4: u32, local6: bytes(16), peer6: bytes(16),
}, 'endpoints')
const owner = struct({ pid: u32, name: chars(16), workload }, 'owner')

export const opened = event('tcp.opened', {
  description: 'An outgoing connection was established (duration: since connect), or an incoming one accepted by the kernel',
  ring,
  fields: { at: u64, endpoints, owner, duration: u64 },
})

export const closed = event('tcp.closed', {
  description: 'A connection ended; duration 0 means that its beginning was not seen, established 0 that it never came about',
  ring,
  fields: { at: u64, endpoints, owner, duration: u64, sent: u64, received: u64, established: u32 },
})

/**
 * Who listens where: an incoming connection is established in interrupt context, where the current task is nobody's.
 * The agent adds those that listened before it came.
 */
export const listeners = lruHash(struct({ netns: u32, port: u32 }, 'listener'), owner, { maxEntries: 4096 })

/** Connections whose beginning was seen, by the address of the socket. */
const open = lruHash(u64, struct({ since: u64, established: u32, direction: u32, owner }, 'connection'), { maxEntries: 65_536 })

function currentOwner() {
  'use bpf'
  const task = currentTask()
  return local(owner, { pid: task.tgid, name: task.group_leader.comm, workload: workloadOf(task) })
}

function listenerOf(sk: sock) {
  'use bpf'
  return { netns: sk.__sk_common.skc_net.net.ns.inum, port: sk.__sk_common.skc_num }
}

function endpointsOf(sk: sock, direction: number) {
  'use bpf'
  const common = sk.__sk_common
  // A closed socket has given back its number, but still knows the port that it sent from.
  const inet = sk as unknown as inet_sock
  const ends = local(endpoints, {
    family: common.skc_family, localPort: networkOrder16(inet.inet_sport), peerPort: networkOrder16(common.skc_dport), direction,
  })
  if (ends.family === AF_INET6) {
    ends.local6 = common.skc_v6_rcv_saddr
    ends.peer6 = common.skc_v6_daddr
  } else {
    ends.local4 = common.skc_rcv_saddr
    ends.peer4 = common.skc_daddr
  }
  return ends
}

function connecting(sk: sock) {
  'use bpf'
  open.set(address(sk), { since: ktime(), established: 0, direction: OUTGOING, owner: currentOwner() })
}

function established(sk: sock) {
  'use bpf'
  const count = connections.at()
  if (count === undefined) return
  const now = ktime()
  const connection = open.get(address(sk))
  if (connection !== undefined) {
    connection.established = 1
    count.opened += 1
    opened.emit({ at: now, endpoints: endpointsOf(sk, OUTGOING), owner: connection.owner, duration: now - connection.since })
    return
  }
  count.accepted += 1
  const who = local(owner, {})
  const listening = listeners.get(listenerOf(sk))
  if (listening !== undefined) assign(who, listening)
  open.set(address(sk), { since: now, established: 1, direction: INCOMING, owner: who })
  opened.emit({ at: now, endpoints: endpointsOf(sk, INCOMING), owner: who, duration: 0 })
}

/**
 * Both states come of close() or shutdown() alone, so the current task is the one that has the socket: it tells who
 * accepted the connection where that is another process than the one that listens, or one that listened before skep came.
 */
function closing(sk: sock) {
  'use bpf'
  const connection = open.get(address(sk))
  if (connection !== undefined && connection.direction === INCOMING) connection.owner = currentOwner()
}

function gone(sk: sock, oldState: number) {
  'use bpf'
  const connection = open.get(address(sk))
  // A listener that stops, or a socket that never connected.
  if (connection === undefined && (oldState === TCP_LISTEN || oldState === TCP_CLOSE)) return
  const count = connections.at()
  if (count === undefined) return
  const now = ktime()
  const tcp = sk as unknown as tcp_sock
  // Payload only: no retransmissions, and not the sequence number that the peer's FIN takes.
  const sent = tcp.bytes_sent - tcp.bytes_retrans
  const fin = (sk.__sk_common.skc_flags & SOCK_DONE) !== 0 ? 1 : 0
  const received = tcp.bytes_received - fin
  if (connection === undefined) {
    count.closed += 1
    closed.emit({ at: now, endpoints: endpointsOf(sk, 0), owner: local(owner, {}), duration: 0, sent, received, established: 1 })
    return
  }
  if (connection.established === 1) count.closed += 1
  else count.failed += 1
  closed.emit({
    at: now,
    endpoints: endpointsOf(sk, connection.direction),
    owner: connection.owner,
    duration: now - connection.since,
    sent,
    received,
    established: connection.established,
  })
  open.delete(address(sk))
}

export const stateChanged = tp_btf('inet_sock_set_state', (sk, oldState, newState) => {
  'use bpf'
  if (sk.sk_protocol !== IPPROTO_TCP) return
  if (newState === TCP_LISTEN) listeners.set(listenerOf(sk), currentOwner())
  else if (newState === TCP_SYN_SENT) connecting(sk)
  else if (newState === TCP_ESTABLISHED) established(sk)
  else if (newState === TCP_FIN_WAIT1 || newState === TCP_LAST_ACK) closing(sk)
  else if (newState === TCP_CLOSE) gone(sk, oldState)
})
