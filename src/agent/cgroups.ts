import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { type Workload, workloadOfCgroup, workloadOfExecutable, workloadOfUnknownCgroup } from './workload.ts'

/** The id of the root of the v2 hierarchy (kernfs numbers its root directory 1). */
export const rootCgroup = 1

/** How long the name of a removed cgroup is kept, so that its last records have one. */
const keepRemovedMs = 5 * 60_000
/** Walks of the hierarchy are at least this far apart… */
const walkEveryMs = 5_000
/** …and may take at most this share of the time. */
const walkShare = 0.01

/**
 * The mount point of the v2 hierarchy, or null. Hybrid systems have it beside the v1
 * controllers, as /sys/fs/cgroup/unified. The text is that of /proc/self/mountinfo (proc(5)).
 */
export function cgroup2Mount(mountinfo: string): string | null {
  for (const line of mountinfo.split('\n')) {
    const [mount, source] = line.split(' - ')
    if (source === undefined || !source.startsWith('cgroup2 ')) continue
    const point = mount!.split(' ')[4]
    if (point !== undefined) return point.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)))
  }
  return null
}

interface Known { workload: Workload; path: string; removedAt: number | null }

export interface CgroupsOptions {
  /** Mount point of the v2 hierarchy; null when there is none; found in /proc/self/mountinfo by default. */
  mount?: string | null
  /** Milliseconds of a clock that only goes forward. */
  now?: () => number
}

/**
 * Names cgroup ids. The id of a cgroup is the inode number of its directory (64-bit kernels ≥ 5.5),
 * so a walk of the mounted hierarchy names all that live, and the mkdir events those that come later.
 */
export class Cgroups {
  readonly mount: string | null
  private readonly now: () => number
  private readonly byId = new Map<number, Known>()
  private readonly byComm = new Map<string, Workload>()
  private readonly unknown = new Map<number, Workload>()
  private nextWalk = -Infinity

  constructor(options: CgroupsOptions = {}) {
    this.mount = options.mount === undefined ? mountOfThisMachine() : options.mount
    this.now = options.now ?? (() => performance.now())
  }

  /** The workload of a key as the probes make it: comm is filled for tasks of the root cgroup and kernel threads only. */
  workload(cgroup: number, comm: string): Workload {
    if (comm !== '' || cgroup === rootCgroup || cgroup === 0) return this.executable(comm)
    const known = this.byId.get(cgroup) ?? this.find(cgroup)
    if (known !== undefined) return known.workload
    let stranger = this.unknown.get(cgroup)
    if (stranger === undefined) this.unknown.set(cgroup, stranger = workloadOfUnknownCgroup(cgroup))
    return stranger
  }

  /** A mkdir event: the name is known before any task can run in the cgroup. */
  created(id: number, path: string): void {
    if (id === rootCgroup || path === '' || path === '/') return
    const known = this.byId.get(id)
    // The event is late by up to a flush of the ring; what the walk found stands.
    if (known?.path === path && known.removedAt === null) return
    this.byId.set(id, { workload: workloadOfCgroup(path), path, removedAt: null })
    this.unknown.delete(id)
  }

  /** A rmdir event: the name stays for some minutes, for what was counted before. */
  removed(id: number): void {
    const known = this.byId.get(id)
    if (known !== undefined) known.removedAt = this.now()
  }

  /** Whether the cgroup is known to be gone, so that its idle counters can be deleted. */
  isGone(id: number): boolean {
    return this.byId.get(id)?.removedAt != null
  }

  /** Forgets what was removed long ago. Call now and then. */
  forget(): void {
    const before = this.now() - keepRemovedMs
    for (const [id, known] of this.byId) {
      if (known.removedAt !== null && known.removedAt < before) this.byId.delete(id)
    }
    if (this.byComm.size > 10_000) this.byComm.clear()
    if (this.unknown.size > 10_000) this.unknown.clear()
  }

  private executable(comm: string): Workload {
    let workload = this.byComm.get(comm)
    if (workload === undefined) this.byComm.set(comm, workload = workloadOfExecutable(comm))
    return workload
  }

  private find(id: number): Known | undefined {
    if (this.mount === null || this.now() < this.nextWalk) return undefined
    const before = this.now()
    this.walk()
    const took = this.now() - before
    this.nextWalk = this.now() + Math.max(walkEveryMs, took / walkShare)
    return this.byId.get(id)
  }

  private walk(): void {
    const seen = new Set<number>()
    const pending = ['']
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      let names: string[]
      try {
        const entries = readdirSync(`${this.mount}${path}`, { withFileTypes: true })
        names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
      } catch (error) {
        if (isGoneError(error)) continue
        throw error
      }
      for (const name of names) {
        const child = `${path}/${name}`
        const id = inode(`${this.mount}${child}`)
        if (id === null) continue
        seen.add(id)
        if (this.byId.get(id)?.path !== child) this.byId.set(id, { workload: workloadOfCgroup(child), path: child, removedAt: null })
        this.unknown.delete(id)
        pending.push(child)
      }
    }
    for (const [id, known] of this.byId) if (!seen.has(id)) known.removedAt ??= this.now()
  }
}

function mountOfThisMachine(): string | null {
  try {
    return cgroup2Mount(readFileSync('/proc/self/mountinfo', 'utf8'))
  } catch (error) {
    if (isGoneError(error)) return null
    throw error
  }
}

/** A directory may go between its listing and its visit, and a container may hide some from us. */
function isGoneError(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENODEV' || code === 'EACCES'
}

function inode(path: string): number | null {
  try {
    return lstatSync(path).ino
  } catch (error) {
    if (isGoneError(error)) return null
    throw error
  }
}
