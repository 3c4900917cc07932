import { VmFault } from './fault.ts'
import type { Machine } from './machine.ts'

/**
 * The deprecated packet loads of RFC 9669 §5.5: r0 = the big-endian bytes at imm (+ src) of the packet whose context is in r6.
 * Outside of the packet they end the program with 0, which is a fault here: the program is meant to know the length.
 */
export function loadPacket(m: Machine, R: Int32Array, s: number, imm: number, code: number): void {
  const { packet } = m
  if (packet === null) throw new VmFault('no-fixture', 'a packet is loaded but the simulation was given none')
  const size = [4, 2, 1][code >> 3 & 3]!
  const offset = (s < 0 ? imm : (R[s]! + imm) | 0) >>> 0
  const bytes = m.memory.bytes(packet)
  if (offset + size > bytes.length) {
    throw new VmFault('out-of-bounds', `${size} bytes at ${offset} of ${packet.name}, which has ${bytes.length} bytes`)
  }
  let value = 0
  for (let index = 0; index < size; index++) value = value << 8 | bytes[offset + index]!
  R[0] = value
  R[1] = 0
}
