import type { Schema, ValueOf } from '../../spec/schema.ts'

export interface OptionFacts<T> {
  /** The value if none is given. */
  default?: T
  /** One line for a person. */
  description?: string
}

/**
 * What a person may set when a probe is started (`skep run file.ts --pid 1`). In a kernel function `option.value` is a constant:
 * undefined if nothing was given, so that `if (pid.value !== undefined && …)` costs nothing then.
 */
export class OptionDeclaration<T = unknown> {
  readonly name: string
  readonly schema: Schema
  readonly description: string
  readonly default: T | undefined
  #given: T | undefined

  constructor(name: string, schema: Schema, facts: OptionFacts<T>) {
    if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new TypeError(`option '${name}': a name is made of lower-case letters, digits and '-', such as 'min-duration'`)
    if (!['int', 'bool', 'chars'].includes(schema.kind)) throw new TypeError(`option '${name}': a ${schema.kind} cannot be given; use u8…i64, bool or chars(n)`)
    this.name = name
    this.schema = schema
    this.description = facts.description ?? ''
    this.default = facts.default
  }

  get value(): T | undefined { return this.#given ?? this.default }

  /** Takes the text of a command line. @throws RangeError that says what may be given */
  give(text: string): void {
    this.#given = parse(this.name, this.schema, text) as T
  }
}

/** An option of a probe: a number, a flag or a string. */
export function option<S extends Schema>(name: string, schema: S, facts: OptionFacts<ValueOf<S>> & { default: ValueOf<S> }): OptionDeclaration<ValueOf<S>> & { readonly value: ValueOf<S> }
export function option<S extends Schema>(name: string, schema: S, facts?: OptionFacts<ValueOf<S>>): OptionDeclaration<ValueOf<S>>
export function option<S extends Schema>(name: string, schema: S, facts: OptionFacts<ValueOf<S>> = {}): OptionDeclaration<ValueOf<S>> {
  return new OptionDeclaration<ValueOf<S>>(name, schema, facts)
}

/** The options among a module's exports. */
export function optionsOf(module: Record<string, unknown>): OptionDeclaration[] {
  return Object.values(module).filter((value): value is OptionDeclaration => value instanceof OptionDeclaration)
}

function parse(name: string, schema: Schema, text: string): unknown {
  const wrong = (what: string) => new RangeError(`--${name}: '${text}' is ${what}`)
  if (schema.kind === 'bool') {
    if (text === 'true' || text === '') return true
    if (text === 'false') return false
    throw wrong('neither true nor false')
  }
  if (schema.kind === 'chars') {
    if (new TextEncoder().encode(text).length >= schema.length) throw wrong(`longer than ${schema.length - 1} bytes`)
    return text
  }
  if (schema.kind !== 'int') throw wrong('nothing that can be given')
  if (!/^-?(\d[\d_]*|0x[\da-fA-F_]+)$/.test(text)) throw wrong('no integer')
  const negative = text.startsWith('-')
  const number = BigInt((negative ? text.slice(1) : text).replaceAll('_', '')) * (negative ? -1n : 1n)
  const [least, most] = schema.signed
    ? [-(1n << BigInt(schema.bits - 1)), (1n << BigInt(schema.bits - 1)) - 1n]
    : [0n, (1n << BigInt(schema.bits)) - 1n]
  if (number < least || number > most) throw wrong(`outside of ${least} to ${most}`)
  return Number.isSafeInteger(Number(number)) ? Number(number) : number
}
