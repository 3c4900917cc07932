import { closeSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { Errno } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import { check, close, fsconfig, fsmount, fsopen } from '../sys/syscall.ts'

const mountPoints = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing']
const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_CMD_CREATE = 6
const MOUNT_ATTR_RDONLY = 1

/**
 * A file of tracefs, such as 'events/sched/sched_switch/format'; undefined if the tracepoint does not exist.
 * Where tracefs is mounted nowhere, it is mounted for the moment of reading, read-only and visible to nobody
 * (5.2; needs CAP_SYS_ADMIN), so that the host's mounts stay as they are.
 */
export function readTracefs(path: string): string | undefined {
  const mounted = mountPoints.find((point) => existsSync(`${point}/events`))
  if (mounted !== undefined) return readIfThere(`${mounted}/${path}`)
  const mount = mountDetached()
  try {
    return readIfThere(`/proc/self/fd/${mount}/${path}`)
  } finally {
    closeSync(mount)
  }
}

/** Names in a folder of tracefs, such as 'events/sched'; none if it does not exist. */
export function listTracefs(path: string): string[] {
  const mounted = mountPoints.find((point) => existsSync(`${point}/events`))
  const mount = mounted === undefined ? mountDetached() : null
  try {
    const folder = `${mounted ?? `/proc/self/fd/${mount}`}/${path}`
    return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])) : []
  } finally {
    if (mount !== null) closeSync(mount)
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function mountDetached(): number {
  const name = allocate(16)
  name.u8.set(new TextEncoder().encode('tracefs'))
  const context = fsopen(name.address, FSOPEN_CLOEXEC)
  release(name)
  const remedy = 'tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing'
  check(context, 'fsopen', context === -Errno.ENODEV ? 'this kernel has no tracefs (CONFIG_FTRACE)' : remedy)
  try {
    check(fsconfig(context, FSCONFIG_CMD_CREATE), 'fsconfig', remedy)
    return check(fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY), 'fsmount', remedy)
  } finally {
    close(context)
  }
}

/** The number perf_event_open knows a tracepoint by; undefined if this kernel has no such tracepoint. */
export function tracepointId(category: string, name: string): number | undefined {
  const text = readTracefs(`events/${category}/${name}/id`)
  return text === undefined ? undefined : Number(text)
}
