import { describe, expect, test } from 'vitest'
import { emptyRow, emptySnapshot } from '../agent/empty.ts'
import { summarise } from '../agent/histogram.ts'
import type { ProcessEvent, Snapshot } from '../agent/snapshot.ts'
import { workloadOfCgroup, workloadOfExecutable } from '../agent/workload.ts'
import { tickLines } from './lines.ts'
import { paint, span, wantsColor } from './paint.ts'
import { screen, sorted, sorts, type View } from './screen.ts'
import { width } from './text.ts'

function busy(): Snapshot {
  const snapshot = emptySnapshot()
  snapshot.host = { name: 'box', kernel: '6.18.0', architecture: 'x64', cpus: 2, bootAt: snapshot.at - 8_040_000, startedAt: snapshot.at }
  snapshot.totals.cpu = { busyCores: 1.23, contextSwitchesPerSecond: 12_300 }
  snapshot.totals.runQueueLatency = summarise([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10], 50_000)
  snapshot.totals.syscalls = { perSecond: 45_000, errorsPerSecond: 120, total: 1e6, errors: [{ errno: 2, name: 'ENOENT', perSecond: 100, total: 500 }] }
  snapshot.workloads = [
    { ...emptyRow(workloadOfCgroup('/system.slice/nginx.service')), cpuCores: 0.9, syscallsPerSecond: 10 },
    { ...emptyRow(workloadOfExecutable('node')), cpuCores: 0.3, syscallsPerSecond: 44_000, syscallErrorsPerSecond: 5 },
    { ...emptyRow(workloadOfExecutable('evil\x1b]0;x\x07')), cpuCores: 0.01, tcpPerSecond: 3 },
  ]
  snapshot.probes = [
    { name: 'tcp', title: '', state: 'off', hooks: [], reason: 'the hook is refused.', remedy: 'Ask the owner.' },
    { name: 'scheduler', title: '', state: 'on', hooks: [], reason: null, remedy: null },
  ]
  return snapshot
}
const event: ProcessEvent = {
  at: 0, type: 'end', pid: 4711, ppid: 1, name: 'sh', executable: '', uid: 0, workload: 'sh', status: null, signal: 9, durationNs: 1.5e9,
}
const view: View = { columns: 100, rows: 24, color: false, sort: 'cpu', help: false, page: 'http://127.0.0.1:7070/', recent: [event] }

describe('screen', () => {
  test('shows totals, own cost, page, what is missing, workloads by CPU and recent processes', () => {
    const text = screen(busy(), view).join('\n')
    for (const part of ['box · Linux 6.18.0 · up 2h14m · http://127.0.0.1:7070/', '123% of 200% · 12.3k switches/s', 'p50 6.14µs', '45.0k/s · 120 errors/s · ENOENT 100/s',
      'skep  0% cpu + - in kernel', 'tcp is off: the hook is refused. Ask the owner.', 'killed by signal 9 after 1.50s', 'sort: cpu']) expect(text).toContain(part)
    expect(text.indexOf('nginx.service')).toBeLessThan(text.indexOf('node '))
    expect(text).not.toContain('scheduler is')
  })

  test('fits any terminal, with and without help', () => {
    for (const rows of [1, 2, 5, 10, 24, 80]) {
      for (const columns of [1, 20, 79, 80, 200]) {
        for (const help of [false, true]) {
          const lines = screen(busy(), { ...view, rows, columns, help })
          expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1))
          for (const line of lines) expect(width(line)).toBeLessThanOrEqual(columns)
        }
      }
    }
  })

  test('no escape sequence of a name reaches the terminal; without colour there is none at all', () => {
    for (const color of [false, true]) expect(screen(busy(), { ...view, color }).join('')).not.toMatch(/\x1b\]|\x07/)
    expect(screen(busy(), view).join('')).not.toContain('\x1b')
    expect(screen(busy(), { ...view, color: true }).join('')).toContain('\x1b[1m')
  })

  test('sorts by each column', () => {
    const first = (sort: typeof sorts[number]) => sorted(busy().workloads, sort)[0]!.name
    expect(sorts.map(first).map((name) => name.slice(0, 4))).toEqual(['ngin', 'ngin', 'node', 'node', 'ngin', 'evil', 'evil'])
  })

  test('help explains the columns', () => expect(screen(busy(), { ...view, help: true }).join('\n')).toContain('from runnable to running'))
})

test('plain lines: one summary, then the top workloads, indented, no escapes', () => {
  const lines = tickLines(busy())
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT.* \| cpu 123% of 200% \| .*calls 45\.0k\/s errors 120\/s .*lost 0$/)
  expect(lines).toHaveLength(4)
  expect(lines[1]).toMatch(/^  nginx\.service +unit +cpu +90%/)
  expect(lines.join('')).not.toContain('\x1b')
})

test('paint cuts by columns, not by escape bytes', () => {
  expect(paint([span('abc', 'bold'), span('def')], 5, true)).toBe('\x1b[1mabc\x1b[0md…')
  expect(paint([span('abc', 'bold'), span('def')], 3, false)).toBe('abc')
})

test('colour only on a terminal, and not against NO_COLOR, --no-color or a dumb terminal', () => {
  expect(wantsColor(true, { TERM: 'xterm' }, false)).toBe(true)
  expect(wantsColor(true, { NO_COLOR: '' }, false)).toBe(true)
  for (const refused of [wantsColor(false, {}, false), wantsColor(true, { NO_COLOR: '1' }, false), wantsColor(true, {}, true), wantsColor(true, { TERM: 'dumb' }, false)]) {
    expect(refused).toBe(false)
  }
})
