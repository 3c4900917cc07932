import { VmFault } from './fault.ts'
import type { Memory } from './memory.ts'

/** Operations in the immediate of an atomic instruction (RFC 9669 §5.3, and the later two). */
const FETCH = 0x01
const LOAD_ACQUIRE = 0x100
const STORE_RELEASE = 0x110

/**
 * One atomic instruction; one CPU runs at a time here, so that it is an ordinary read, change and write.
 * `extra` packs offset, size (as a power of two) and operation.
 * @throws VmFault misaligned-atomic, or as any access
 */
export function atomic(memory: Memory, R: Int32Array, d: number, s: number, extra: number): void {
  const operation = extra & 0xfff
  const size = 1 << (extra >> 12 & 3)
  const off = extra >> 16
  if (operation === LOAD_ACQUIRE) {
    const at = aligned(memory.toLoad(R[s]!, R[s + 1]!, off, size), R[s]! + off, size)
    const wide = size === 8
    R[d + 1] = at < 0 ? memory.loaded[1]! : wide ? memory.getWord(at + 4) : 0
    if (at < 0) R[d] = memory.loaded[0]!
    else if (size >= 4) R[d] = memory.getWord(at)
    else R[d] = size === 2 ? memory.u8[at]! | memory.u8[at + 1]! << 8 : memory.u8[at]!
    return
  }
  if (operation === STORE_RELEASE) {
    const at = aligned(memory.toStore(R[d]!, R[d + 1]!, off, size), R[d]! + off, size)
    memory.u8[at] = R[s]!
    if (size >= 2) memory.u8[at + 1] = R[s]! >> 8
    if (size >= 4) memory.putWord(at, R[s]!)
    if (size === 8) memory.putWord(at + 4, R[s + 1]!)
    return
  }
  aligned(0, R[d]! + off, size)
  const from = memory.toLoad(R[d]!, R[d + 1]!, off, size)
  const at = memory.toStore(R[d]!, R[d + 1]!, off, size)
  if (from !== at) throw new VmFault('bad-pointer', 'an atomic operation needs memory of its own')
  const low = memory.getWord(at)
  const high = size === 8 ? memory.getWord(at + 4) : 0
  change(memory, R, s, operation, size, at, low, high)
  if ((operation & FETCH) === 0) return
  const target = operation === 0xf1 ? 0 : s
  R[target] = low
  R[target + 1] = high
}

function change(
  memory: Memory, R: Int32Array, s: number, operation: number, size: number, at: number, low: number, high: number,
): void {
  let [newLow, newHigh] = [R[s]!, R[s + 1]!]
  switch (operation & ~FETCH) {
    case 0x00: {
      const sum = (low + newLow) | 0
      newHigh = (high + newHigh + (sum >>> 0 < low >>> 0 ? 1 : 0)) | 0
      newLow = sum
      break
    }
    case 0x40: newLow |= low; newHigh |= high; break
    case 0x50: newLow &= low; newHigh &= high; break
    case 0xa0: newLow ^= low; newHigh ^= high; break
    case 0xe0: break
    // cmpxchg: only if r0 is what is there.
    case 0xf0: if (R[0] !== low || (size === 8 && R[1] !== high)) return
  }
  memory.putWord(at, newLow)
  if (size === 8) memory.putWord(at + 4, newHigh)
}

function aligned(at: number, address: number, size: number): number {
  if ((address & (size - 1)) !== 0) {
    throw new VmFault('misaligned-atomic', `an atomic access of ${size} bytes at an address that is no multiple of ${size}`)
  }
  return at
}
