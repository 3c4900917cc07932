import { execFileSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { expect, test } from 'vitest'
import { inNetworkNamespace } from './namespace.ts'
import { netlink } from './netlink.ts'
import { attributeNumber, NetlinkMessage, readAttributes } from './netlink-message.ts'
import { SysError } from './errno.ts'

const root = process.platform === 'linux' && process.getuid?.() === 0
const IFLA_IFNAME = 3

test('messages have headers, padding and nests', () => {
  const message = new NetlinkMessage('TEST', 16, 0x400, new Uint8Array([1, 2, 3, 4]))
  message.string(3, 'lo').nest(43, (inner) => inner.u32(1, 0x01020304))
  const hex = Buffer.from(message.encode(7)).toString('hex')
  expect(hex.slice(0, 48)).toBe('280000001000050407000000000000000102030407000300')
  expect(hex.slice(48)).toBe('6c6f00000c002b800800010004030201')
})

test('attributes are read back, and malformed ones end the reading', () => {
  const bytes = new Uint8Array([5, 0, 1, 0, 9, 0, 0, 0, 6, 0, 2, 0x80, 1, 2, 0, 0, 200, 0, 3, 0])
  const attributes = readAttributes(bytes)
  expect([...attributes.keys()]).toEqual([1, 2])
  expect(attributeNumber(attributes.get(2)!)).toBe(0x0201)
})

test.runIf(root)('the kernel answers, in its own words when it refuses (feature: netlink)', () => {
  const link = new Uint8Array(16)
  new DataView(link.buffer).setInt32(4, 1, true)
  const [reply] = netlink(new NetlinkMessage('RTM_GETLINK', 18, 0, link))
  expect(new TextDecoder().decode(readAttributes(reply!.payload, 16).get(IFLA_IFNAME))).toBe('lo\0')
  new DataView(link.buffer).setInt32(4, 999_999, true)
  expect(() => netlink(new NetlinkMessage('RTM_GETLINK', 18, 0, link))).toThrow('netlink(RTM_GETLINK): ENODEV')
})

test.runIf(root)('another network namespace, and back (feature: network namespaces)', () => {
  const name = `skep-${process.pid}-sys`
  execFileSync('ip', ['netns', 'add', name])
  try {
    const where = () => readlinkSync('/proc/thread-self/ns/net')
    const home = where()
    expect(inNetworkNamespace(`/run/netns/${name}`, where)).not.toBe(home)
    expect(where()).toBe(home)
    expect(() => inNetworkNamespace(`/run/netns/${name}`, () => { throw new Error('inside') })).toThrow('inside')
    expect(where()).toBe(home)
    expect(() => inNetworkNamespace('/proc/self/ns/mnt', where)).toThrow(SysError)
    expect(where()).toBe(home)
  } finally {
    execFileSync('ip', ['netns', 'delete', name])
  }
})
