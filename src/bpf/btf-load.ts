import { allocate, release } from '../sys/memory.ts'
import { command, commandError } from './command.ts'
import { Descriptor } from './descriptor.ts'

const BPF_F_TOKEN_FD = 1 << 16
const logSize = 64 * 1024

/**
 * Types in the kernel: programs and maps that name them can be listed with their source and contents.
 * Kernel 4.18. @throws SysError that holds what the kernel says of malformed types
 */
export function loadBtf(name: string, bytes: Uint8Array, tokenFd?: number): Descriptor {
  const memory = allocate(bytes.length)
  try {
    memory.u8.set(bytes)
    const load = (log: { address: number } | undefined) => command('BPF_BTF_LOAD', tokenFd === undefined ? 28 : 40, (attr) => {
      attr.u64(0, memory.address)
      attr.u32(16, bytes.length)
      if (log !== undefined) {
        attr.u64(8, log.address)
        attr.u32(20, logSize)
        attr.u32(24, 1)
      }
      if (tokenFd === undefined) return
      attr.u32(32, BPF_F_TOKEN_FD)
      attr.u32(36, tokenFd)
    })
    const fd = load(undefined)
    if (fd >= 0) return new Descriptor('btf', name, fd)
    throw commandError('BPF_BTF_LOAD', fd, `the types of '${name}'${explain(load)}`)
  } finally {
    release(memory)
  }
}

/** The last line of the kernel's log, which tells what is wrong with the types. */
function explain(load: (log: { address: number }) => number): string {
  const log = allocate(logSize)
  try {
    load(log)
    const text = new TextDecoder().decode(log.u8.slice(0, Math.max(0, log.u8.indexOf(0)))).trimEnd()
    return text === '' ? '' : `: ${text.slice(text.lastIndexOf('\n') + 1).trim()}`
  } finally {
    release(log)
  }
}
