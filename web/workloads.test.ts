import { describe, expect, it } from 'vitest'
import type { Histogram, WorkloadRow } from '../src/agent/snapshot.ts'
import { columns } from './workload-columns.ts'
import { held, matching, smooth, sorted, type Means, type Sort } from './workload-order.ts'

const histogram = (p99: number | null): Histogram => ({ buckets: [], count: 0, sum: 0, p50: p99, p90: p99, p99 })
const row = (name: string, cpuCores: number, more: Partial<WorkloadRow> = {}): WorkloadRow => ({
  id: `unit:${name}`, name, kind: 'unit', cgroup: `/system.slice/${name}`,
  cpuCores, runQueueLatency: histogram(null), contextSwitchesPerSecond: 0,
  syscallsPerSecond: 0, syscallErrorsPerSecond: 0, errors: [], startsPerSecond: 0, tcpPerSecond: 0, ...more,
})
const none: Means = new Map()
const byCpu: Sort = { column: 'cpu', descending: true }
const names = (rows: readonly WorkloadRow[]) => rows.map(({ name }) => name)

describe('sorted', () => {
  const rows = [row('b', 0.5), row('c', 2), row('a', 0.5), row('d', 0)]

  it('sorts numbers and names either way, equal ones by name', () => {
    expect(names(sorted(rows, none, byCpu))).toEqual(['c', 'a', 'b', 'd'])
    expect(names(sorted(rows, none, { column: 'cpu', descending: false }))).toEqual(['d', 'a', 'b', 'c'])
    expect(names(sorted(rows, none, { column: 'name', descending: true }))).toEqual(['d', 'c', 'b', 'a'])
    expect(names(rows)).toEqual(['b', 'c', 'a', 'd'])
  })

  it('puts what has no value last either way', () => {
    const waits = [row('x', 0), row('y', 0, { runQueueLatency: histogram(5) }), row('z', 0, { runQueueLatency: histogram(9) })]
    expect(names(sorted(waits, none, { column: 'p99', descending: true }))).toEqual(['z', 'y', 'x'])
    expect(names(sorted(waits, none, { column: 'p99', descending: false }))).toEqual(['y', 'z', 'x'])
  })

  it('knows each column', () => {
    for (const { id } of columns) expect(sorted(rows, none, { column: id, descending: true }).length).toBe(4)
  })
})

describe('smooth', () => {
  it('lets a single tick not change the order', () => {
    let means = none
    for (let tick = 0; tick < 20; tick++) means = smooth(means, [row('steady', 1), row('spiky', 0.1)])
    const spike = [row('steady', 1), row('spiky', 1.5)]
    means = smooth(means, spike)
    expect(names(sorted(spike, means, byCpu))).toEqual(['steady', 'spiky'])
    for (let tick = 0; tick < 5; tick++) means = smooth(means, spike)
    expect(names(sorted(spike, means, byCpu))).toEqual(['spiky', 'steady'])
  })

  it('forgets workloads that are gone, and remembers waits', () => {
    const first = smooth(none, [row('gone', 1), row('here', 1, { runQueueLatency: histogram(500) })])
    const second = smooth(first, [row('here', 0)])
    expect([...second.keys()]).toEqual(['unit:here'])
    expect(second.get('unit:here')!.p99).toBe(500)
    expect(second.get('unit:here')!.cpu).toBeCloseTo(0.5)
  })
})

describe('held', () => {
  it('keeps the order, puts new rows at the end and drops those gone', () => {
    expect(names(held([row('a', 9), row('b', 1), row('new', 5)], ['unit:b', 'unit:gone', 'unit:a']))).toEqual(['b', 'a', 'new'])
  })
})

describe('matching', () => {
  it('wants every word in name, kind or cgroup', () => {
    const rows = [row('nginx.service', 1), row('node', 1, { kind: 'executable', cgroup: null })]
    expect(names(matching(rows, ' NGINX unit '))).toEqual(['nginx.service'])
    expect(names(matching(rows, 'system.slice'))).toEqual(['nginx.service'])
    expect(matching(rows, '  ')).toBe(rows)
    expect(matching(rows, 'nothing')).toEqual([])
  })
})
