/**
 * The record that the source transform makes of each function whose first statement is 'use bpf'.
 * One record, however it was made (loader hook or bundler plugin).
 */
export interface KernelFunction {
  /** Version of this record; the compiler refuses others. */
  readonly v: 1
  /** Name for messages: declared name, variable it is assigned to, or '' for an anonymous one. */
  readonly name: string
  /** Path of the source file as a person knows it (relative to the package or working directory). */
  readonly file: string
  /** Position of the function's first character, 1-based line and 1-based column. */
  readonly line: number
  readonly column: number
  /** The function's own source text, TypeScript as written. Node offsets below index into it. */
  readonly source: string
  /**
   * The function node as ESTree with TypeScript nodes (as oxc-parser gives it), with
   * `start`/`end` relative to `source` and without parents, ranges or comments.
   */
  readonly ast: EsNode
  /** Free identifiers of the function, as thunks so that later assignments are seen. */
  readonly captures: Readonly<Record<string, () => unknown>>
}

export interface EsNode {
  type: string
  start: number
  end: number
  [key: string]: any
}

const registry: WeakMap<object, KernelFunction> =
  ((globalThis as any)[Symbol.for('skep.kernelFunctions')] ??= new WeakMap<object, KernelFunction>())

/** Called by transformed source only: ties the record to the function, which stays callable JavaScript. */
export function kernelFunction<F extends (...args: any[]) => unknown>(fn: F, record: KernelFunction): F {
  registry.set(fn, record)
  return fn
}

/** The record of a function, or undefined when it is not (or not transformed as) a kernel function. */
export function recordOf(fn: unknown): KernelFunction | undefined {
  return typeof fn === 'function' ? registry.get(fn) : undefined
}

/**
 * Called by transformed source only, from the `ast` getter of a record: parses the node's JSON at
 * the first use and keeps it, so that a program pays only for the kernel functions that it compiles.
 */
export function kernelAst(record: object, json: string): EsNode {
  const value: EsNode = JSON.parse(json)
  Object.defineProperty(record, 'ast', { value, enumerable: true })
  return value
}
