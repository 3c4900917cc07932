import { VmFault } from './fault.ts'
import { answer, type HelperModel, type Machine } from './machine.ts'
import { Errno } from './maps/map-model.ts'
import { PerfArray } from './maps/reference-map.ts'
import { notARecord, RingMap } from './maps/ring-map.ts'
import { BASE } from './memory.ts'

export function ringAt(m: Machine, low: number, high: number): RingMap {
  const map = m.mapAt(low, high)
  if (!(map instanceof RingMap)) {
    throw new VmFault('bad-argument', `map '${map.shape.name}' (${map.shape.type}) is no ring buffer`)
  }
  return map
}

function reserve(m: Machine, R: Int32Array): void {
  const ring = ringAt(m, R[2]!, R[3]!)
  m.spend(R[4]! >>> 0)
  const region = R[5] !== 0 || R[6] !== 0 || R[7] !== 0 ? null : ring.room(R[4]! >>> 0)
  if (region === null) return answer(R, 0)
  R[0] = BASE
  R[1] = m.memory.upper(region)
  m.acquire(BASE, R[1]!, `a record of ring '${ring.shape.name}'`)
}

/** Hands over the record at an address, in whichever ring it is. */
export function finishRecord(m: Machine, low: number, high: number, submit: boolean, flags: number): void {
  for (const map of m.maps.values()) {
    if (!(map instanceof RingMap) || !map.holds(high)) continue
    map.finish(low, high, submit, flags)
    m.giveBack(low, high, 'a ring record')
    return
  }
  throw notARecord(low, high)
}

function output(m: Machine, R: Int32Array): void {
  const ring = ringAt(m, R[2]!, R[3]!)
  const size = R[6]! >>> 0
  m.spend(size)
  const at = m.memory.toLoad(R[4]!, R[5]!, 0, size)
  answer(R, ring.output(m.memory.u8.slice(at, at + size), R[8]!))
}

function query(m: Machine, R: Int32Array): void {
  const value = ringAt(m, R[2]!, R[3]!).query(R[4]!)
  R[0] = value | 0
  R[1] = Math.floor(value / 0x1_0000_0000)
}

/** BPF_F_CURRENT_CPU */
const CURRENT_CPU = -1

function perfOutput(m: Machine, R: Int32Array): void {
  const map = m.mapAt(R[4]!, R[5]!)
  if (!(map instanceof PerfArray)) {
    throw new VmFault('bad-argument', `map '${map.shape.name}' (${map.shape.type}) is no perf event array`)
  }
  const cpu = R[6] === CURRENT_CPU ? m.world.cpu : R[6]! >>> 0
  if (cpu >= map.shape.maxEntries) return answer(R, Errno.E2BIG)
  const size = R[10]! >>> 0
  m.spend(size)
  const at = m.memory.toLoad(R[8]!, R[9]!, 0, size)
  map.output(cpu, m.memory.u8.slice(at, at + size))
  answer(R, 0)
}

export const ringCalls: readonly HelperModel[] = [
  { name: 'ringbuf_reserve', args: 3, run: reserve },
  { name: 'ringbuf_submit', args: 2, run: (m, R) => { finishRecord(m, R[2]!, R[3]!, true, R[4]!); answer(R, 0) } },
  { name: 'ringbuf_discard', args: 2, run: (m, R) => { finishRecord(m, R[2]!, R[3]!, false, R[4]!); answer(R, 0) } },
  { name: 'ringbuf_output', args: 4, run: output },
  { name: 'ringbuf_query', args: 2, run: query },
  { name: 'perf_event_output', args: 5, run: perfOutput },
]
