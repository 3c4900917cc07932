import { CodecError, decoder, encoder, recordView } from '../spec/codec.ts'
import type { RecordView } from '../spec/codec.ts'
import type { MapSpec } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { pageSize } from '../sys/machine.ts'
import { allocate, release, writeU64 } from '../sys/memory.ts'
import type { Block } from '../sys/memory.ts'
import { bpf } from '../sys/syscall.ts'
import { command, Command, commandError, mustCommand } from './command.ts'
import type { CommandName } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { recordClosed, recordOpened } from './ledger.ts'
import { MapBatch } from './map-batch.ts'
import { updateBatch } from './map-update-batch.ts'
import type { RawEntries } from './map-batch.ts'
import { createMap } from './map-create.ts'
import type { MapCreation } from './map-create.ts'
import { mapInfo, mapState, mismatches, specOf } from './map-info.ts'
import type { MapInfo } from './map-info.ts'
import { isPerCpu, layoutOf, MapFlags, MapSpecError, requireEntries } from './map-layout.ts'
import type { MapLayout } from './map-layout.ts'
import { Mapping } from '../sys/mapping.ts'
import { objectKind, openPin, pin } from './pin.ts'

export { mapInfo } from './map-info.ts'
export type { MapInfo } from './map-info.ts'

/** 'any' sets, 'create' only adds (else EEXIST), 'exists' only replaces (else ENOENT). */
export type SetMode = 'any' | 'create' | 'exists'
const setFlags: Record<SetMode, number> = { any: 0, create: 1, exists: 2 }

/**
 * A map in the kernel. Values of per-CPU maps are arrays, one element a possible CPU.
 * Not closed by the garbage collector: call close().
 */
export class BpfMap<K = any, V = any> {
  readonly spec: MapSpec
  readonly layout: MapLayout
  readonly #descriptor: Descriptor
  /** attr (64 bytes), key, value: filled once, so that a look-up costs no more than the system call. */
  #io: Block | undefined
  #ioView: RecordView | undefined
  #valueOffset = 0
  #batch: MapBatch | undefined
  #mapped: { mapping: Mapping; view: RecordView; close(): void } | undefined
  #info: MapInfo | undefined
  readonly #beforeClose = new Set<() => void>()

  private constructor(spec: MapSpec, descriptor: Descriptor) {
    this.spec = spec
    this.layout = layoutOf(spec)
    this.#descriptor = descriptor
  }

  /**
   * Creates the map.
   * @throws MapSpecError for a spec no kernel accepts; PolicyError; SysError (EINVAL: the type or a flag is unknown to this
   * kernel)
   */
  static create<K = any, V = any>(spec: MapSpec, creation?: MapCreation): BpfMap<K, V> {
    return BpfMap.adopt(spec, createMap(spec, creation))
  }

  /** A map from its descriptor, which belongs to the BpfMap from now on. */
  static adopt<K = any, V = any>(spec: MapSpec, fd: number): BpfMap<K, V> {
    return new BpfMap<K, V>(spec, new Descriptor('map', spec.name, fd))
  }

  /** Any map on the system (4.13; needs CAP_SYS_ADMIN); undefined if there is none. Without a spec, keys and values are bytes. */
  static byId<K = any, V = any>(id: number, spec?: MapSpec): BpfMap<K, V> | undefined {
    const fd = command('BPF_MAP_GET_FD_BY_ID', 12, (attr) => attr.u32(0, id))
    if (fd === -Errno.ENOENT) return undefined
    if (fd < 0) throw commandError('BPF_MAP_GET_FD_BY_ID', fd, `map ${id}`)
    return BpfMap.#checked(fd, `map ${id}`, spec)
  }

  /**
   * The map that is pinned at `path` (4.4); undefined if nothing is.
   * @throws MapSpecError that names everything in which the map is not as `spec` says; SysError
   */
  static openPinned<K = any, V = any>(path: string, spec?: MapSpec): BpfMap<K, V> | undefined {
    const fd = openPin(path)
    return fd === undefined ? undefined : BpfMap.#checked(fd, path, spec)
  }

  static #checked<K, V>(fd: number, where: string, spec: MapSpec | undefined): BpfMap<K, V> {
    const descriptor = new Descriptor('map', spec?.name ?? where, fd)
    try {
      const kind = objectKind(fd)
      if (kind !== 'map') throw new MapSpecError(spec?.name ?? where, `${where} is a ${kind}, not a map`)
      const info = mapInfo(fd)
      const wrong = spec === undefined ? [] : mismatches(spec, info)
      if (wrong.length > 0) throw new MapSpecError(spec!.name, `the map at ${where} is another one: ${wrong.join(', ')}`)
      return new BpfMap<K, V>({ ...(spec ?? specOf(info)), maxEntries: info.maxEntries }, descriptor)
    } catch (error) {
      descriptor.close()
      throw error
    }
  }

  /** @throws ClosedError after close() */
  get fd(): number {
    return this.#descriptor.fd
  }

  get closed(): boolean {
    return this.#descriptor.closed
  }

  /** The value of `key`; undefined if there is none. */
  get(key: K): V | undefined {
    if (!this.#call('BPF_MAP_LOOKUP_ELEM', this.#putKey(key), 0, Errno.ENOENT)) return undefined
    return this.#decodeValue(this.#ioView!, this.#valueOffset)
  }

  /** @returns false if mode forbade it: 'create' of an existing key, 'exists' of a missing one */
  set(key: K, value: V, mode: SetMode = 'any'): boolean {
    const io = this.#putKey(key)
    this.#encodeValue(value, io.u8, this.#valueOffset)
    return this.#call('BPF_MAP_UPDATE_ELEM', io, setFlags[mode], mode === 'create' ? Errno.EEXIST : Errno.ENOENT)
  }

  /** @returns whether the key was there. Array elements cannot be deleted (EINVAL). */
  delete(key: K): boolean {
    return this.#call('BPF_MAP_DELETE_ELEM', this.#putKey(key), 0, Errno.ENOENT)
  }

  /**
   * The value of `key`, which is deleted in the same moment; undefined if there is none. For hashes (5.14), where no update can
   * be lost in between.
   * @throws SysError: ENOTSUPP for types that cannot
   */
  take(key: K): V | undefined {
    if (!this.#call('BPF_MAP_LOOKUP_AND_DELETE_ELEM', this.#putKey(key), 0, Errno.ENOENT)) return undefined
    return this.#decodeValue(this.#ioView!, this.#valueOffset)
  }

  /** As get(), in bytes: a copy of `layout.valueStride` bytes. */
  getRaw(key: Uint8Array): Uint8Array | undefined {
    const io = this.#putRawKey(key)
    if (!this.#call('BPF_MAP_LOOKUP_ELEM', io, 0, Errno.ENOENT)) return undefined
    return io.u8.slice(this.#valueOffset, this.#valueOffset + this.layout.valueStride)
  }

  /** As set(), in bytes: `layout.valueStride` of them. */
  setRaw(key: Uint8Array, value: Uint8Array, mode: SetMode = 'any'): boolean {
    const io = this.#putRawKey(key)
    if (value.length !== this.layout.valueStride) {
      throw new MapSpecError(this.spec.name, `a value has ${this.layout.valueStride} bytes, not ${value.length}`)
    }
    io.u8.set(value, this.#valueOffset)
    return this.#call('BPF_MAP_UPDATE_ELEM', io, setFlags[mode], mode === 'create' ? Errno.EEXIST : Errno.ENOENT)
  }

  deleteRaw(key: Uint8Array): boolean {
    return this.#call('BPF_MAP_DELETE_ELEM', this.#putRawKey(key), 0, Errno.ENOENT)
  }

  /** All entries, decoded. A map that changes meanwhile gives each entry at most once, as it was at some moment. */
  readAll(): [K, V][] {
    const keySchema = this.#schema('key')
    const raw = this.readRaw()
    const decodeKey = decoder(keySchema)
    const result: [K, V][] = new Array(raw.count)
    for (let index = 0; index < raw.count; index++) {
      const key = decodeKey(raw.keyView, index * raw.keySize) as K
      result[index] = [key, this.#decodeValue(raw.valueView, index * raw.valueStride)]
    }
    return result
  }

  entries(): IterableIterator<[K, V]> {
    return this.readAll().values()
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries()
  }

  /**
   * All entries in bytes, without making an object an entry: for summing. The buffers belong to the map
   * and are overwritten by its next readRaw(). One system call reads thousands of entries (batches: 5.6; 5.13 for
   * per-CPU arrays); on older kernels it is two calls an entry.
   */
  readRaw(): RawEntries {
    return this.#batches().read()
  }

  /** As readRaw(), and deletes what it returns. Updates between the two halves are lost only on kernels without batches. */
  takeRaw(): RawEntries {
    return this.#batches().take()
  }

  /** Deletes `count` keys that lie one after the other. @returns how many were there */
  deleteBatch(keys: Uint8Array, count: number = keys.length / this.spec.keySize): number {
    return this.#batches().deleteKeys(keys, count)
  }

  /** Sets many entries, by few system calls where the kernel can (5.6). @returns how many were set before the map was full */
  setMany(entries: Iterable<readonly [K, V]>): number {
    const list = Array.isArray(entries) ? entries as (readonly [K, V])[] : [...entries]
    const { keySize, valueStride } = this.layout
    const keys = new Uint8Array(list.length * keySize)
    const values = new Uint8Array(list.length * valueStride)
    const encodeKey = encoder(this.#schema('key'))
    list.forEach(([key, value], index) => {
      encodeKey(key as never, keys, index * keySize)
      this.#encodeValue(value, values, index * valueStride)
    })
    return this.setRawMany(keys, values, list.length)
  }

  /** As setMany(), in bytes: keys one after the other, values `layout.valueStride` apart. */
  setRawMany(keys: Uint8Array, values: Uint8Array, count: number = keys.length / this.spec.keySize): number {
    requireEntries(this.spec)
    return updateBatch(this.fd, this.spec, this.layout, keys, values, count)
  }

  /** No process can change it from now on; programs can, unless it is read-only for them (5.2). Nothing thaws it. */
  freeze(): void {
    mustCommand('BPF_MAP_FREEZE', 4, (attr) => attr.u32(0, this.fd), `map '${this.spec.name}'`)
  }

  get frozen(): boolean {
    return mapState(this.fd).frozen
  }

  /** Gives it a name on a bpf file system, under which it outlives this process. @throws SysError */
  pin(path: string): void {
    pin(this.fd, path, `map '${this.spec.name}'`)
  }

  /** The elements of a BPF_F_MMAPABLE array as shared memory (5.5): reading costs no system call. Stride: mappedStride. */
  mapped(): RecordView {
    if (this.#mapped !== undefined) return this.#mapped.view
    if (this.spec.type !== 'array' || (this.spec.flags & MapFlags.mmapable) === 0) {
      throw new MapSpecError(this.spec.name, 'only an array created with BPF_F_MMAPABLE can be mapped')
    }
    const page = pageSize()
    const length = Math.ceil(this.mappedStride * this.spec.maxEntries / page) * page
    const readOnly = (this.spec.flags & MapFlags.readOnlyProgram) !== 0 || this.frozen
    const mapping = Mapping.open(this.fd, { length, write: !readOnly })
    const entry = recordOpened('mapping', this.spec.name)
    const close = () => { mapping.close(); recordClosed(entry) }
    this.#mapped = { mapping, view: recordView(mapping.buffer), close }
    return this.#mapped.view
  }

  /** Bytes from one element to the next in mapped(). */
  get mappedStride(): number {
    return Math.ceil(this.spec.valueSize / 8) * 8
  }

  get info(): MapInfo {
    this.#info ??= mapInfo(this.fd)
    return this.#info
  }

  /** Bytes of kernel memory the map takes (exact from 6.4; before, an estimate or 0 for some types). */
  get memoryBytes(): number {
    return mapState(this.fd).memoryBytes
  }

  /** Runs `action` before the descriptor is closed: for readers, whose poll must end first. */
  beforeClose(action: () => void): void {
    this.#beforeClose.add(action)
  }

  forgetBeforeClose(action: () => void): void {
    this.#beforeClose.delete(action)
  }

  /** Closes its readers too. The kernel keeps the map while a program holds it. */
  close(): void {
    if (this.#descriptor.closed) return
    for (const action of Array.from(this.#beforeClose)) action()
    this.#mapped?.close()
    this.#batch?.close()
    if (this.#io !== undefined) release(this.#io)
    this.#io = this.#ioView = this.#batch = this.#mapped = undefined
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #batches(): MapBatch {
    requireEntries(this.spec)
    this.#batch ??= new MapBatch(this.fd, this.spec, this.layout)
    return this.#batch
  }

  #call(name: CommandName, io: Block, flags: number, quiet: number): boolean {
    writeU64(io.u32, 24, flags)
    // Deleting takes no value: the attr must end with the key.
    const result = bpf(Command[name], io.address, name === 'BPF_MAP_DELETE_ELEM' ? 16 : 32)
    if (result >= 0) return true
    if (result === -quiet) return false
    throw commandError(name, result, `map '${this.spec.name}'${result === -Errno.E2BIG ? ' is full' : ''}`)
  }

  #putKey(key: K): Block {
    const io = this.#ioBlock()
    const schema = this.#schema('key')
    encoder(schema)(key as never, io.u8, 64)
    return io
  }

  #putRawKey(key: Uint8Array): Block {
    if (key.length !== this.spec.keySize) {
      throw new MapSpecError(this.spec.name, `a key has ${this.spec.keySize} bytes, not ${key.length}`)
    }
    const io = this.#ioBlock()
    io.u8.set(key, 64)
    return io
  }

  #ioBlock(): Block {
    const fd = this.fd
    if (this.#io !== undefined) return this.#io
    requireEntries(this.spec)
    this.#valueOffset = 64 + Math.ceil(this.spec.keySize / 8) * 8
    const io = allocate(this.#valueOffset + this.layout.valueStride)
    io.u32[0] = fd
    writeU64(io.u32, 8, io.address + 64)
    writeU64(io.u32, 16, io.address + this.#valueOffset)
    this.#ioView = recordView(io.u8.buffer as ArrayBuffer, io.u8.byteOffset, io.size)
    return this.#io = io
  }

  #schema(part: 'key' | 'value') {
    const schema = this.spec[part]
    if (schema === undefined) throw new MapSpecError(this.spec.name, `has no ${part} schema: use the raw forms, or give it one`)
    return schema
  }

  #decodeValue(view: RecordView, offset: number): V {
    const decode = decoder(this.#schema('value'))
    if (!isPerCpu(this.spec)) return decode(view, offset) as V
    const { cpus, cpuStride } = this.layout
    return Array.from({ length: cpus }, (_, cpu) => decode(view, offset + cpu * cpuStride)) as V
  }

  #encodeValue(value: V, target: Uint8Array, offset: number): void {
    const encode = encoder(this.#schema('value'))
    if (!isPerCpu(this.spec)) return encode(value as never, target, offset)
    const { cpus, cpuStride } = this.layout
    if (!Array.isArray(value) || value.length !== cpus) {
      throw new CodecError('', `must be an array of ${cpus} values, one a possible CPU (map '${this.spec.name}')`)
    }
    for (let cpu = 0; cpu < cpus; cpu++) encode(value[cpu], target, offset + cpu * cpuStride)
  }
}
