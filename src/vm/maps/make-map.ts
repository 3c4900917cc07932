import { MapType } from '../../spec/kernel-enums.ts'
import { VmRefusal } from '../fault.ts'
import type { Memory } from '../memory.ts'
import { ArrayMap } from './array-map.ts'
import { HashMap } from './hash-map.ts'
import { LpmTrie } from './lpm-trie.ts'
import type { MapModel, MapShape } from './map-model.ts'
import { BloomFilter, QueueMap } from './queue-map.ts'
import { UnmodelledMap } from './unmodelled-map.ts'
import { MapOfMaps, PerfArray, ProgramArray, StorageMap } from './reference-map.ts'
import { RingMap } from './ring-map.ts'

type Make = (shape: MapShape, memory: Memory, cpus: number) => MapModel

/** Map types that have a model, by their names in a Spec. */
const models: Readonly<Record<string, Make>> = {
  hash: (shape, memory) => new HashMap(shape, memory, 1, false),
  percpuHash: (shape, memory, cpus) => new HashMap(shape, memory, cpus, false),
  lruHash: (shape, memory) => new HashMap(shape, memory, 1, true),
  lruPercpuHash: (shape, memory, cpus) => new HashMap(shape, memory, cpus, true),
  array: (shape, memory) => new ArrayMap(shape, memory, 1),
  percpuArray: (shape, memory, cpus) => new ArrayMap(shape, memory, cpus),
  lpmTrie: (shape, memory) => new LpmTrie(shape, memory),
  queue: (shape, memory) => new QueueMap(shape, memory, false),
  stack: (shape, memory) => new QueueMap(shape, memory, true),
  bloomFilter: (shape, memory) => new BloomFilter(shape, memory),
  ringbuf: (shape, memory) => new RingMap(shape, memory),
  perfEventArray: (shape, memory) => new PerfArray(shape, memory),
  progArray: (shape, memory) => new ProgramArray(shape, memory),
  arrayOfMaps: (shape, memory) => new MapOfMaps(shape, memory),
  hashOfMaps: (shape, memory) => new MapOfMaps(shape, memory),
  taskStorage: (shape, memory) => new StorageMap(shape, memory),
  inodeStorage: (shape, memory) => new StorageMap(shape, memory),
  skStorage: (shape, memory) => new StorageMap(shape, memory),
  cgrpStorage: (shape, memory) => new StorageMap(shape, memory),
}

export const modelledMaps: readonly string[] = Object.keys(models)

/** A map of a type without a model faults when a program uses it. @throws VmRefusal for a shape that no kernel accepts */
export function makeMap(shape: MapShape, memory: Memory, cpus: number): MapModel {
  const make = models[shape.type]
  const refuse = (problem: string): never => { throw new VmRefusal(-1, `map '${shape.name}': ${problem}`) }
  if (make === undefined) {
    if (!(shape.type in MapType)) refuse(`there is no map type '${shape.type}'`)
    return new UnmodelledMap(shape, memory)
  }
  const whole = (value: number, most: number) => Number.isInteger(value) && value >= 0 && value <= most
  if (!whole(shape.maxEntries, 0xffff_ffff)) refuse(`maxEntries must be an integer of 32 bits, not ${shape.maxEntries}`)
  if (!whole(shape.keySize, 512)) refuse(`a key has at most 512 bytes, not ${shape.keySize}`)
  if (!whole(shape.valueSize, 16 * 1024 * 1024)) refuse(`a value has at most 16 MB, not ${shape.valueSize} bytes`)
  const array = shape.type === 'array' || shape.type === 'percpuArray'
  if (array && shape.keySize !== 4) refuse(`an array's key has 4 bytes, not ${shape.keySize}`)
  if (shape.type === 'lpmTrie' && (shape.keySize < 5 || shape.keySize > 260)) refuse(
    `a prefix key has 5 to 260 bytes, not ${shape.keySize}`,
  )
  const keyed = /hash|lru|lpm/i.test(shape.type)
  if (keyed && (shape.keySize === 0 || shape.maxEntries === 0)) refuse('it has no room for a key')
  return make(shape, memory, cpus)
}
