import type { AttachTarget } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { HeldNamespace } from '../sys/namespace.ts'
import { command, commandError, mustCommand } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { linkInfo } from './link-info.ts'
import type { LinkInfo } from './link-info.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { OpenObject } from './ledger.ts'
import { objectKind, openPin, pin } from './pin.ts'
import type { Program } from './program.ts'

/**
 * How a program hangs on its hook. 'link': a bpf_link. 'perf event': tracepoints before 5.15. Both end with the process.
 * 'netlink' and 'attachment' (older ways for interfaces and cgroups) and 'socket' (with its socket) stay until they are closed.
 */
export type LinkMechanism = 'link' | 'perf event' | 'netlink' | 'attachment' | 'socket'

/** What holds the program to its hook. */
interface Holder { readonly fd: number; readonly closed: boolean; close(): void }

/** A program attached to a hook. close(), or for links and perf events the death of this process in whatever way, detaches it. */
export class Link {
  readonly target: AttachTarget
  /** Where it is, for messages: 'tp_btf:sched_switch', 'xdp on interface 2'. */
  readonly place: string
  readonly mechanism: LinkMechanism
  readonly #holder: Holder

  constructor(target: AttachTarget, mechanism: LinkMechanism, holder: Holder, place = targetName(target)) {
    this.target = target
    this.mechanism = mechanism
    this.#holder = holder
    this.place = place
  }

  /** A bpf_link of a place that only the caller knew. */
  static at(place: string, fd: number): Link {
    return new Link(given, 'link', new Descriptor('link', place, fd), place)
  }

  /**
   * Any link on the system (5.8; needs CAP_SYS_ADMIN); undefined if there is none. Closing it detaches nothing that others
   * hold.
   */
  static byId(id: number): Link | undefined {
    const fd = command('BPF_LINK_GET_FD_BY_ID', 12, (attr) => attr.u32(0, id))
    if (fd === -Errno.ENOENT) return undefined
    if (fd < 0) throw commandError('BPF_LINK_GET_FD_BY_ID', fd, `link ${id}`)
    return Link.at(`link ${id}`, fd)
  }

  /** The link that is pinned at `path` (5.7); undefined if nothing is. */
  static openPinned(path: string): Link | undefined {
    const fd = openPin(path)
    if (fd === undefined) return undefined
    const link = Link.at(path, fd)
    const kind = objectKind(fd)
    if (kind === 'link') return link
    link.close()
    throw new Error(`${path} is a ${kind}, not a link`)
  }

  /** @throws ClosedError after close(); Error for attachments that have no descriptor */
  get fd(): number {
    return this.#holder.fd
  }

  get closed(): boolean {
    return this.#holder.closed
  }

  /** What the kernel says of it, by its kind (5.8). @throws Error if it is no bpf_link */
  info(): LinkInfo {
    this.#requireLink('has no information')
    return linkInfo(this.fd)
  }

  /**
   * Puts another program in its place, at once and without a gap: for cgroups, network namespaces, XDP, tcx, netkit and others
   * (5.7).
   * @param expected the program that must be there now, else nothing changes (EPERM)
   * @throws SysError: EINVAL for kinds of link that cannot
   */
  update(program: Program, expected?: Program): void {
    this.#requireLink('cannot be updated')
    const BPF_F_REPLACE = 4
    mustCommand('BPF_LINK_UPDATE', 16, (attr) => {
      attr.u32(0, this.fd)
      attr.u32(4, program.fd)
      attr.u32(8, expected === undefined ? 0 : BPF_F_REPLACE)
      attr.u32(12, expected?.fd ?? 0)
    }, `${this.place} to '${program.name}'`)
  }

  /**
   * Detaches although others may hold the link too, and keeps the descriptor (5.9). @throws SysError: EOPNOTSUPP for kinds that
   * cannot
   */
  detach(): void {
    this.#requireLink('cannot be detached otherwise than by close()')
    mustCommand('BPF_LINK_DETACH', 4, (attr) => attr.u32(0, this.fd), this.place)
  }

  /** Gives it a name on a bpf file system, under which it stays attached without this process. @throws SysError */
  pin(path: string): void {
    this.#requireLink('cannot be pinned')
    pin(this.fd, path, this.place)
  }

  /** Detaches. Runs in flight on other CPUs may still finish. */
  close(): void {
    this.#holder.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #requireLink(problem: string): void {
    if (this.mechanism !== 'link') throw new Error(`${this.place} is attached by ${this.mechanism}, which ${problem}`)
  }
}

const given: AttachTarget = { kind: 'given', name: '' }

/** Something attached that no descriptor holds: it is undone by an action. */
export class Undo {
  readonly #place: string
  readonly #action: () => void
  #entry: OpenObject | undefined

  constructor(place: string, action: () => void) {
    this.#place = place
    this.#action = action
    this.#entry = recordOpened('link', place)
  }

  get fd(): never {
    throw new Error(`${this.#place} has no descriptor`)
  }

  get closed(): boolean {
    return this.#entry === undefined
  }

  close(): void {
    if (this.#entry === undefined) return
    recordClosed(this.#entry)
    this.#entry = undefined
    this.#action()
  }
}

/** An attachment that stays until it is undone. */
export function undoable(place: string, mechanism: LinkMechanism, undo: () => void): Link {
  return new Link(given, mechanism, new Undo(place, undo), place)
}

/** An attachment by netlink: it is undone in the network namespace that the thread is in now. */
export function undoableHere(place: string, undo: () => void): Link {
  const namespace = new HeldNamespace()
  return undoable(place, 'netlink', () => {
    try {
      namespace.run(undo)
    } finally {
      namespace.close()
    }
  })
}

/** Several attachments of one program as one: closed together. */
export function linkGroup(target: AttachTarget, links: readonly Link[], place = targetName(target)): Link {
  if (links.length === 1) return links[0]!
  return new Link(target, links[0]!.mechanism, {
    get fd(): number { return links[0]!.fd },
    get closed() { return links.every((link) => link.closed) },
    close() { for (const link of links) link.close() },
  }, place)
}

/** 'tp_btf:sched_switch', 'tracepoint:syscalls:sys_enter_openat', 'uprobe:/bin/bash:readline'. */
export function targetName(target: AttachTarget): string {
  switch (target.kind) {
    case 'tracepoint': return `tracepoint:${target.category}:${target.name}`
    case 'uprobe': case 'uretprobe':
      return `${target.kind}:${target.path}:${target.name}${target.offset === 0 ? '' : `+0x${target.offset.toString(16)}`}`
    case 'uprobe.multi': case 'uretprobe.multi': case 'uprobe.session': return `${target.kind}:${target.path}:${target.name}`
    case 'usdt': return `usdt:${target.path}:${target.provider}:${target.name}`
    default: return `${target.kind}:${target.name}`
  }
}

export { attach } from './attach.ts'
export { attachToEvent, openTracepoint } from './links/tracepoint.ts'
