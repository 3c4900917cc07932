import type { Btf } from '../btf/btf.ts'
import { decoder, encoder, recordView } from '../spec/codec.ts'
import type { Schema } from '../spec/schema.ts'
import type { MapSpec, VariableSpec } from '../spec/spec.ts'
import type { Arena } from './maps/arena.ts'
import type { BpfMap } from './map.ts'
import { MapFlags, MapSpecError } from './map-layout.ts'
import { typeSchema } from './type-schema.ts'

/** The bytes of a section of global variables. */
export interface DataMemory {
  read(offset: number, length: number): Uint8Array
  write(offset: number, bytes: Uint8Array): void
}

/** A global variable of an object in the kernel. Programs see what is set, and what they set is read here, at once. */
export class Variable<T = any> {
  readonly spec: VariableSpec
  /** Of the section, '.data'. */
  readonly section: string
  /** Undefined if the object has no types for it: then only the raw forms work. */
  readonly schema: Schema | undefined
  readonly #memory: DataMemory

  constructor(spec: VariableSpec, section: string, schema: Schema | undefined, memory: DataMemory) {
    this.spec = spec
    this.section = section
    this.schema = schema
    this.#memory = memory
  }

  get(): T {
    const bytes = this.getRaw()
    return decoder(this.#typed())(recordView(aligned(bytes)), 0) as T
  }

  /** @throws CodecError; MapSpecError for constants, which can be set before loading only (LoadOptions.variables) */
  set(value: T): void {
    const bytes = new Uint8Array(this.spec.size)
    encoder(this.#typed())(value as never, bytes, 0)
    this.setRaw(bytes)
  }

  /** A copy of its bytes. */
  getRaw(): Uint8Array {
    return this.#memory.read(this.spec.offset, this.spec.size)
  }

  setRaw(bytes: Uint8Array): void {
    if (bytes.length !== this.spec.size) throw new RangeError(
      `'${this.spec.name}' has ${this.spec.size} bytes, not ${bytes.length}`
    )
    this.#memory.write(this.spec.offset, bytes)
  }

  #typed(): Schema {
    if (this.schema === undefined) throw new TypeError(`'${this.spec.name}' has no type that can be read: use getRaw and setRaw`)
    return this.schema
  }
}

/** Decoders want whole words. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(Math.ceil(bytes.length / 8) * 8)
  copy.set(bytes)
  return copy.buffer
}

/** The schema of a variable, if its types say one that fits. */
export function variableSchema(btf: Btf | undefined, variable: VariableSpec): Schema | undefined {
  if (btf === undefined || variable.type === 0) return undefined
  const schema = typeSchema(btf, variable.type)
  return schema?.size === variable.size ? schema : undefined
}

/** The memory of an array with one value: shared where the kernel allows it, else by look-up and update of the whole. */
export function arrayMemory(map: BpfMap): DataMemory {
  const key = new Uint8Array(4)
  const isConstant = (map.spec.flags & MapFlags.readOnlyProgram) !== 0
  const refuse = () => {
    throw new MapSpecError(
      map.spec.name, 'holds constants, which the verifier relied on: set them before loading (LoadOptions.variables)'
    )
  }
  if ((map.spec.flags & MapFlags.mmapable) !== 0) {
    const bytes = () => map.mapped().u8
    return {
      read: (offset, length) => bytes().slice(offset, offset + length),
      write: (offset, value) => isConstant ? refuse() : bytes().set(value, offset),
    }
  }
  return {
    read: (offset, length) => map.getRaw(key)!.slice(offset, offset + length),
    write(offset, value) {
      if (isConstant) refuse()
      const whole = map.getRaw(key)!
      whole.set(value, offset)
      map.setRaw(key, whole)
    },
  }
}

/** Variables of an arena lie at its beginning. */
export function arenaMemory(arena: Arena): DataMemory {
  return {
    read: (offset, length) => arena.view.u8.slice(offset, offset + length),
    write: (offset, value) => arena.view.u8.set(value, offset),
  }
}

/**
 * The first value of a data section: its contents with the given variables in them. Names that the section does not have
 * are left for other sections.
 * @throws CodecError; TypeError for a variable without a type whose value is not bytes
 */
export function initialContents(spec: MapSpec, btf: Btf | undefined, values: Readonly<Record<string, unknown>>): Uint8Array {
  const data = spec.data!
  const size = spec.type === 'arena' ? Math.max(0, ...data.variables.map(({ offset, size }) => offset + size)) : spec.valueSize
  const contents = new Uint8Array(Math.max(size, data.contents?.length ?? 0))
  if (data.contents !== null) contents.set(data.contents)
  for (const variable of data.variables) {
    if (!Object.hasOwn(values, variable.name)) continue
    const value = values[variable.name]
    const schema = variableSchema(btf, variable)
    if (schema !== undefined) encoder(schema)(value as never, contents, variable.offset)
    else if (value instanceof Uint8Array && value.length === variable.size) contents.set(value, variable.offset)
    else throw new TypeError(`'${variable.name}' has no type that can be written: give its ${variable.size} bytes`)
  }
  return contents
}
