import { Errno, SysError } from '../../sys/errno.ts'
import { setSocketNumber } from '../../sys/socket.ts'
import { PolicyError } from '../load-error.ts'
import { undoable } from '../link.ts'
import type { Link } from '../link.ts'
import type { Program } from '../program.ts'

const SO_ATTACH_BPF = 50
const SO_DETACH_FILTER = 27
const SO_ATTACH_REUSEPORT_EBPF = 52
const SO_DETACH_REUSEPORT_BPF = 68

/**
 * Lets a socket receive only what the program says (its result is how many bytes of each packet). Kernel 3.19. A socket has one
 * filter: a new one takes the old one's place, and close() takes away whichever is there.
 */
export function attachSocketFilter(program: Program, socket: { fd: number } | number): Link {
  return attachTo(program, socket, SO_ATTACH_BPF, SO_DETACH_FILTER, 'filter')
}

/** Chooses the socket of a SO_REUSEPORT group that gets a connection or packet (sk_reuseport 4.19, socket_filter 4.5). */
export function attachReuseport(program: Program, socket: { fd: number } | number): Link {
  return attachTo(program, socket, SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF, 'reuseport')
}

function attachTo(program: Program, socket: { fd: number } | number, attach: number, detach: number, what: string): Link {
  const fd = typeof socket === 'number' ? socket : socket.fd
  const place = `${what} of socket ${fd}`
  const result = setSocketNumber(fd, attach, program.fd)
  if (result === -Errno.EPERM) throw new PolicyError('setsockopt', Errno.EPERM, `attaching to ${place}`)
  if (result < 0) throw new SysError('setsockopt', -result, place)
  return undoable(place, 'socket', () => {
    const undone = setSocketNumber(fd, detach, 0)
    // The socket may be closed by now, and the filter with it.
    if (undone < 0 && undone !== -Errno.ENOENT && undone !== -Errno.EBADF && undone !== -Errno.ENOTSOCK) {
      throw new SysError('setsockopt', -undone, place)
    }
  })
}
