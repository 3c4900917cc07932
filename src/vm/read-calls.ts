import { VmFault } from './fault.ts'
import { answer, type Helper, type HelperModel, type Machine } from './machine.ts'
import { Errno } from './maps/map-model.ts'
import { BASE, DEAD, ENTRY, FIRST, FIRST_USER, READ, type Region } from './memory.ts'

/**
 * Reads of memory that may not be there: an address without memory behind it gives -EFAULT and zeros, as in the kernel. A field
 * that the fixture does not set is a fault all the same: the simulation cannot know it.
 */
const read = (space: 'kernel' | 'user' | 'any'): Helper => (m, R) => {
  const size = R[4]! >>> 0
  const [low, high] = [R[6]!, R[7]!]
  const { memory } = m
  m.spend(size)
  const target = memory.toStore(R[2]!, R[3]!, 0, size)
  const region = regionAt(m, low, high, space)
  const available = region === null ? 0 : memory.size(region) - (low - BASE)
  if (region === null || available < size) {
    memory.u8.fill(0, target, target + size)
    return answer(R, Errno.EFAULT)
  }
  const from = sourceOf(m, region, low - BASE, size)
  memory.u8.copyWithin(target, from, from + size)
  answer(R, 0)
}

/** Arena index of bytes of a region; user regions are checked here, since programs cannot load from them. */
function sourceOf(m: Machine, region: Region, offset: number, size: number): number {
  const { memory } = m
  if (region.kind !== 'user') return memory.toLoad(BASE + offset, FIRST + region.id, 0, size)
  const at = memory.start(region) + offset
  for (let index = 0; index < size; index++) {
    if (memory.shadow[at + index] !== 1) {
      throw new VmFault(
        'unset-field', `${region.describe?.(offset + index) ?? region.name} is read but the fixture does not set it`,
      )
    }
  }
  return at
}

function regionAt(m: Machine, low: number, high: number, space: 'kernel' | 'user' | 'any'): Region | null {
  const user = high >= FIRST_USER && high < FIRST_USER + m.memory.count
  if (user ? space === 'kernel' : space === 'user') return null
  const region = m.memory.region(user ? high - FIRST_USER : high - FIRST)
  if (region === null || (region.kind === 'user') !== user) return null
  const flags = m.memory.table[region.id * ENTRY + 2]!
  const offset = low - BASE
  if ((flags & DEAD) !== 0 || (!user && (flags & READ) === 0)) return null
  return offset < 0 || offset >= m.memory.size(region) ? null : region
}

/** Up to `size` bytes with the NUL; the length with the NUL, or -EFAULT. */
const readText = (space: 'kernel' | 'user' | 'any'): Helper => (m, R) => {
  const size = R[4]! >>> 0
  const [low, high] = [R[6]!, R[7]!]
  const { memory } = m
  m.spend(size)
  const target = memory.toStore(R[2]!, R[3]!, 0, size)
  const region = regionAt(m, low, high, space)
  if (region === null || size === 0) {
    memory.u8.fill(0, target, target + size)
    return answer(R, region === null ? Errno.EFAULT : 0)
  }
  let length = 0
  const most = Math.min(size, memory.size(region) - (low - BASE))
  const start = low - BASE
  while (length < most) {
    const byte = memory.u8[sourceOf(m, region, start + length, 1)]!
    memory.u8[target + length] = byte
    length++
    if (byte === 0) break
  }
  if (length === size) memory.u8[target + size - 1] = 0
  else if (memory.u8[target + length - 1] !== 0) {
    // The memory ends before the string does.
    memory.u8.fill(0, target, target + size)
    return answer(R, Errno.EFAULT)
  }
  answer(R, length)
}

export const readCalls: readonly HelperModel[] = [
  { name: 'probe_read', args: 3, run: read('any') },
  { name: 'probe_read_kernel', args: 3, run: read('kernel') },
  { name: 'probe_read_user', args: 3, run: read('user') },
  { name: 'copy_from_user', args: 3, run: read('user') },
  { name: 'probe_read_str', args: 3, run: readText('any') },
  { name: 'probe_read_kernel_str', args: 3, run: readText('kernel') },
  { name: 'probe_read_user_str', args: 3, run: readText('user') },
]
