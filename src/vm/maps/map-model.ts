import type { Schema } from '../../spec/schema.ts'
import type { Code } from '../code.ts'
import { VmFault } from '../fault.ts'
import { READ, STRIDED, WRITE, type Memory, type Region } from '../memory.ts'

/**
 * What the vm needs to know of a map. As MapSpec of spec.ts, but open to all types; `type` is the kernel's name in
 * camel case: hash, percpuArray, lpmTrie, arrayOfMaps.
 */
export interface MapShape {
  readonly name: string
  readonly type: string
  readonly keySize: number
  readonly valueSize: number
  readonly maxEntries: number
  readonly flags: number
  readonly key?: Schema
  readonly value?: Schema
}

/** Negated errno values that map operations give. */
export const Errno = {
  ENOENT: -2, E2BIG: -7, EAGAIN: -11, ENOMEM: -12, EFAULT: -14, EBUSY: -16, EEXIST: -17, EINVAL: -22, ENOSPC: -28,
  EOPNOTSUPP: -95,
} as const

/** Flags of an update (linux/bpf.h). */
export const NOEXIST = 1
export const EXIST = 2
/** BPF_F_LOCK: the value's spin lock is taken; the copy is one step here anyway. */
const LOCKED = 4

/** BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG. */
const RDONLY_PROG = 1 << 7
const WRONLY_PROG = 1 << 8

/**
 * A map off-kernel. Keys and values are given as indexes into the arena; values are found as offsets in the region that
 * holds them, so that pointers to values stay right while the map grows.
 */
export abstract class MapModel {
  readonly shape: MapShape
  readonly memory: Memory
  /** Stands for the map itself: what lddw gives. No byte of it can be read. */
  readonly region: Region
  /** The values, or null for maps without addressable ones. */
  readonly values: Region | null
  /** From one value to the next. */
  readonly stride: number
  readonly cpus: number

  constructor(shape: MapShape, memory: Memory, cpus = 1, addressable = true) {
    this.shape = shape
    this.memory = memory
    this.cpus = cpus
    this.stride = Math.max(8, Math.ceil(shape.valueSize / 8) * 8)
    this.region = memory.add({ kind: 'map', name: `map '${shape.name}'`, size: 0, flags: 0 })
    const rights = ((shape.flags & WRONLY_PROG) === 0 ? READ : 0) | ((shape.flags & RDONLY_PROG) === 0 ? WRITE : 0)
    this.values = addressable
      ? memory.add(
        { kind: 'map-value', name: `a value of map '${shape.name}'`, size: 0, flags: rights | STRIDED, stride: this.stride, valid: shape.valueSize },
      )
      : null
  }

  /** Offset of the value in `values`, or -1. `touch` tells LRU maps that it was used. */
  abstract lookup(keyAt: number, cpu: number, touch?: boolean): number
  /** 0 or a negative errno. */
  abstract update(keyAt: number, valueAt: number, flags: number, cpu: number): number
  abstract remove(keyAt: number): number
  /** Entries as bytes: the key, and one value for each CPU. */
  abstract entries(): Iterable<{ key: Uint8Array; slot: number }>

  /** The program that a tail call through this map reaches. @throws VmFault for other types */
  program(_index: number): Code | null { return this.#cannot('hold programs') }
  push(_valueAt: number, _flags: number): number { return this.#cannot('be pushed to') }
  pop(_valueAt: number): number { return this.#cannot('be popped from') }
  peek(_valueAt: number): number { return this.#cannot('be peeked at') }
  /** Called after each run: entries that were deleted may now be used again. */
  settle(): void { /* Nothing waits. */ }

  #cannot(what: string): never {
    throw new VmFault('bad-argument', `map '${this.shape.name}' (${this.shape.type}) cannot ${what}`)
  }

  /** Makes room for `slots` entries of all CPUs; doubles up to the most there can be. */
  protected reserve(slots: number): void {
    const region = this.values!
    const each = this.stride * this.cpus
    const now = this.memory.size(region) / each
    if (slots <= now) return
    const wanted = Math.min(Math.max(now * 2, slots, 8), Math.max(this.shape.maxEntries, slots))
    this.memory.resize(region, wanted * each)
  }

  protected offset(slot: number, cpu: number): number {
    return (slot * this.cpus + (this.cpus === 1 ? 0 : cpu)) * this.stride
  }

  /** Copies a value in for one CPU. */
  protected put(slot: number, valueAt: number, cpu: number): void {
    const to = this.memory.start(this.values!) + this.offset(slot, cpu)
    this.memory.u8.copyWithin(to, valueAt, valueAt + this.shape.valueSize)
  }

  /** The value of one CPU, not copied. */
  value(slot: number, cpu: number): Uint8Array {
    const at = this.memory.start(this.values!) + this.offset(slot, cpu)
    return this.memory.u8.subarray(at, at + this.shape.valueSize)
  }
}

/** Whether an update's flags allow it: 0, or the errno. */
export function allowed(flags: number, exists: boolean): number {
  const mode = flags & ~LOCKED
  if (mode > EXIST || mode < 0) return Errno.EINVAL
  if (mode === NOEXIST && exists) return Errno.EEXIST
  if (mode === EXIST && !exists) return Errno.ENOENT
  return 0
}
