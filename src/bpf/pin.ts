import { readlinkSync, unlinkSync } from 'node:fs'
import { Errno } from '../sys/errno.ts'
import { withString } from '../sys/memory.ts'
import { command, commandError } from './command.ts'
import { PolicyError } from './load-error.ts'

/**
 * Gives a map, program or link a name in a file system of type bpf; it lives on there without any process.
 * Nothing in skep pins unless it is asked to.
 * @throws SysError: EEXIST, or EPERM if the path is on no bpf file system
 */
export function pin(fd: number, path: string, what: string): void {
  const result = withString(path, (address) => command('BPF_OBJ_PIN', 12, (attr) => {
    attr.u64(0, address)
    attr.u32(8, fd)
  }))
  if (result >= 0) return
  if (result === -Errno.EPERM) {
    throw commandError(
      'BPF_OBJ_PIN', result, `${what} at ${path}: is that a file system of type bpf? mount -t bpf bpf /sys/fs/bpf`
    )
  }
  throw commandError('BPF_OBJ_PIN', result, `${what} at ${path}`)
}

/** A descriptor of what is pinned there; undefined if nothing is. @throws PolicyError, SysError */
export function openPin(path: string, { readOnly = false } = {}): number | undefined {
  const BPF_F_RDONLY = 1 << 3
  const result = withString(path, (address) => command('BPF_OBJ_GET', 16, (attr) => {
    attr.u64(0, address)
    attr.u32(12, readOnly ? BPF_F_RDONLY : 0)
  }))
  if (result >= 0) return result
  if (result === -Errno.ENOENT) return undefined
  if (result === -Errno.EACCES) throw new PolicyError(
    'bpf(BPF_OBJ_GET)', -result, `opening ${path}, which may be no pinned object`
  )
  throw commandError('BPF_OBJ_GET', result, path)
}

/** Takes the name away. @returns whether there was one */
export function unpin(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** What a descriptor is of. */
export function objectKind(fd: number): 'map' | 'program' | 'link' | 'file' {
  const name = readlinkSync(`/proc/self/fd/${fd}`)
  if (name.includes('bpf-map')) return 'map'
  if (name.includes('bpf-prog')) return 'program'
  return name.includes('bpf_link') || name.includes('bpf-link') ? 'link' : 'file'
}
