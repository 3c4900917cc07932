import { Errno } from '../sys/errno.ts'
import { check, close } from '../sys/syscall.ts'
import { command, commandError } from './command.ts'
import type { CommandName } from './command.ts'
import { linkInfo } from './link-info.ts'
import type { LinkInfo } from './link-info.ts'
import { mapInfo } from './map-info.ts'
import type { MapInfo } from './map-info.ts'
import { programInfo } from './program-info.ts'
import type { ProgramInfo } from './program-info.ts'

export { linkInfo } from './link-info.ts'
export type { LinkInfo } from './link-info.ts'

/** Ids of all programs on the system, whoever owns them (4.13; needs CAP_SYS_ADMIN). */
export const programIds = (): number[] => ids('BPF_PROG_GET_NEXT_ID')
/** Ids of all maps on the system (4.13). */
export const mapIds = (): number[] => ids('BPF_MAP_GET_NEXT_ID')
/** Ids of all links on the system (5.8). */
export const linkIds = (): number[] => ids('BPF_LINK_GET_NEXT_ID')
/** Ids of all BTF objects on the system, the kernel's and its modules' included (5.4). */
export const btfIds = (): number[] => ids('BPF_BTF_GET_NEXT_ID')

function ids(name: CommandName): number[] {
  const found: number[] = []
  for (let last = 0; ;) {
    let next = 0
    const result = command(name, 12, (attr) => attr.u32(0, last), (attr) => { next = attr.read(4) })
    if (result === -Errno.ENOENT) return found
    if (result < 0) throw commandError(name, result)
    found.push(next)
    last = next
  }
}

/** Undefined if the program is gone. */
export function programInfoById(id: number): ProgramInfo | undefined {
  return byId('BPF_PROG_GET_FD_BY_ID', id, programInfo)
}
/** Undefined if the map is gone. */
export function mapInfoById(id: number): MapInfo | undefined {
  return byId('BPF_MAP_GET_FD_BY_ID', id, mapInfo)
}
/** Undefined if the link is gone. */
export function linkInfoById(id: number): LinkInfo | undefined {
  return byId('BPF_LINK_GET_FD_BY_ID', id, linkInfo)
}

function byId<T>(name: CommandName, id: number, info: (fd: number) => T): T | undefined {
  const fd = command(name, 12, (attr) => attr.u32(0, id))
  if (fd === -Errno.ENOENT) return undefined
  if (fd < 0) throw commandError(name, fd, `id ${id}`)
  try {
    return info(fd)
  } finally {
    check(close(fd), 'close')
  }
}

/** Everything of a kind on the system. What goes while it is listed is left out. */
export const allPrograms = (): ProgramInfo[] => present(programIds().map(programInfoById))
export const allMaps = (): MapInfo[] => present(mapIds().map(mapInfoById))
export const allLinks = (): LinkInfo[] => present(linkIds().map(linkInfoById))

function present<T>(list: (T | undefined)[]): T[] {
  return list.filter((one) => one !== undefined)
}
