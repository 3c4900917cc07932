import { FixtureError, type Fields, type FieldValue } from './kernel-object.ts'

/** Fields of a tracepoint's record as the kernel describes them. */
export interface TracepointFormat { readonly size: number; readonly fields: readonly TracepointField[] }
export interface TracepointField {
  readonly name: string; readonly type: string; readonly offset: number; readonly size: number; readonly signed: boolean,
}

/**
 * Reads the text of a tracepoint's `format` file: lines such as `field:pid_t pid;	offset:8;	size:4;	signed:1;`.
 * @throws FixtureError for a text without fields
 */
export function parseTracepointFormat(text: string): TracepointFormat {
  const fields: TracepointField[] = []
  for (const line of text.split('\n')) {
    const match = /^\s*field:(.+?);\s*offset:(\d+);\s*size:(\d+);\s*signed:([01]);/.exec(line)
    if (match === null) continue
    const [, declaration, offset, size, signed] = match
    const [, type, name] = /^(.*?)\s*([A-Za-z_]\w*)(?:\[\w*\])?$/.exec(declaration!) ?? []
    if (name === undefined) throw new FixtureError(`the tracepoint field '${declaration}' cannot be read`)
    fields.push({ name, type: type!, offset: Number(offset), size: Number(size), signed: signed === '1' })
  }
  if (fields.length === 0) throw new FixtureError('the format of the tracepoint has no fields')
  return { size: Math.max(...fields.map(({ offset, size }) => offset + size)), fields }
}

const encoder = new TextEncoder()

/** The bytes of a record and which of them are set. Strings behind `__data_loc` come after the fixed part. */
export function layRecord(format: TracepointFormat, values: Fields, place: (text: string, user: boolean) => bigint) {
  let end = format.size
  const writes: [at: number, bytes: Uint8Array][] = []
  for (const [name, value] of Object.entries(values)) {
    const field = format.fields.find((one) => one.name === name)
    if (field === undefined) {
      throw new FixtureError(`the tracepoint has no field '${name}'; it has ${format.fields.map((one) => one.name).join(', ')}`)
    }
    if (field.type.startsWith('__data_loc')) {
      const bytes = typeof value === 'string' ? encoder.encode(`${value}\0`) : value
      if (!(bytes instanceof Uint8Array)) throw new FixtureError(`${name} is of variable length: give a string or bytes`)
      writes.push([field.offset, integer(BigInt(bytes.length) << 16n | BigInt(end), 4)], [end, bytes])
      end += bytes.length
    } else writes.push([field.offset, fixed(field, value, place)])
  }
  const bytes = new Uint8Array(end)
  const set = new Uint8Array(end)
  for (const [at, part] of writes) {
    bytes.set(part, at)
    set.fill(1, at, at + part.length)
  }
  const describe = (offset: number) => {
    const field = format.fields.find((one) => offset >= one.offset && offset < one.offset + one.size)
    return field === undefined ? `byte ${offset} of the record` : `the field ${field.name}`
  }
  return { bytes, set, describe }
}

function fixed(field: TracepointField, value: FieldValue, place: (text: string, user: boolean) => bigint): Uint8Array {
  const { name, size, type } = field
  if (value instanceof Uint8Array) {
    if (value.length > size) throw new FixtureError(`${name} has ${size} bytes; ${value.length} are given`)
    const whole = new Uint8Array(size)
    whole.set(value)
    return whole
  }
  if (typeof value === 'string' && type.endsWith('*')) return integer(place(value, true), size)
  if (typeof value === 'string') {
    const text = encoder.encode(value)
    if (text.length >= size) throw new FixtureError(`${name} has ${size} bytes, one of them for the NUL; '${value}' does not fit`)
    return fixed(field, text, place)
  }
  if (typeof value === 'boolean') return integer(value ? 1n : 0n, size)
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new FixtureError(`${name} is a number: give an integer, a bigint or a boolean`)
  }
  return integer(BigInt(value), size)
}

function integer(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number(BigInt.asUintN(8, value >> BigInt(index * 8))))
}
