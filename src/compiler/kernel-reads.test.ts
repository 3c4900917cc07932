import { describe, expect, test } from 'vitest'
import { currentTask, hash, raw_tp, tp_btf, u32, u64 } from 'skep'
import * as block from '../probes/block.ts'
import * as cgroup from '../probes/cgroup.ts'
import * as process from '../probes/process.ts'
import * as scheduler from '../probes/scheduler.ts'
import * as syscalls from '../probes/syscalls.ts'
import * as tcp from '../probes/tcp.ts'
import { compileModule } from './compile.ts'
import { KernelReads } from './kernel-reads.ts'
import { smallKernel } from './testing/small-kernel.ts'

/** 'hook' → root → paths with their kinds. */
function readsOf(module: Record<string, unknown>): Record<string, Record<string, string[]>> {
  const btf = smallKernel()
  const reads = new KernelReads(btf)
  compileModule(module, { btf, name: 'probe', observe: reads.observe })
  expect([...reads.nameless]).toEqual([])
  return Object.fromEntries([...reads.hooks.values()].map(({ hook, roots }) => [hook.name, Object.fromEntries([...roots].map(([root, list]) =>
    [root, list.filter(({ type }) => type.kind !== 'pointer').map(({ path, type }) => `${path.join('.')} ${type.kind}`).toSorted()]))]))
}

const workload = ['cgroups.dfl_cgrp.kn.id int', 'flags int', 'group_leader.comm chars']

describe('what the built-in probes read', () => {
  test('scheduler', () => {
    const reads = readsOf(scheduler)
    expect(reads['sched_switch']).toEqual({ 1: ['__state int', ...workload, 'pid int'], 2: [...workload, 'pid int'] })
    expect(reads['sched_wakeup']).toEqual({ 0: ['pid int'] })
  })

  test('process', () => {
    const reads = readsOf(process)
    expect(reads['sched_process_exec']).toEqual({
      0: [...workload.slice(0, 1), 'comm chars', 'cred.uid.val int', ...workload.slice(1), 'real_parent.tgid int', 'tgid int'],
      2: ['filename text'],
    })
    expect(reads['sched_process_exit']![0]).toContain('signal.live.counter int')
  })

  test('syscalls read the current task, cgroup a path argument', () => {
    expect(readsOf(syscalls)['sys_exit']).toEqual({ current: workload })
    expect(readsOf(cgroup)['cgroup_mkdir']).toEqual({ 0: ['kn.id int', 'root.hierarchy_id int'], 1: [' text'] })
  })

  test('tcp casts its socket, and copies addresses as a whole', () => {
    const reads = readsOf(tcp)['inet_sock_set_state']!
    expect(reads[0]).toEqual([
      '__sk_common.skc_daddr int', '__sk_common.skc_dport int', '__sk_common.skc_family int', '__sk_common.skc_flags int',
      '__sk_common.skc_net.net.ns.inum int', '__sk_common.skc_num int', '__sk_common.skc_rcv_saddr int',
      '__sk_common.skc_v6_daddr bytes', '__sk_common.skc_v6_rcv_saddr bytes',
      'bytes_received int', 'bytes_retrans int', 'bytes_sent int', 'inet_sport int', 'sk_protocol int',
    ])
    expect(reads['current']).toEqual([...workload, 'tgid int'])
  })

  test('block', () => {
    expect(readsOf(block)['block_rq_complete']).toEqual({ 0: ['__data_len int', 'cmd_flags int', 'q.disk.first_minor int', 'q.disk.major int'] })
  })
})

test('probe reads, casts, bitfields, array elements and joined pointers are followed', () => {
  const seen = hash(u32, u64, { maxEntries: 8 })
  const reads = readsOf({
    probed: raw_tp('sched_switch', (_preempt: any, prev: any, next: any) => {
      'use bpf'
      // The first field of its struct, behind two pointers that are read by the helper.
      seen.set(prev.signal.live.counter, next.sched_class)
      const one = prev.pid > 5 ? prev : next
      seen.set(one.counts[2], 1)
    }),
    current: tp_btf('sched_wakeup', () => { 'use bpf'; seen.set(currentTask().real_parent.real_parent.pid, 1) }),
  })
  expect(reads['sched_switch']).toEqual({ 1: ['counts array', 'pid int', 'signal.live.counter int'], 2: ['counts array', 'sched_class int'] })
  expect(reads['sched_wakeup']).toEqual({ current: ['real_parent.real_parent.pid int'] })
})
