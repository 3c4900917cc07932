import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BpfMap } from '../bpf/map.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { counter } from '../signals/counter.ts'
import { chars, struct, u64 } from '../spec/schema.ts'
import { possibleCpus, processStatus } from '../sys/machine.ts'
import { SignalReader } from './signal-reader.ts'

const canMakeMaps = process.platform === 'linux' && ['CAP_BPF', 'CAP_SYS_ADMIN'].some((name) => processStatus().capabilities.has(name as 'CAP_BPF'))
const key = struct({ cgroup: u64, comm: chars(16) })
const signal = counterGroup('test.group', { description: '', counters: { time: 'ns', switches: '{switch}' }, by: key })

describe.skipIf(!canMakeMaps)('SignalReader on maps of the kernel (needs CAP_BPF)', () => {
  let map: BpfMap
  beforeEach(() => {
    map = BpfMap.create({
      name: 'skep_test', type: 'percpuHash', keySize: key.size, valueSize: signal.map.value.size, maxEntries: 16, flags: 0, key, value: signal.map.value,
    })
  })
  afterEach(() => map.close())
  const put = (cgroup: number, comm: string, time: number, switches: number) =>
    map.set({ cgroup, comm }, Array.from({ length: possibleCpus() }, (_, cpu) => cpu === 0 ? { time, switches } : { time: 1, switches: 0 }))
  const others = possibleCpus() - 1

  test('sums over CPUs, decodes labels, gives deltas', () => {
    const reader = new SignalReader<{ cgroup: number; comm: string }>(signal, map)
    put(1, 'node', 100, 2)
    put(77, '', 50, 1)
    const byComm = (rows: Iterable<{ key: { comm: string }; delta: Float64Array }>) =>
      Object.fromEntries([...rows].map((row) => [row.key.comm, [...row.delta]]))
    expect(byComm(reader.read(0))).toEqual({ node: [100 + others, 2], '': [50 + others, 1] })
    put(1, 'node', 130, 3)
    expect(byComm(reader.read(1))).toEqual({ node: [30, 1], '': [0, 0] })
  })

  test('deletes what is idle and what is gone, and nothing else', () => {
    const reader = new SignalReader<{ cgroup: number; comm: string }>(signal, map)
    put(1, 'busy', 1, 1)
    put(2, '', 1, 1)
    put(3, '', 1, 1)
    reader.read(0)
    expect(reader.sweep(5000, ({ cgroup }) => cgroup === 2)).toBe(0)
    put(1, 'busy', 2, 1)
    reader.read(20_000)
    expect(reader.sweep(20_000, ({ cgroup }) => cgroup === 2)).toBe(1)
    expect(map.readAll().map(([{ cgroup }]) => cgroup).sort()).toEqual([1, 3])
    reader.read(310_000)
    expect(reader.sweep(310_000, () => false)).toBe(1)
    expect(map.readAll().map(([{ comm }]) => comm)).toEqual(['busy'])
    put(3, '', 5, 1)
    expect([...reader.read(311_000)].find((row) => row.key.cgroup === 3)!.delta[0]).toBe(5 + others)
  })

  test('a signal without labels has one row and is never swept', () => {
    const lone = counter('test.lone', { unit: '{x}', description: '' })
    const array = BpfMap.create({
      name: 'skep_test', type: 'percpuArray', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, key: lone.map.key, value: lone.map.value,
    })
    try {
      const reader = new SignalReader(lone, array)
      array.set(0, Array.from({ length: possibleCpus() }, () => 3))
      const [row] = [...reader.read(0)]
      expect([row!.key, row!.delta[0]]).toEqual([null, 3 * possibleCpus()])
      expect(reader.sweep(1e9, () => true)).toBe(0)
    } finally {
      array.close()
    }
  })
})
