import { address, assign, currentCgroup, currentCpu, currentPid, currentTid, ktime, local, log2, max, min, networkOrder16 } from '../language/intrinsics.ts'
import { arrayMap, hash, percpuArray, percpuHash, ringbuf } from '../language/maps.ts'
import { raw_tp, tp_btf } from '../language/programs.ts'
import { array, bytes, chars, i64, struct, u32, u64, u8 } from '../../spec/schema.ts'

/** One small kernel function for each construct of the language: the sources of the golden files. */

const out = arrayMap(i64, { name: 'out' })
const counts = percpuHash(u32, u64, { name: 'counts' })
const totals = hash(u32, u64, { name: 'totals' })
const key = struct({ cgroup: u64, cpu: u32, kind: u8 }, 'key')
const seen = hash(key, struct({ count: u64, last: u64 }, 'seen'), { name: 'seen' })
const scores = percpuArray(struct({ sum: u64, buckets: array(u64, 16) }), { name: 'scores' })
const large = percpuHash(u32, struct({ sum: u64, buckets: array(u64, 32) }), { name: 'large' })
const record = struct({ at: u64, pid: u32, name: chars(16) }, 'record')
const names = struct({ name: chars(16), path: chars(32), short: chars(8) }, 'names')
const endpoints = struct({ port: u32, peer4: u32, peer6: bytes(16) }, 'endpoints')
const ring = ringbuf({ name: 'ring', bytes: 4096 })

const verbose = false as boolean
const limit = 100

export const branches = raw_tp('two_u32', (a, b) => {
  'use bpf'
  if (a > b) out.set(0, a)
  else if (a === b || b === 7) out.set(0, 0)
  else out.set(0, b)
})

export const choice = raw_tp('two_s32', (a, b) => {
  'use bpf'
  out.set(0, a < 0 ? -a : b > limit && b < 2 * limit ? b : 1)
})

export const arithmetic = raw_tp('mixed_s32_u32', (a, b) => {
  'use bpf'
  let x = a * 3 + 1
  x -= 7
  x <<= 2
  out.set(0, (x >> 1) ^ (b / 10) | (b % 8))
})

export const foldedBranch = raw_tp('two_u32', (a) => {
  'use bpf'
  if (verbose) out.set(0, a)
  counts.add(a, 1)
})

export const scalarMap = raw_tp('two_u32', (a, b) => {
  'use bpf'
  const since = totals.get(a)
  if (since === undefined) {
    totals.set(a, b)
    return
  }
  out.set(0, since + 1)
  totals.delete(a)
})

export const atomicAdd = raw_tp('two_u32', (a, b) => {
  'use bpf'
  if (!totals.add(a, b)) out.set(0, 1)
})

export const structInPlace = raw_tp('two_u32', (a) => {
  'use bpf'
  const entry = seen.getOrInsert({ cgroup: currentCgroup(), cpu: currentCpu(), kind: a })
  if (entry === undefined) return
  entry.count += 1
  entry.last = ktime()
})

export const boundedIndex = raw_tp('two_u64', (a) => {
  'use bpf'
  const score = scores.get(0)
  if (score === undefined) return
  score.sum += a
  score.buckets[min(log2(a), 15)] += 1
})

export const largeValue = raw_tp('two_u32', (a, b) => {
  'use bpf'
  const entry = large.getOrInsert(a)
  if (entry !== undefined) entry.sum = max(entry.sum, b)
})

export const ringRecord = raw_tp('text', (text) => {
  'use bpf'
  const slot = ring.reserve(record)
  if (slot === undefined) return
  assign(slot, { at: ktime(), pid: currentPid(), name: text })
  if (slot.pid === 0) ring.discard(slot)
  else ring.submit(slot, 0)
})

function scaled(value: number, unit: number) {
  'use bpf'
  if (unit === 0) return 0
  return value / unit
}

export const inlined = raw_tp('two_u64', (a, b) => {
  'use bpf'
  out.set(0, scaled(a, b) + scaled(b, 1024))
})

export const kernelFields = tp_btf('sched_switch', (preempt, prev, next) => {
  'use bpf'
  if (preempt || prev.__state === 0) counts.add(prev.pid, 1)
  out.set(0, next.real_parent.cred.uid.val)
})

export const kernelPointers = tp_btf('sched_wakeup', (task) => {
  'use bpf'
  if (task.group_leader === task) out.set(0, address(task))
  else out.set(0, currentTid())
})

export const absentField = tp_btf('sched_wakeup', (task) => {
  'use bpf'
  out.set(0, 'sched_avg' in task ? (task.sched_avg as number) : task.start_time)
})

export const kernelStrings = tp_btf('sched_process_exec', (task, _oldPid, program) => {
  'use bpf'
  const slot = local(names, { name: task.comm, path: program.filename, short: 'exec' })
  ringBytes(slot)
})

function ringBytes(source: { name: string }) {
  'use bpf'
  const slot = ring.reserve(record)
  if (slot === undefined) return
  assign(slot, { at: 1, pid: 2, name: source.name })
  ring.submit(slot, 0)
}

export const socketAddresses = tp_btf('inet_sock_set_state', (sk) => {
  'use bpf'
  const ends = local(endpoints, {
    port: networkOrder16(sk.__sk_common.skc_dport), peer4: sk.__sk_common.skc_daddr, peer6: sk.__sk_common.skc_v6_daddr,
  })
  counts.add(ends.port, ends.peer4)
})

export const probeReads = raw_tp('sched_wakeup', (task) => {
  'use bpf'
  out.set(0, task.group_leader.cred.uid.val)
})

export const countedLoop = raw_tp('two_u64', (a) => {
  'use bpf'
  const score = scores.get(0)
  if (score === undefined) return
  for (let i = 0; i < 16; i++) if (score.buckets[i] > a) score.sum += 1
})

const ports = [22, 80, 443]

export const unrolledLoop = raw_tp('two_u32', (a) => {
  'use bpf'
  for (const port of ports) if (a === port) return
  out.set(0, a)
})

export const switchCases = raw_tp('two_u32', (a, b) => {
  'use bpf'
  switch (a) {
    case 1: return
    case 2: out.set(0, b); break
    default: out.set(0, a)
  }
})

export const textComparison = tp_btf('sched_wakeup', (task) => {
  'use bpf'
  if (task.comm === 'systemd-journal') out.set(0, task.pid)
})
