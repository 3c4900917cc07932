import type { Snapshot } from './snapshot.ts'

/** One tick, short: what the page draws its first curves from. */
export interface HistoryTick {
  sequence: number
  at: number
  /** Run-queue latency of the tick, as in the snapshot. */
  buckets: number[]
  busyCores: number
  syscallsPerSecond: number
  syscallErrorsPerSecond: number
  startsPerSecond: number
  endsPerSecond: number
  /** Opened and accepted. */
  tcpPerSecond: number
  /** Read and written, all disks. */
  diskBytesPerSecond: number
  /** Of the process and of its kernel programs, as far as measured. */
  agentCores: number
}

/** `startedAt` tells which run of the agent the sequence numbers belong to: as host.startedAt of a snapshot. */
export interface History { startedAt: number; intervalSeconds: number; snapshots: HistoryTick[] }

function historyTick({ sequence, at, totals, disks, agent }: Snapshot): HistoryTick {
  const { cpu, runQueueLatency, syscalls, processes, tcp } = totals
  return {
    sequence, at, buckets: runQueueLatency.buckets, busyCores: cpu.busyCores,
    syscallsPerSecond: syscalls.perSecond, syscallErrorsPerSecond: syscalls.errorsPerSecond,
    startsPerSecond: processes.startsPerSecond, endsPerSecond: processes.endsPerSecond, tcpPerSecond: tcp.openedPerSecond + tcp.acceptedPerSecond,
    diskBytesPerSecond: disks.reduce((sum, disk) => sum + disk.readBytesPerSecond + disk.writtenBytesPerSecond, 0),
    agentCores: agent.userCores + (agent.kernelCores ?? 0),
  }
}

/** The last ticks, oldest first. */
export class HistoryRing {
  readonly limit: number
  private readonly ticks: HistoryTick[] = []
  private start = 0

  constructor(limit = 300) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`history: the limit must be a positive integer, not ${limit}`)
    this.limit = limit
  }

  add(snapshot: Snapshot): void {
    const tick = historyTick(snapshot)
    if (this.ticks.length < this.limit) this.ticks.push(tick)
    else {
      this.ticks[this.start] = tick
      this.start = (this.start + 1) % this.limit
    }
  }

  list(): HistoryTick[] {
    return [...this.ticks.slice(this.start), ...this.ticks.slice(0, this.start)]
  }
}
