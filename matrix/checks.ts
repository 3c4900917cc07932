/**
 * What runs inside a guest, in one process since starting Node takes seconds there: every feature probe, the kernel
 * library's hooks, and the agent over loads of known size. One JSON object a line: { check, result, detail }.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { release } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent } from '../src/agent/agent.ts'
import type { ProcessEvent, Snapshot } from '../src/agent/snapshot.ts'
import { explainFeature, features } from '../src/bpf/features.ts'
import { openObjects } from '../src/bpf/ledger.ts'
import { libraryChecks } from './library.ts'

function tell(check: string, passed: boolean | null, detail: string): void {
  console.log(JSON.stringify({ check, result: passed === null ? 'absent' : passed ? 'pass' : 'FAIL', detail }))
}

console.log(JSON.stringify({ kernel: release(), node: process.version }))
for (const [name, feature] of Object.entries(features)) {
  const verdict = feature.probe()
  tell(`feature ${name}`, verdict === 'yes' ? true : verdict === 'no' ? null : false, explainFeature(feature))
}
libraryChecks(tell)

const snapshots: Snapshot[] = []
const agent = new Agent({ intervalMs: 1000, onSnapshot: (snapshot) => snapshots.push(snapshot) })
const states = await agent.start()
for (const { name, state, hooks, reason, remedy } of states) {
  tell(`probe ${name}`, state === 'on', state === 'on' ? hooks.join(', ') : `${state}: ${[reason, remedy].filter(Boolean).join(' ')}`)
}
// The figures of the loads begin with the tick after the next.
await pause(1500)
const before = snapshots.length

const runs = 40
for (let index = 0; index < runs; index++) spawnSync('/bin/true')
const failures = 300
for (let index = 0; index < failures; index++) {
  try { readFileSync('/no/such/file') } catch { /* The failing call is the load. */ }
}
const connections = 20
const bytes = 10_000
await exchange(connections, bytes)
const disk = readdirSync('/sys/block').find((name) => name.startsWith('vd'))
const blockBytes = 64 * 16_384
if (disk !== undefined) execFileSync('/bin/dd', [`if=/dev/${disk}`, 'of=/dev/null', 'bs=16384', 'count=64', 'iflag=direct'], { stdio: 'ignore' })
await pause(2500)
agent.stop()

const seen = snapshots.slice(before)
const events = seen.flatMap(({ processes }) => processes)
const last = snapshots.at(-1)!
const ofTrue = events.filter(({ ppid }) => ppid === process.pid)
const many = (type: ProcessEvent['type']) => ofTrue.filter((event) => event.type === type && (type === 'start' || event.name === 'true')).length
tell('process starts and ends', many('exec') === runs && many('end') === runs, `${many('exec')} execs and ${many('end')} ends of ${runs}`)
const enoent = seen.flatMap(({ totals }) => totals.syscalls.errors).filter(({ name }) => name === 'ENOENT').map(({ total }) => total)
tell('system call errors', Math.max(0, ...enoent) >= failures, `${Math.max(0, ...enoent)} ENOENT, ${failures} made`)
const tcp = seen.flatMap((snapshot) => snapshot.connections)
const closed = tcp.filter(({ type, direction }) => type === 'closed' && direction === 'out')
tell('TCP connections', last.totals.tcp.opened === connections && last.totals.tcp.accepted === connections,
  `${last.totals.tcp.opened} opened, ${last.totals.tcp.accepted} accepted of ${connections}`)
tell('TCP bytes', closed.length === connections && closed.every(({ bytesSent }) => bytesSent === bytes), `${closed.length} closed, ${closed[0]?.bytesSent} bytes sent of ${bytes}`)
const waits = seen.reduce((sum, { totals }) => sum + totals.runQueueLatency.count, 0)
tell('run-queue latency', waits > 100, `${waits} waits`)
const cores = seen.reduce((sum, { totals, intervalSeconds }) => sum + totals.cpu.busyCores * intervalSeconds, 0)
tell('CPU time', cores > 0.1, `${cores.toFixed(2)} CPU seconds`)
const latencies = seen.flatMap(({ disks }) => disks).filter(({ name }) => name === disk).reduce((sum, { latency }) => sum + latency.count, 0)
const read = last.disks.find(({ name }) => name === disk)
tell('block I/O', disk === undefined ? null : (read?.readBytes ?? 0) >= blockBytes, disk === undefined ? 'no virtio disk' : `${read?.readBytes ?? 0} bytes read, ${blockBytes} asked`)
tell('block I/O latency', disk === undefined ? null : (read?.reads ?? 0) > 0 && latencies >= 64, `${latencies} latencies of at least 64 reads`)
tell('nothing lost', last.agent.lost === 0, `${last.agent.lost} lost`)
tell('cost of the kernel programs', last.agent.kernelCores !== null, `${last.agent.kernelCores} cores`)
tell('nothing left open', openObjects().filter(({ kind }) => kind !== 'mapping').length === 0, openObjects().map(({ kind, name }) => `${kind} ${name}`).join(', '))

/** Opens connections on loopback, one after the other, and sends so many bytes over each. */
async function exchange(count: number, size: number): Promise<void> {
  const server = createServer((socket) => { socket.on('data', () => {}).on('end', () => socket.end()) })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  for (let index = 0; index < count; index++) {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => { socket.end(Buffer.alloc(size)) })
      socket.on('data', () => {}).on('close', () => resolve()).on('error', reject)
    })
  }
  await new Promise((resolve) => { server.close(resolve) })
}
