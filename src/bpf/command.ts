import { Errno, SysError } from '../sys/errno.ts'
import { allocate, readU64, release, writeU64 } from '../sys/memory.ts'
import type { Block } from '../sys/memory.ts'
import { bpf } from '../sys/syscall.ts'

/** `enum bpf_cmd` of linux/bpf.h, the ones in use. */
export const Command = {
  BPF_MAP_CREATE: 0, BPF_MAP_LOOKUP_ELEM: 1, BPF_MAP_UPDATE_ELEM: 2, BPF_MAP_DELETE_ELEM: 3, BPF_MAP_GET_NEXT_KEY: 4,
  BPF_PROG_LOAD: 5, BPF_OBJ_PIN: 6, BPF_OBJ_GET: 7, BPF_PROG_ATTACH: 8, BPF_PROG_DETACH: 9, BPF_PROG_TEST_RUN: 10,
  BPF_PROG_GET_NEXT_ID: 11, BPF_MAP_GET_NEXT_ID: 12, BPF_PROG_GET_FD_BY_ID: 13, BPF_MAP_GET_FD_BY_ID: 14,
  BPF_OBJ_GET_INFO_BY_FD: 15, BPF_PROG_QUERY: 16, BPF_RAW_TRACEPOINT_OPEN: 17, BPF_BTF_LOAD: 18, BPF_BTF_GET_FD_BY_ID: 19,
  BPF_TASK_FD_QUERY: 20, BPF_MAP_LOOKUP_AND_DELETE_ELEM: 21, BPF_MAP_FREEZE: 22, BPF_BTF_GET_NEXT_ID: 23,
  BPF_MAP_LOOKUP_BATCH: 24, BPF_MAP_LOOKUP_AND_DELETE_BATCH: 25, BPF_MAP_UPDATE_BATCH: 26, BPF_MAP_DELETE_BATCH: 27,
  BPF_LINK_CREATE: 28, BPF_LINK_UPDATE: 29, BPF_LINK_GET_FD_BY_ID: 30, BPF_LINK_GET_NEXT_ID: 31, BPF_ENABLE_STATS: 32,
  BPF_ITER_CREATE: 33, BPF_LINK_DETACH: 34, BPF_PROG_BIND_MAP: 35, BPF_TOKEN_CREATE: 36, BPF_PROG_STREAM_READ_BY_FD: 37,
} as const
export type CommandName = keyof typeof Command

/** The attr of one call: `union bpf_attr`, all zero to begin with. Offsets are in bytes. */
export class Attr {
  readonly #block: Block
  constructor(block: Block) { this.#block = block }
  u32(offset: number, value: number): void { this.#block.u32[offset >> 2] = value }
  /** Numbers to 2^53, or any bigint. */
  u64(offset: number, value: number | bigint): void {
    if (typeof value === 'number') return writeU64(this.#block.u32, offset, value)
    this.#block.u32[offset >> 2] = Number(value & 0xffff_ffffn)
    this.#block.u32[(offset >> 2) + 1] = Number(BigInt.asUintN(32, value >> 32n))
  }
  readU64(offset: number): number { return readU64(this.#block.u32, offset) }
  /** A kernel object name: at most 15 of the characters the kernel allows. */
  name(offset: number, name: string): void { writeName(this.#block.u8, offset, name) }
  read(offset: number): number { return this.#block.u32[offset >> 2]! }
}

/** Long enough for every command here; kernels that know less insist only that the rest is zero. */
const attrSize = 256

/** One bpf(2) call: its result, or the negated errno. `after` may read what the kernel wrote into the attr. */
export function command(name: CommandName, size: number, fill: (attr: Attr) => void, after?: (attr: Attr) => void): number {
  const block = allocate(attrSize)
  try {
    const attr = new Attr(block)
    fill(attr)
    const result = bpf(Command[name], block.address, size)
    after?.(attr)
    return result
  } finally {
    release(block)
  }
}

/** As command(), but a failure throws. */
export function mustCommand(name: CommandName, size: number, fill: (attr: Attr) => void, detail = ''): number {
  const result = command(name, size, fill)
  if (result < 0) throw commandError(name, result, detail)
  return result
}

/** The error of a failed call, with what its errno usually means where that is not plain. */
export function commandError(name: CommandName, result: number, detail = ''): SysError {
  const hint = hints[-result] ?? ''
  return new SysError(`bpf(${name})`, result, [detail, hint].filter((text) => text !== '').join('; '))
}

const hints: Record<number, string> = {
  [Errno.ENOSYS]: 'this kernel was built without CONFIG_BPF_SYSCALL, or a sandbox hides the bpf system call',
  [Errno.EMFILE]: 'too many open files: raise the limit (ulimit -n, or LimitNOFILE= of the service)',
  [Errno.ENOMEM]: 'the kernel has no memory for it: the cgroup limit (memory.max) counts maps and programs too',
}

export function writeName(target: Uint8Array, offset: number, name: string): void {
  const allowed = name.replace(/[^A-Za-z0-9_.]/g, '_').slice(0, 15)
  for (let index = 0; index < allowed.length; index++) target[offset + index] = allowed.charCodeAt(index)
}

export function readName(source: Uint8Array, offset: number): string {
  let result = ''
  for (let index = offset; index < offset + 16 && source[index] !== 0; index++) result += String.fromCharCode(source[index]!)
  return result
}

/** BPF_OBJ_GET_INFO_BY_FD: `use` reads the info before its memory is reused. @throws SysError */
export function objectInfo<T>(fd: number, size: number, use: (info: Block) => T, fill?: (info: Block) => void): T {
  const info = allocate(size)
  try {
    fill?.(info)
    mustCommand('BPF_OBJ_GET_INFO_BY_FD', 16, (attr) => {
      attr.u32(0, fd)
      attr.u32(4, size)
      attr.u64(8, info.address)
    })
    return use(info)
  } finally {
    release(info)
  }
}
