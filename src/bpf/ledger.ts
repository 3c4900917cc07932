/**
 * Every descriptor, mapping and poll handle that bpf/ holds. No garbage collector closes them, so what is
 * open must be known: a test run fails on what it leaves here.
 */
export type ObjectKind =
  'map' | 'program' | 'link' | 'btf' | 'perf event' | 'stats' | 'mapping' | 'poll' | 'iterator' | 'token' | 'file' | 'socket'

export interface OpenObject {
  readonly kind: ObjectKind
  readonly name: string
  /** Where it was opened; only while stacks are recorded. */
  readonly stack: string | undefined
}

const open = new Set<OpenObject>()
let stacks = false

/** Records where each later object is opened (some microseconds each): for tests and for hunting leaks. */
export function recordStacks(on: boolean): void {
  stacks = on
}

export function recordOpened(kind: ObjectKind, name: string): OpenObject {
  const stack = stacks ? new Error('opened here').stack : undefined
  const entry: OpenObject = { kind, name, stack }
  open.add(entry)
  return entry
}

export function recordClosed(entry: OpenObject): void {
  if (!open.delete(entry)) throw new Error(`${entry.kind} '${entry.name}' was closed twice`)
}

/** What is open now, oldest first. */
export function openObjects(): OpenObject[] {
  return [...open]
}
