import { pageSize, possibleCpus } from '../sys/machine.ts'
import { MapType } from '../spec/spec.ts'
import type { MapSpec } from '../spec/spec.ts'

/** BPF_F_* of map creation (linux/bpf.h). */
export const MapFlags = { noPrealloc: 1, mmapable: 1 << 10 } as const

/** How a map's entries lie in memory when the kernel copies them out. */
export interface MapLayout {
  keySize: number
  /** Bytes of one CPU's value. */
  valueSize: number
  /** Values an entry holds: the possible CPUs for per-CPU types, else 1. */
  cpus: number
  /** Bytes from one CPU's value to the next: valueSize, rounded up to 8 for per-CPU types. */
  cpuStride: number
  /** Bytes from one entry's values to the next. */
  valueStride: number
}

export function layoutOf(spec: MapSpec): MapLayout {
  const perCpu = isPerCpu(spec)
  const cpus = perCpu ? possibleCpus() : 1
  const cpuStride = perCpu ? Math.ceil(spec.valueSize / 8) * 8 : spec.valueSize
  return { keySize: spec.keySize, valueSize: spec.valueSize, cpus, cpuStride, valueStride: cpuStride * cpus }
}

export function isPerCpu(spec: MapSpec): boolean {
  return spec.type === 'percpuHash' || spec.type === 'percpuArray' || spec.type === 'lruPercpuHash'
}

export function isArray(spec: MapSpec): boolean {
  return spec.type === 'array' || spec.type === 'percpuArray'
}

/** A map that the kernel would refuse with a bare EINVAL. */
export class MapSpecError extends Error {
  override readonly name = 'MapSpecError'
  readonly map: string
  constructor(map: string, problem: string) {
    super(`map '${map}': ${problem}`)
    this.map = map
  }
}

export function checkMapSpec(spec: MapSpec): void {
  const fail = (problem: string) => { throw new MapSpecError(spec.name, problem) }
  if (MapType[spec.type] === undefined) fail(`the type '${spec.type}' is not known`)
  if (!Number.isInteger(spec.maxEntries) || spec.maxEntries < 1 || spec.maxEntries > 0xffff_ffff) {
    fail(`maxEntries must be an integer from 1 to 4294967295, not ${spec.maxEntries}`)
  }
  if (spec.key !== undefined && spec.key.size !== spec.keySize) {
    fail(`keySize is ${spec.keySize}, but its key schema has ${spec.key.size} bytes`)
  }
  if (spec.value !== undefined && spec.value.size !== spec.valueSize) {
    fail(`valueSize is ${spec.valueSize}, but its value schema has ${spec.value.size} bytes`)
  }
  if (spec.type === 'ringbuf') {
    const page = pageSize()
    const power = Number.isInteger(Math.log2(spec.maxEntries))
    if (!power || spec.maxEntries % page !== 0) {
      fail(`a ring buffer's size must be a power of two and a multiple of the page size (${page}), not ${spec.maxEntries}`)
    }
    if (spec.keySize !== 0 || spec.valueSize !== 0) fail('a ring buffer has neither keys nor values: keySize and valueSize must be 0')
    return
  }
  if (isArray(spec) && spec.keySize !== 4) fail(`an array's keySize must be 4, not ${spec.keySize}`)
  if (spec.keySize < 1) fail('keySize must be at least 1')
  if (spec.valueSize < 1) fail('valueSize must be at least 1')
}
