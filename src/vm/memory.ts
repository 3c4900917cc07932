import { VmFault, type FaultKind } from './fault.ts'

/**
 * Memory with provenance. All bytes lie in one arena; a program sees addresses whose upper half names a region and whose
 * lower half is an offset in it, so that a pointer keeps its provenance through arithmetic, stores and loads, and a step out of
 * its region is seen at once. Addresses look like the kernel's: 0xff000000_00000000 and above; user space lies below 2^47.
 */

/** Upper half of the address of region 0, as a signed number; region ids are added. */
export const FIRST = -0x100_0000
/** Lower half of a region's first byte: room for a negative offset to stay a negative offset. */
export const BASE = 0x1000_0000
/** Upper half of the address of user region 0. */
export const FIRST_USER = 0x5000

/** Rights and traits of a region. */
export const READ = 1
export const WRITE = 2
/** Some bytes may not have been set; the shadow arena knows which. */
export const SHADOWED = 4
/** Elements of a fixed stride, only the first `valid` bytes of each exist. */
export const STRIDED = 8
/** Loads of some places do not give what memory holds: the pointers of a packet context. */
export const SPECIAL = 16
/** User space: only by probe_read_user and the like. */
export const USER = 32
export const DEAD = 64

/** Words a region has in the table: start, size, flags, stride, valid. */
export const ENTRY = 8

export type RegionKind = 'context' | 'stack' | 'map-value' | 'map' | 'packet' | 'ring-record' | 'kernel' | 'user' | 'memory' | 'code'

export interface Region {
  readonly id: number
  readonly kind: RegionKind
  /** For messages: "the stack", "a value of map 'queuedAt'". */
  readonly name: string
  /** Name of the place at an offset, such as `task_struct.mm`. */
  describe?: (offset: number) => string
  /**
   * For SPECIAL regions: the value of a load, low half returned and high half in `Memory.loaded`; -1 in `handled` if ordinary.
   */
  special?: (offset: number, size: number) => bigint | null
}

export interface RegionOptions {
  kind: RegionKind
  name: string
  size: number
  flags: number
  stride?: number
  valid?: number
  describe?: Region['describe']
  special?: Region['special']
}

const FIRST_BYTES = 64 * 1024
/** Dead ids rest for so many further releases, so that a pointer kept too long is recognised. */
const RESTING = 1024

export class Memory {
  u8 = new Uint8Array(FIRST_BYTES)
  i8 = new Int8Array(this.u8.buffer)
  i32 = new Int32Array(this.u8.buffer)
  /** 1 for bytes that have been set, in SHADOWED regions. */
  shadow = new Uint8Array(FIRST_BYTES)
  shadow32 = new Int32Array(this.shadow.buffer)
  table = new Int32Array(ENTRY * 64)
  /** Regions so far, id 0 is none. */
  count = 1
  /** What a load gave that has no place in the arena (at() answered -1): low half, high half. */
  readonly loaded = new Int32Array(2)
  /** Reads through null and unknown kernel pointers give 0, as the kernel does for pointers it types by BTF. */
  forgiving = false
  readonly #regions: (Region | null)[] = [null]
  readonly #most: number
  #used = 16
  readonly #free = new Map<number, number[]>()
  readonly #resting: number[] = []

  /** @param most bytes that it may use in all */
  constructor(most = 256 * 1024 * 1024) {
    this.#most = most
  }

  /* Regions */

  add(options: RegionOptions): Region {
    const id = this.#resting.length > RESTING ? this.#resting.shift()! : this.count++
    if (id * ENTRY + ENTRY > this.table.length) {
      if (id > 0x40_0000) throw new VmFault('memory', 'there are more than 4 million regions')
      const larger = new Int32Array(this.table.length * 2)
      larger.set(this.table)
      this.table = larger
    }
    const { size, flags, kind, name, describe, special } = options
    const region: Region = { id, kind, name, ...(describe && { describe }), ...(special && { special }) }
    this.#regions[id] = region
    const at = id * ENTRY
    this.table[at] = size === 0 ? 0 : this.#take(size)
    this.table[at + 1] = size
    this.table[at + 2] = flags
    this.table[at + 3] = options.stride ?? size
    this.table[at + 4] = options.valid ?? options.stride ?? size
    return region
  }

  /** Ends a region: from now on an access is a fault that says so. */
  release(region: Region): void {
    const at = region.id * ENTRY
    if ((this.table[at + 2]! & DEAD) !== 0) return
    this.#give(this.table[at]!, this.table[at + 1]!)
    this.table[at + 2] = DEAD
    this.#resting.push(region.id)
  }

  /** Makes a region larger; addresses stay valid, arena indexes do not. */
  resize(region: Region, size: number): void {
    const at = region.id * ENTRY
    const [from, before] = [this.table[at]!, this.table[at + 1]!]
    const to = this.#take(size)
    this.u8.copyWithin(to, from, from + before)
    this.shadow.copyWithin(to, from, from + before)
    if (before > 0) this.#give(from, before)
    this.table[at] = to
    this.table[at + 1] = size
  }

  region(id: number): Region | null {
    return this.#regions[id] ?? null
  }

  /** Arena index of a region's first byte; valid until memory is next taken. */
  start(region: Region): number {
    return this.table[region.id * ENTRY]!
  }

  size(region: Region): number {
    return this.table[region.id * ENTRY + 1]!
  }

  /** The bytes of a region, not copied. */
  bytes(region: Region): Uint8Array {
    const start = this.start(region)
    return this.u8.subarray(start, start + this.size(region))
  }

  /** Upper half of a region's addresses; the lower half is BASE + offset. */
  upper(region: Region): number {
    return region.kind === 'user' ? FIRST_USER + region.id : FIRST + region.id
  }

  address(region: Region, offset = 0): bigint {
    return BigInt.asUintN(64, BigInt(this.upper(region)) << 32n) | BigInt(BASE + offset)
  }

  /* Access */

  /** Arena index of `size` bytes to load at base + off. -1: the value is in `loaded`. @throws VmFault */
  toLoad(low: number, high: number, off: number, size: number): number {
    const id = high - FIRST
    if (id > 0 && id < this.count) {
      const { table } = this
      const entry = id * ENTRY
      const relative = (low - BASE + off) | 0
      const flags = table[entry + 2]!
      if ((flags & READ) !== 0 && relative >= 0 && relative <= table[entry + 1]! - size) {
        const at = table[entry]! + relative
        if ((flags & (SHADOWED | STRIDED | SPECIAL)) === 0) return at
        return this.#traits(flags, entry, relative, size, at)
      }
    }
    return this.#refuse(low, high, off, size, READ)
  }

  /** Arena index of `size` bytes to store to. @throws VmFault */
  toStore(low: number, high: number, off: number, size: number): number {
    const id = high - FIRST
    if (id > 0 && id < this.count) {
      const { table } = this
      const entry = id * ENTRY
      const relative = (low - BASE + off) | 0
      const flags = table[entry + 2]!
      if ((flags & WRITE) !== 0 && relative >= 0 && relative <= table[entry + 1]! - size) {
        const at = table[entry]! + relative
        if ((flags & SHADOWED) !== 0) {
          if (size === 8 && (at & 3) === 0) this.shadow32[at >> 2] = this.shadow32[(at >> 2) + 1] = 0x0101_0101
          else this.shadow.fill(1, at, at + size)
        } else if ((flags & STRIDED) !== 0) this.#inElement(entry, relative, size)
        return at
      }
    }
    return this.#refuse(low, high, off, size, WRITE)
  }

  /** A little-endian word at any arena index. */
  getWord(at: number): number {
    const { u8 } = this
    return (at & 3) === 0 ? this.i32[at >> 2]! : u8[at]! | u8[at + 1]! << 8 | u8[at + 2]! << 16 | u8[at + 3]! << 24
  }

  putWord(at: number, word: number): void {
    const { u8 } = this
    u8[at] = word
    u8[at + 1] = word >> 8
    u8[at + 2] = word >> 16
    u8[at + 3] = word >> 24
  }

  #traits(flags: number, entry: number, relative: number, size: number, at: number): number {
    if ((flags & SHADOWED) !== 0) {
      if (size === 8 && (at & 3) === 0) {
        if ((this.shadow32[at >> 2]! & this.shadow32[(at >> 2) + 1]!) === 0x0101_0101) return at
      } else {
        const { shadow } = this
        let index = at
        const end = at + size
        while (index < end && shadow[index] === 1) index++
        if (index === end) return at
      }
      this.#unset(entry / ENTRY, relative, size, at)
    }
    if ((flags & STRIDED) !== 0) this.#inElement(entry, relative, size)
    if ((flags & SPECIAL) !== 0) {
      const value = this.#regions[entry / ENTRY]!.special!(relative, size)
      if (value !== null) {
        this.loaded[0] = Number(BigInt.asIntN(32, value))
        this.loaded[1] = Number(BigInt.asIntN(32, value >> 32n))
        return -1
      }
    }
    return at
  }

  #inElement(entry: number, relative: number, size: number): void {
    const stride = this.table[entry + 3]!
    const valid = this.table[entry + 4]!
    const inside = relative % stride
    if (inside + size > valid) {
      throw new VmFault(
        'out-of-bounds', `${size} bytes at offset ${inside} of ${this.#regions[entry / ENTRY]!.name}, which has ${valid} bytes`,
      )
    }
  }

  #unset(id: number, relative: number, size: number, at: number): never {
    let missing = 0
    while (this.shadow[at + missing] === 1) missing++
    const region = this.#regions[id]!
    const place = region.describe?.(relative + missing) ?? `byte ${relative + missing} of ${region.name}`
    const kind: FaultKind = region.kind === 'kernel' || region.kind === 'user'
      || region.kind === 'context' ? 'unset-field' : 'uninitialised-memory'
    throw new VmFault(kind, kind === 'unset-field'
      ? `${place} is read but the fixture does not set it`
      : `${size} bytes are read at ${place}, which was never written`)
  }

  #refuse(low: number, high: number, off: number, size: number, need: number): number {
    const fault = this.explain(low, high, off, size, need)
    const forgivable = fault.kind === 'null-dereference' || fault.kind === 'bad-pointer'
    if (!this.forgiving || need !== READ || !forgivable) throw fault
    this.loaded.fill(0)
    return -1
  }

  /** Why an access cannot be. */
  explain(low: number, high: number, off: number, size: number, need: number): VmFault {
    const verb = need === READ ? 'read' : 'written'
    const signed = off < 0 ? `- ${-off}` : `+ ${off}`
    if (high === 0 && low >>> 0 < 0x1_0000) {
      return new VmFault('null-dereference', `${size} bytes are ${verb} at ${low >>> 0 === 0 ? 'null' : low >>> 0} ${signed}`)
    }
    const user = high >= FIRST_USER && high < FIRST_USER + this.count
    const region = this.#regions[user ? high - FIRST_USER : high - FIRST]
    if (region == null || (region.kind === 'user') !== user) {
      return new VmFault(
        'bad-pointer', `${size} bytes are ${verb} at ${hexadecimal(low, high)} ${signed}, which points to nothing`,
      )
    }
    const entry = region.id * ENTRY
    const flags = this.table[entry + 2]!
    if ((flags & DEAD) !== 0) {
      return new VmFault('released', `${size} bytes are ${verb} in ${region.name} after it was handed over`)
    }
    if (user) return new VmFault('not-readable', `${region.name} lies in user space: read it by probe_read_user`)
    const relative = (low - BASE + off) | 0
    if (relative < 0 || relative > this.table[entry + 1]! - size) {
      return new VmFault(
        'out-of-bounds',
        `${size} bytes are ${verb} at offset ${relative} of ${region.name}, which has ${this.table[entry + 1]!} bytes`,
      )
    }
    return new VmFault(need === READ ? 'not-readable' : 'read-only', `${region.name} cannot be ${verb}`)
  }

  /* The arena */

  #take(size: number): number {
    const bytes = blockSize(size)
    const known = this.#free.get(bytes)?.pop()
    if (known !== undefined) {
      this.u8.fill(0, known, known + bytes)
      this.shadow.fill(0, known, known + bytes)
      return known
    }
    const at = this.#used
    if (at + bytes > this.#most) throw new VmFault('memory', `${size} bytes more would go over the machine's ${this.#most} bytes`)
    this.#used += bytes
    if (this.#used > this.u8.length) this.#grow(this.#used)
    return at
  }

  #give(at: number, size: number): void {
    if (size === 0) return
    const bytes = blockSize(size)
    const list = this.#free.get(bytes)
    if (list === undefined) this.#free.set(bytes, [at])
    else list.push(at)
  }

  #grow(least: number): void {
    let length = this.u8.length
    while (length < least) length *= 2
    const [bytes, shadow] = [new Uint8Array(length), new Uint8Array(length)]
    bytes.set(this.u8)
    shadow.set(this.shadow)
    this.u8 = bytes
    this.i8 = new Int8Array(bytes.buffer)
    this.i32 = new Int32Array(bytes.buffer)
    this.shadow = shadow
    this.shadow32 = new Int32Array(shadow.buffer)
  }
}

function blockSize(size: number): number {
  return size <= 16 ? 16 : size <= 4096 ? 2 ** Math.ceil(Math.log2(size)) : Math.ceil(size / 4096) * 4096
}

export function hexadecimal(low: number, high: number): string {
  return `0x${((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)).toString(16)}`
}
