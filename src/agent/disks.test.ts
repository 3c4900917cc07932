import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { deviceName, DiskTable } from './disks.ts'

test('adds up operations of one device, gives rates and totals', () => {
  const disks = new DiskTable((major, minor) => `d${major}.${minor}`)
  const key = (operation: number) => ({ major: 8, minor: 0, operation })
  disks.addRequests(key(0), 10, 40_960, 0)
  disks.addRequests(key(1), 4, 8192, 0)
  disks.addRequests(key(2), 3, 0, 0)
  disks.addLatency(key(0), 100, [0, 2], 0)
  disks.addLatency(key(2), 50, [0, 0, 1], 0)
  const [row] = disks.finish(2, 0)
  expect(row).toMatchObject({
    name: 'd8.0', readsPerSecond: 5, writesPerSecond: 2, readBytesPerSecond: 20_480, writtenBytesPerSecond: 4096,
    reads: 10, writes: 4, readBytes: 40_960, writtenBytes: 8192, latency: { count: 3, sum: 150, buckets: [0, 2, 1] } })
  disks.addRequests(key(0), 1, 512, 1)
  expect(disks.finish(1, 1)[0]).toMatchObject({ readsPerSecond: 1, writesPerSecond: 0, reads: 11, writes: 4, latency: { count: 0 } })
  expect(disks.finish(1, 1e9)).toEqual([])
})

test('the busiest disk is first', () => {
  const disks = new DiskTable((major) => `d${major}`)
  disks.addRequests({ major: 1, minor: 0, operation: 0 }, 1, 1, 0)
  disks.addRequests({ major: 2, minor: 0, operation: 1 }, 9, 1, 0)
  expect(disks.finish(1, 0).map(({ name }) => name)).toEqual(['d2', 'd1'])
})

test('devices have the names of sysfs', () => {
  expect(deviceName(4095, 77)).toBe('4095:77')
  let listed: string[] = []
  try {
    listed = readdirSync('/sys/dev/block')
  } catch { /* a machine without block devices */ }
  for (const device of listed) {
    const [major, minor] = device.split(':').map(Number)
    expect(deviceName(major!, minor!)).toMatch(/^[a-z]/)
  }
})
