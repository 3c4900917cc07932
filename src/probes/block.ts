import type { gendisk, request } from 'skep/vmlinux'
import { address, ktime } from '../compiler/language/intrinsics.ts'
import { hash } from '../compiler/language/maps.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { histogram } from '../signals/histogram.ts'
import { defineProbe } from '../signals/probe.ts'
import { lossCounter } from '../signals/signal.ts'
import { struct, u32, u64 } from '../spec/schema.ts'

export const probe = defineProbe({
  name: 'block',
  title: 'Block I/O: requests, bytes and latency by device',
})

/** linux/blk_types.h: the low byte of cmd_flags is the operation. */
const REQ_OP_MASK = 0xff

const device = struct({ major: u32, minor: u32, operation: u32 }, 'device')

export const latency = histogram('block.latency', {
  unit: 'ns',
  description: 'From the issue of a request to the driver until its completion',
  by: device,
  maxKeys: 256,
})

export const io = counterGroup('block', {
  description: 'Completed requests and their bytes',
  counters: { requests: '{request}', bytes: 'By' },
  by: device,
  maxKeys: 256,
})

const issuedAt = hash(u64, u64, { maxEntries: 10_240 })
export const stampsLost = lossCounter('block.stamps')

/** The disk moved from the request to its queue with kernel 5.17. */
function diskOf(rq: request | (request & { rq_disk: gendisk })) {
  'use bpf'
  return 'rq_disk' in rq ? rq.rq_disk : rq.q.disk
}

/** Before kernel 5.11 the request came after its queue. */
export const issued = tp_btf('block_rq_issue', (first: request, second?: request) => {
  'use bpf'
  const rq = second ?? first
  if (!issuedAt.set(address(rq), ktime())) stampsLost.add(0, 1)
})

export const completed = tp_btf('block_rq_complete', (rq, _error, bytes) => {
  'use bpf'
  const disk = diskOf(rq)
  const key = { major: disk.major, minor: disk.first_minor, operation: rq.cmd_flags & REQ_OP_MASK }
  const done = io.at(key)
  if (done === undefined) return
  done.bytes += bytes
  // A request may complete in parts; the last part brings what is left of it.
  if (bytes < rq.__data_len) return
  done.requests += 1
  const since = issuedAt.get(address(rq))
  if (since === undefined) return
  issuedAt.delete(address(rq))
  latency.record(ktime() - since, key)
})
