import { VmFault } from './fault.ts'
import { answer, type HelperModel, type Machine } from './machine.ts'
import { HashMap } from './maps/hash-map.ts'
import { Errno, type MapModel } from './maps/map-model.ts'
import { MapOfMaps } from './maps/reference-map.ts'
import { UnmodelledMap } from './maps/unmodelled-map.ts'
import { BASE } from './memory.ts'

/** Arena index of the key that r2 points to. */
function keyOf(m: Machine, R: Int32Array, map: MapModel): number {
  if (map.shape.keySize === 0) throw new VmFault('bad-argument', `map '${map.shape.name}' (${map.shape.type}) has no keys`)
  return m.memory.toLoad(R[4]!, R[5]!, 0, map.shape.keySize)
}

function give(m: Machine, R: Int32Array, map: MapModel, offset: number): void {
  if (offset < 0) return answer(R, 0)
  R[0] = BASE + offset
  R[1] = m.memory.upper(map.values!)
}

function lookup(m: Machine, R: Int32Array): void {
  const map = m.mapAt(R[2]!, R[3]!)
  const key = keyOf(m, R, map)
  if (map instanceof MapOfMaps) {
    const inner = map.inner(key)
    R[0] = inner === null ? 0 : BASE
    R[1] = inner === null ? 0 : m.memory.upper(inner.region)
    return
  }
  if (map instanceof UnmodelledMap) map.lookup()
  if (map.values === null) {
    throw new VmFault('bad-argument', `a value of map '${map.shape.name}' (${map.shape.type}) cannot be looked up`)
  }
  give(m, R, map, map.lookup(key, m.world.cpu))
}

function update(m: Machine, R: Int32Array): void {
  const map = m.mapAt(R[2]!, R[3]!)
  const key = keyOf(m, R, map)
  const value = m.memory.toLoad(R[6]!, R[7]!, 0, map.shape.valueSize)
  m.spend(map.shape.valueSize * map.cpus)
  answer(R, R[9] === 0 ? map.update(key, value, R[8]!, m.world.cpu) : Errno.EINVAL)
}

function remove(m: Machine, R: Int32Array): void {
  const map = m.mapAt(R[2]!, R[3]!)
  answer(R, map.remove(keyOf(m, R, map)))
}

function lookupOnCpu(m: Machine, R: Int32Array): void {
  const map = m.mapAt(R[2]!, R[3]!)
  const cpu = R[6]! >>> 0
  if (cpu >= m.world.cpus) return answer(R, 0)
  give(m, R, map, map.lookup(keyOf(m, R, map), cpu))
}

/** long callback(map, key, value, context): 1 ends the loop. Gives the number of entries seen. */
function forEach(m: Machine, R: Int32Array): void {
  const map = m.mapAt(R[2]!, R[3]!)
  const [mapLow, mapHigh, fnLow, fnHigh, contextLow, contextHigh, flags] = [R[2]!, R[3]!, R[4]!, R[5]!, R[6]!, R[7]!, R[8]!]
  if (flags !== 0) return answer(R, Errno.EINVAL)
  if (map instanceof UnmodelledMap) map.lookup()
  if (map.values === null) return answer(R, Errno.EINVAL)
  const key = m.memory.add({ kind: 'memory', name: `a key of map '${map.shape.name}'`, size: map.shape.keySize, flags: 1 })
  let seen = 0
  for (const entry of [...map.entries()].map(({ key: bytes, slot }) => ({ bytes: bytes.slice(), slot }))) {
    if (map instanceof HashMap && map.lookup(place(m, key.id, entry.bytes), 0, false) < 0) continue
    m.memory.u8.set(entry.bytes, m.memory.start(key))
    seen++
    const value: [number, number] = [
      BASE + (entry.slot * map.cpus + (map.cpus === 1 ? 0 : m.world.cpu)) * map.stride, m.memory.upper(map.values),
    ]
    const stop = m.callback(fnLow, fnHigh, [mapLow, mapHigh], [BASE, m.memory.upper(key)], value, [contextLow, contextHigh])
    if (stop !== 0) break
  }
  m.memory.release(key)
  answer(R, seen)
}

function place(m: Machine, region: number, bytes: Uint8Array): number {
  const at = m.memory.start(m.memory.region(region)!)
  m.memory.u8.set(bytes, at)
  return at
}

const queueCall = (act: (map: MapModel, valueAt: number, R: Int32Array) => number, writes: boolean) => (m: Machine, R: Int32Array): void => {
  const map = m.mapAt(R[2]!, R[3]!)
  const { valueSize } = map.shape
  m.spend(valueSize)
  const at = writes ? m.memory.toStore(R[4]!, R[5]!, 0, valueSize) : m.memory.toLoad(R[4]!, R[5]!, 0, valueSize)
  answer(R, act(map, at, R))
}

export const mapCalls: readonly HelperModel[] = [
  { name: 'map_lookup_elem', args: 2, run: lookup },
  { name: 'map_update_elem', args: 4, run: update },
  { name: 'map_delete_elem', args: 2, run: remove },
  { name: 'map_lookup_percpu_elem', args: 3, run: lookupOnCpu },
  { name: 'for_each_map_elem', args: 4, run: forEach },
  { name: 'map_push_elem', args: 3, run: queueCall((map, at, R) => map.push(at, R[6]!), false) },
  { name: 'map_pop_elem', args: 2, run: queueCall((map, at) => map.pop(at), true) },
  {
    name: 'map_peek_elem', args: 2,
    run: (m, R) => queueCall((map, at) => map.peek(at), m.mapAt(R[2]!, R[3]!).shape.type !== 'bloomFilter')(m, R),
  },
]
