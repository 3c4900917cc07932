import { u32, u64 } from '../../spec/schema.ts'
import type { MapSpec, MapTypeName } from '../../spec/spec.ts'
import { SysError } from '../../sys/errno.ts'
import { pageSize } from '../../sys/machine.ts'
import { close } from '../../sys/syscall.ts'
import { createMap } from '../map-create.ts'
import { MapFlags } from '../map-layout.ts'
import { PolicyError } from '../load-error.ts'
import { storageSpec } from '../maps/storage.ts'
import { feature, verdictOf } from './feature.ts'
import type { Feature } from './feature.ts'

/** What people call the types, with the release each came with. structOps is a feature of programs. */
const known: Record<Exclude<MapTypeName, 'structOps'>, [name: string, since: string]> = {
  hash: ['hash maps', '3.19'], array: ['arrays', '3.19'], progArray: ['arrays of programs', '4.2'],
  perfEventArray: ['perf event arrays', '4.3'], percpuHash: ['per-CPU hash maps', '4.6'], percpuArray: ['per-CPU arrays', '4.6'],
  stackTrace: ['stack traces', '4.6'], cgroupArray: ['arrays of cgroups', '4.8'], lruHash: ['LRU hash maps', '4.10'],
  lruPercpuHash: ['per-CPU LRU hash maps', '4.10'], lpmTrie: ['tries of prefixes', '4.11'], arrayOfMaps: ['arrays of maps', '4.12'],
  hashOfMaps: ['hash maps of maps', '4.12'], devmap: ['arrays of interfaces', '4.14'], sockmap: ['arrays of sockets', '4.14'],
  cpumap: ['arrays of CPUs', '4.15'], xskmap: ['arrays of XDP sockets', '4.18'], sockhash: ['hash maps of sockets', '4.18'],
  cgroupStorage: ['storage of a program and cgroup', '4.19'], reuseportSockarray: ['arrays of reuseport sockets', '4.19'],
  percpuCgroupStorage: ['per-CPU storage of a program and cgroup', '4.20'], queue: ['queues', '4.20'], stack: ['stacks', '4.20'],
  skStorage: ['socket storage', '5.2'], devmapHash: ['hash maps of interfaces', '5.4'], ringbuf: ['ring buffers', '5.8'],
  inodeStorage: ['inode storage', '5.10'], taskStorage: ['task storage', '5.11'], bloomFilter: ['bloom filters', '5.16'],
  userRingbuf: ['user ring buffers', '6.1'], cgrpStorage: ['cgroup storage', '6.2'], arena: ['arenas', '6.9'],
  insnArray: ['arrays of instructions', '6.19'],
}

/** A map type as a feature: asked by making the smallest map of it. */
export function mapFeature(type: Exclude<MapTypeName, 'structOps'>): Feature {
  const [name, since] = known[type]
  return feature(name, since, () => {
    try {
      close(createMap(smallest(type)))
      return 'yes'
    } catch (error) {
      if (error instanceof PolicyError || !(error instanceof SysError)) return { unknown: error as Error }
      return verdictOf('BPF_MAP_CREATE', -error.errno, `a map of type ${type}`)
    }
  })
}

/** Every map type. */
export function mapFeatures(): Feature[] {
  return (Object.keys(known) as Exclude<MapTypeName, 'structOps'>[]).map(mapFeature)
}

function smallest(type: MapTypeName): MapSpec {
  const spec = (keySize: number, valueSize: number, maxEntries: number, flags = 0): MapSpec =>
    ({ name: 'probe', type, keySize, valueSize, maxEntries, flags })
  switch (type) {
    case 'ringbuf': case 'userRingbuf': return spec(0, 0, pageSize())
    case 'arena': return spec(0, 0, 1, MapFlags.mmapable)
    case 'queue': case 'stack': case 'bloomFilter': return spec(0, 4, 1)
    case 'lpmTrie': return spec(8, 8, 1, MapFlags.noPrealloc)
    case 'cgroupStorage': case 'percpuCgroupStorage': return spec(16, 8, 0)
    case 'stackTrace': return spec(4, 8, 1)
    case 'insnArray': return spec(4, 16, 1)
    case 'arrayOfMaps': case 'hashOfMaps':
      return { ...spec(4, 4, 1), inner: { name: 'probe', type: 'array', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 } }
    case 'skStorage': return storageSpec('probe', 'sk', u32)
    case 'inodeStorage': return storageSpec('probe', 'inode', u32)
    case 'taskStorage': return storageSpec('probe', 'task', u64)
    case 'cgrpStorage': return storageSpec('probe', 'cgrp', u64)
    default: return spec(4, 4, 1)
  }
}
