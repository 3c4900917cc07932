import { lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Cgroups } from './cgroups.ts'
import type { RecordingScope } from './recorder.ts'

/** A scope that is not there. */
export class ScopeError extends Error {
  override readonly name = 'ScopeError'
}

/** A scope with the names of its cgroups by id. */
export interface NamedScope { scope: RecordingScope; cgroups: Record<string, string> }

export function wholeMachine(): NamedScope {
  const { mount } = new Cgroups()
  return { scope: { kind: 'all', ids: [], name: 'everything but skep' }, cgroups: mount === null ? {} : Object.fromEntries(groupsBelow(mount, mount)) }
}

/** A process, the children that it has now and those that it will have. @throws ScopeError */
export function processScope(pid: number): NamedScope {
  const ids = [pid]
  for (const id of ids) ids.push(...childrenOf(id))
  return { scope: { kind: 'pid', ids, name: `process ${pid} and its children` }, cgroups: {} }
}

/** A cgroup and those below it now; `path` from the mount point of the v2 hierarchy on, or from the root of the file system. @throws ScopeError */
export function cgroupScope(path: string): NamedScope {
  const { mount } = new Cgroups()
  if (mount === null) throw new ScopeError('--cgroup: this machine has no cgroup v2 hierarchy')
  const folder = resolve(path) === mount || resolve(path).startsWith(`${mount}/`) ? resolve(path) : join(mount, path)
  try {
    const groups = groupsBelow(mount, folder)
    return { scope: { kind: 'cgroup', ids: groups.map(([id]) => id), name: 'one cgroup' }, cgroups: Object.fromEntries(groups) }
  } catch (error) {
    throw new ScopeError(`--cgroup: there is no cgroup ${path}`, { cause: error })
  }
}

function groupsBelow(mount: string, folder: string): [id: number, path: string][] {
  const found: [number, string][] = [[lstatSync(folder).ino, `/${relative(mount, folder)}`]]
  for (const entry of readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) found.push(...tryGroups(mount, join(folder, entry.name)))
  return found
}

/** A cgroup below may go meanwhile. */
function tryGroups(mount: string, folder: string): [number, string][] {
  try {
    return groupsBelow(mount, folder)
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number))
  } catch {
    if (lstatSync(`/proc/${pid}`, { throwIfNoEntry: false }) === undefined) throw new ScopeError(`--pid: there is no process ${pid}`)
    return []
  }
}
