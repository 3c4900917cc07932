import { afterEach, describe, expect, test } from 'vitest'
import { array, chars, struct, u32, u64, i32 } from '../spec/schema.ts'
import type { MapSpec } from '../spec/spec.ts'
import { possibleCpus } from '../sys/machine.ts'
import { heldBytes } from '../sys/memory.ts'
import { ClosedError } from './descriptor.ts'
import { features, has } from './features.ts'
import { openObjects } from './ledger.ts'
import { BpfMap } from './map.ts'
import { MapBatch } from './map-batch.ts'

const permitted = process.platform === 'linux' && has(features.bpf)
const hash: MapSpec = { name: 'test_hash', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 100, flags: 0, key: u32, value: u64 }
const key = (value: number) => new Uint8Array(new Uint32Array([value]).buffer)

const opened: BpfMap[] = []
function create<K, V>(spec: Partial<MapSpec> = {}): BpfMap<K, V> {
  const map = BpfMap.create<K, V>({ ...hash, ...spec })
  opened.push(map)
  return map
}

describe.runIf(permitted)('maps (feature: bpf system call)', () => {
  const before = { held: heldBytes(), open: openObjects().length }
  afterEach(() => {
    for (const map of opened.splice(0)) map.close()
    expect(openObjects().length).toBe(before.open)
    expect(heldBytes()).toBe(before.held)
  })

  test('get, set, delete', () => {
    const map = create<number, number>()
    expect(map.get(7)).toBe(undefined)
    expect(map.set(7, 2 ** 40)).toBe(true)
    expect(map.get(7)).toBe(2 ** 40)
    expect(map.set(7, 1, 'create')).toBe(false)
    expect(map.get(7)).toBe(2 ** 40)
    expect(map.set(8, 1, 'exists')).toBe(false)
    expect(map.set(7, 3, 'exists')).toBe(true)
    expect(map.delete(7)).toBe(true)
    expect(map.delete(7)).toBe(false)
    expect(map.getRaw(key(7))).toBe(undefined)
    expect(map.setRaw(key(9), new Uint8Array([1, 2, 0, 0, 0, 0, 0, 0]))).toBe(true)
    expect(map.get(9)).toBe(513)
    expect([...map.getRaw(key(9))!]).toEqual([1, 2, 0, 0, 0, 0, 0, 0])
    expect(map.deleteRaw(key(9))).toBe(true)
  })

  test('structs, arrays and strings as keys and values', () => {
    const keySchema = struct({ pid: u32, comm: chars(16) })
    const value = struct({ counts: array(u64, 3), low: i32 })
    const map = create({ key: keySchema, value, keySize: keySchema.size, valueSize: value.size })
    map.set({ pid: 1, comm: 'one' }, { counts: [1, 2, 3], low: -5 })
    map.set({ pid: 2, comm: 'two' }, { counts: [0, 0, 2 ** 50], low: 5 })
    expect(map.get({ pid: 1, comm: 'one' })).toEqual({ counts: [1, 2, 3], low: -5 })
    const all = map.readAll().sort((a: any, b: any) => a[0].pid - b[0].pid)
    expect(all).toEqual([
      [{ pid: 1, comm: 'one' }, { counts: [1, 2, 3], low: -5 }], [{ pid: 2, comm: 'two' }, { counts: [0, 0, 2 ** 50], low: 5 }],
    ])
  })

  test('a full map says so', () => {
    const map = create<number, number>({ maxEntries: 2 })
    map.set(1, 1)
    map.set(2, 2)
    expect(() => map.set(3, 3)).toThrow("map 'test_hash' is full")
  })

  test('readAll equals what was written, past the first capacity and with batches', () => {
    const map = create<number, number>({ maxEntries: 10_000 })
    for (let index = 0; index < 9_999; index++) map.set(index * 3, index)
    const all = new Map(map.readAll())
    expect(all.size).toBe(9_999)
    for (let index = 0; index < 9_999; index++) expect(all.get(index * 3)).toBe(index)
    const again = map.readRaw()
    expect(again.count).toBe(9_999)
    expect(again.keys.length).toBe(9_999 * 4)
    expect(again.values.length).toBe(9_999 * 8)
  })

  test.each(['hash', 'lruHash', 'percpuHash', 'lruPercpuHash', 'array', 'percpuArray'] as const)(
    'batches and key by key agree on %s', (type) => {
      const map = create<number, any>({ type, maxEntries: 64, value: undefined, valueSize: 12 })
      const stride = map.layout.valueStride
      for (let index = 0; index < 64; index += type.endsWith('rray') ? 1 : 2) {
        map.setRaw(key(index), Uint8Array.from({ length: stride }, (_, byte) => byte % map.layout.cpuStride < 12 ? index + byte : 0))
      }
      const read = (batches: boolean) => {
        const batch = new MapBatch(map.fd, map.spec, map.layout, { batches })
        const entries = batch.read()
        const result = Array.from({ length: entries.count }, (_, index) => [
          Buffer.from(entries.keys).readUInt32LE(index * 4), [...entries.values.subarray(index * stride, (index + 1) * stride)],
        ] as const).sort((a, b) => a[0] - b[0])
        batch.close()
        return result
      }
      const byKey = read(false)
      expect(byKey.length).toBe(type.endsWith('rray') ? 64 : 32)
      expect(byKey[1]![1][0]).toBe(byKey[1]![0])
      expect(read(true)).toEqual(byKey)
      const raw = map.readRaw()
      expect(raw.count).toBe(byKey.length)
    })

  test('per-CPU values: one a possible CPU, each padded to 8 bytes', () => {
    const cpus = possibleCpus()
    const map = create<number, number[]>({ type: 'percpuHash', value: i32, valueSize: 4 })
    const values = Array.from({ length: cpus }, (_, cpu) => cpu * 100 - 1)
    map.set(5, values)
    expect(map.get(5)).toEqual(values)
    expect(map.readAll()).toEqual([[5, values]])
    expect(map.layout).toEqual({ keySize: 4, valueSize: 4, cpus, cpuStride: 8, valueStride: 8 * cpus })
    expect(() => map.set(5, [1] as number[])).toThrow(cpus === 1 ? '' : `must be an array of ${cpus} values`)
  })

  test.each([true, false])('deleteBatch skips keys that are not there (batches: %s)', (batches) => {
    const map = create<number, number>({})
    for (let index = 0; index < 20; index++) map.set(index, index)
    const keys = new Uint8Array(new Uint32Array([0, 1, 500, 2, 501, 502, 19]).buffer)
    const batch = new MapBatch(map.fd, map.spec, map.layout, { batches })
    expect(batch.deleteKeys(keys, 7)).toBe(4)
    batch.close()
    expect(map.deleteBatch(keys)).toBe(0)
    expect(map.readRaw().count).toBe(16)
    expect(map.get(3)).toBe(3)
    expect(map.get(19)).toBe(undefined)
    expect(() => map.deleteBatch(keys, 8)).toThrow(RangeError)
  })

  test.each([undefined, false])('takeRaw empties the map and returns it all (batches: %s)', (batches) => {
    const map = create<number, number>({ maxEntries: 6_000 })
    for (let index = 0; index < 6_000; index++) map.set(index, index)
    const batch = new MapBatch(map.fd, map.spec, map.layout, { batches })
    const taken = batch.take()
    expect(taken.count).toBe(6_000)
    let sum = 0
    for (let index = 0; index < taken.count; index++) sum += taken.valueView.u32[index * 2]!
    expect(sum).toBe(6_000 * 5_999 / 2)
    batch.close()
    expect(map.readRaw().count).toBe(0)
  })

  test.runIf(has(features.mmapableArray))('a mapped array shares its memory (feature: mappable arrays)', () => {
    const map = create<number, number>({ type: 'array', flags: 1024, maxEntries: 1000 })
    const view = map.mapped()
    expect(map.mapped()).toBe(view)
    map.set(999, 77)
    expect(view.u32[999 * map.mappedStride / 4]).toBe(77)
    view.u32[3 * map.mappedStride / 4] = 5
    expect(map.get(3)).toBe(5)
    map.close()
    expect(view.u32[999 * map.mappedStride / 4] ?? 0).toBe(0)
  })

  test('info and memory are what the kernel says', () => {
    const map = create({ name: 'runq.latency-by-cgroup', maxEntries: 1000 })
    expect(map.info).toMatchObject({ name: 'runq.latency_by', type: 1, keySize: 4, valueSize: 8, maxEntries: 1000, flags: 0 })
    expect(map.info.id).toBeGreaterThan(0)
    expect(map.memoryBytes).toBeGreaterThan(1000 * 12)
  })

  test('closing twice is fine, use after it is an error', () => {
    const map = create<number, number>()
    map.set(1, 1)
    map.readRaw()
    map.close()
    map.close()
    expect(map.closed).toBe(true)
    expect(() => map.get(1)).toThrow(ClosedError)
    expect(() => map.readRaw()).toThrow(ClosedError)
  })

  test.each<[Partial<MapSpec>, string]>([
    [{ maxEntries: 0 }, 'maxEntries must be an integer'],
    [{ valueSize: 4 }, 'its value schema has 8 bytes'],
    [{ type: 'array', keySize: 8, key: undefined }, "an array's keySize must be 4"],
    [{ type: 'ringbuf', keySize: 0, valueSize: 0, key: undefined, value: undefined, maxEntries: 5000 }, 'power of two'],
    [{ type: 'ringbuf', key: undefined, value: undefined, maxEntries: 65_536 }, 'neither keys nor values'],
    [{ type: 'nope' as 'hash' }, "'nope' is not known"],
  ])('a map no kernel would make is refused with the reason: %j', (spec, reason) => {
    expect(() => create(spec)).toThrow(reason)
  })

  test('what the kernel refuses names map and errno', () => {
    expect(() => create({ flags: 1 << 30 })).toThrow(/bpf\(BPF_MAP_CREATE\): EINVAL: map 'test_hash' \(hash\)/)
    const bare = create({ value: undefined })
    expect(() => bare.get(1)).not.toThrow()
    bare.setRaw(key(1), new Uint8Array(8))
    expect(() => bare.get(1)).toThrow('has no value schema')
    expect(() => bare.getRaw(new Uint8Array(3))).toThrow('a key has 4 bytes, not 3')
  })
})
