import { AttachType, MapType, ProgramType } from '../spec/spec.ts'
import type { AttachTypeName, MapTypeName, ProgramTypeName } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { withString } from '../sys/memory.ts'
import { check, fsconfig, fsmount, fsopen, moveMount } from '../sys/syscall.ts'
import { Command } from './command.ts'
import type { CommandName } from './command.ts'
import { Descriptor } from './descriptor.ts'

const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_STRING = 1
const FSCONFIG_CMD_CREATE = 6
const AT_FDCWD = -100
const MOVE_MOUNT_F_EMPTY_PATH = 4

/**
 * What tokens of a bpf file system permit (6.9). What is left out is not permitted. A program needs its type and its attach
 * type; for
 * types without one, that is the first, cgroup_inet_ingress.
 */
export interface Delegation {
  commands?: 'any' | readonly CommandName[]
  maps?: 'any' | readonly MapTypeName[]
  programs?: 'any' | readonly ProgramTypeName[]
  attachTypes?: 'any' | readonly AttachTypeName[]
}

/**
 * A file system of type bpf that is being made. In a container's user namespace it is opened by a process of the container,
 * given its
 * delegation and created by one outside that may (`adopt` of the same descriptor), and then mounted inside.
 */
export class BpfFileSystem {
  readonly #context: Descriptor

  private constructor(context: Descriptor) {
    this.#context = context
  }

  /** Kernel 5.2. @throws SysError */
  static open(): BpfFileSystem {
    const fd = withString('bpf', (name) => fsopen(name, FSOPEN_CLOEXEC))
    return BpfFileSystem.adopt(check(fd, 'fsopen', 'a file system of type bpf'))
  }

  /** One that another process opened; the descriptor belongs to this object from now on. */
  static adopt(fd: number): BpfFileSystem {
    return new BpfFileSystem(new Descriptor('file', 'bpf file system', fd))
  }

  get fd(): number {
    return this.#context.fd
  }

  /** Says what its tokens permit. Needs CAP_SYS_ADMIN outside of any container. @throws SysError */
  delegate(delegation: Delegation): this {
    const set = (key: string, mask: string | undefined) => {
      if (mask === undefined) return
      const result = withString(key, (name) => withString(mask, (value) => fsconfig(this.fd, FSCONFIG_SET_STRING, name, value)))
      check(result, 'fsconfig', `${key}=${mask}`)
    }
    set('delegate_cmds', maskOf(delegation.commands, Command))
    set('delegate_maps', maskOf(delegation.maps, MapType))
    set('delegate_progs', maskOf(delegation.programs, ProgramType))
    set('delegate_attachs', maskOf(delegation.attachTypes, AttachType))
    return this
  }

  /** Makes it. For a user namespace this too takes CAP_SYS_ADMIN outside; it can then be mounted inside. Once is enough. */
  create(): this {
    const result = fsconfig(this.fd, FSCONFIG_CMD_CREATE)
    if (result !== -Errno.EBUSY) check(result, 'fsconfig', 'making a bpf file system')
    return this
  }

  /** Its directory, mounted nowhere: it goes with the descriptor, unless mountAt() gives it a path. */
  mount(): Descriptor {
    this.create()
    return new Descriptor('file', 'bpf file system', check(fsmount(this.fd, FSMOUNT_CLOEXEC, 0), 'fsmount', 'a bpf file system'))
  }

  close(): void {
    this.#context.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Gives a file system that is mounted nowhere a path. */
export function mountAt(directory: Descriptor, path: string): void {
  const result = withString('', (empty) => withString(path, (to) => moveMount(directory.fd, empty, AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH)))
  check(result, 'move_mount', path)
}

function maskOf<T extends string>(
  names: 'any' | readonly T[] | undefined, numbers: Readonly<Record<T, number>>
): string | undefined {
  if (names === undefined || names === 'any') return names
  return `0x${names.reduce((mask, name) => mask | 1n << BigInt(numbers[name]), 0n).toString(16)}`
}
