import { AttachType } from '../../spec/spec.ts'
import { Link, undoable } from '../link.ts'
import { createLink } from '../link-create.ts'
import type { BpfMap } from '../map.ts'

const key = new Uint8Array(4)

/**
 * Fills a table of callbacks and puts it to work: by a link (6.4) where the map was made for one, else by the update itself
 * (5.6).
 * @throws SysError: EEXIST if one of that name is registered, EINVAL if the table lacks what it must have
 */
export function attachStructOps(map: BpfMap, value: Uint8Array, byLink: boolean): Link {
  const place = `struct_ops:${map.spec.name}`
  map.setRaw(key, value)
  if (byLink) return Link.at(place, createLink({ place, fd: map.fd, attachType: AttachType.struct_ops }))
  return undoable(place, 'attachment', () => { map.deleteRaw(key) })
}
