import { describe, expect, test } from 'vitest'
import { Cgroups } from './cgroups.ts'
import { WallClock, monotonicNs } from './clock.ts'
import { connectionEvent, ipv4, ipv6 } from './connection-events.ts'
import { processEvent, waitStatus } from './process-events.ts'

const cgroups = new Cgroups({ mount: null })
cgroups.created(42, '/system.slice/web.service')
const clock = new WallClock()

describe('process events', () => {
  const task = { at: 5_000_000_000, pid: 7, ppid: 1, uid: 1000, workload: { cgroup: 42, comm: '' }, name: 'sh' }
  test('start, exec and end', () => {
    expect(processEvent({ type: 'start', record: { ...task, type: 1 } }, clock, cgroups).event)
      .toEqual({ at: clock.at(5e9), type: 'start', pid: 7, ppid: 1, name: 'sh', executable: '', uid: 1000, workload: 'web.service', status: null, signal: null, durationNs: null })
    expect(processEvent({ type: 'exec', record: { ...task, type: 2, executable: '/bin/sh' } }, clock, cgroups).event.executable).toBe('/bin/sh')
    expect(processEvent({ type: 'end', record: { ...task, type: 3, startedAt: 4_000_000_000, code: 3 << 8 } }, clock, cgroups))
      .toMatchObject({ event: { status: 3, signal: null, durationNs: 1e9 }, workload: { id: 'unit:/system.slice/web.service' } })
  })
  test('wait status: exit, signal, signal with core', () => {
    expect([0, 256, 0xff00, 9, 11 | 0x80].map(waitStatus)).toEqual([
      { status: 0, signal: null }, { status: 1, signal: null }, { status: 255, signal: null }, { status: null, signal: 9 }, { status: null, signal: 11 }])
  })
})

describe('connection events', () => {
  const none = new Uint8Array(16)
  const ends = { family: 2, localPort: 40_000, peerPort: 443, direction: 1, local4: 0x0100007f, peer4: 0x0200000a, local6: none, peer6: none }
  const owner = { pid: 9, name: 'curl', workload: { cgroup: 1, comm: 'curl' } }
  test('opened, accepted, closed, failed', () => {
    const opened = { at: 1, endpoints: ends, owner, duration: 2000, type: 1 }
    expect(connectionEvent({ type: 'opened', record: opened }, clock, cgroups).event).toMatchObject({
      type: 'opened', family: 4, local: '127.0.0.1', localPort: 40_000, peer: '10.0.0.2', peerPort: 443, direction: 'out', pid: 9, name: 'curl',
      workload: 'curl', durationNs: 2000, bytesSent: null, bytesReceived: null })
    const accepted = { ...opened, endpoints: { ...ends, direction: 2 }, duration: 0 }
    expect(connectionEvent({ type: 'opened', record: accepted }, clock, cgroups).event).toMatchObject({ type: 'accepted', direction: 'in', durationNs: null })
    const closed = { ...opened, type: 2, sent: 10, received: 0, established: 1 }
    expect(connectionEvent({ type: 'closed', record: closed }, clock, cgroups).event).toMatchObject({ type: 'closed', bytesSent: 10, bytesReceived: 0 })
    expect(connectionEvent({ type: 'closed', record: { ...closed, established: 0 } }, clock, cgroups).event.type).toBe('failed')
  })
  test('an owner that no one knows gives no workload', () => {
    const record = { at: 1, endpoints: { ...ends, direction: 0 }, owner: { pid: 0, name: '', workload: { cgroup: 0, comm: '' } }, duration: 0, type: 2, sent: 1, received: 1, established: 1 }
    expect(connectionEvent({ type: 'closed', record }, clock, cgroups)).toMatchObject({ event: { direction: 'unknown', workload: '' }, workload: null })
  })
})

test('addresses', () => {
  const six = (...groups: number[]) => new Uint8Array(groups.flatMap((group) => [group >> 8, group & 0xff]))
  expect(ipv4(0x0403_02ff)).toBe('255.2.3.4')
  expect(ipv4(0xffff_ffff)).toBe('255.255.255.255')
  expect([
    six(0, 0, 0, 0, 0, 0, 0, 0), six(0, 0, 0, 0, 0, 0, 0, 1), six(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1), six(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1),
    six(0xfe80, 0, 0, 0, 1, 2, 3, 4), six(1, 2, 3, 4, 5, 6, 0, 0), six(0, 0, 0, 0, 0, 0xffff, 0x7f00, 1), six(1, 2, 3, 4, 5, 6, 7, 8),
  ].map(ipv6)).toEqual(['::', '::1', '2001:db8::1:0:0:1', '2001:db8:0:1:1:1:1:1', 'fe80::1:2:3:4', '1:2:3:4:5:6::', '::ffff:127.0.0.1', '1:2:3:4:5:6:7:8'])
})

test('kernel time becomes the time of day', () => {
  const before = Date.now()
  const got = new WallClock().at(monotonicNs())
  expect(got).toBeGreaterThanOrEqual(before - 1)
  expect(got).toBeLessThanOrEqual(Date.now() + 1)
})
