import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { close } from '../sys/syscall.ts'
import { linkInfo } from './link-info.ts'
import { mapInfo } from './map-info.ts'
import { objectKind, openPin } from './pin.ts'
import { programInfo } from './program-info.ts'

/** A process that has an object open, by its command name. */
export interface Owner { pid: number; command: string }

/** Who has what open, by the ids of the objects. */
export interface Owners {
  programs: Map<number, Owner[]>
  maps: Map<number, Owner[]>
  links: Map<number, Owner[]>
}

const kinds = [['prog_id', 'programs'], ['map_id', 'maps'], ['link_id', 'links']] as const

/**
 * Looks at the descriptors of all processes (needs CAP_SYS_PTRACE for those of others; what may not be seen is left out).
 * Objects that
 * nobody has open are held by programs, links or pins.
 */
export function objectOwners(): Owners {
  const owners: Owners = { programs: new Map(), maps: new Map(), links: new Map() }
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      addProcess(owners, Number(entry))
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }
  return owners
}

function addProcess(owners: Owners, pid: number): void {
  const open = readdirSync(`/proc/${pid}/fd`).filter((fd) => isBpf(`/proc/${pid}/fd/${fd}`))
  if (open.length === 0) return
  const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd()
  for (const fd of open) {
    const text = readIfThere(`/proc/${pid}/fdinfo/${fd}`)
    // A link says which program it is of, too.
    const ids = [...kinds].reverse().map(([field, kind]) => [kind, new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(text)?.[1]] as const)
    const found = ids.find(([, id]) => id !== undefined)
    if (found === undefined) continue
    const list = owners[found[0]]
    const id = Number(found[1])
    const known = list.get(id)
    if (known === undefined) list.set(id, [{ pid, command }])
    else if (known.at(-1)!.pid !== pid) known.push({ pid, command })
  }
}

function isBpf(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('anon_inode:bpf')
  } catch (error) {
    if (isGone(error)) return false
    throw error
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (isGone(error)) return ''
    throw error
  }
}

/** Processes end and close while one looks; others are none of ours. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** An object with a name on a bpf file system. */
export interface PinnedObject { path: string; kind: 'map' | 'program' | 'link'; id: number }

/** All objects that are pinned below a directory. */
export function pinnedObjects(directory: string): PinnedObject[] {
  return readdirSync(directory).flatMap((name): PinnedObject[] => {
    const path = join(directory, name)
    if (statSync(path).isDirectory()) return pinnedObjects(path)
    // Files that the kernel itself put there (maps.debug) are no objects.
    const fd = openAny(path)
    if (fd === undefined) return []
    try {
      const kind = objectKind(fd)
      if (kind === 'file') return []
      return [{ path, kind, id: kind === 'map' ? mapInfo(fd).id : kind === 'program' ? programInfo(fd).id : linkInfo(fd).id }]
    } finally {
      close(fd)
    }
  })
}

function openAny(path: string): number | undefined {
  try {
    return openPin(path)
  } catch (error) {
    if (isGone(error)) return undefined
    throw error
  }
}
