import { closeSync, fstatSync, openSync, statSync } from 'node:fs'
import { check, setns } from './syscall.ts'

const CLONE_NEWNET = 0x4000_0000

/**
 * Runs `action` in another network namespace: interfaces, sockets and netlink are those of there. Only for this thread, and
 * only until `action` returns; what it leaves waiting (promises, timers) runs in the old namespace again. Sockets made inside
 * stay
 * in theirs.
 * @param path a namespace: `/run/netns/NAME`, `/proc/PID/ns/net`
 * @throws SysError: EPERM without CAP_SYS_ADMIN, EINVAL if `path` is no network namespace
 */
export function inNetworkNamespace<T>(path: string, action: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r')
  try {
    const there = openSync(path, 'r')
    try {
      check(setns(there, CLONE_NEWNET), 'setns', path)
    } finally {
      closeSync(there)
    }
    try {
      return action()
    } finally {
      check(setns(home, CLONE_NEWNET), 'setns', 'back to the namespace of the process')
    }
  } finally {
    closeSync(home)
  }
}

/** A network namespace that is held: it stays, and can be gone back to from wherever the thread is. */
export class HeldNamespace {
  readonly #fd = openSync('/proc/thread-self/ns/net', 'r')

  /** Runs `action` there; without any right if the thread is there already. */
  run<T>(action: () => T): T {
    const here = statSync('/proc/thread-self/ns/net')
    const there = fstatSync(this.#fd)
    return here.ino === there.ino && here.dev === there.dev ? action() : inNetworkNamespace(`/proc/self/fd/${this.#fd}`, action)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
