import { allocate, release } from './memory.ts'
import { check, setsockopt, socket } from './syscall.ts'

export const Family = { unix: 1, inet: 2, packet: 17, inet6: 10 } as const
export const SocketType = { stream: 1, datagram: 2, raw: 3 } as const

const SOCK_CLOEXEC = 0x8_0000
const SOL_SOCKET = 1

/** A socket as a bare descriptor. @throws SysError */
export function openSocket(family: keyof typeof Family, type: keyof typeof SocketType, protocol = 0): number {
  return check(socket(Family[family], SocketType[type] | SOCK_CLOEXEC, protocol), 'socket', `${family} ${type}`)
}

/** Sets an option of SOL_SOCKET that is a number: 0, or the negated errno. */
export function setSocketNumber(fd: number, option: number, value: number): number {
  const memory = allocate(4)
  try {
    memory.i32[0] = value
    return setsockopt(fd, SOL_SOCKET, option, memory.address, 4)
  } finally {
    release(memory)
  }
}
