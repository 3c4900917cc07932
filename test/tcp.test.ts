import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ConnectionEvent } from '../src/agent/snapshot.ts'
import { AgentProcess } from './agent-process.ts'
import { Cgroup, cgroupMount, prelude } from './generator.ts'
import { buildProduct } from './product.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const canMakeNetworks = spawnSync('unshare', ['--net', 'ip', 'link', 'set', 'lo', 'up']).status === 0

/**
 * A network of its own with a server and a client in it. The server answers each connection, once its client has sent all,
 * with 3 bytes for each 2 that it received. Steps of the client: "connect FAMILY PORT BYTES" prints
 * "its port, bytes sent, bytes received, nanoseconds"; "hold" leaves a connection open until "release".
 */
const script = `${prelude}
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6); use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);
sub address { my ($family, $port) = @_;
  return $family == 4 ? pack_sockaddr_in($port, inet_pton(AF_INET, '127.0.0.1')) : pack_sockaddr_in6($port, inet_pton(AF_INET6, '::1')) }
sub made { my $family = $_[0]; socket(my $s, $family == 4 ? PF_INET : PF_INET6, SOCK_STREAM, 0) or die "socket: $!"; return $s }
sub all { my ($s, $size, $buffer) = ($_[0], 0, ''); while (my $n = sysread($s, $buffer, 65536)) { $size += $n } return $size }
sub put { my ($s, $left) = @_; while ($left > 0) { my $n = syswrite($s, 'x' x ($left > 65536 ? 65536 : $left)); die "write: $!" unless $n; $left -= $n } }
my @listeners = map { my $s = made($_); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1); bind($s, address($_, 5000 + $_)) or die "bind: $!"; listen($s, 64) or die; $s } 4, 6;
my $server = fork() // die;
if (!$server) {
  my $bits = ''; vec($bits, fileno($_), 1) = 1 for @listeners;
  for (;;) {
    select(my $ready = $bits, undef, undef, undef);
    for my $l (@listeners) {
      next unless vec($ready, fileno($l), 1);
      accept(my $c, $l) or next; my $size = all($c); put($c, $size * 3 / 2); close $c } } }
close $_ for @listeners;
say("$$ $server");
my $held;
while (my @do = split ' ', step()) {
  if ($do[0] eq 'end') { kill 'KILL', $server; wait; exit }
  if ($do[0] eq 'hold') { $held = made(4); connect($held, address(4, 5004)) or die; put($held, 2000); say(join ' ', (unpack_sockaddr_in(getsockname($held)))[0]); next }
  if ($do[0] eq 'release') { put($held, 500); shutdown($held, 1); say(all($held)); close $held; undef $held; next }
  my (undef, $family, $port, $bytes, $pause) = @do;
  my $began = clock_gettime(CLOCK_MONOTONIC); my $s = made($family);
  if (!connect($s, address($family, $port))) { close $s; say("refused"); next }
  my $name = getsockname($s); my $mine = $family == 4 ? (unpack_sockaddr_in($name))[0] : (Socket::unpack_sockaddr_in6($name))[0];
  put($s, $bytes); select(undef, undef, undef, $pause) if $pause; shutdown($s, 1); my $got = all($s); close $s;
  say(join ' ', $mine, $bytes, $got, int(1e9 * (clock_gettime(CLOCK_MONOTONIC) - $began)));
}`

describe.skipIf(cgroupMount === null || !canMakeNetworks)('TCP (needs root, a cgroup v2 hierarchy, unshare of util-linux and ip of iproute2)', () => {
  let agent: AgentProcess
  let cgroup: Cgroup
  let client: ReturnType<Cgroup['run']>
  let pids: { client: number; server: number }

  beforeAll(async () => {
    await buildProduct()
    agent = await AgentProcess.start()
    cgroup = new Cgroup('tcp')
    client = cgroup.run('unshare', '--net', 'sh', '-c', 'ip link set lo up && exec perl -e "$0"', script)
    const [mine, server] = (await client.line()).split(' ').map(Number)
    pids = { client: mine!, server: server! }
  })
  afterAll(async () => {
    client?.tell('end')
    await client?.ended
    await cgroup?.remove()
    await agent?.stop()
  })

  const mine = (type: ConnectionEvent['type']) => agent.connections.filter((event) => event.type === type && event.workload === cgroup.name)
  const find = (type: ConnectionEvent['type'], localPort: number, peerPort: number) => {
    const found = mine(type).filter((event) => event.localPort === localPort && event.peerPort === peerPort)
    expect(found, `${type} ${localPort} → ${peerPort}`).toHaveLength(1)
    return found[0]!
  }

  test.each([[4, '127.0.0.1', 40], [6, '::1', 20]] as const)('IPv%i: each connection is opened, accepted and closed on both sides, bytes exact', async (family, address, count) => {
    const before = { opened: mine('opened').length, accepted: mine('accepted').length, closed: mine('closed').length }
    const made: { port: number; sent: number; received: number; ns: number }[] = []
    for (let index = 0; index < count; index++) {
      // Some connections carry nothing, some more than a window.
      const bytes = index === 0 ? 0 : index === 1 ? 3_000_000 : 2 * index + 100
      const [port, sent, received, ns] = (await client.ask(`connect ${family} ${5000 + family} ${bytes} ${index === 2 ? 0.3 : 0}`)).split(' ').map(Number)
      made.push({ port: port!, sent: sent!, received: received!, ns: ns! })
    }
    await agent.settled()
    const server = { family, local: address, localPort: 5000 + family, peer: address, pid: pids.server, name: 'perl', direction: 'in' }
    for (const { port, sent, received, ns } of made) {
      expect(received).toBe(sent * 1.5)
      const ends = { family, local: address, localPort: port, peer: address, peerPort: 5000 + family, pid: pids.client, name: 'perl', direction: 'out' }
      const opened = find('opened', port, 5000 + family)
      expect(opened).toMatchObject({ ...ends, bytesSent: null, bytesReceived: null })
      const closed = find('closed', port, 5000 + family)
      expect(closed).toMatchObject({ ...ends, bytesSent: sent, bytesReceived: received })
      // Connecting is a part of the connection's life, and that is a part of what the client measured around it.
      expect(opened.durationNs).toBeGreaterThan(0)
      expect(closed.durationNs).toBeGreaterThan(opened.durationNs!)
      expect(closed.durationNs).toBeLessThan(ns)
      // The client listened, its child accepts.
      expect(find('accepted', 5000 + family, port)).toMatchObject({ ...server, peerPort: port, pid: pids.client })
      expect(find('closed', 5000 + family, port)).toMatchObject({ ...server, peerPort: port, bytesSent: received, bytesReceived: sent })
    }
    expect(find('closed', made[2]!.port, 5000 + family).durationNs).toBeGreaterThan(0.3e9)
    expect(mine('opened').length - before.opened).toBe(count)
    expect(mine('accepted').length - before.accepted).toBe(count)
    expect(mine('closed').length - before.closed).toBe(2 * count)
    expect(agent.newest.agent.lost).toBe(0)
  })

  test('a refused connection has failed, and neither opened nor closed', async () => {
    const before = { opened: mine('opened').length, closed: mine('closed').length }
    for (let index = 0; index < 10; index++) expect(await client.ask(`connect ${index % 2 === 0 ? 4 : 6} 5999 0`)).toBe('refused')
    await agent.settled()
    const failed = mine('failed')
    expect(failed).toHaveLength(10)
    for (const event of failed) expect(event).toMatchObject({ peerPort: 5999, pid: pids.client, direction: 'out', bytesSent: 0, bytesReceived: 0 })
    expect(failed.filter(({ family }) => family === 6)).toHaveLength(5)
    expect({ opened: mine('opened').length, closed: mine('closed').length }).toEqual(before)
    expect(agent.newest.totals.tcp.failed).toBeGreaterThanOrEqual(10)
  })

  test('who listened before the agent came is known', async () => {
    const late = await AgentProcess.start()
    try {
      await late.snapshot(({ sequence }) => sequence > 4)
      const [port] = (await client.ask('connect 6 5006 100')).split(' ').map(Number)
      await late.settled()
      const accepted = late.connections.filter((event) => event.type === 'accepted' && event.peerPort === port && event.localPort === 5006)
      expect(accepted).toHaveLength(1)
      // Several processes hold the socket: any of them may be named.
      expect([pids.client, pids.server]).toContain(accepted[0]!.pid)
      expect(accepted[0]).toMatchObject({ name: 'perl', workload: cgroup.name })
    } finally {
      await late.stop()
    }
  })

  test('an open connection is the one that ss shows, and its bytes are those of ss and what came after', async ({ skip }) => {
    const port = Number(await client.ask('hold'))
    await agent.settled()
    const { peer, peerPort, pid } = find('opened', port, 5004)
    const { status, stdout } = spawnSync('nsenter', [`--net=/proc/${pids.client}/ns/net`, 'ss', '-tinpH', 'state', 'established', `( sport = :${port} )`], { encoding: 'utf8' })
    if (status !== 0) {
      await client.ask('release')
      return skip('ss of iproute2 or nsenter of util-linux is missing')
    }
    expect(stdout).toContain(`${peer}:${peerPort}`)
    expect(stdout).toContain(`pid=${pid},`)
    const sent = Number(/bytes_sent:(\d+)/.exec(stdout)![1])
    expect(sent).toBe(2000)
    const received = Number(await client.ask('release'))
    await agent.settled()
    expect(find('closed', port, 5004)).toMatchObject({ bytesSent: sent + 500, bytesReceived: received })
  })
})
