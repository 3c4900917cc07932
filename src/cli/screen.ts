import type { ProbeState, ProcessEvent, Snapshot, WorkloadRow } from '../agent/snapshot.ts'
import { age, amount, byteCount, nanoseconds, percentOfCpu } from './format.ts'
import { paint, span, type Line, type Style } from './paint.ts'
import { left, plain, right } from './text.ts'

export const sorts = ['cpu', 'latency', 'syscalls', 'errors', 'starts', 'tcp', 'name'] as const
export type Sort = typeof sorts[number]

export interface View {
  columns: number
  rows: number
  color: boolean
  sort: Sort
  help: boolean
  /** Address of the page; null without one. */
  page: string | null
  /** The last process events, newest last. */
  recent: readonly ProcessEvent[]
}

/** The whole screen as painted lines: never more than rows - 1, never wider than columns. */
export function screen(snapshot: Snapshot, view: View): string[] {
  const room = Math.max(1, view.rows - 1)
  const head = header(snapshot, view)
  const foot = view.help ? helpLines() : footer(view)
  const tail = view.help ? [] : recentLines(view.recent, Math.min(6, Math.floor(room / 4)))
  const table = room - head.length - foot.length - tail.length
  const lines = [...head, ...(table > 1 ? tableLines(snapshot.workloads, view, table) : []), ...tail, ...foot].slice(0, room)
  return lines.map((line) => paint(line, view.columns, view.color))
}

function header(snapshot: Snapshot, { page }: View): Line[] {
  const { host, totals, agent } = snapshot
  const { cpu, runQueueLatency: queue, syscalls, processes, tcp } = totals
  const lines: Line[] = [
    [span('skep', 'bold'), span(` ${host.name} · Linux ${host.kernel} · up ${age((snapshot.at - host.bootAt) / 1000)}`),
      ...(page === null ? [] : [span(' · '), span(page, 'cyan')])],
    ...recordingLine(snapshot),
    fields('cpu', [`${percentOfCpu(cpu.busyCores)} of ${host.cpus * 100}%`, `${amount(cpu.contextSwitchesPerSecond)} switches/s`],
      [`run queue p50 ${nanoseconds(queue.p50)} p90 ${nanoseconds(queue.p90)} p99 ${nanoseconds(queue.p99)}`, latencyStyle(queue.p99)]),
    fields('calls', [`${amount(syscalls.perSecond)}/s`, `${amount(syscalls.errorsPerSecond)} errors/s`, ...worstErrors(snapshot)]),
    fields('proc', [`${amount(processes.startsPerSecond)} starts/s`, `${amount(processes.endsPerSecond)} ends/s`, `${amount(processes.starts)} since start`]),
    fields('tcp', [`${amount(tcp.openedPerSecond)} opened/s`, `${amount(tcp.acceptedPerSecond)} accepted/s`, `${amount(tcp.closedPerSecond)} closed/s`],
      [`${amount(tcp.failedPerSecond)} failed/s`, tcp.failedPerSecond > 0 ? 'yellow' : 'plain']),
  ]
  for (const disk of snapshot.disks.slice(0, 3)) {
    lines.push(fields('disk', [plain(disk.name), `${amount(disk.readsPerSecond)} reads/s ${byteCount(disk.readBytesPerSecond)}/s`,
      `${amount(disk.writesPerSecond)} writes/s ${byteCount(disk.writtenBytesPerSecond)}/s`, `p99 ${nanoseconds(disk.latency.p99)}`]))
  }
  lines.push(fields('skep', [`${percentOfCpu(agent.userCores)} cpu + ${percentOfCpu(agent.kernelCores)} in kernel`,
    `${byteCount(agent.residentBytes)} memory`, `${byteCount(agent.mapBytes)} maps`], [`${amount(agent.lost)} lost`, agent.lost > 0 ? 'yellow' : 'plain']))
  for (const probe of snapshot.probes) if (probe.state !== 'on') lines.push(missing(probe))
  return lines
}

/** It must not be taken for this machine. */
function recordingLine({ recording }: Snapshot): Line[] {
  if (recording === null) return []
  const { at, seconds, round } = recording
  return [[span(`A RECORDING of ${new Date(at).toISOString().slice(0, 10)}, not this machine`, 'yellow'), span(` · ${Math.round(seconds)} s, round ${round}`, 'dim')]]
}

function fields(name: string, values: string[], last?: [text: string, style: Style]): Line {
  return [span(left(name, 6), 'dim'), span(values.join(' · ')), ...(last === undefined ? [] : [span(' · '), span(...last)])]
}

function worstErrors({ totals }: Snapshot): string[] {
  const worst = totals.syscalls.errors.filter(({ perSecond }) => perSecond > 0).slice(0, 3)
  return worst.length === 0 ? [] : [worst.map(({ name, perSecond }) => `${name} ${amount(perSecond)}/s`).join(', ')]
}

export function missing(probe: ProbeState): Line {
  const why = [probe.reason, probe.remedy].filter((text) => text !== null).join(' ')
  return [span(`${probe.name} is ${probe.state === 'off' ? 'off' : 'partly on'}: ${why}`, 'yellow')]
}

/** The scheduler's slice is 3 ms: waits of several slices are felt, of many hurt. */
function latencyStyle(p99: number | null): Style {
  if (p99 === null || p99 < 10e6) return 'plain'
  return p99 < 100e6 ? 'yellow' : 'red'
}

const columns: { title: string; width: number; sort: Sort; value: (row: WorkloadRow) => string }[] = [
  { title: 'CPU', width: 6, sort: 'cpu', value: (row) => percentOfCpu(row.cpuCores) },
  { title: 'WAIT p50', width: 9, sort: 'latency', value: (row) => nanoseconds(row.runQueueLatency.p50) },
  { title: 'p99', width: 8, sort: 'latency', value: (row) => nanoseconds(row.runQueueLatency.p99) },
  { title: 'CALLS/s', width: 8, sort: 'syscalls', value: (row) => amount(row.syscallsPerSecond) },
  { title: 'ERRS/s', width: 7, sort: 'errors', value: (row) => amount(row.syscallErrorsPerSecond) },
  { title: 'SWITCH/s', width: 9, sort: 'cpu', value: (row) => amount(row.contextSwitchesPerSecond) },
  { title: 'STARTS/s', width: 9, sort: 'starts', value: (row) => amount(row.startsPerSecond) },
  { title: 'TCP/s', width: 6, sort: 'tcp', value: (row) => amount(row.tcpPerSecond) },
]

function tableLines(rows: readonly WorkloadRow[], view: View, room: number): Line[] {
  const figures = columns.reduce((sum, { width }) => sum + width, 0)
  const kinds = 11
  const names = Math.max(12, Math.min(48, view.columns - figures - kinds))
  const title = left('WORKLOAD', names) + left(' KIND', kinds) + columns.map(({ title: text, width }) => right(text, width)).join('')
  const shown = sorted(rows, view.sort).slice(0, room - 1)
  return [
    [span(left(title, view.columns), 'inverse')],
    ...shown.map((row): Line => [
      span(left(plain(row.name), names), 'bold'), span(left(` ${row.kind}`, kinds), 'dim'),
      ...columns.map(({ title: text, width, value }) => span(right(value(row), width), text === 'p99' ? latencyStyle(row.runQueueLatency.p99) : 'plain')),
    ]),
  ]
}

const measure: Record<Exclude<Sort, 'name'>, (row: WorkloadRow) => number> = {
  cpu: (row) => row.cpuCores,
  latency: (row) => row.runQueueLatency.p99 ?? -1,
  syscalls: (row) => row.syscallsPerSecond,
  errors: (row) => row.syscallErrorsPerSecond,
  starts: (row) => row.startsPerSecond,
  tcp: (row) => row.tcpPerSecond,
}

/** A sorted copy; equal rows stay in order of CPU, then of name, so that the table does not dance. */
export function sorted(rows: readonly WorkloadRow[], sort: Sort): WorkloadRow[] {
  const byName = (a: WorkloadRow, b: WorkloadRow) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0
  if (sort === 'name') return rows.toSorted(byName)
  const of = measure[sort]
  return rows.toSorted((a, b) => of(b) - of(a) || b.cpuCores - a.cpuCores || byName(a, b))
}

function recentLines(recent: readonly ProcessEvent[], room: number): Line[] {
  if (room < 2 || recent.length === 0) return []
  return [[span('recent processes', 'dim')], ...recent.slice(1 - room).map(processLine)]
}

/** One process event in words: "12:03:44 start 4711 sh (of 4700, uid 0) nginx.service". */
export function processLine(event: ProcessEvent): Line {
  const clock = new Date(event.at).toTimeString().slice(0, 8)
  const style: Style = event.type === 'end' ? 'dim' : event.type === 'exec' ? 'plain' : 'green'
  const what = event.type === 'exec' ? event.executable : event.name
  return [span(`${clock} ${left(event.type, 5)} ${right(String(event.pid), 7)} `, style), span(`${what} ${ending(event)}`),
    span(`· of ${event.ppid}, uid ${event.uid} · ${event.workload}`, 'dim')]
}

function ending({ type, status, signal, durationNs }: ProcessEvent): string {
  if (type !== 'end') return ''
  const lived = durationNs === null ? '' : ` after ${nanoseconds(durationNs)}`
  return signal !== null ? `killed by signal ${signal}${lived} ` : `status ${status ?? '?'}${lived} `
}

function footer({ sort }: View): Line[] {
  return [[span('q', 'bold'), span(' quit · '), span('s', 'bold'), span(` sort: ${sort} · `), span('?', 'bold'), span(' help')]]
}

function helpLines(): Line[] {
  return [
    [span('q or Ctrl-C', 'bold'), span(' quits · '), span('s', 'bold'), span(` sorts by the next of ${sorts.join(', ')} · `), span('?', 'bold'), span(' hides this')],
    [span('CPU: of one core. WAIT: from runnable to running (p50, p99). CALLS, ERRS: system calls and their errors.')],
    [span('STARTS: processes that it began. TCP: connections opened or accepted. lost: what skep could not record since its start.')],
  ]
}
