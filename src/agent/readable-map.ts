import type { BpfMap } from '../bpf/map.ts'
import type { MapSpec } from '../spec/spec.ts'

/** What the agent needs of a map: one in the kernel, or one of a simulation that plays a recording. */
export interface ReadableMap extends Pick<BpfMap, 'layout' | 'closed' | 'memoryBytes' | 'readRaw' | 'deleteBatch' | 'get' | 'set'> {
  readonly spec: Pick<MapSpec, 'name'>
}
