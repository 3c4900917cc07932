import type { Btf } from '../../btf/btf.ts'
import type { SimulatedKernel } from './simulated-kernel.ts'

/** A kernel object in simulated memory, its fields set by name ('signal.flags' goes into nested structs); its address. */
export function kernelObject(kernel: SimulatedKernel, btf: Btf, type: string, fields: Record<string, number | bigint | string | Uint8Array>): bigint {
  const root = btf.find(type, 'struct', 'union')
  const bytes = new Uint8Array(btf.sizeOf(root))
  for (const [path, value] of Object.entries(fields)) {
    let [id, offset] = [root, 0]
    for (const name of path.split('.')) {
      const found = btf.member(id, name)
      if (found === undefined) throw new Error(`${type} has no ${path}`)
      offset += Math.floor(found.bitOffset / 8)
      id = btf.resolve(found.type)
    }
    if (typeof value === 'string') bytes.set(new TextEncoder().encode(value), offset)
    else if (value instanceof Uint8Array) bytes.set(value, offset)
    else for (let at = 0; at < Math.min(8, btf.sizeOf(id)); at++) bytes[offset + at] = Number(BigInt.asUintN(64, BigInt(value)) >> BigInt(at * 8) & 0xffn)
  }
  return kernel.allocate(bytes)
}

/** A NUL-terminated string in simulated memory. */
export function kernelText(kernel: SimulatedKernel, text: string): bigint {
  const bytes = new Uint8Array(256)
  bytes.set(new TextEncoder().encode(text))
  return kernel.allocate(bytes)
}
