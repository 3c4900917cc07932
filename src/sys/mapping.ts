import { check, MapFlag, mmap, munmap, Protection, view } from './syscall.ts'

/** Memory shared with the kernel: the pages of a file, a map or a ring buffer. */
export class Mapping {
  readonly address: number
  readonly length: number
  /** The pages, not copied. After close() it is detached (Node 22 and later) or reads as zeros. */
  readonly buffer: ArrayBuffer
  #closed = false

  private constructor(address: number, length: number) {
    this.address = address
    this.length = length
    this.buffer = view(address, length)
  }

  /** @throws SysError; ENODEV or EINVAL mean that this file cannot be mapped */
  static open(fd: number, options: {
    length: number; offset?: number; write?: boolean; private?: boolean
    /** Where it must lie; nothing that is there already is replaced (EEXIST). */
    address?: number
  }): Mapping {
    const { address = 0, length, offset = 0 } = options
    const protection = Protection.read | (options.write === true ? Protection.write : 0)
    const flags = (options.private === true ? MapFlag.private : MapFlag.shared) | (address === 0 ? 0 : MapFlag.fixedNoReplace)
    return new Mapping(check(mmap(address, length, protection, flags, fd, offset), 'mmap'), length)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Unmaps so that a view somebody kept cannot crash the process. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const buffer = this.buffer as ArrayBuffer & { transfer?(length: number): ArrayBuffer }
    if (typeof buffer.transfer === 'function') {
      buffer.transfer(0)
      check(munmap(this.address, this.length), 'munmap')
      return
    }
    // Node 20 cannot detach a foreign buffer: put pages of zeros in its place, which cost address space only.
    check(mmap(this.address, this.length, Protection.read,
      MapFlag.private | MapFlag.anonymous | MapFlag.fixed | MapFlag.noReserve), 'mmap')
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
