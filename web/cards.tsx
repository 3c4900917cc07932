import type { ProbeState, Snapshot } from '../src/agent/snapshot.ts'
import { Bars } from './bars.tsx'
import { Card, Figure, Figures } from './card.tsx'
import { amount, amountParts, bytes, bytesParts, cores, count, durationParts, percent, percentParts } from './format.ts'
import { merged, percentile } from './histogram.ts'
import { Sparkline } from './sparkline.tsx'
import type { View } from './store.ts'
import type { Point } from './timeline.ts'

interface CardProps {
  view: View
  snapshot: Snapshot
  probe: (name: string) => ProbeState | null
}

/** The facts of the whole machine. */
export function Cards(props: CardProps) {
  return (
    <div class="cards">
      <Cpu {...props} />
      <RunQueue {...props} />
      <SystemCalls {...props} />
      <Processes {...props} />
      <Tcp {...props} />
      <BlockIo {...props} />
      <Cost {...props} />
    </div>
  )
}

const spark = ({ points, intervalMs }: View) => ({ points, intervalMs })

function Cpu({
  view,
  snapshot: {
    totals: { cpu },
    host,
  },
  probe,
}: CardProps) {
  return (
    <Card title="CPU" probe={probe('scheduler')}>
      <Figures>
        <Figure name="busy cores" value={{ figure: cores(cpu.busyCores), unit: '' }} after={` of ${host.cpus}`} />
        <Figure
          name="switches"
          value={amountParts(cpu.contextSwitchesPerSecond)}
          after="/s"
          title="Context switches per second"
        />
      </Figures>
      <meter min={0} max={host.cpus} value={cpu.busyCores} aria-label="Busy cores">
        {cores(cpu.busyCores)}
      </meter>
      <Sparkline {...spark(view)} value={busy} text={(value) => `${cores(value)} cores`} least={host.cpus} label="Busy cores" />
    </Card>
  )
}

function RunQueue({
  view,
  snapshot: {
    totals: {
      runQueueLatency: { p50, p99 },
    },
  },
  probe,
}: CardProps) {
  const { points, intervalMs } = view
  const minute = merged(points.slice(-Math.max(1, Math.round(60_000 / intervalMs))).map(({ buckets }) => buckets))
  return (
    <Card title="Run-queue latency" probe={probe('scheduler')}>
      <Figures>
        <Figure name="p50" value={durationParts(p50)} title="Half of the waits for a CPU were shorter" />
        <Figure name="p99" value={durationParts(p99)} tone={waitTone(p99)} title="99 % of the waits for a CPU were shorter" />
      </Figures>
      <Bars buckets={minute} first={10} last={25} label="last minute" />
    </Card>
  )
}

function SystemCalls({
  view,
  snapshot: {
    totals: { syscalls },
  },
  probe,
}: CardProps) {
  const now = syscalls.errors.filter(({ perSecond }) => perSecond > 0).slice(0, 3)
  const worst = now.length === 0 ? 'no errors' : now.map(({ name, perSecond }) => `${name} ${amount(perSecond)}/s`).join(' · ')
  return (
    <Card title="System calls" probe={probe('syscalls')}>
      <Figures>
        <Figure name="calls" value={amountParts(syscalls.perSecond)} after="/s" />
        <Figure name="errors" value={amountParts(syscalls.errorsPerSecond)} after="/s" title="Calls that returned an error" />
      </Figures>
      <p class="detail" title={worst}>
        {worst}
      </p>
      <Sparkline {...spark(view)} value={calls} text={(value) => `${amount(value)}/s`} label="System calls per second" />
    </Card>
  )
}

function Processes({
  view,
  snapshot: {
    totals: { processes },
  },
  probe,
}: CardProps) {
  return (
    <Card title="Processes" probe={probe('process')}>
      <Figures>
        <Figure name="starts" value={amountParts(processes.startsPerSecond)} after="/s" />
        <Figure name="ends" value={amountParts(processes.endsPerSecond)} after="/s" />
      </Figures>
      <p class="detail" title="Since skep began">
        {count(processes.starts)} started · {count(processes.ends)} ended in all
      </p>
      <Sparkline {...spark(view)} value={starts} text={(value) => `${amount(value)}/s`} label="Process starts per second" />
    </Card>
  )
}

function Tcp({
  view,
  snapshot: {
    totals: { tcp },
  },
  probe,
}: CardProps) {
  return (
    <Card title="TCP connections" probe={probe('tcp')}>
      <Figures>
        <Figure
          name="opened"
          value={amountParts(tcp.openedPerSecond)}
          after="/s"
          title={`${count(tcp.opened)} since skep began`}
        />
        <Figure
          name="accepted"
          value={amountParts(tcp.acceptedPerSecond)}
          after="/s"
          title={`${count(tcp.accepted)} since skep began`}
        />
        <Figure
          name="closed"
          value={amountParts(tcp.closedPerSecond)}
          after="/s"
          title={`${count(tcp.closed)} since skep began`}
        />
        <Figure
          name="failed"
          value={amountParts(tcp.failedPerSecond)}
          after="/s"
          tone={tcp.failedPerSecond > 0 ? 'warn' : null}
          title={`${count(tcp.failed)} since skep began`}
        />
      </Figures>
      <Sparkline
        {...spark(view)}
        value={connections}
        text={(value) => `${amount(value)}/s`}
        label="Connections opened and accepted per second"
      />
    </Card>
  )
}

function BlockIo({ view, snapshot: { disks }, probe }: CardProps) {
  const sum = (of: (disk: Snapshot['disks'][number]) => number) => disks.reduce((all, disk) => all + of(disk), 0)
  const latency = merged(disks.map((disk) => disk.latency.buckets))
  const few = disks.length === 1
  return (
    <Card title="Block I/O" probe={probe('block')}>
      <Figures>
        <Figure name="read" value={bytesParts(sum((disk) => disk.readBytesPerSecond))} after="/s" />
        <Figure name="written" value={bytesParts(sum((disk) => disk.writtenBytesPerSecond))} after="/s" />
        <Figure
          name="latency p50"
          value={durationParts(few ? disks[0]!.latency.p50 : percentile(latency, 0.5))}
          title="From issue to completion"
        />
        <Figure
          name="latency p99"
          value={durationParts(few ? disks[0]!.latency.p99 : percentile(latency, 0.99))}
          title="From issue to completion"
        />
      </Figures>
      <Sparkline
        {...spark(view)}
        value={diskBytes}
        text={(value) => `${bytes(value)}/s`}
        label="Bytes read and written per second"
      />
    </Card>
  )
}

function Cost({ view, snapshot: { agent } }: CardProps) {
  return (
    <Card title="skep’s own cost">
      <Figures>
        <Figure name="process" value={percentParts(agent.userCores)} title="CPU of the agent’s process, of one CPU" />
        <Figure
          name="in kernel"
          value={percentParts(agent.kernelCores)}
          title={
            agent.kernelCores === null
              ? agent.kernelFailure ?? 'Not measured yet'
              : 'CPU of its kernel programs, of one CPU, by BPF statistics: measured for one second in ten'
          }
        />
        <Figure name="memory" value={bytesParts(agent.residentBytes)} title="Resident memory of the agent’s process" />
        <Figure name="maps" value={bytesParts(agent.mapBytes)} title="Kernel memory of its maps" />
        <Figure
          name="events lost"
          value={amountParts(agent.lost)}
          tone={agent.lost > 0 ? 'warn' : null}
          title={`Records and map updates lost since skep began: ${count(agent.lost)}`}
        />
      </Figures>
      <Sparkline {...spark(view)} value={ownCores} text={percent} label="CPU of skep, kernel programs included" />
    </Card>
  )
}

/** The scheduler's slice is about 3 ms: waits of several slices are felt, of many hurt. */
export function waitTone(p99: number | null): 'warn' | 'bad' | null {
  return p99 === null || p99 < 10e6 ? null : p99 < 100e6 ? 'warn' : 'bad'
}

const busy = (point: Point) => point.busyCores
const calls = (point: Point) => point.calls
const starts = (point: Point) => point.starts
const connections = (point: Point) => point.tcp
const diskBytes = (point: Point) => point.diskBytes
const ownCores = (point: Point) => point.agentCores
