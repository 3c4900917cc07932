import { execFileSync } from 'node:child_process'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inNetworkNamespace } from '../../sys/namespace.ts'
import { openSocket, setSocketNumber } from '../../sys/socket.ts'
import { close } from '../../sys/syscall.ts'
import { Collection } from '../collection.ts'
import { features, has } from '../features.ts'
import { interfaceIndex } from '../interface.ts'
import { Link } from '../link.ts'
import { programIds } from '../objects.ts'
import { queryPrograms } from '../query.ts'
import { TargetError } from '../target-error.ts'
import { compiler, fromC } from '../testing/c-object.ts'
import { keeper } from '../testing/keeper.ts'
import { bpfFileSystem, networkNamespace } from '../testing/places.ts'
import { attachClsact, clsactFilters } from './clsact.ts'
import { attachNetfilter } from './netfilter.ts'
import { attachNetworkNamespace } from './network-namespace.ts'
import { attachReuseport, attachSocketFilter } from './socket.ts'
import { attachSockmap } from './sockmap.ts'
import { attachNetkit, attachTcx } from './tcx.ts'
import { attachXdp, attachXdpByNetlink, xdpProgram } from './xdp.ts'

const ready = process.platform === 'linux' && compiler && process.getuid?.() === 0 && has(features.bpf)

/** Sends itself `count` datagrams over lo, waits for them, and prints how many came. */
const datagrams = (count: number) => `
  const socket = require('node:dgram').createSocket('udp4')
  let got = 0
  const end = () => { console.log(got); process.exit() }
  socket.on('message', () => { if (++got === ${count}) end() })
  socket.bind(0, '127.0.0.1', () => { for (let i = 0; i < ${count}; i++) socket.send('hello', socket.address().port, '127.0.0.1') })
  setTimeout(end, 700)`

describe.runIf(ready)('hooks of the network, in a namespace of their own (features: clang, root)', () => {
  const keep = keeper()
  let home: { path: string; name: string; close(): void }
  beforeAll(() => { home = networkNamespace() })
  afterAll(() => home.close())
  const inside = <T>(action: () => T) => inNetworkNamespace(home.path, action)
  const send = (count: number) => Number(execFileSync('ip', ['netns', 'exec', home.name, process.execPath, '-e', datagrams(count)], { encoding: 'latin1' }))
  const load = (text: string) => keep(Collection.load(fromC(text)).requireAll())
  const value = (object: Collection, name = 'count') => object.variable(name).get()

  const xdpText = `
    int count, dropped;
    SEC("xdp") int pass(struct xdp_md *ctx) { __sync_fetch_and_add(&count, 1); return XDP_PASS; }
    SEC("xdp") int drop(struct xdp_md *ctx) { __sync_fetch_and_add(&dropped, 1); return XDP_DROP; }`

  test.runIf(has(features.xdpLink))('XDP by a link: packets pass, are dropped after an update, pass again after detach (feature: links to XDP)', () => {
    const object = load(xdpText)
    const [pass, drop] = [object.programs.get('pass')!, object.programs.get('drop')!]
    const link = keep(inside(() => attachXdp(pass, { interface: 'lo', mode: 'generic' })))
    expect(send(5)).toBe(5)
    expect(value(object)).toBeGreaterThanOrEqual(5)
    expect(link.info()).toMatchObject({ kind: 'xdp', interface: 1, programId: pass.info().id })
    expect(inside(() => xdpProgram('lo'))).toEqual({ programId: pass.info().id, mode: 'generic' })
    expect(() => inside(() => attachXdp(drop, { interface: 'lo', mode: 'generic' }))).toThrow('another program is there already')
    expect(() => link.update(pass, drop)).toThrow('EPERM')
    link.update(drop, pass)
    expect(send(3)).toBe(0)
    expect(value(object, 'dropped')).toBeGreaterThanOrEqual(3)
    link.detach()
    expect(send(2)).toBe(2)
    expect(inside(() => xdpProgram('lo'))).toBe(undefined)
    expect(link.closed).toBe(false)
  })

  test('XDP by netlink: only where none is, replaced only when asked, gone after close', () => {
    const object = load(xdpText)
    const [pass, drop] = [object.programs.get('pass')!, object.programs.get('drop')!]
    const link = inside(() => attachXdpByNetlink(pass, { interface: 'lo', mode: 'generic' }))
    expect(link.mechanism).toBe('netlink')
    expect(send(4)).toBe(4)
    expect(() => inside(() => attachXdpByNetlink(drop, { interface: 'lo', mode: 'generic' }))).toThrow(/netlink\(RTM_SETLINK\): EBUSY: XDP program already attached/)
    const second = inside(() => attachXdpByNetlink(drop, { interface: 'lo', mode: 'generic' }, pass))
    link.close()
    expect(inside(() => xdpProgram('lo'))!.programId).toBe(drop.info().id)
    second.close()
    expect(inside(() => xdpProgram('lo'))).toBe(undefined)
    expect(() => link.info()).toThrow('attached by netlink')
    expect(() => inside(() => attachXdpByNetlink(pass, { interface: 'none' }))).toThrow(TargetError)
  })

  const tcText = `
    int order, count;
    SEC("tc") int one(struct __sk_buff *skb) { order = order * 10 + 1; count++; return -1; }
    SEC("tc") int two(struct __sk_buff *skb) { order = order * 10 + 2; return -1; }
    SEC("tc") int three(struct __sk_buff *skb) { order = order * 10 + 3; return -1; }`

  test.runIf(has(features.tcx))('tcx: several programs in the order asked for, and a list that knows it (feature: tcx)', () => {
    const object = load(tcText)
    const [one, two, three] = ['one', 'two', 'three'].map((name) => object.programs.get(name)!)
    const at = { interface: 'lo', direction: 'egress' } as const
    const first = keep(inside(() => attachTcx(two!, at)))
    const query = () => inside(() => queryPrograms(1, 'tcx_egress'))
    const { revision } = query()
    const before = keep(inside(() => attachTcx(one!, { ...at, order: { before: { link: first } }, revision })))
    expect(() => inside(() => attachTcx(three!, { ...at, revision }))).toThrow('ESTALE')
    const last = keep(inside(() => attachTcx(three!, { ...at, order: { after: { program: two!.info().id } } })))
    const list = query()
    expect(list.programs.map(({ id }) => id)).toEqual([one, two, three].map((program) => program!.info().id))
    expect(list.programs.map(({ linkId }) => linkId)).toEqual([before, first, last].map((link) => link.info().id))
    expect(list.revision).toBeGreaterThan(revision)
    expect(send(1)).toBe(1)
    expect(String(value(object, 'order')).slice(0, 3)).toBe('123')
    expect(last.info()).toMatchObject({ kind: 'tcx', interface: 1, attachType: 'tcx_egress' })
    before.close()
    const front = keep(inside(() => attachTcx(three!, { interface: 'lo', direction: 'ingress', order: 'first' })))
    expect(inside(() => queryPrograms(1, 'tcx_ingress')).programs).toMatchObject([{ linkId: front.info().id }])
  })

  test('netkit: attached, or the kernel’s lack of it is named', () => {
    const object = load(tcText.replaceAll('SEC("tc")', 'SEC("netkit/primary")'))
    const attach = () => inside(() => attachNetkit(object.programs.get('one')!, { interface: 'lo', end: 'primary' }))
    expect(attach).toThrow(/netkit primary on lo/)
  })

  test('clsact by netlink: filters in both directions, and nothing is left', () => {
    const object = load(`
      int in, out;
      SEC("tc") int ingress(struct __sk_buff *skb) { in++; return 0; }
      SEC("tc") int egress(struct __sk_buff *skb) { out++; return 0; }`)
    const [ingress, egress] = [object.programs.get('ingress')!, object.programs.get('egress')!]
    const links = [
      inside(() => attachClsact(ingress, { interface: 'lo', direction: 'ingress' })),
      inside(() => attachClsact(egress, { interface: 'lo', direction: 'egress', priority: 7 })),
    ]
    expect(send(6)).toBe(6)
    expect(value(object, 'in')).toBeGreaterThanOrEqual(6)
    expect(value(object, 'out')).toBeGreaterThanOrEqual(6)
    expect(inside(() => clsactFilters('lo', 'egress'))).toMatchObject([{ priority: 7, name: 'egress', programId: egress.info().id }])
    // From outside of the namespace.
    for (const link of links) link.close()
    expect(execFileSync('ip', ['netns', 'exec', home.name, 'tc', 'qdisc', 'show', 'dev', 'lo'], { encoding: 'latin1' })).not.toContain('clsact')
  })

  test.runIf(has(features.netfilter))('netfilter: counts, drops, and says where it is (feature: netfilter)', () => {
    const object = load(`
      int count;
      SEC("netfilter") int run(void *ctx) { count++; return 0; }`)
    const run = object.programs.get('run')!
    const at = { family: 'ipv4', hook: 'output', priority: -50 } as const
    const link = keep(inside(() => attachNetfilter(run, at)))
    expect(send(3)).toBe(0)
    expect(value(object)).toBeGreaterThanOrEqual(3)
    expect(link.info()).toMatchObject({ kind: 'netfilter', family: 2, hook: 3, priority: -50, flags: 0 })
    expect(() => inside(() => attachNetfilter(run, at))).toThrow('EBUSY')
    link.close()
    expect(send(3)).toBe(3)
  })

  test.runIf(has(features.netnsLink))('sk_lookup and flow_dissector in a network namespace (feature: links to network namespaces)', () => {
    const object = load(`
      int count;
      SEC("sk_lookup") int find(struct bpf_sk_lookup *ctx) { count++; return SK_PASS; }
      SEC("flow_dissector") int dissect(struct __sk_buff *skb) { return BPF_OK; }`)
    const link = keep(attachNetworkNamespace(object.programs.get('find')!, home.path))
    send(3)
    expect(value(object)).toBeGreaterThanOrEqual(3)
    expect(link.info()).toMatchObject({ kind: 'netns', attachType: 'sk_lookup' })
    const dissector = keep(attachNetworkNamespace(object.programs.get('dissect')!, home.path))
    expect(dissector.info()).toMatchObject({ kind: 'netns', attachType: 'flow_dissector' })
    link.update(object.programs.get('find')!)
    const found = object.programs.get('find')!.testRun({ context: new Uint8Array(new Uint32Array([0, 0, 2, 6, ...Array.from({ length: 14 }, () => 0)]).buffer) })
    expect(found.returnValue).toBe(1)
  })

  test('a filter of a socket sees the packets of the interface, until it is closed', () => {
    const object = load(`int count; SEC("socket") int filter(struct __sk_buff *skb) { count++; return 0; }`)
    const everything = 0x0300
    const socket = inside(() => openSocket('packet', 'raw', everything))
    const link = keep(attachSocketFilter(object.programs.get('filter')!, socket))
    send(3)
    const seen = value(object)
    expect(seen).toBeGreaterThanOrEqual(3)
    link.close()
    send(3)
    expect(value(object)).toBe(seen)
    close(socket)
    expect(() => attachSocketFilter(object.programs.get('filter')!, socket)).toThrow('EBADF')
  })

  test('a reuseport program on a group of sockets, and not on a single one', () => {
    const object = load(`
      SEC("sk_reuseport") int choose(struct sk_reuseport_md *md) { return SK_PASS; }`)
    const SO_REUSEPORT = 15
    const [alone, grouped] = [openSocket('inet', 'datagram'), openSocket('inet', 'datagram')]
    expect(() => attachReuseport(object.programs.get('choose')!, alone)).toThrow(/setsockopt: EINVAL: reuseport of socket/)
    expect(setSocketNumber(grouped, SO_REUSEPORT, 1)).toBe(0)
    const link = attachReuseport(object.programs.get('choose')!, grouped)
    expect(link.mechanism).toBe('socket')
    link.close()
    for (const socket of [alone, grouped]) close(socket)
  })

  test('sockmap: messages of the sockets in a map are seen (link from 6.10 on)', async () => {
    const object = load(`
      struct { __uint(type, BPF_MAP_TYPE_SOCKMAP); __uint(max_entries, 4); __type(key, int); __type(value, long long); } sockets SEC(".maps");
      int messages, bytes, parsed;
      SEC("sk_msg") int verdict(struct sk_msg_md *msg) { messages++; bytes += msg->size; return SK_PASS; }
      SEC("sk_skb/verdict") int received(struct __sk_buff *skb) { parsed += skb->len; return SK_PASS; }`)
    const map = object.map('sockets')
    const link = keep(attachSockmap(object.programs.get('verdict')!, map))
    const receive = keep(attachSockmap(object.programs.get('received')!, map))
    const server = createServer((socket) => socket.on('data', (data) => socket.write(data)))
    await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    await new Promise((resolve) => { client.once('connect', resolve) })
    map.set(0, (client as Socket & { _handle: { fd: number } })._handle.fd)
    const echo = new Promise((resolve) => { client.once('data', (data) => resolve(String(data))) })
    client.write('sixteen letters!')
    expect(await echo).toBe('sixteen letters!')
    expect([value(object, 'messages'), value(object, 'bytes'), value(object, 'parsed')]).toEqual([1, 16, 16])
    if (link.mechanism === 'link') expect(link.info()).toMatchObject({ kind: 'sockmap', mapId: map.info.id, attachType: 'sk_msg_verdict' })
    receive.close()
    link.close()
    client.destroy()
    await new Promise((resolve) => { server.close(resolve) })
  })

  test('XDP sends live packets of a test run (5.18)', () => {
    const object = load(xdpText)
    const pass = object.programs.get('pass')!
    const packet = new Uint8Array(64)
    // To interface 1 of this namespace, where the stack throws it away: no protocol has its type.
    const context = new Uint8Array(24)
    new DataView(context.buffer).setUint32(4, 64, true)
    try {
      inside(() => pass.testRun({ data: packet, context, liveFrames: true, repeat: 16, batchSize: 8 }))
      expect(value(object)).toBe(16)
    } catch (error) {
      expect((error as Error).message).toMatch(/BPF_PROG_TEST_RUN\): (EINVAL|EOPNOTSUPP|ENODEV)/)
    }
  })

  test('links are pinned, found again, and end when they are unpinned and closed', () => {
    const bpffs = keep(bpfFileSystem())
    const object = load(xdpText)
    const path = `${bpffs.path}/link`
    const link = inside(() => attachXdp(object.programs.get('pass')!, { interface: 'lo', mode: 'generic' }))
    const info = link.info()
    link.pin(path)
    link.close()
    expect(inside(() => xdpProgram('lo'))).toBeDefined()
    const again = keep(Link.openPinned(path)!)
    expect(again.info()).toEqual(info)
    execFileSync('rm', [path])
    again.close()
    expect(inside(() => xdpProgram('lo'))).toBe(undefined)
    expect(Link.openPinned(path)).toBe(undefined)
    object.programs.get('pass')!.pin(path)
    expect(() => Link.openPinned(path)).toThrow('is a program, not a link')
    execFileSync('rm', [path])
  })

  test('interfaces by name', () => {
    expect(inside(() => interfaceIndex('lo'))).toBe(1)
    expect(() => inside(() => interfaceIndex('nothing'))).toThrow('interface nothing: there is no such interface')
    expect(programIds().length).toBeGreaterThanOrEqual(0)
  })
})
