import type { Btf } from '../btf/btf.ts'
import { changes, FixtureError, KernelObject, MemberAddress, memberOf, nameOfByte, type FieldValue, type Fields } from './kernel-object.ts'
import { READ, SHADOWED, USER, WRITE, type Memory, type Region } from './memory.ts'

interface Placed { region: Region; version: number }

const encoder = new TextEncoder()

/** Lays kernel objects out in a machine's memory; the same object has the same address for as long as the machine lives. */
export class ObjectMemory {
  readonly #memory: Memory
  readonly #placed = new Map<KernelObject, Placed>()
  /** Objects made from plain fields that a pointer was given, so that they are one object wherever they are used. */
  readonly #plain = new WeakMap<object, KernelObject>()
  /** How many changes there had been when all objects were last up to date. */
  #seen = -1
  readonly #buffers = new WeakMap<Uint8Array, Region>()
  readonly #texts = new Map<string, Region>()

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** @throws FixtureError for values that do not fit their fields */
  addressOf(object: KernelObject): bigint {
    return this.#memory.address(this.#regionOf(object))
  }

  /** Upper half of an object's address; the lower half is BASE. */
  upperOf(object: KernelObject): number {
    return this.#memory.upper(this.#regionOf(object))
  }

  #regionOf(object: KernelObject): Region {
    let placed = this.#placed.get(object)
    if (placed !== undefined && this.#seen === changes.count) return placed.region
    if (placed === undefined) {
      const { btf, typeId, unset } = object
      const region = this.#memory.add({
        kind: 'kernel', name: `${/^[aeiou]/.test(object.typeName) ? 'an' : 'a'} ${object.typeName}`, size: btf.sizeOf(typeId),
        flags: READ | (unset === 'fault' ? SHADOWED : 0), describe: (offset) => nameOfByte(btf, typeId, offset),
      })
      // Known before its fields are laid out: they may point back to it.
      this.#placed.set(object, (placed = { region, version: -1 }))
    }
    if (placed.version !== object.version) {
      placed.version = object.version
      this.#lay(object, placed.region)
    }
    if (this.#seen !== changes.count) this.#refresh()
    return placed.region
  }

  /** Objects that others point to may have changed since they were laid out. */
  #refresh(): void {
    this.#seen = changes.count
    for (const [object, placed] of this.#placed) {
      if (placed.version === object.version) continue
      placed.version = object.version
      this.#lay(object, placed.region)
    }
  }

  #lay(object: KernelObject, region: Region): void {
    const start = this.#memory.start(region)
    const size = this.#memory.size(region)
    this.#memory.u8.fill(0, start, start + size)
    this.#memory.shadow.fill(0, start, start + size)
    this.#fields(object.btf, region, 0, object.typeId, object.fields, object.typeName)
  }

  #fields(btf: Btf, region: Region, offset: number, typeId: number, fields: Fields, path: string): void {
    for (const [name, value] of Object.entries(fields)) {
      const member = memberOf(btf, typeId, name)
      const where = `${path}.${name}`
      if (member.bitSize > 0) this.#bits(region, offset * 8 + member.bitOffset, member.bitSize, value, where)
      else this.#value(btf, region, offset + member.bitOffset / 8, member.type, value, where)
    }
  }

  #value(btf: Btf, region: Region, offset: number, typeId: number, value: FieldValue, path: string): void {
    const type = btf.type(btf.resolve(typeId))
    switch (type.kind) {
      case 'int': return this.#integer(region, offset, type.size, integer(value, path))
      case 'enum': case 'enum64': {
        const named = typeof value === 'string' ? type.values.find((one) => one.name === value)?.value : undefined
        if (typeof value === 'string' && named === undefined) throw new FixtureError(`${path}: the enum has no value '${value}'`)
        return this.#integer(region, offset, type.size, named ?? integer(value, path))
      }
      case 'ptr': return this.#integer(region, offset, 8, this.pointer(btf, type.type, value, path))
      case 'struct': case 'union': {
        if (!isFields(value)) throw new FixtureError(`${path} is a struct inside the object: give its fields as { name: value }`)
        return this.#fields(btf, region, offset, type.id, value, path)
      }
      case 'array': return this.#array(btf, region, offset, type, value, path)
      default: throw new FixtureError(`${path}: a field of kind ${type.kind} cannot be set`)
    }
  }

  #array(
    btf: Btf, region: Region, offset: number, type: { element: number; length: number }, value: FieldValue, path: string,
  ): void {
    const size = btf.sizeOf(type.element)
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const bytes = typeof value === 'string' ? encoder.encode(value) : value
      if (size !== 1) throw new FixtureError(`${path} is no array of bytes`)
      if (bytes.length > type.length || (typeof value === 'string' && bytes.length >= type.length)) {
        throw new FixtureError(
          `${path} has ${type.length} bytes${typeof value === 'string' ? ', one of them for the NUL' : ''}; ${bytes.length} are given`,
        )
      }
      const whole = new Uint8Array(type.length)
      whole.set(bytes)
      return this.#bytes(region, offset, whole)
    }
    if (!Array.isArray(value)) {
      throw new FixtureError(`${path} is an array: give an array${size === 1 ? ', a string or bytes' : ''}`)
    }
    if (value.length > type.length) throw new FixtureError(`${path} has ${type.length} elements; ${value.length} are given`)
    value.forEach(
      (element: FieldValue, index) => this.#value(btf, region, offset + index * size, type.element, element, `${path}[${index}]`),
    )
  }

  /** The address that a pointer of this type holds. */
  pointer(btf: Btf, pointee: number, value: FieldValue, path: string): bigint {
    if (value === null) return 0n
    if (value instanceof KernelObject) return this.addressOf(value)
    if (value instanceof MemberAddress) return this.addressOf(value.object) + BigInt(value.offset)
    if (typeof value === 'string') return this.text(value, isUser(btf, pointee))
    if (value instanceof Uint8Array) return this.bytes(value, isUser(btf, pointee))
    if (typeof value === 'number' || typeof value === 'bigint') return BigInt.asUintN(64, BigInt(value))
    const target = btf.resolve(pointee)
    if (!isFields(value)) {
      throw new FixtureError(`${path} is a pointer: give null, an object, its fields, a string, bytes or an address`)
    }
    let object = this.#plain.get(value)
    if (object === undefined) {
      const kind = btf.kindOf(target)
      if (kind !== 'struct' && kind !== 'union') {
        throw new FixtureError(
          `${path} points to ${kind === 'fwd' ? 'a struct that the BTF only names' : `a ${kind}`}, which has no fields`,
        )
      }
      object = new KernelObject(btf, target, value)
      this.#plain.set(value, object)
    }
    return this.addressOf(object)
  }

  /** A NUL-terminated string in kernel or user memory; the same text is there once. */
  text(text: string, user = false): bigint {
    const key = `${user ? 'u' : 'k'}${text}`
    let region = this.#texts.get(key)
    if (region === undefined) this.#texts.set(
      key, (region = this.#buffer(encoder.encode(`${text}\0`), user, JSON.stringify(text))),
    )
    return this.#memory.address(region)
  }

  /** The same array has the same address; its bytes are copied anew. */
  bytes(bytes: Uint8Array, user = false): bigint {
    let region = this.#buffers.get(bytes)
    if (region === undefined) this.#buffers.set(bytes, (region = this.#buffer(bytes, user, `a buffer of ${bytes.length} bytes`)))
    else this.#bytes(region, 0, bytes)
    return this.#memory.address(region)
  }

  #buffer(bytes: Uint8Array, user: boolean, name: string): Region {
    const region = this.#memory.add(
      { kind: user ? 'user' : 'kernel', name, size: bytes.length, flags: user ? USER | WRITE : READ },
    )
    this.#bytes(region, 0, bytes)
    return region
  }

  #integer(region: Region, offset: number, size: number, value: bigint): void {
    const bytes = new Uint8Array(size)
    for (let index = 0; index < size; index++) bytes[index] = Number(value >> BigInt(index * 8) & 0xffn)
    this.#bytes(region, offset, bytes)
  }

  #bits(region: Region, bitOffset: number, bitSize: number, value: FieldValue, path: string): void {
    const number = integer(value, path)
    const start = this.#memory.start(region)
    for (let bit = 0; bit < bitSize; bit++) {
      const at = start + Math.floor((bitOffset + bit) / 8)
      const mask = 1 << (bitOffset + bit) % 8
      if ((number >> BigInt(bit) & 1n) === 1n) this.#memory.u8[at]! |= mask
      else this.#memory.u8[at]! &= ~mask
      this.#memory.shadow[at] = 1
    }
  }

  #bytes(region: Region, offset: number, bytes: Uint8Array): void {
    const at = this.#memory.start(region) + offset
    this.#memory.u8.set(bytes, at)
    this.#memory.shadow.fill(1, at, at + bytes.length)
  }
}

function isFields(value: FieldValue): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
    && !(value instanceof KernelObject) && !(value instanceof MemberAddress)
}

function integer(value: FieldValue, path: string): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return BigInt(value)
  throw new FixtureError(`${path} is a number: give an integer, a bigint or a boolean`)
}

/** Whether a pointee is marked `__user`. */
function isUser(btf: Btf, id: number): boolean {
  for (let at = id, step = 0; at !== 0 && step < 16; step++) {
    const type = btf.type(at)
    if (type.kind === 'typeTag' && type.name === 'user') return true
    if (type.kind !== 'typedef' && type.kind !== 'const' && type.kind !== 'volatile' && type.kind !== 'typeTag'
      && type.kind !== 'restrict') {
      return false
    }
    at = type.type
  }
  return false
}
