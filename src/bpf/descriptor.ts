import { check, close } from '../sys/syscall.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import type { ObjectKind, OpenObject } from './ledger.ts'

/** A file descriptor with an owner: entered in the ledger, closed once, never used afterwards. */
export class Descriptor {
  readonly kind: ObjectKind
  readonly name: string
  readonly #fd: number
  #entry: OpenObject | undefined

  constructor(kind: ObjectKind, name: string, fd: number) {
    this.kind = kind
    this.name = name
    this.#fd = fd
    this.#entry = recordOpened(kind, name)
  }

  /** @throws ClosedError after close(), since the number may by then belong to another object */
  get fd(): number {
    if (this.#entry === undefined) throw new ClosedError(this.kind, this.name)
    return this.#fd
  }

  get closed(): boolean {
    return this.#entry === undefined
  }

  close(): void {
    if (this.#entry === undefined) return
    recordClosed(this.#entry)
    this.#entry = undefined
    check(close(this.#fd), 'close', `${this.kind} '${this.name}'`)
  }
}

/** A kernel object was used after its close(). */
export class ClosedError extends Error {
  override readonly name = 'ClosedError'
  constructor(kind: ObjectKind, name: string) {
    super(`${kind} '${name}' is closed`)
  }
}
