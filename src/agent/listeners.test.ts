import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { cgroup2Mount } from './cgroups.ts'
import { listening, presentListeners, type Listener } from './listeners.ts'

test('reads the sockets in LISTEN of a table, IPv4 and IPv6', () => {
  const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
  const row = (local: string, state: string, inode: number) => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0\n`
  expect(listening(head + row('0100007F:1B9E', '0A', 41) + row('0100007F:1B9F', '01', 42) + row('00000000000000000000000001000000:0050', '0A', 43))).toEqual([
    { inode: 41, port: 7070 }, { inode: 43, port: 80 },
  ])
  expect(listening('')).toEqual([])
})

test.skipIf(!existsSync('/proc/self/net/tcp'))('finds a listener of this process with its owner (feature: /proc)', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  const found: Listener[] = []
  for await (const listener of presentListeners(cgroup2Mount(''))) if (listener.key.port === port) found.push(listener)
  await new Promise((resolve) => { server.close(resolve) })
  expect(found).toHaveLength(1)
  expect(found[0]!.owner.pid).toBe(process.pid)
  expect(found[0]!.owner.name).not.toBe('')
  expect(found[0]!.key.netns).toBeGreaterThan(0)
})
