import type { Attr } from './command.ts'

/**
 * Where among several programs of one hook a new one goes. By default at the end. Programs and links are named by what holds
 * their descriptor, or by id.
 */
export type Order =
  | 'first'
  | 'last'
  | { before: Neighbour }
  | { after: Neighbour }

export type Neighbour = { program: { fd: number } | number } | { link: { fd: number } | number }

const BPF_F_BEFORE = 1 << 3
const BPF_F_AFTER = 1 << 4
const BPF_F_ID = 1 << 5
const BPF_F_LINK = 1 << 13

/** The flags of an order, and the neighbour's descriptor or id (0: the end). */
export function orderFlags(order: Order | undefined): { flags: number; relative: number } {
  if (order === undefined) return { flags: 0, relative: 0 }
  if (order === 'first') return { flags: BPF_F_BEFORE, relative: 0 }
  if (order === 'last') return { flags: BPF_F_AFTER, relative: 0 }
  const neighbour = 'before' in order ? order.before : order.after
  const side = 'before' in order ? BPF_F_BEFORE : BPF_F_AFTER
  const named = 'program' in neighbour ? neighbour.program : neighbour.link
  const kind = 'program' in neighbour ? 0 : BPF_F_LINK
  return typeof named === 'number'
    ? { flags: side | kind | BPF_F_ID, relative: named } : { flags: side | kind, relative: named.fd }
}

/** Puts the neighbour, and the revision that the list must have, into a LINK_CREATE attr. */
export function fillOrder(attr: Attr, relative: number, revision: number | undefined): void {
  attr.u32(16, relative)
  if (revision !== undefined) attr.u64(24, revision)
}
