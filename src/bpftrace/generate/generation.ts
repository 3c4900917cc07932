import type { Btf } from '../../btf/btf.ts'
import { LocalTypes } from '../../compiler/lower/local-types.ts'
import type { KernelFunction } from '../../compiler/capture/kernel-function.ts'
import type { Span as CompilerSpan } from '../../compiler/span.ts'
import type { CheckedProgram } from '../check/context.ts'
import { expansions, sources } from '../diagnostic.ts'
import type { Environment } from '../environment.ts'
import type { Source, Span } from '../source.ts'
import type { MapSpec } from '../../spec/spec.ts'
import type { Event } from './events.ts'

export interface GenerateOptions {
  environment: Environment
  source: Source
  /** Values of `--name=value`. */
  named: ReadonlyMap<string, string | true>
  /** Of the instruction set; 4 from kernel 6.6 on. */
  isa: 3 | 4
  /** Process that the program is about: only its events count. */
  pid: number | null
  /** Where the script's own process ids are counted, if not in the first namespace. */
  pidNamespace: { device: bigint; inode: bigint } | null
  /** Nanoseconds from the clock `boot` to TAI. */
  taiOffset: bigint
  /** Process of `-c`. */
  childPid: number | null
  /** Warn of helpers that fail. */
  helperErrors: boolean
  /** Nanoseconds of the clock `boot` when the program starts, for `elapsed`. */
  startNs: bigint
}

/** What all programs of one script share. */
export class Generation {
  readonly checked: CheckedProgram
  readonly options: GenerateOptions
  readonly btf: Btf
  readonly localTypes: LocalTypes
  readonly maps = new Map<string, MapSpec>()
  readonly events: Event[] = []
  readonly #fn: KernelFunction

  constructor(checked: CheckedProgram, btf: Btf, options: GenerateOptions) {
    this.checked = checked
    this.options = options
    this.btf = btf
    this.localTypes = new LocalTypes(btf)
    this.#fn = {
      v: 1, name: options.source.name, file: options.source.name, line: 1, column: 1, source: options.source.text, captures: {}, ast: { type: 'Program', start: 0, end: 0 },
    }
  }

  /** The place in the script, as the compiler knows places. */
  span(own: Span): CompilerSpan {
    // What the library does belongs to the line that called it.
    const span = sources.has(own) ? expansions.get(own)?.at(-1) ?? own : own
    return { fn: this.#fn, start: span.start, end: span.end }
  }

  event(event: Event): number {
    return this.events.push(event) - 1
  }

  addMap(map: MapSpec): string {
    if (!this.maps.has(map.name)) this.maps.set(map.name, map)
    return map.name
  }
}

/** Names of the maps that every script may need. */
export const ringName = 'events'
export const scratchName = 'scratch'
export const lostName = 'lost'

/** Thrown for what the front end accepts and the generator cannot do. */
export class GenerateError extends Error {
  override readonly name = 'GenerateError'
  readonly span: Span
  constructor(message: string, span: Span) {
    super(message)
    this.span = span
  }
}
