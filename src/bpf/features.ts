import { accessSync, constants } from 'node:fs'
import { MapType } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import { close } from '../sys/syscall.ts'
import { command } from './command.ts'
import { feature, verdictOf } from './features/feature.ts'
import type { Feature, Verdict } from './features/feature.ts'
import { btfFeatures } from './features/btf-features.ts'
import { linkFeatures } from './features/link-features.ts'
import { loadFeatures } from './features/load-features.ts'
import { mapFeature } from './features/map-features.ts'
import { codeFeatures } from './features/program-features.ts'
import { kernelBtf, vmlinuxBtfPath } from './kernel-btf.ts'
import { MapFlags } from './map-layout.ts'
import { hasMemcgAccounting, withMemlock } from './memlock.ts'
import { loadBytes, Op } from './tiny-program.ts'
import { tracepointId } from './tracefs.ts'

export { explainFeature, has, resetFeatures } from './features/feature.ts'
export type { Feature, Verdict } from './features/feature.ts'

function createMap(type: keyof typeof MapType, keySize: number, valueSize: number, entries: number, flags = 0): number {
  return withMemlock(() => command('BPF_MAP_CREATE', 72, (attr) => {
    attr.u32(0, MapType[type])
    attr.u32(4, keySize)
    attr.u32(8, valueSize)
    attr.u32(12, entries)
    attr.u32(16, flags)
  }))
}

/** An empty map answers ENOENT to a batch look-up; a map type without batches says ENOTSUPP or EINVAL. */
function batches(type: 'hash' | 'percpuHash' | 'percpuArray'): Verdict {
  const map = createMap(type, 4, 8, 2)
  if (map < 0) return verdictOf('BPF_MAP_CREATE', map, `a ${type} map`)
  const memory = allocate(64 + 8 * 1024 * 8)
  try {
    const result = command('BPF_MAP_LOOKUP_BATCH', 56, (attr) => {
      attr.u64(8, memory.address)
      attr.u64(16, memory.address + 16)
      attr.u64(24, memory.address + 64)
      attr.u32(32, 2)
      attr.u32(36, map)
    })
    return result === -Errno.ENOENT || result === 0 ? 'yes' : verdictOf('BPF_MAP_LOOKUP_BATCH', result, `a ${type} map`)
  } finally {
    close(map)
    release(memory)
  }
}

const returnZero = [Op.mov(0, 0), Op.exit]
/** Rare, and in every kernel. */
const quietTracepoint = 'sched_process_exec'

function rawTracepoint(program: number, name: string, what: string): Verdict {
  if (program < 0) return verdictOf('BPF_PROG_LOAD', program, what)
  const memory = allocate(64)
  try {
    memory.u8.set(new TextEncoder().encode(name))
    const result = command('BPF_RAW_TRACEPOINT_OPEN', 16, (attr) => {
      attr.u64(0, name === '' ? 0 : memory.address)
      attr.u32(8, program)
    })
    return verdictOf('BPF_RAW_TRACEPOINT_OPEN', result, what)
  } finally {
    close(program)
    release(memory)
  }
}

function tpBtf(): Verdict {
  const id = kernelBtf().find(`btf_trace_${quietTracepoint}`, 'typedef')
  if (id === 0) return 'no'
  const program = loadBytes('tracing', returnZero, (attr) => {
    attr.u32(68, 23)
    attr.u32(108, id)
  })
  return rawTracepoint(program, '', 'a tp_btf program')
}

/** As libbpf: an impossible target is told from an unknown kind of link. */
function perfLink(): Verdict {
  const program = loadBytes('tracepoint', returnZero)
  if (program < 0) return verdictOf('BPF_PROG_LOAD', program, 'a tracepoint program')
  const result = command('BPF_LINK_CREATE', 24, (attr) => {
    attr.u32(0, program)
    attr.u32(4, 0xffff_ffff)
    attr.u32(8, 41)
  })
  close(program)
  return result === -Errno.EBADF ? 'yes' : verdictOf('BPF_LINK_CREATE', result, 'a perf link')
}

/** A .BTF with a single int in it. */
function loadTinyBtf(): number {
  const memory = allocate(128)
  try {
    const { u8, u32 } = memory
    u32.set([0x0001_eb9f, 24, 0, 16, 16, 5], 0)
    u32.set([1, 1 << 24, 4, 1 << 24 | 32], 6)
    u8.set(new TextEncoder().encode('\0int\0'), 40)
    return command('BPF_BTF_LOAD', 28, (attr) => {
      attr.u64(0, memory.address)
      attr.u32(16, 45)
    })
  } finally {
    release(memory)
  }
}

export const features = {
  bpf: feature('the bpf system call', '4.4', () => verdictOf('BPF_MAP_CREATE', createMap('array', 4, 4, 1), 'using bpf')),
  kernelBtf: feature("the kernel's BTF", '5.4', () => {
    try {
      accessSync(vmlinuxBtfPath, constants.R_OK)
      return 'yes'
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'no'
      throw error
    }
  }),
  btfLoad: feature('loading BTF', '4.18', () => verdictOf('BPF_BTF_LOAD', loadTinyBtf(), 'loading BTF')),
  ringBuffer: mapFeature('ringbuf'),
  bloomFilter: mapFeature('bloomFilter'),
  userRing: mapFeature('userRingbuf'),
  arena: mapFeature('arena'),
  skStorage: mapFeature('skStorage'),
  inodeStorage: mapFeature('inodeStorage'),
  taskStorage: mapFeature('taskStorage'),
  cgroupStorage: mapFeature('cgrpStorage'),
  tpBtf: feature('typed tracepoints (tp_btf)', '5.5', tpBtf),
  rawTracepoint: feature('raw tracepoints', '4.17',
    () => rawTracepoint(loadBytes('raw_tracepoint', returnZero), quietTracepoint, 'a raw tracepoint program')),
  tracepoint: feature('tracepoints', '4.7', () => {
    if (tracepointId('sched', quietTracepoint) === undefined) return 'no'
    return verdictOf('BPF_PROG_LOAD', loadBytes('tracepoint', returnZero), 'a tracepoint program')
  }),
  perfLink: feature('links on perf events', '5.15', perfLink),
  batch: feature('batches of hash map entries', '5.6', () => batches('hash')),
  perCpuHashBatch: feature('batches of per-CPU hash map entries', '5.6', () => batches('percpuHash')),
  perCpuArrayBatch: feature('batches of per-CPU array entries', '5.13', () => batches('percpuArray')),
  mmapableArray: feature('mappable arrays', '5.5',
    () => verdictOf('BPF_MAP_CREATE', createMap('array', 4, 8, 1, MapFlags.mmapable), 'a mappable array')),
  ...linkFeatures,
  ...codeFeatures,
  ...btfFeatures,
  ...loadFeatures,
  stats: feature('program run time statistics', '5.8',
    () => verdictOf('BPF_ENABLE_STATS', command('BPF_ENABLE_STATS', 4, () => {}), 'enabling statistics')),
  memcgAccounting: feature('memory accounting by cgroup', '5.11', () => hasMemcgAccounting() ? 'yes' : 'no'),
} as const satisfies Record<string, Feature>
