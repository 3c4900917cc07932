import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { processStatus } from '../src/sys/machine.ts'
import { AgentProcess } from './agent-process.ts'
import { buildProduct } from './product.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const directory = mkdtempSync(join(tmpdir(), 'skep-block-'))
const device = processStatus().euid === 0 ? loopDevice() : null

/** A disk of our own, backed by a file; null where loop devices are not to be had. */
function loopDevice(): string | null {
  const file = join(directory, 'disk')
  writeFileSync(file, '')
  truncateSync(file, 64 * 1024 * 1024)
  const { status, stdout } = spawnSync('losetup', ['--find', '--show', file], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

afterAll(() => {
  if (device !== null) spawnSync('losetup', ['--detach', device])
  rmSync(directory, { recursive: true, force: true })
})

/** Fields of Documentation/admin-guide/iostats.rst, in sectors of 512 bytes. */
function diskstats(name: string) {
  const fields = readFileSync('/proc/diskstats', 'utf8').split('\n').map((line) => line.trim().split(/ +/)).find(([, , one]) => one === name)!.map(Number)
  return { reads: fields[3]!, readBytes: fields[5]! * 512, writes: fields[7]!, writtenBytes: fields[9]! * 512 }
}

describe.skipIf(device === null)('block I/O (needs root and a loop device: losetup of util-linux)', () => {
  const name = basename(device ?? '')
  let agent: AgentProcess
  beforeAll(async () => {
    await buildProduct()
    agent = await AgentProcess.start()
  })
  afterAll(() => agent?.stop())

  test('requests and bytes are those of /proc/diskstats, each with its latency', async () => {
    // losetup and udev have read the device's first sectors by now.
    await agent.settled()
    const seen = () => {
      const { reads, readBytes, writes, writtenBytes } = agent.newest.disks.find((disk) => disk.name === name) ?? { reads: 0, readBytes: 0, writes: 0, writtenBytes: 0 }
      return { reads, readBytes, writes, writtenBytes }
    }
    const { sequence } = agent.newest
    const [before, counted] = [seen(), diskstats(name)]
    dd(['if=/dev/zero', `of=${device}`, 'bs=4096', 'count=2000', 'oflag=direct'])
    dd(['if=/dev/zero', `of=${device}`, 'bs=262144', 'count=100', 'oflag=direct'])
    dd([`if=${device}`, 'of=/dev/null', 'bs=8192', 'count=1500', 'iflag=direct'])
    await agent.settled()
    const [after, then] = [seen(), diskstats(name)]

    for (const field of ['reads', 'readBytes', 'writes', 'writtenBytes'] as const) {
      const reference = then[field] - counted[field]
      expect(reference).toBeGreaterThan(1000)
      expect(Math.abs(after[field] - before[field] - reference) / reference, `${field}: skep saw ${after[field] - before[field]}, diskstats ${reference}`)
        .toBeLessThanOrEqual(0.01)
    }
    expect(after.writtenBytes - before.writtenBytes).toBeGreaterThanOrEqual(2000 * 4096 + 100 * 262_144)
    const ticks = agent.snapshots.filter((one) => one.sequence > sequence).flatMap(({ disks }) => disks.filter((disk) => disk.name === name))
    const timed = ticks.reduce((sum, { latency }) => sum + latency.count, 0)
    const requests = then.reads + then.writes - counted.reads - counted.writes
    expect(Math.abs(timed - requests) / requests, `skep timed ${timed} of ${requests} requests`).toBeLessThanOrEqual(0.01)
    expect(ticks.some(({ latency }) => latency.p50 !== null && latency.p50 > 0)).toBe(true)
    const [disk] = ticks
    expect(`${disk!.major}:${disk!.minor}`).toBe(readFileSync(`/sys/class/block/${name}/dev`, 'utf8').trim())
  })
})

function dd(args: string[]): void {
  const { status, stderr } = spawnSync('dd', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`dd ${args.join(' ')}: ${stderr}`)
}
