import { pageSize, possibleCpus } from '../sys/machine.ts'
import { MapType } from '../spec/spec.ts'
import type { MapSpec, MapTypeName } from '../spec/spec.ts'

/** BPF_F_* of map creation (linux/bpf.h). */
export const MapFlags = {
  /** Allocate entries when they are set, not before; tries and storages insist on it. */
  noPrealloc: 1,
  /** An LRU list for each CPU instead of a shared one. */
  noCommonLru: 1 << 1,
  numaNode: 1 << 2,
  /** Processes may only read; only write. */
  readOnly: 1 << 3, writeOnly: 1 << 4,
  /** Stack traces as build ids with offsets. */
  stackBuildId: 1 << 5,
  /** Hash without a random seed: for tests. */
  zeroSeed: 1 << 6,
  /** Programs may only read; only write. */
  readOnlyProgram: 1 << 7, writeOnlyProgram: 1 << 8,
  /** Sockets inherit storage from the listening one. */
  clone: 1 << 9,
  mmapable: 1 << 10,
  /** Perf event arrays keep events beyond the descriptor that set them. */
  preserveElements: 1 << 11,
  /** Array that may stand in a map of maps with another number of entries. */
  innerMap: 1 << 12,
  /** struct_ops attached by a link (6.4). */
  link: 1 << 13,
  /** The value type's BTF is a module's (6.9). */
  valueTypeBtf: 1 << 15,
  tokenFd: 1 << 16,
  /** Arena: a fault outside of allocated pages kills the process instead of allocating (6.9). */
  segvOnFault: 1 << 17,
} as const

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

const perCpuTypes = new Set<MapTypeName>(['percpuHash', 'percpuArray', 'lruPercpuHash', 'percpuCgroupStorage'])

export function isPerCpu(spec: Pick<MapSpec, 'type'>): boolean {
  return perCpuTypes.has(spec.type)
}

export function isArray(spec: Pick<MapSpec, 'type'>): boolean {
  return spec.type === 'array' || spec.type === 'percpuArray'
}

/** Storages whose key is a descriptor: of a socket, an inode, a process, a cgroup. */
export const storageTypes: ReadonlySet<MapTypeName> = new Set(['skStorage', 'inodeStorage', 'taskStorage', 'cgrpStorage'])
const cgroupStorageTypes = new Set<MapTypeName>(['cgroupStorage', 'percpuCgroupStorage'])
/** Rings and arenas are memory: they have no entries. */
const memoryTypes = new Set<MapTypeName>(['ringbuf', 'userRingbuf', 'arena'])
const keylessTypes = new Set<MapTypeName>(['queue', 'stack', 'bloomFilter'])
/** Keys are indices of 4 bytes. */
const indexedTypes = new Set<MapTypeName>([
  'array', 'percpuArray', 'progArray', 'perfEventArray', 'cgroupArray', 'arrayOfMaps', 'stackTrace', 'devmap', 'cpumap', 'xskmap',
  'sockmap', 'reuseportSockarray', 'insnArray', 'structOps', ...storageTypes,
])
/** Values are descriptors of 4 bytes when they are set. */
const descriptorTypes = new Set<MapTypeName>(['progArray', 'perfEventArray', 'cgroupArray', 'arrayOfMaps', 'hashOfMaps', 'xskmap'])

/** A map that the kernel would refuse with a bare EINVAL. */
export class MapSpecError extends Error {
  override readonly name = 'MapSpecError'
  readonly map: string
  constructor(map: string, problem: string) {
    super(`map '${map}': ${problem}`)
    this.map = map
  }
}

/** Whether keys and values can be got and set; @throws MapSpecError that names who can read it instead */
export function requireEntries(spec: MapSpec): void {
  const fail = (problem: string): never => { throw new MapSpecError(spec.name, problem) }
  switch (spec.type) {
    case 'ringbuf': return fail('a ring buffer has no entries: read it with RingReader')
    case 'userRingbuf': return fail('a user ring buffer has no entries: write it with UserRing')
    case 'arena': return fail('an arena has no entries: map it with Arena')
    case 'queue': case 'stack': return fail(`a ${spec.type} has no keys: use Queue`)
    case 'bloomFilter': return fail('a bloom filter has no keys: use BloomFilter')
    default:
  }
}

export function checkMapSpec(spec: MapSpec): void {
  const fail = (problem: string): never => { throw new MapSpecError(spec.name, problem) }
  const { type, keySize, valueSize, maxEntries, flags } = spec
  if (MapType[type] === undefined) fail(`the type '${type}' is not known`)
  if (spec.key !== undefined && spec.key.size !== keySize) {
    fail(`keySize is ${keySize}, but its key schema has ${spec.key.size} bytes`)
  }
  if (spec.value !== undefined && spec.value.size !== valueSize) {
    fail(`valueSize is ${valueSize}, but its value schema has ${spec.value.size} bytes`)
  }
  const unbounded = storageTypes.has(type) || cgroupStorageTypes.has(type)
  if (unbounded && maxEntries !== 0) fail(`a ${type} has as many entries as its owners: maxEntries must be 0, not ${maxEntries}`)
  const least = unbounded || type === 'perfEventArray' ? 0 : 1
  if (!Number.isInteger(maxEntries) || maxEntries < least || maxEntries > 0xffff_ffff) {
    fail(`maxEntries must be an integer from ${least} to 4294967295, not ${maxEntries}`)
  }
  if (memoryTypes.has(type)) return checkMemory(spec, fail)
  if (keylessTypes.has(type)) {
    if (keySize !== 0) fail(`a ${type} has no keys: keySize must be 0, not ${keySize}`)
  } else if (keySize < 1) {
    fail('keySize must be at least 1')
  }
  if (indexedTypes.has(type) && keySize !== 4) {
    fail(isArray(spec) ? `an array's keySize must be 4, not ${keySize}` : `keySize of a ${type} must be 4, not ${keySize}`)
  }
  if (descriptorTypes.has(type) && valueSize !== 4) fail(`values of a ${type} are descriptors: valueSize must be 4, not ${valueSize}`)
  if (valueSize < 1 && type !== 'structOps') fail('valueSize must be at least 1')
  if ((type === 'lpmTrie' || storageTypes.has(type)) && (flags & MapFlags.noPrealloc) === 0) {
    fail(`a ${type} must be created with BPF_F_NO_PREALLOC (flag 1)`)
  }
  if (type === 'lpmTrie' && keySize < 5) fail(`a key of a trie is a length (u32) and an address of 1 byte at least, not ${keySize} bytes`)
  if ((type === 'arrayOfMaps' || type === 'hashOfMaps') && spec.inner === undefined) {
    fail(`'inner' must say what the maps in a ${type} are like`)
  }
  if (type === 'stackTrace' && valueSize % 8 !== 0) {
    fail(`a stack is of 8-byte addresses: valueSize must be a multiple of 8, not ${valueSize}`)
  }
}

function checkMemory(spec: MapSpec, fail: (problem: string) => never): void {
  const { type, maxEntries, keySize, valueSize, flags } = spec
  if (type === 'arena') {
    if ((flags & MapFlags.mmapable) === 0) fail('an arena must be created with BPF_F_MMAPABLE (flag 1024)')
    if (keySize !== 0 || valueSize !== 0) fail('an arena has neither keys nor values: keySize and valueSize must be 0')
    return
  }
  const page = pageSize()
  if (!Number.isInteger(Math.log2(maxEntries)) || maxEntries % page !== 0) {
    fail(`a ring buffer's size must be a power of two and a multiple of the page size (${page}), not ${maxEntries}`)
  }
  if (keySize !== 0 || valueSize !== 0) fail('a ring buffer has neither keys nor values: keySize and valueSize must be 0')
}
