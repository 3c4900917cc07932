import { readdirSync, readFileSync } from 'node:fs'
import { linkIds, linkInfoById, mapIds, programIds } from '../src/bpf/objects.ts'
import { until } from './until.ts'

/** Ids of what lives in the kernel, whoever made it. */
export interface KernelObjects { programs: Set<number>; maps: Set<number>; links: Set<number> }

export function kernelObjects(): KernelObjects {
  return { programs: new Set(programIds()), maps: new Set(mapIds()), links: new Set(linkIds()) }
}

/** One map of a process as /proc/PID/fdinfo tells it. */
export interface HeldMap { id: number; memlock: number }

/** What the descriptors of a process hold; of links also the program that each runs. */
export function heldBy(pid: number): { programs: Set<number>; links: Set<number>; maps: Map<number, HeldMap> } {
  const held = { programs: new Set<number>(), links: new Set<number>(), maps: new Map<number, HeldMap>() }
  for (const text of descriptors(pid)) {
    const number = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1])
    const [link, map, program] = [number('link_id'), number('map_id'), number('prog_id')]
    if (link > 0) held.links.add(link)
    if (map > 0) held.maps.set(map, { id: map, memlock: number('memlock') })
    if (program > 0) held.programs.add(program)
  }
  for (const id of held.links) {
    const program = linkInfoById(id)?.programId
    if (program !== undefined) held.programs.add(program)
  }
  return held
}

/** The texts of a process's fdinfo; those that go meanwhile, or are of another user namespace, are left out. */
function descriptors(pid: number): string[] {
  const folder = `/proc/${pid}/fdinfo`
  return attempt(() => readdirSync(folder), []).map((fd) => attempt(() => readFileSync(`${folder}/${fd}`, 'utf8'), ''))
}

function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code!)) return otherwise
    throw error
  }
}

/** Objects that came since `before`, still live, and have no process that holds them: pinned, or leaked by the kernel's count. */
function orphans(before: KernelObjects, mine: KernelObjects): KernelObjects {
  const now = kernelObjects()
  const select = (keep: (kind: keyof KernelObjects, id: number) => boolean): KernelObjects => {
    const of = (kind: keyof KernelObjects) => new Set([...now[kind]].filter((id) => keep(kind, id)))
    return { programs: of('programs'), maps: of('maps'), links: of('links') }
  }
  const candidates = select((kind, id) => mine[kind].has(id) || !before[kind].has(id))
  if (size(candidates) === 0) return candidates
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => heldBy(Number(pid)))
  return select((kind, id) => candidates[kind].has(id) && (mine[kind].has(id) || !others.some((held) => held[kind].has(id))))
}

const size = ({ programs, maps, links }: KernelObjects) => programs.size + maps.size + links.size

/**
 * Fails if, some time after the process that held `mine` ended, one of them still lives, or anything that came since
 * `before` has no holder. The kernel frees after a grace period, so this waits. What other processes hold is theirs.
 */
export async function expectGone(before: KernelObjects, mine: KernelObjects): Promise<void> {
  let left = orphans(before, mine)
  const list = () => Object.entries(left).map(([kind, ids]) => `${kind} ${[...ids as Set<number>].join(' ')}`).join(', ')
  try {
    await until('clean kernel', () => size(left = orphans(before, mine)) === 0, 10_000, 100)
  } catch (error) {
    throw new Error(`left in the kernel: ${list()}`, { cause: error })
  }
}

/** Mounts of kinds that a tracer could make, and the files below bpf file systems. */
export function mountsAndPins(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => / - (bpf|tracefs|debugfs|cgroup2?) /.test(line))
  const points = mounts.filter((line) => line.includes(' - bpf ')).map((line) => line.split(' ')[4]!)
  return [...mounts, ...points.flatMap((point) => readdirSync(point, { recursive: true }).map((name) => `${point}/${String(name)}`))].sort()
}
