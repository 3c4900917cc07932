import type { Backend, PollHandle } from './backend.ts'
import { SysError, UnsupportedPlatformError } from './errno.ts'
import { koffiBackend } from './koffi-backend.ts'

interface Numbers {
  bpf: number; mmap: number; munmap: number; madvise: number; close: number; ioctl: number
  perfEventOpen: number; prlimit64: number; fsopen: number; fsconfig: number; fsmount: number; moveMount: number
  socket: number; bind: number; sendto: number; recvfrom: number; setsockopt: number; getsockopt: number
  setns: number; pidfdOpen: number; pidfdGetfd: number
}

/** From asm-generic/unistd.h. */
const generic: Numbers = {
  bpf: 280, mmap: 222, munmap: 215, madvise: 233, close: 57, ioctl: 29,
  perfEventOpen: 241, prlimit64: 261, fsopen: 430, fsconfig: 431, fsmount: 432, moveMount: 429,
  socket: 198, bind: 200, sendto: 206, recvfrom: 207, setsockopt: 208, getsockopt: 209, setns: 268, pidfdOpen: 434, pidfdGetfd: 438,
}
const numbersByArch: Partial<Record<string, Numbers>> = {
  x64: {
    bpf: 321, mmap: 9, munmap: 11, madvise: 28, close: 3, ioctl: 16,
    perfEventOpen: 298, prlimit64: 302, fsopen: 430, fsconfig: 431, fsmount: 432, moveMount: 429,
    socket: 41, bind: 49, sendto: 44, recvfrom: 45, setsockopt: 54, getsockopt: 55, setns: 308, pidfdOpen: 434, pidfdGetfd: 438,
  },
  arm64: generic,
  riscv64: generic,
}

export const Protection = { none: 0, read: 1, write: 2 } as const
export const MapFlag = { shared: 1, private: 2, fixed: 0x10, anonymous: 0x20, noReserve: 0x4000, fixedNoReplace: 0x10_0000 } as const

let backend: Backend | undefined
let numbers: Numbers

/** The back end in use; made at the first call, so that importing sys/ costs nothing and works anywhere. */
export function system(): Backend {
  if (backend !== undefined) return backend
  const platform = `${process.platform}-${process.arch}`
  if (process.platform !== 'linux') throw new UnsupportedPlatformError(platform, 'eBPF programs run in the Linux kernel only')
  const known = numbersByArch[process.arch]
  if (known === undefined) throw new UnsupportedPlatformError(platform, 'the system call numbers of this processor are not known')
  numbers = known
  backend = koffiBackend()
  return backend
}

/** Throws a SysError if `result` is a negated errno. */
export function check(result: number, call: string, detail = ''): number {
  if (result < 0) throw new SysError(call, -result, detail)
  return result
}

/** The bpf system call; `address` is of an attr in memory that no garbage collector moves or frees (see allocate). */
export function bpf(command: number, address: number, size: number): number {
  return system().syscall3(numbers.bpf, command, address, size)
}

export function mmap(address: number, length: number, protection: number, flags: number, fd = -1, offset = 0): number {
  return system().syscall6(numbers.mmap, address, length, protection, flags, fd, offset)
}

export function munmap(address: number, length: number): number {
  return system().syscall3(numbers.munmap, address, length, 0)
}

export function madvise(address: number, length: number, advice: number): number {
  return system().syscall3(numbers.madvise, address, length, advice)
}

export function close(fd: number): number {
  return system().syscall3(numbers.close, fd, 0, 0)
}

export function ioctl(fd: number, request: number, argument: number): number {
  return system().syscall3(numbers.ioctl, fd, request, argument)
}

export function perfEventOpen(attr: number, pid: number, cpu: number, group: number, flags: number): number {
  return system().syscall6(numbers.perfEventOpen, attr, pid, cpu, group, flags, 0)
}

export function prlimit64(pid: number, resource: number, newLimit: number, oldLimit: number): number {
  return system().syscall6(numbers.prlimit64, pid, resource, newLimit, oldLimit, 0, 0)
}

export function fsopen(name: number, flags: number): number {
  return system().syscall3(numbers.fsopen, name, flags, 0)
}

/** `key` and `value` are addresses of strings, where the command takes them. */
export function fsconfig(fd: number, command: number, key = 0, value = 0): number {
  return system().syscall6(numbers.fsconfig, fd, command, key, value, 0, 0)
}

export function fsmount(fd: number, flags: number, attributes: number): number {
  return system().syscall3(numbers.fsmount, fd, flags, attributes)
}

/** Paths are addresses of strings. */
export function moveMount(fromFd: number, from: number, toFd: number, to: number, flags: number): number {
  return system().syscall6(numbers.moveMount, fromFd, from, toFd, to, flags, 0)
}

export function socket(family: number, type: number, protocol: number): number {
  return system().syscall3(numbers.socket, family, type, protocol)
}

export function bind(fd: number, address: number, length: number): number {
  return system().syscall3(numbers.bind, fd, address, length)
}

/** To whom the socket is connected; for netlink, the kernel. */
export function send(fd: number, address: number, length: number, flags = 0): number {
  return system().syscall6(numbers.sendto, fd, address, length, flags, 0, 0)
}

export function receive(fd: number, address: number, length: number, flags = 0): number {
  return system().syscall6(numbers.recvfrom, fd, address, length, flags, 0, 0)
}

export function setsockopt(fd: number, level: number, option: number, address: number, length: number): number {
  return system().syscall6(numbers.setsockopt, fd, level, option, address, length, 0)
}

/** `lengthAddress` is of a 32-bit length, in and out. */
export function getsockopt(fd: number, level: number, option: number, address: number, lengthAddress: number): number {
  return system().syscall6(numbers.getsockopt, fd, level, option, address, lengthAddress, 0)
}

/** Moves the calling thread only. */
export function setns(fd: number, type: number): number {
  return system().syscall3(numbers.setns, fd, type, 0)
}

/** A descriptor of a process (5.3). */
export function pidfdOpen(pid: number, flags = 0): number {
  return system().syscall3(numbers.pidfdOpen, pid, flags, 0)
}

/** A copy of another process's descriptor (5.6). */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return system().syscall3(numbers.pidfdGetfd, pidfd, fd, 0)
}

/** Memory as a buffer, not copied: reading it after the mapping is gone kills the process; Mapping guards against that. */
export function view(address: number, length: number): ArrayBuffer {
  return system().view(address, length)
}

/** Calls back, level-triggered, while `fd` is readable. Keep the handle, and close it before the descriptor. */
export function poll(fd: number, callback: () => void): PollHandle {
  return system().poll(fd, callback)
}
