import type { MapSpec } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import { command, commandError } from './command.ts'
import type { MapLayout } from './map-layout.ts'

/**
 * Sets `count` entries, all in one call where the kernel can (5.6), else one by one.
 * @returns how many were set: fewer than `count` when the map is full
 */
export function updateBatch(
  fd: number, spec: MapSpec, layout: MapLayout, keys: Uint8Array, values: Uint8Array, count: number, batches = true,
): number {
  const { keySize, valueStride } = layout
  if (!Number.isInteger(count) || count < 0 || keys.length < count * keySize || values.length < count * valueStride) {
    throw new RangeError(`${keys.length} and ${values.length} bytes are not ${count} entries of ${keySize} and ${valueStride} bytes`
      + ` (map '${spec.name}')`)
  }
  if (count === 0) return 0
  const memory = allocate(count * keySize + 8 + count * valueStride)
  const valuesAt = Math.ceil(count * keySize / 8) * 8
  try {
    memory.u8.set(keys.subarray(0, count * keySize))
    memory.u8.set(values.subarray(0, count * valueStride), valuesAt)
    if (batches) {
      let done = 0
      const result = command('BPF_MAP_UPDATE_BATCH', 56, (attr) => {
        attr.u64(16, memory.address)
        attr.u64(24, memory.address + valuesAt)
        attr.u32(32, count)
        attr.u32(36, fd)
      }, (attr) => { done = attr.read(32) })
      if (result >= 0) return count
      if (result === -Errno.E2BIG) return done
      const unsupported = result === -Errno.EINVAL || result === -Errno.ENOTSUPP || result === -Errno.EOPNOTSUPP
      if (!unsupported) throw commandError('BPF_MAP_UPDATE_BATCH', result, `map '${spec.name}'`)
    }
    for (let index = 0; index < count; index++) {
      const result = command('BPF_MAP_UPDATE_ELEM', 32, (attr) => {
        attr.u32(0, fd)
        attr.u64(8, memory.address + index * keySize)
        attr.u64(16, memory.address + valuesAt + index * valueStride)
      })
      if (result === -Errno.E2BIG) return index
      if (result < 0) throw commandError('BPF_MAP_UPDATE_ELEM', result, `map '${spec.name}'`)
    }
    return count
  } finally {
    release(memory)
  }
}
