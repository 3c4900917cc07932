/**
 * What `using` and `await using` become on a Node that does not know them (before 24): the compiler
 * writes `const x = context.u(value)`, keeps a thrown error in `e`, and calls `d()` on the way out.
 */
interface Resource { value: unknown; dispose: (() => unknown) | undefined; isAsync: boolean }

const none = Symbol('no error')

export default function usingContext(): UsingContext {
  return new UsingContext()
}

class UsingContext {
  /** The error that the block threw, if any. */
  e: unknown = none
  readonly #resources: Resource[] = []

  u<T>(value: T): T {
    return this.#add(value, false)
  }

  a<T>(value: T): T {
    return this.#add(value, true)
  }

  /** Disposes in reverse order; a promise when something is to be awaited. */
  d(): void | Promise<void> {
    if (this.#resources.some(resource => resource.isAsync)) return this.#disposeAsync()
    for (const resource of this.#resources.reverse()) this.#attempt(resource)
    this.#finish()
  }

  #add<T>(value: T, isAsync: boolean): T {
    if (value === null || value === undefined) {
      if (isAsync) this.#resources.push({ value, dispose: undefined, isAsync })
      return value
    }
    if (Object(value) !== value) throw new TypeError(`using: ${String(value)} is no object`)
    const dispose = (isAsync ? (value as any)[Symbol.asyncDispose] : undefined) ?? (value as any)[Symbol.dispose]
    if (typeof dispose !== 'function') throw new TypeError(`using: the object has no [Symbol.${isAsync ? 'asyncDispose' : 'dispose'}]() method`)
    this.#resources.push({ value, dispose, isAsync })
    return value
  }

  #attempt({ value, dispose }: Resource): unknown {
    try {
      return dispose?.call(value)
    } catch (error) {
      this.#keep(error)
      return undefined
    }
  }

  #keep(error: unknown): void {
    this.e = this.e === none ? error : new SuppressedErrorHere(error, this.e)
  }

  async #disposeAsync(): Promise<void> {
    for (const resource of this.#resources.reverse()) {
      const result = this.#attempt(resource)
      if (resource.isAsync) await Promise.resolve(result).catch((error: unknown) => this.#keep(error))
    }
    this.#finish()
  }

  #finish(): void {
    if (this.e !== none) throw this.e
  }
}

/** SuppressedError, which the Nodes that need this file lack. */
class SuppressedErrorHere extends Error {
  override readonly name = 'SuppressedError'
  readonly error: unknown
  readonly suppressed: unknown

  constructor(error: unknown, suppressed: unknown) {
    super('an error while disposing hides an earlier one (see suppressed)')
    this.error = error
    this.suppressed = suppressed
  }
}
