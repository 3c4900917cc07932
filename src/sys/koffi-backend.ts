import { createRequire } from 'node:module'
import type { Backend, PollHandle } from './backend.ts'
import { UnsupportedPlatformError } from './errno.ts'

type Koffi = typeof import('koffi')

/** Loads koffi (5–10 ms); call it only when the kernel is really needed. */
export function koffiBackend(): Backend {
  const koffi = loadKoffi()
  const libc = koffi.load(null)
  // glibc and musl read variadic integers from the same registers as named ones on every 64-bit Linux.
  const call3 = libc.func('syscall', 'int64', ['int64', 'int64', 'int64', 'int64'])
  const call6 = libc.func('syscall', 'int64', ['int64', 'int64', 'int64', 'int64', 'int64', 'int64', 'int64'])
  return {
    name: `koffi ${koffi.version}`,
    syscall3(number, a, b, c) {
      const result = Number(call3(number, a, b, c))
      return result === -1 ? -koffi.errno() : result
    },
    syscall6(number, a, b, c, d, e, f) {
      const result = Number(call6(number, a, b, c, d, e, f))
      return result === -1 ? -koffi.errno() : result
    },
    view: (address, length) => koffi.view(BigInt(address), length),
    poll: (fd, callback) => pollHandle(koffi, fd, callback),
  }
}

function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi
  } catch (cause) {
    const error = new UnsupportedPlatformError(`${process.platform}-${process.arch}`,
      'koffi, which makes the system calls, could not be loaded: is its package for this platform installed?')
    error.cause = cause
    throw error
  }
}

function pollHandle(koffi: Koffi, fd: number, callback: () => void): PollHandle {
  // koffi swallows what a poll callback throws and then falls silent: hand it to the process instead.
  const guarded = () => {
    try {
      callback()
    } catch (error) {
      process.nextTick(() => { throw error })
    }
  }
  const handle = koffi.node.poll(fd, { readable: true }, guarded)
  return {
    start: () => handle.start({ readable: true }, guarded),
    stop: () => handle.stop(),
    close: () => handle.close(),
    ref: () => handle.ref(),
    unref: () => handle.unref(),
  }
}
