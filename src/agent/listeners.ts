import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { kernelComm } from './workload.ts'
import { rootCgroup } from './cgroups.ts'

/** The key and the value of the TCP probe's map of listeners. */
export interface ListenerKey { netns: number; port: number }
export interface ListenerOwner { pid: number; name: string; workload: { cgroup: number; comm: string } }

export interface Listener { key: ListenerKey; owner: ListenerOwner }

/** Work between two breaths of the event loop, and in all: a machine with very many descriptors is not searched to the end. */
const sliceMs = 5
const limitMs = 1500

/**
 * Who listened for TCP connections before anybody looked: sockets in LISTEN of every network namespace
 * (/proc/PID/net/tcp, tcp6; proc_pid_net(5)), and the process that holds the descriptor. Needs CAP_SYS_PTRACE for
 * the processes of others; what cannot be seen is left out.
 */
export async function* presentListeners(mount: string | null): AsyncGenerator<Listener> {
  const processes = names('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  /** Socket inode → the listener's key, until its owner is found. */
  const wanted = new Map<number, ListenerKey>()
  const namespaces = new Set<number>()
  const started = performance.now()
  let slice = started
  for (const pid of processes) {
    const netns = namespaceOf(pid)
    if (netns === null) continue
    if (!namespaces.has(netns)) {
      namespaces.add(netns)
      for (const table of ['tcp', 'tcp6']) for (const { inode, port } of listening(read(`/proc/${pid}/net/${table}`))) wanted.set(inode, { netns, port })
    }
    if (wanted.size === 0) continue
    for (const inode of socketsOf(pid)) {
      const key = wanted.get(inode)
      if (key === undefined) continue
      wanted.delete(inode)
      const owner = ownerOf(pid, mount)
      if (owner !== null) yield { key, owner }
    }
    const now = performance.now()
    if (now - started > limitMs) return
    if (now - slice < sliceMs) continue
    await breathe()
    slice = performance.now()
  }
}

/** Sockets in LISTEN (state 0A) of a /proc/net/tcp table. */
export function listening(table: string): { inode: number; port: number }[] {
  return table.split('\n').slice(1).flatMap((line) => {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/)
    if (state !== '0A' || local === undefined || inode === undefined) return []
    return [{ inode: Number(inode), port: parseInt(local.slice(local.lastIndexOf(':') + 1), 16) }]
  })
}

function ownerOf(pid: number, mount: string | null): ListenerOwner | null {
  const name = read(`/proc/${pid}/comm`).trimEnd()
  const path = /^0::(.*)$/m.exec(read(`/proc/${pid}/cgroup`))?.[1]
  if (name === '' || path === undefined) return null
  const cgroup = path === '/' || mount === null ? rootCgroup : inodeOf(`${mount}${path}`) ?? rootCgroup
  return { pid, name, workload: { cgroup, comm: cgroup === rootCgroup ? (isKernelThread(pid) ? kernelComm : name) : '' } }
}

/** Kernel threads (the NFS server listens in one) have no executable. */
function isKernelThread(pid: number): boolean {
  return linkOf(`/proc/${pid}/exe`) === null && read(`/proc/${pid}/cmdline`) === ''
}

function socketsOf(pid: number): number[] {
  return names(`/proc/${pid}/fd`).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`) ?? '')?.[1]
    return inode === undefined ? [] : [Number(inode)]
  })
}

function namespaceOf(pid: number): number | null {
  const inode = /^net:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/ns/net`) ?? '')?.[1]
  return inode === undefined ? null : Number(inode)
}

/** A process may end, or belong to somebody else, at any moment: then there is nothing to see. */
function whileThere<T>(look: () => T, otherwise: T): T {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'EINVAL') return otherwise
    throw error
  }
}

const names = (folder: string) => whileThere(() => readdirSync(folder), [])
const read = (path: string) => whileThere(() => readFileSync(path, 'latin1'), '')
const linkOf = (path: string) => whileThere<string | null>(() => readlinkSync(path), null)
const inodeOf = (path: string) => whileThere<number | null>(() => lstatSync(path).ino, null)
