import { openSync, readFileSync } from 'node:fs'
import { Errno, SysError } from '../sys/errno.ts'
import { command, commandError, objectInfo } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { PolicyError } from './load-error.ts'

/** Masks by number: bit 5 of `commands` is BPF_PROG_LOAD. */
export interface TokenInfo { commands: bigint; maps: bigint; programs: bigint; attachTypes: bigint }

/**
 * A permission to use eBPF that a bpf file system delegates to a container's user namespace, whose root needs CAP_BPF there (and
 * CAP_PERFMON, CAP_NET_ADMIN as the programs do) but nothing outside. Kernel 6.9. Give it to Collection.load.
 */
export class Token {
  readonly #descriptor: Descriptor

  private constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor
  }

  /**
   * @param directory of a bpf file system with a delegation (`delegate_cmds=…`), or its path
   * @throws SysError, PolicyError that say what is missing
   */
  static create(directory: { fd: number } | string): Token {
    const path = typeof directory === 'string' ? directory : `/proc/self/fd/${directory.fd}/.`
    // The kernel wants it opened for reading, which what mount() gives is not.
    const opened = new Descriptor('file', path, openSync(path, 'r'))
    try {
      const result = command('BPF_TOKEN_CREATE', 8, (attr) => attr.u32(4, opened.fd))
      if (result < 0) throw tokenError(result)
      return new Token(new Descriptor('token', 'bpf token', result))
    } finally {
      opened.close()
    }
  }

  /**
   * A token of the first mounted bpf file system that has a delegation; undefined if there is none, or this is no user
   * namespace.
   */
  static find(): Token | undefined {
    for (const path of delegatedMounts(readFileSync('/proc/self/mounts', 'latin1'))) {
      try {
        return Token.create(path)
      } catch (error) {
        if (!(error instanceof SysError)) throw error
        // Of another namespace, or not ours to use: the next one may be.
      }
    }
    return undefined
  }

  get fd(): number {
    return this.#descriptor.fd
  }

  /** What it permits (6.17). @throws SysError: EINVAL on older kernels */
  info(): TokenInfo {
    return objectInfo(this.fd, 32, ({ u32 }) => {
      const mask = (at: number) => BigInt(u32[at / 4]!) | BigInt(u32[at / 4 + 1]!) << 32n
      return { commands: mask(0), maps: mask(8), programs: mask(16), attachTypes: mask(24) }
    })
  }

  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Paths of bpf file systems with a delegation, from the text of /proc/self/mounts. */
export function delegatedMounts(mounts: string): string[] {
  return mounts.split('\n').map((line) => line.split(' '))
    .filter(([, , type, options]) => type === 'bpf' && /(^|,)delegate_\w+=/.test(options ?? ''))
    .map(([, path]) => path!.replace(/\\(\d{3})/g, (_all, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
}

function tokenError(result: number): SysError {
  const fail = (detail: string) => commandError('BPF_TOKEN_CREATE', result, detail)
  switch (-result) {
    case Errno.EOPNOTSUPP: return fail('tokens are for user namespaces: here, outside of any, capabilities decide')
    case Errno.ENOENT: return fail('the bpf file system delegates nothing: mount it with delegate_cmds=…')
    case Errno.EINVAL: return fail("this kernel has no tokens (6.9), or that is no bpf file system's top directory")
    case Errno.EPERM:
      return new PolicyError('bpf(BPF_TOKEN_CREATE)', Errno.EPERM,
        'a token: it takes CAP_BPF in the user namespace that the bpf file system was mounted in')
    default: return fail('')
  }
}
