import { VmFault } from './fault.ts'
import { answer, type HelperModel, type Machine } from './machine.ts'
import { Errno } from './maps/map-model.ts'
import { BASE, hexadecimal } from './memory.ts'
import { finishRecord, ringAt } from './ring-calls.ts'

/**
 * Dynptrs (5.19): a pointer with its length in 16 bytes of the stack. The machine keeps what each stands for by the address of
 * those bytes; the bytes themselves only count as written.
 */
interface Dynptr { low: number; high: number; size: number; ring: boolean }

const known = new WeakMap<Machine, Map<string, Dynptr>>()

function table(m: Machine): Map<string, Dynptr> {
  let found = known.get(m)
  if (found === undefined) known.set(m, (found = new Map()))
  return found
}

function put(m: Machine, low: number, high: number, dynptr: Dynptr): void {
  const at = m.memory.toStore(low, high, 0, 16)
  m.memory.u8.fill(0, at, at + 16)
  // The pointer's low half as a mark: a dynptr whose bytes were overwritten is none any more.
  m.memory.putWord(at, dynptr.low)
  m.memory.putWord(at + 4, dynptr.high)
  m.memory.putWord(at + 8, dynptr.size)
  table(m).set(hexadecimal(low, high), dynptr)
}

function get(m: Machine, low: number, high: number): Dynptr {
  const at = m.memory.toLoad(low, high, 0, 16)
  const dynptr = table(m).get(hexadecimal(low, high))
  const same = dynptr !== undefined && m.memory.getWord(at) === dynptr.low && m.memory.getWord(at + 4) === dynptr.high
    && m.memory.getWord(at + 8) === dynptr.size
  if (!same) throw new VmFault('bad-argument', `there is no dynptr at ${hexadecimal(low, high)}`)
  return dynptr
}

const nothing = (ring: boolean): Dynptr => ({ low: 0, high: 0, size: 0, ring })

/** dynptr_from_mem(data, size, flags, dynptr) */
function fromMemory(m: Machine, R: Int32Array): void {
  const size = R[4]! >>> 0
  m.memory.toStore(R[2]!, R[3]!, 0, size)
  const bad = R[6] !== 0
  put(m, R[8]!, R[9]!, bad ? nothing(false) : { low: R[2]!, high: R[3]!, size, ring: false })
  answer(R, bad ? Errno.EINVAL : 0)
}

/** ringbuf_reserve_dynptr(ring, size, flags, dynptr): must be given back even when there was no room. */
function reserve(m: Machine, R: Int32Array): void {
  const ring = ringAt(m, R[2]!, R[3]!)
  const size = R[4]! >>> 0
  m.spend(size)
  const region = R[6] === 0 ? ring.room(size) : null
  put(m, R[8]!, R[9]!, region === null ? nothing(true) : { low: BASE, high: m.memory.upper(region), size, ring: true })
  m.acquire(R[8]!, R[9]!, `a dynptr of ring '${ring.shape.name}'`)
  if (region !== null) m.acquire(BASE, m.memory.upper(region), `a record of ring '${ring.shape.name}'`)
  answer(R, region === null ? Errno.EINVAL : 0)
}

const finish = (submit: boolean) => (m: Machine, R: Int32Array): void => {
  const dynptr = get(m, R[2]!, R[3]!)
  if (!dynptr.ring) throw new VmFault('bad-argument', 'this dynptr is not of a ring')
  m.giveBack(R[2]!, R[3]!, 'a dynptr')
  if (dynptr.size > 0) finishRecord(m, dynptr.low, dynptr.high, submit, R[4]!)
  table(m).delete(hexadecimal(R[2]!, R[3]!))
  answer(R, 0)
}

/** dynptr_read(target, length, dynptr, offset, flags) */
function read(m: Machine, R: Int32Array): void {
  const length = R[4]! >>> 0
  m.spend(length)
  const to = m.memory.toStore(R[2]!, R[3]!, 0, length)
  const dynptr = get(m, R[6]!, R[7]!)
  const status = reach(dynptr, R[8]! >>> 0, length, R[10]!)
  if (status === 0) {
    const from = m.memory.toLoad(dynptr.low, dynptr.high, R[8]!, length)
    m.memory.u8.copyWithin(to, from, from + length)
  }
  answer(R, status)
}

/** dynptr_write(dynptr, offset, source, length, flags) */
function write(m: Machine, R: Int32Array): void {
  const dynptr = get(m, R[2]!, R[3]!)
  const length = R[8]! >>> 0
  m.spend(length)
  const from = m.memory.toLoad(R[6]!, R[7]!, 0, length)
  const status = reach(dynptr, R[4]! >>> 0, length, R[10]!)
  if (status === 0) {
    const to = m.memory.toStore(dynptr.low, dynptr.high, R[4]!, length)
    m.memory.u8.copyWithin(to, from, from + length)
  }
  answer(R, status)
}

/** dynptr_data(dynptr, offset, length): null when that is not inside. */
function data(m: Machine, R: Int32Array): void {
  const dynptr = get(m, R[2]!, R[3]!)
  const offset = R[4]! >>> 0
  if (reach(dynptr, offset, R[6]! >>> 0, 0) !== 0) return answer(R, 0)
  R[0] = dynptr.low + offset
  R[1] = dynptr.high
}

function reach({ size, high }: Dynptr, offset: number, length: number, flags: number): number {
  if (high === 0 || flags !== 0) return Errno.EINVAL
  return offset + length > size ? Errno.E2BIG : 0
}

export const dynptrCalls: readonly HelperModel[] = [
  { name: 'dynptr_from_mem', args: 4, run: fromMemory },
  { name: 'ringbuf_reserve_dynptr', args: 4, run: reserve },
  { name: 'ringbuf_submit_dynptr', args: 2, run: finish(true) },
  { name: 'ringbuf_discard_dynptr', args: 2, run: finish(false) },
  { name: 'dynptr_read', args: 5, run: read },
  { name: 'dynptr_write', args: 5, run: write },
  { name: 'dynptr_data', args: 3, run: data },
]
