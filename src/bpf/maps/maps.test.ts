import { openSync, closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bytes, i32, struct, u32, u64 } from '../../spec/schema.ts'
import { MapType } from '../../spec/spec.ts'
import type { MapSpec, MapTypeName } from '../../spec/spec.ts'
import { Errno, SysError } from '../../sys/errno.ts'
import { possibleCpus } from '../../sys/machine.ts'
import { heldBytes } from '../../sys/memory.ts'
import { openSocket } from '../../sys/socket.ts'
import { close } from '../../sys/syscall.ts'
import { features, has } from '../features.ts'
import { openCgroup, openProcess } from '../handles.ts'
import { BpfMap } from '../map.ts'
import { MapBatch } from '../map-batch.ts'
import { mismatches } from '../map-info.ts'
import { MapFlags } from '../map-layout.ts'
import { updateBatch } from '../map-update-batch.ts'
import { unpin } from '../pin.ts'
import { bpfFileSystem, cgroup, cgroupRoot, directory } from '../testing/places.ts'
import { keeper } from '../testing/keeper.ts'
import { Arena } from './arena.ts'
import { BloomFilter } from './bloom-filter.ts'
import { MapOfMaps } from './map-of-maps.ts'
import { ipv4Prefix, ipv6Prefix, prefix } from './prefix.ts'
import { Queue } from './queue.ts'
import { storageSpec } from './storage.ts'
import { UserRing } from './user-ring.ts'

const permitted = process.platform === 'linux' && has(features.bpf)
const base: MapSpec = { name: 'test', type: 'hash', key: u32, keySize: 4, value: u64, valueSize: 8, maxEntries: 16, flags: 0 }
const bare = (type: MapTypeName, keySize: number, valueSize: number, maxEntries: number, flags = 0): MapSpec =>
  ({ name: type, type, keySize, valueSize, maxEntries, flags })

/** A map of every type; what is left out needs more than a Spec and is made elsewhere: structOps. */
const everyType: Record<Exclude<MapTypeName, 'structOps'>, MapSpec> = {
  hash: base, array: { ...base, type: 'array' }, progArray: bare('progArray', 4, 4, 4), perfEventArray: bare('perfEventArray', 4, 4, 0),
  percpuHash: { ...base, type: 'percpuHash' }, percpuArray: { ...base, type: 'percpuArray' }, stackTrace: bare('stackTrace', 4, 80, 8),
  cgroupArray: bare('cgroupArray', 4, 4, 4), lruHash: { ...base, type: 'lruHash' }, lruPercpuHash: { ...base, type: 'lruPercpuHash' },
  lpmTrie: bare('lpmTrie', 8, 8, 4, MapFlags.noPrealloc), arrayOfMaps: { ...bare('arrayOfMaps', 4, 4, 4), inner: base },
  hashOfMaps: { ...bare('hashOfMaps', 8, 4, 4), inner: base }, devmap: bare('devmap', 4, 8, 4), sockmap: bare('sockmap', 4, 8, 4),
  cpumap: bare('cpumap', 4, 8, 2), xskmap: bare('xskmap', 4, 4, 4), sockhash: bare('sockhash', 8, 8, 4),
  cgroupStorage: bare('cgroupStorage', 8, 8, 0), reuseportSockarray: bare('reuseportSockarray', 4, 8, 4),
  percpuCgroupStorage: bare('percpuCgroupStorage', 16, 8, 0), queue: bare('queue', 0, 8, 4), stack: bare('stack', 0, 8, 4),
  skStorage: storageSpec('sks', 'sk', u64), devmapHash: bare('devmapHash', 4, 8, 4), ringbuf: bare('ringbuf', 0, 0, 65_536),
  inodeStorage: storageSpec('inos', 'inode', u64), taskStorage: storageSpec('tasks', 'task', u64),
  bloomFilter: { ...bare('bloomFilter', 0, 8, 100), mapExtra: 3 }, userRingbuf: bare('userRingbuf', 0, 0, 65_536),
  cgrpStorage: storageSpec('cgrps', 'cgrp', u64), arena: bare('arena', 0, 0, 4, MapFlags.mmapable), insnArray: bare('insnArray', 4, 16, 4),
}

describe.runIf(permitted)('maps of every type (feature: bpf system call)', () => {
  const keep = keeper()

  test.each(Object.entries(everyType))('%s: as asked for, or refused as an unknown type', (type, spec) => {
    let map: BpfMap
    try {
      map = keep(BpfMap.create(spec))
    } catch (error) {
      // What this kernel is too old for, or was built without.
      expect(error).toBeInstanceOf(SysError)
      expect((error as SysError).message).toContain(`bpf(BPF_MAP_CREATE): EINVAL: map '${spec.name}' (${type})`)
      expect(['insnArray']).toContain(type)
      return
    }
    const info = map.info
    expect(info).toMatchObject({ type: MapType[spec.type], typeName: type, keySize: spec.keySize, valueSize: spec.valueSize })
    expect(info.maxEntries).toBe(type === 'perfEventArray' ? possibleCpus() : spec.maxEntries)
    // An arena's address is the kernel's to choose: 0 until it is mapped.
    expect(mismatches(spec, info)).toEqual([])
    const again = keep(BpfMap.byId(info.id, { ...spec, maxEntries: 0 })!)
    expect(again.info.id).toBe(info.id)
  })

  test('take: look up and delete in one', () => {
    const map = keep(BpfMap.create<number, number>(base))
    map.set(1, 10)
    expect(map.take(1)).toBe(10)
    expect(map.take(1)).toBe(undefined)
    const array = keep(BpfMap.create<number, number>({ ...base, type: 'array' }))
    expect(() => array.take(1)).toThrow(/BPF_MAP_LOOKUP_AND_DELETE_ELEM\): ENOTSUPP/)
  })

  test.each(['hash', 'array', 'percpuHash', 'lruHash'] as const)('setMany on %s: in one call and one by one', (type) => {
    const cpus = type === 'percpuHash' ? possibleCpus() : 0
    const map = keep(BpfMap.create<number, any>({ ...base, type, maxEntries: type === 'array' ? 50 : 1000 }))
    const value = (index: number) => cpus === 0 ? index * 7 : Array.from({ length: cpus }, (_, cpu) => index * 7 + cpu)
    const entries = Array.from({ length: 50 }, (_, index) => [index, value(index)] as const)
    expect(map.setMany(entries)).toBe(50)
    expect(new Map(map.readAll())).toEqual(new Map(entries))
    const raw = map.readRaw()
    const [keys, values] = [raw.keys.slice(), raw.values.slice().fill(0)]
    expect(updateBatch(map.fd, map.spec, map.layout, keys, values, 50, false)).toBe(50)
    expect(map.get(3)).toEqual(cpus === 0 ? 0 : Array.from({ length: cpus }, () => 0))
  })

  test('setMany says how many fitted', () => {
    const map = keep(BpfMap.create<number, number>({ ...base, maxEntries: 4 }))
    expect(map.setMany(Array.from({ length: 6 }, (_, index) => [index, index]))).toBe(4)
    const keys = new Uint8Array(new Uint32Array([100, 101]).buffer)
    expect(updateBatch(map.fd, map.spec, map.layout, keys, new Uint8Array(16), 2, false)).toBe(0)
    expect(() => map.setRawMany(keys, new Uint8Array(8), 2)).toThrow(RangeError)
  })

  test.each([undefined, false])('reading survives change: every key that stays comes exactly once (batches: %s)', (batches) => {
    const map = keep(BpfMap.create<number, number>({ ...base, maxEntries: 4096 }))
    map.setMany(Array.from({ length: 2000 }, (_, index) => [index, index]))
    const batch = new MapBatch(map.fd, map.spec, map.layout, { batches })
    for (let round = 0; round < 5; round++) {
      for (let index = 1000 + round * 100; index < 1100 + round * 100; index++) map.delete(index)
      for (let index = 0; index < 100; index++) map.set(10_000 + round * 100 + index, 1)
      const { keyView, count } = batch.read()
      const seen = Array.from({ length: count }, (_, index) => keyView.u32[index]!)
      expect(new Set(seen).size).toBe(count)
      expect(seen.filter((key) => key < 1000).length).toBe(1000)
    }
    batch.close()
  })

  test('freeze: processes can only read, and a mapped view of it cannot be written', () => {
    const map = keep(BpfMap.create<number, number>({ ...base, type: 'array', flags: MapFlags.mmapable | MapFlags.readOnlyProgram }))
    map.set(0, 5)
    expect(map.frozen).toBe(false)
    map.freeze()
    expect(map.frozen).toBe(true)
    expect(() => map.set(0, 6)).toThrow('EPERM')
    expect(map.get(0)).toBe(5)
    expect(map.mapped().u32[0]).toBe(5)
  })

  test('queue and stack: push, peek, pop, overwrite', () => {
    const queue = new Queue<number>(keep(BpfMap.create({ ...base, ...bare('queue', 0, 8, 3), key: undefined, value: u64 })))
    const stack = new Queue<number>(keep(BpfMap.create({ ...base, ...bare('stack', 0, 8, 3), key: undefined, value: u64 })))
    for (const each of [queue, stack]) expect([1, 2, 3, 4].map((value) => each.push(value))).toEqual([true, true, true, false])
    expect(queue.push(4, { overwrite: true })).toBe(true)
    expect([queue.peek(), queue.pop(), queue.pop(), queue.pop(), queue.pop()]).toEqual([2, 2, 3, 4, undefined])
    expect([...stack.drain()]).toEqual([3, 2, 1])
    expect(stack.peek()).toBe(undefined)
    expect(() => queue.map.getRaw(new Uint8Array(0))).toThrow('use Queue')
    expect(() => new Queue(keep(BpfMap.create(base)))).toThrow('is a hash, not a queue or stack')
  })

  test.runIf(has(features.bloomFilter))('bloom filter: what was added is always there (feature: bloom filters)', () => {
    const set = new BloomFilter<number>(keep(BpfMap.create({ ...bare('bloomFilter', 0, 8, 1000), value: u64, mapExtra: 7 })))
    for (let index = 0; index < 1000; index++) set.add(index * 31)
    for (let index = 0; index < 1000; index++) expect(set.has(index * 31)).toBe(true)
    const wrong = Array.from({ length: 1000 }, (_, index) => set.has(1_000_000 + index)).filter(Boolean).length
    expect(wrong).toBeLessThan(200)
  })

  test('trie: the longest prefix wins, for both families', () => {
    const four = keep(BpfMap.create<any, number>({ ...bare('lpmTrie', ipv4Prefix.size, 4, 8, 1), key: ipv4Prefix, value: u32 }))
    four.set(prefix('10.0.0.0/8'), 8)
    four.set(prefix('10.1.0.0/16'), 16)
    four.set(prefix('0.0.0.0/0'), 0)
    expect(['10.1.2.3', '10.2.2.3', '11.0.0.1'].map((address) => four.get(prefix(address)))).toEqual([16, 8, 0])
    expect(four.delete(prefix('10.1.0.0/16'))).toBe(true)
    expect(four.get(prefix('10.1.2.3'))).toBe(8)
    expect(new Map(four.readAll().map(([key, value]) => [key.length, value]))).toEqual(new Map([[0, 0], [8, 8]]))
    const six = keep(BpfMap.create<any, number>({ ...bare('lpmTrie', ipv6Prefix.size, 4, 8, 1), key: ipv6Prefix, value: u32 }))
    six.set(prefix('2001:db8::/32'), 32)
    expect([six.get(prefix('2001:db8:1::1')), six.get(prefix('2001:db9::'))]).toEqual([32, undefined])
  })

  test('prefixes: bits beyond the length are cleared, nonsense is refused', () => {
    expect(prefix('10.1.2.3/9')).toEqual({ length: 9, address: Uint8Array.of(10, 0, 0, 0) })
    expect([...prefix('::1').address].at(-1)).toBe(1)
    expect(prefix('1:2:3:4:5:6:7:8').length).toBe(128)
    for (const text of ['', '10.0.0.0/33', '10.0.0', '256.0.0.1', '::1/129', '1::2::3', '10.0.0.0/8/8', '10.0.0.0/', '1:2:3:4:5:6:7:8:9']) {
      expect(() => prefix(text)).toThrow(RangeError)
    }
  })

  test.each(['arrayOfMaps', 'hashOfMaps'] as const)('%s: maps in, ids and maps out, another shape is refused', (type) => {
    const outer = new MapOfMaps<number>(keep(BpfMap.create({ ...bare(type, 4, 4, 4), key: u32, inner: base })))
    const one = keep(BpfMap.create<number, number>(base))
    one.set(7, 77)
    outer.set(2, one)
    expect(outer.idOf(2)).toBe(one.info.id)
    expect(outer.idOf(1)).toBe(undefined)
    expect(outer.open(1)).toBe(undefined)
    one.close()
    const again = keep(outer.open<number, number>(2)!)
    expect(again.get(7)).toBe(77)
    expect(() => outer.set(1, keep(BpfMap.create({ ...base, value: u32, valueSize: 4 })))).toThrow('EINVAL')
    if (type === 'hashOfMaps') expect(outer.keys()).toEqual([2])
    expect(outer.delete(2)).toBe(true)
    expect(outer.idOf(2)).toBe(undefined)
  })

  test.runIf(has(features.skStorage))('socket storage, by a socket (feature: socket storage)', () => {
    const storage = keep(BpfMap.create<number, number>(storageSpec('by_socket', 'sk', u64)))
    const socket = openSocket('inet', 'stream')
    expect(storage.get(socket)).toBe(undefined)
    expect(storage.set(socket, 5)).toBe(true)
    expect(storage.set(socket, 6, 'create')).toBe(false)
    expect(storage.get(socket)).toBe(5)
    expect(storage.delete(socket)).toBe(true)
    expect(storage.delete(socket)).toBe(false)
    close(socket)
    expect(() => storage.get(socket)).toThrow('EBADF')
  })

  test.runIf(has(features.taskStorage))('task storage, by a pidfd (feature: task storage)', () => {
    const value = struct({ count: u64, kind: i32 })
    const storage = keep(BpfMap.create<number, any>(storageSpec('by_task', 'task', value)))
    const self = keep(openProcess(process.pid))
    storage.set(self.fd, { count: 3, kind: -1 })
    expect(storage.get(self.fd)).toEqual({ count: 3, kind: -1 })
    expect(storage.get(keep(openProcess(process.ppid)).fd)).toBe(undefined)
    expect(() => openProcess(0x3fff_fff0)).toThrow('pidfd_open: ESRCH')
  })

  test.runIf(has(features.inodeStorage))('inode storage, by an open file (feature: inode storage)', () => {
    const files = keep(directory())
    const path = join(files.path, 'file')
    writeFileSync(path, '')
    const storage = keep(BpfMap.create<number, number>(storageSpec('by_inode', 'inode', u64)))
    const [first, second] = [openSync(path, 'r'), openSync(path, 'r')]
    try {
      storage.set(first, 9)
      expect(storage.get(second)).toBe(9)
    } catch (error) {
      // Storage of inodes belongs to the BPF security module: compiled in, but it may not be among the active ones.
      expect((error as SysError).errno).toBe(Errno.EINVAL)
    } finally {
      closeSync(first)
      closeSync(second)
    }
  })

  test.runIf(has(features.cgroupStorage) && cgroupRoot() !== undefined)('cgroup storage, by a directory (feature: cgroup storage)', () => {
    const place = keep(cgroup())
    const storage = keep(BpfMap.create<number, number>(storageSpec('by_cgroup', 'cgrp', u64)))
    const directory = keep(openCgroup(place.path))
    storage.set(directory.fd, 4)
    expect(storage.get(directory.fd)).toBe(4)
  })

  test.runIf(has(features.arena))('arena: this process sees its own writes, at the address asked for (feature: arenas)', () => {
    const address = 2 ** 44
    const map = keep(BpfMap.create({ ...bare('arena', 0, 0, 16, MapFlags.mmapable), mapExtra: address }))
    const arena = keep(new Arena(map))
    expect(arena.address).toBe(address)
    arena.view.u32[4096 / 4] = 0xbee
    expect(arena.view.u32[4096 / 4]).toBe(0xbee)
    expect([arena.offsetOf(address + 8), arena.offsetOf(0), arena.offsetOf(address + 16 * 4096)]).toEqual([8, undefined, undefined])
    expect(() => map.get(0 as never)).toThrow('map it with Arena')
  })

  test.runIf(has(features.userRing))('user ring: fills up, and says so (feature: user ring buffers)', () => {
    const ring = keep(new UserRing(keep(BpfMap.create(bare('userRingbuf', 0, 0, 4096)))))
    let sent = 0
    while (ring.sendBytes(new Uint8Array(56))) sent++
    expect(sent).toBe(64)
    expect(ring.waitingBytes).toBe(4096)
    expect(() => ring.sendBytes(new Uint8Array(5000))).toThrow('does not fit')
  })

  test('pinned maps: found again, with every mismatch named', () => {
    const bpffs = keep(bpfFileSystem())
    const path = join(bpffs.path, 'counts')
    expect(BpfMap.openPinned(path, base)).toBe(undefined)
    const map = keep(BpfMap.create<number, number>(base))
    map.set(1, 11)
    map.pin(path)
    expect(() => map.pin(path)).toThrow('EEXIST')
    map.close()
    const again = keep(BpfMap.openPinned<number, number>(path, base)!)
    expect(again.get(1)).toBe(11)
    expect(() => BpfMap.openPinned(path, { ...base, type: 'lruHash', value: bytes(16), valueSize: 16, maxEntries: 99 }))
      .toThrow('type is hash, not lruHash, valueSize is 8, not 16, maxEntries is 16, not 99')
    const raw = keep(BpfMap.openPinned(path)!)
    expect(raw.spec).toMatchObject({ name: 'test', type: 'hash', keySize: 4 })
    expect([unpin(path), unpin(path)]).toEqual([true, false])
    expect(() => again.pin('/proc/nothing')).toThrow('BPF_OBJ_PIN')
    expect(() => again.pin(join(keep(directory()).path, 'x'))).toThrow('is that a file system of type bpf?')
  })

  test('nothing is held afterwards', () => {
    expect(heldBytes()).toBe(0)
  })
})

