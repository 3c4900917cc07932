import { AttachType } from '../spec/spec.ts'
import type { AttachTypeName } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import { command, commandError } from './command.ts'

/** Programs of one hook, in the order in which they run. */
export interface AttachedPrograms {
  programs: { id: number; /** Of the link that holds it; 0: none, or a kernel before 6.6. */ linkId: number; flags: number }[]
  /** Of the hook (cgroups: override, multi). */
  flags: number
  /** Counts changes of the list (6.6); 0 before. A new link can insist on it. */
  revision: number
}

const BPF_F_QUERY_EFFECTIVE = 1
const most = 64

/**
 * What is attached to a cgroup, an interface (tcx, netkit), a network namespace or a map of sockets.
 * Kernel 4.15. @param effective of a cgroup: also what comes from those above it
 */
export function queryPrograms(
  target: { fd: number } | number, attachType: AttachTypeName, { effective = false } = {}
): AttachedPrograms {
  const number = typeof target === 'number' ? target : target.fd
  for (let room = most; ; room *= 2) {
    const memory = allocate(room * 16)
    try {
      let found: AttachedPrograms | undefined
      // Links and flags of links are asked for where only kernels that know them are (6.6).
      const ask = (withLinks: boolean) => command('BPF_PROG_QUERY', withLinks ? 64 : 32, (attr) => {
        attr.u32(0, number)
        attr.u32(4, AttachType[attachType])
        attr.u32(8, effective ? BPF_F_QUERY_EFFECTIVE : 0)
        attr.u64(16, memory.address)
        attr.u32(24, room)
        if (withLinks) {
          attr.u64(40, memory.address + room * 4)
          attr.u64(48, memory.address + room * 8)
        }
        if (withLinks && !effective) attr.u64(32, memory.address + room * 12)
      }, (attr) => {
        const count = Math.min(room, attr.read(24))
        const { u32 } = memory
        found = {
          programs: Array.from({ length: count }, (_, index) => ({
            id: u32[index]!, linkId: withLinks ? u32[room + index]! : 0, flags: withLinks ? u32[room * 3 + index]! : 0,
          })),
          flags: attr.read(12), revision: withLinks ? attr.readU64(56) : 0,
        }
      })
      let result = ask(true)
      if (result === -Errno.EINVAL || result === -Errno.E2BIG) {
        memory.u8.fill(0)
        result = ask(false)
      }
      if (result === -Errno.ENOSPC) continue
      if (result < 0) throw commandError('BPF_PROG_QUERY', result, attachType)
      return found!
    } finally {
      release(memory)
    }
  }
}
