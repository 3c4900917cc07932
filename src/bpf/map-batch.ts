import { recordView } from '../spec/codec.ts'
import type { RecordView } from '../spec/codec.ts'
import type { MapSpec } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release, writeU64 } from '../sys/memory.ts'
import type { Block } from '../sys/memory.ts'
import { bpf } from '../sys/syscall.ts'
import { Command, commandError } from './command.ts'
import type { CommandName } from './command.ts'
import { isArray } from './map-layout.ts'
import type { MapLayout } from './map-layout.ts'

/** Entries as the kernel copied them: key i at i × keySize, its value(s) at i × valueStride. */
export interface RawEntries extends MapLayout {
  readonly count: number
  readonly keys: Uint8Array
  readonly values: Uint8Array
  /** The same memory for decoders. */
  readonly keyView: RecordView
  readonly valueView: RecordView
}

const firstCapacity = 4096
/** Where the batch attr keeps its cursor: a bucket number, or a key for arrays. */
const cursorOffset = 64

/** Reads and deletes many entries a call, in buffers it keeps. */
export class MapBatch {
  readonly #fd: number
  readonly #spec: MapSpec
  readonly #layout: MapLayout
  readonly #attr: Block
  #keys: Block
  #values: Block
  #keyView: RecordView
  #valueView: RecordView
  #capacity: number
  /** undefined until the kernel has been asked. */
  #readsBatches: boolean | undefined
  #takesBatches: boolean | undefined
  #deletesBatches: boolean | undefined

  constructor(fd: number, spec: MapSpec, layout: MapLayout, options: { batches?: boolean } = {}) {
    this.#fd = fd
    this.#spec = spec
    this.#layout = layout
    this.#capacity = Math.min(spec.maxEntries, firstCapacity)
    this.#attr = allocate(cursorOffset + Math.max(8, spec.keySize) + 64)
    this.#keys = allocate(this.#capacity * layout.keySize)
    this.#values = allocate(this.#capacity * layout.valueStride)
    this.#keyView = viewOf(this.#keys)
    this.#valueView = viewOf(this.#values)
    this.#readsBatches = this.#takesBatches = this.#deletesBatches = options.batches
  }

  read(): RawEntries {
    if (this.#readsBatches !== false) {
      const count = this.#readBatches('BPF_MAP_LOOKUP_BATCH')
      this.#readsBatches = count >= 0
      if (count >= 0) return this.#entries(count)
    }
    return this.#entries(isArray(this.#spec) ? this.#readArray() : this.#iterate())
  }

  take(): RawEntries {
    if (!isArray(this.#spec) && this.#takesBatches !== false) {
      const count = this.#readBatches('BPF_MAP_LOOKUP_AND_DELETE_BATCH')
      this.#takesBatches = count >= 0
      if (count >= 0) return this.#entries(count)
    }
    const entries = this.read()
    this.deleteKeys(entries.keys, entries.count)
    return entries
  }

  deleteKeys(keys: Uint8Array, count: number): number {
    const { keySize } = this.#layout
    if (!Number.isInteger(count) || count < 0 || keys.length < count * keySize) {
      throw new RangeError(`${keys.length} bytes are not ${count} keys of ${keySize} bytes (map '${this.#spec.name}')`)
    }
    if (count === 0) return 0
    const block = allocate(count * keySize)
    try {
      block.u8.set(keys.subarray(0, count * keySize))
      return this.#deleteFrom(block, count)
    } finally {
      release(block)
    }
  }

  close(): void {
    release(this.#attr)
    release(this.#keys)
    release(this.#values)
  }

  #entries(count: number): RawEntries {
    const { keySize, valueStride } = this.#layout
    return {
      ...this.#layout, count,
      keys: this.#keys.u8.subarray(0, count * keySize),
      values: this.#values.u8.subarray(0, count * valueStride),
      keyView: this.#keyView,
      valueView: this.#valueView,
    }
  }

  /** @returns how many entries were read; -1 if the kernel has no batches for this map type */
  #readBatches(name: CommandName): number {
    const { u32, address } = this.#attr
    const { keySize, valueStride } = this.#layout
    let count = 0
    u32.fill(0, 0, 16)
    for (;;) {
      if (count === this.#capacity) {
        if (isArray(this.#spec) && count === this.#spec.maxEntries) return count
        this.#grow(count)
      }
      if (count > 0) writeU64(u32, 0, address + cursorOffset)
      writeU64(u32, 8, address + cursorOffset)
      writeU64(u32, 16, this.#keys.address + count * keySize)
      writeU64(u32, 24, this.#values.address + count * valueStride)
      u32[8] = this.#capacity - count
      u32[9] = this.#fd
      const result = bpf(Command[name], address, 56)
      if (result >= 0 || result === -Errno.ENOENT) count += u32[8]!
      if (result >= 0 || result === -Errno.EINTR) continue
      if (result === -Errno.ENOENT) return count
      if (result === -Errno.ENOSPC) this.#grow(count)
      else if (count === 0 && isUnsupported(result)) return -1
      else throw commandError(name, result, `map '${this.#spec.name}'`)
    }
  }

  #grow(count: number): void {
    const { keySize, valueStride } = this.#layout
    const capacity = this.#capacity * 2
    const keys = allocate(capacity * keySize)
    const values = allocate(capacity * valueStride)
    keys.u8.set(this.#keys.u8.subarray(0, count * keySize))
    values.u8.set(this.#values.u8.subarray(0, count * valueStride))
    release(this.#keys)
    release(this.#values)
    this.#keys = keys
    this.#values = values
    this.#keyView = viewOf(keys)
    this.#valueView = viewOf(values)
    this.#capacity = capacity
  }

  #readArray(): number {
    for (let index = 0; index < this.#spec.maxEntries; index++) {
      if (index === this.#capacity) this.#grow(index)
      this.#keys.u32[index] = index
      if (!this.#lookup(index)) throw commandError('BPF_MAP_LOOKUP_ELEM', -Errno.ENOENT, `map '${this.#spec.name}'`)
    }
    return this.#spec.maxEntries
  }

  /**
   * Key by key. When the key in hand is deleted meanwhile, the kernel starts over from the first one:
   * keys already read are therefore remembered, and a restart ends where nothing new comes.
   */
  #iterate(): number {
    const { keySize } = this.#layout
    const { u32, u8, address } = this.#attr
    const seen = new Set<string>()
    let count = 0
    const limit = this.#spec.maxEntries * 4 + 16
    u32.fill(0, 0, 16)
    for (let step = 0; step < limit; step++) {
      if (count === this.#capacity) this.#grow(count)
      u32[0] = this.#fd
      writeU64(u32, 8, step === 0 ? 0 : address + cursorOffset)
      writeU64(u32, 16, this.#keys.address + count * keySize)
      const result = bpf(Command.BPF_MAP_GET_NEXT_KEY, address, 32)
      if (result === -Errno.ENOENT) break
      if (result < 0) throw commandError('BPF_MAP_GET_NEXT_KEY', result, `map '${this.#spec.name}'`)
      const key = this.#keys.u8.subarray(count * keySize, (count + 1) * keySize)
      u8.set(key, cursorOffset)
      const text = String.fromCharCode(...key)
      if (seen.has(text)) continue
      if (!this.#lookup(count)) continue
      seen.add(text)
      count++
    }
    return count
  }

  /** Copies the value of the key in slot `index` beside it; false if it is gone. */
  #lookup(index: number): boolean {
    const { u32, address } = this.#attr
    u32[0] = this.#fd
    writeU64(u32, 8, this.#keys.address + index * this.#layout.keySize)
    writeU64(u32, 16, this.#values.address + index * this.#layout.valueStride)
    writeU64(u32, 24, 0)
    const result = bpf(Command.BPF_MAP_LOOKUP_ELEM, address, 32)
    if (result < 0 && result !== -Errno.ENOENT) throw commandError('BPF_MAP_LOOKUP_ELEM', result, `map '${this.#spec.name}'`)
    return result >= 0
  }

  #deleteFrom(keys: Block, count: number): number {
    const { u32, address } = this.#attr
    const { keySize } = this.#layout
    let deleted = 0
    for (let index = 0; index < count;) {
      u32.fill(0, 0, 16)
      if (this.#deletesBatches !== false) {
        writeU64(u32, 16, keys.address + index * keySize)
        u32[8] = count - index
        u32[9] = this.#fd
        const result = bpf(Command.BPF_MAP_DELETE_BATCH, address, 56)
        const done = u32[8]!
        if (result >= 0) return deleted + done
        if (result === -Errno.ENOENT) {
          // The kernel stops at the first key that is not there.
          this.#deletesBatches = true
          deleted += done
          index += done + 1
          continue
        }
        if (this.#deletesBatches === true || !isUnsupported(result)) this.#failDelete('BPF_MAP_DELETE_BATCH', result)
        this.#deletesBatches = false
        continue
      }
      u32[0] = this.#fd
      writeU64(u32, 8, keys.address + index * keySize)
      const result = bpf(Command.BPF_MAP_DELETE_ELEM, address, 32)
      if (result >= 0) deleted++
      else if (result !== -Errno.ENOENT) this.#failDelete('BPF_MAP_DELETE_ELEM', result)
      index++
    }
    return deleted
  }

  #failDelete(name: CommandName, result: number): never {
    throw commandError(name, result, `map '${this.#spec.name}'`)
  }
}

function isUnsupported(result: number): boolean {
  return result === -Errno.EINVAL || result === -Errno.ENOTSUPP || result === -Errno.EOPNOTSUPP
}

function viewOf(block: Block): RecordView {
  return recordView(block.u8.buffer as ArrayBuffer, block.u8.byteOffset, block.size)
}
