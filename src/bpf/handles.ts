import { openSync } from 'node:fs'
import { check, pidfdOpen } from '../sys/syscall.ts'
import { Descriptor } from './descriptor.ts'

/* Descriptors of what is not of eBPF, for attaching to it and for keys of storages. */

/** A process (5.3). @throws SysError: ESRCH if there is none */
export function openProcess(pid: number): Descriptor {
  return new Descriptor('file', `process ${pid}`, check(pidfdOpen(pid), 'pidfd_open', `process ${pid}`))
}

/** A cgroup's directory, as in /sys/fs/cgroup. */
export function openCgroup(path: string): Descriptor {
  return new Descriptor('file', path, openSync(path, 'r'))
}

/** A network namespace: `/run/netns/NAME`, `/proc/PID/ns/net`; the process's own by default. */
export function openNetworkNamespace(path = '/proc/thread-self/ns/net'): Descriptor {
  return new Descriptor('file', path, openSync(path, 'r'))
}
