import { toNumber } from './arithmetic.ts'
import { VmFault } from './fault.ts'
import { answer, type HelperModel, type Machine } from './machine.ts'
import { Errno, type MapModel } from './maps/map-model.ts'
import { StorageMap } from './maps/reference-map.ts'
import { BASE, FIRST, hexadecimal } from './memory.ts'

/** Helpers that loop, lock, wait, and keep values with kernel objects. */

/** BPF_MAX_LOOPS */
const MOST_LOOPS = 8 * 1024 * 1024

/** loop(count, callback(index, context), context, flags): how often it ran. */
function loop(m: Machine, R: Int32Array): void {
  const count = R[2]! >>> 0
  const [fnLow, fnHigh, low, high] = [R[4]!, R[5]!, R[6]!, R[7]!]
  if (R[8] !== 0) return answer(R, Errno.EINVAL)
  if (count > MOST_LOOPS) return answer(R, Errno.E2BIG)
  let index = 0
  while (index < count) {
    const stop = m.callback(fnLow, fnHigh, [index, 0], [low, high])
    index++
    if (stop !== 0) break
  }
  answer(R, index)
}

function lock(m: Machine, R: Int32Array): void {
  const key = hexadecimal(R[2]!, R[3]!)
  m.memory.toLoad(R[2]!, R[3]!, 0, 4)
  if (m.lock !== null) {
    throw new VmFault('lock', m.lock === key ? 'the spin lock is taken twice' : 'a second spin lock is taken while one is held')
  }
  m.lock = key
  answer(R, 0)
}

function unlock(m: Machine, R: Int32Array): void {
  if (m.lock !== hexadecimal(R[2]!, R[3]!)) throw new VmFault('lock', 'a spin lock is given back that is not held')
  m.lock = null
  answer(R, 0)
}

/* Timers: the state of each by the address of its struct bpf_timer, in a map value. */

interface TimerState { map: MapModel; callback: [number, number] | null; code: Machine['code'] }
const timers = new WeakMap<Machine, Map<string, TimerState>>()

function timersOf(m: Machine): Map<string, TimerState> {
  let found = timers.get(m)
  if (found === undefined) timers.set(m, (found = new Map()))
  return found
}

function timerInit(m: Machine, R: Int32Array): void {
  const key = timerKey(m, R)
  if (timersOf(m).has(key)) return answer(R, Errno.EBUSY)
  timersOf(m).set(key, { map: m.mapAt(R[4]!, R[5]!), callback: null, code: m.code })
  answer(R, 0)
}

function timerKey(m: Machine, R: Int32Array): string {
  // struct bpf_timer has 16 bytes.
  m.memory.toStore(R[2]!, R[3]!, 0, 16)
  return hexadecimal(R[2]!, R[3]!)
}

function timerSetCallback(m: Machine, R: Int32Array): void {
  const state = timersOf(m).get(timerKey(m, R))
  if (state === undefined) return answer(R, Errno.EINVAL)
  state.callback = [R[4]!, R[5]!]
  state.code = m.code
  answer(R, 0)
}

/** callback(map, key, value) once, `nsecs` from now. */
function timerStart(m: Machine, R: Int32Array): void {
  const key = timerKey(m, R)
  const state = timersOf(m).get(key)
  if (state === undefined || state.callback === null) return answer(R, Errno.EINVAL)
  const { map, callback, code } = state
  const value = (R[2]! - BASE) - (R[2]! - BASE) % map.stride
  const slot = Math.floor(value / (map.stride * map.cpus))
  const high = R[3]!
  m.world.arm(key, m.world.now + toNumber(R[4]!, R[5]!), () => {
    const entry = [...map.entries()].find((one) => one.slot === slot)
    // The entry was deleted: its timer went with it.
    if (entry === undefined) return
    m.runCallback(code!, callback, map, entry.key, [BASE + value, high])
  })
  answer(R, 0)
}

function timerCancel(m: Machine, R: Int32Array): void {
  const key = timerKey(m, R)
  if (!timersOf(m).has(key)) return answer(R, Errno.EINVAL)
  answer(R, m.world.disarm(key) ? 1 : 0)
}

/** BPF_LOCAL_STORAGE_GET_F_CREATE */
const CREATE = 1

/** *_storage_get(map, object, initial, flags) */
function storageGet(m: Machine, R: Int32Array): void {
  const storage = storageAt(m, R)
  if (m.memory.region(R[5]! - FIRST) === null) return answer(R, 0)
  const create = (R[8]! & CREATE) !== 0
  const none = R[6] === 0 && R[7] === 0
  const low = storage.of(R[4]!, R[5]!, create, create && !none ? m.memory.toLoad(R[6]!, R[7]!, 0, storage.shape.valueSize) : -1)
  if (low === null) return answer(R, 0)
  R[0] = low
  R[1] = m.memory.upper(storage.values!)
}

function storageAt(m: Machine, R: Int32Array): StorageMap {
  const map = m.mapAt(R[2]!, R[3]!)
  if (!(map instanceof StorageMap)) {
    throw new VmFault('bad-argument', `map '${map.shape.name}' (${map.shape.type}) keeps nothing with kernel objects`)
  }
  return map
}

const storageDelete = (m: Machine, R: Int32Array): void => answer(R, storageAt(m, R).drop(R[4]!, R[5]!))

export const controlCalls: readonly HelperModel[] = [
  { name: 'loop', args: 4, run: loop },
  { name: 'spin_lock', args: 1, run: lock },
  { name: 'spin_unlock', args: 1, run: unlock },
  { name: 'timer_init', args: 3, run: timerInit },
  { name: 'timer_set_callback', args: 2, run: timerSetCallback },
  { name: 'timer_start', args: 3, run: timerStart },
  { name: 'timer_cancel', args: 1, run: timerCancel },
  ...['task', 'inode', 'sk', 'cgrp'].flatMap((owner): HelperModel[] => [
    { name: `${owner}_storage_get`, args: 4, run: storageGet },
    { name: `${owner}_storage_delete`, args: 2, run: storageDelete },
  ]),
]
