import { readFileSync } from 'node:fs'
import { merge, summarise } from './histogram.ts'
import type { DiskRow } from './snapshot.ts'

/** `enum req_op` of linux/blk_types.h: what counts as reading and writing; flushes and discards count in the latency only. */
const READ = 0
const WRITE = 1
/** A disk without requests stays on the list this long. */
const keepMs = 5 * 60_000

export interface DiskKey { major: number; minor: number; operation: number }

interface Disk {
  name: string; major: number; minor: number; seenAt: number
  reads: number; writes: number; readBytes: number; writtenBytes: number
  tick: { reads: number; writes: number; readBytes: number; writtenBytes: number; buckets: number[]; ns: number }
}

const emptyTick = () => ({ reads: 0, writes: 0, readBytes: 0, writtenBytes: 0, buckets: [], ns: 0 })

/** Adds up a tick by block device. */
export class DiskTable {
  private readonly disks = new Map<string, Disk>()
  private readonly nameOf: (major: number, minor: number) => string

  constructor(nameOf: (major: number, minor: number) => string = deviceName) {
    this.nameOf = nameOf
  }

  addRequests(key: DiskKey, requests: number, bytes: number, now: number): void {
    const { tick } = this.of(key, now)
    if (key.operation === READ) {
      tick.reads += requests
      tick.readBytes += bytes
    } else if (key.operation === WRITE) {
      tick.writes += requests
      tick.writtenBytes += bytes
    }
  }

  addLatency(key: DiskKey, sum: number, buckets: ArrayLike<number>, now: number): void {
    const { tick } = this.of(key, now)
    tick.ns += sum
    merge(tick.buckets, buckets)
  }

  /** The rows of the tick, busiest first; the next tick begins. */
  finish(seconds: number, now: number): DiskRow[] {
    const rows: DiskRow[] = []
    for (const [id, disk] of this.disks) {
      if (now - disk.seenAt > keepMs) {
        this.disks.delete(id)
        continue
      }
      rows.push(row(disk, seconds))
      disk.tick = emptyTick()
    }
    const load = (disk: DiskRow) => disk.readsPerSecond + disk.writesPerSecond
    return rows.sort((a, b) => load(b) - load(a) || (a.name < b.name ? -1 : 1))
  }

  private of({ major, minor }: DiskKey, now: number): Disk {
    const id = `${major}:${minor}`
    let disk = this.disks.get(id)
    if (disk === undefined) {
      disk = { name: this.nameOf(major, minor), major, minor, seenAt: now, reads: 0, writes: 0, readBytes: 0, writtenBytes: 0, tick: emptyTick() }
      this.disks.set(id, disk)
    }
    disk.seenAt = now
    return disk
  }
}

function row(disk: Disk, seconds: number): DiskRow {
  const { tick } = disk
  disk.reads += tick.reads
  disk.writes += tick.writes
  disk.readBytes += tick.readBytes
  disk.writtenBytes += tick.writtenBytes
  return {
    name: disk.name, major: disk.major, minor: disk.minor,
    readsPerSecond: tick.reads / seconds, writesPerSecond: tick.writes / seconds,
    readBytesPerSecond: tick.readBytes / seconds, writtenBytesPerSecond: tick.writtenBytes / seconds,
    reads: disk.reads, writes: disk.writes, readBytes: disk.readBytes, writtenBytes: disk.writtenBytes,
    latency: summarise(tick.buckets, tick.ns),
  }
}

/** The kernel's name of a block device, such as "vda"; its number where sysfs does not show it. */
export function deviceName(major: number, minor: number): string {
  try {
    const name = /^DEVNAME=(.+)$/m.exec(readFileSync(`/sys/dev/block/${major}:${minor}/uevent`, 'utf8'))?.[1]
    return name ?? `${major}:${minor}`
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `${major}:${minor}`
    throw error
  }
}
