import { expect, test } from 'vitest'
import { addHistogram, WorkloadTable } from './workload-table.ts'
import { workloadOfExecutable } from './workload.ts'

test('adds up a tick, gives rates, begins anew, keeps totals of errors', () => {
  const table = new WorkloadTable()
  const node = workloadOfExecutable('node')
  const bash = workloadOfExecutable('bash')
  for (const half of [1, 2]) {
    const activity = table.of(node, half)
    activity.cpuNs += 5e8
    activity.calls += 100
    activity.errors += 3
    activity.errno.set(2, (activity.errno.get(2) ?? 0) + 2).set(11, 1)
    addHistogram(activity, 10, [0, 0, 1])
  }
  table.of(bash, 2).cpuNs += 3e9
  const rows = table.finish(2, 2)
  expect(rows.map(({ name, cpuCores }) => [name, cpuCores])).toEqual([['bash', 1.5], ['node', 0.5]])
  expect(rows[1]).toMatchObject({ id: 'executable:node', kind: 'executable', syscallsPerSecond: 100, syscallErrorsPerSecond: 3 })
  expect(rows[1]!.runQueueLatency).toMatchObject({ buckets: [0, 0, 2], count: 2, sum: 20 })
  expect(rows[1]!.errors).toEqual([{ errno: 2, name: 'ENOENT', perSecond: 2, total: 4 }, { errno: 11, name: 'EAGAIN', perSecond: 0.5, total: 1 }])
  expect(table.finish(1, 3).find(({ name }) => name === 'node')).toMatchObject({
    cpuCores: 0, syscallsPerSecond: 0, runQueueLatency: { count: 0, p50: null }, errors: [{ errno: 2, perSecond: 0, total: 4 }, { errno: 11, total: 1 }],
  })
})

test('workloads that are idle for minutes leave the list', () => {
  const table = new WorkloadTable()
  table.of(workloadOfExecutable('a'), 0)
  expect(table.finish(1, 200_000)).toHaveLength(1)
  table.of(workloadOfExecutable('b'), 400_000)
  expect(table.finish(1, 400_000).map(({ name }) => name)).toEqual(['b'])
})
