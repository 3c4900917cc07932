import { check, madvise, MapFlag, mmap, Protection, view } from './syscall.ts'

/**
 * Memory outside the garbage collector's reach for everything whose address the kernel is given:
 * attrs, keys, values, logs. A collected buffer in an attr means that the kernel writes into freed memory.
 * Blocks come in powers of two, are reused, and are never unmapped, so that no stale view can fault.
 */
export interface Block {
  readonly address: number
  /** Bytes: at least what was asked for. */
  readonly size: number
  readonly u8: Uint8Array
  readonly u32: Uint32Array
  readonly i32: Int32Array
}

const smallestClass = 128
const chunkSize = 256 * 1024
/** From this size on, released blocks give their pages back. */
const largeSize = 128 * 1024
const MADV_DONTNEED = 4

const free = new Map<number, Block[]>()
const held = new Set<Block>()
let chunk: ArrayBuffer | undefined
let chunkAddress = 0
let chunkUsed = 0

/** A block of at least `size` bytes, all zero. */
export function allocate(size: number): Block {
  const blockSize = sizeClass(size)
  const block = free.get(blockSize)?.pop() ?? carve(blockSize)
  held.add(block)
  return block
}

/** Gives a block back; the caller keeps no view of it. */
export function release(block: Block): void {
  if (!held.delete(block)) throw new Error('a memory block was released twice')
  if (block.size >= largeSize) check(madvise(block.address, block.size, MADV_DONTNEED), 'madvise')
  else block.u8.fill(0)
  const list = free.get(block.size)
  if (list === undefined) free.set(block.size, [block])
  else list.push(block)
}

/** Bytes allocated and not yet released. */
export function heldBytes(): number {
  let total = 0
  for (const block of held) total += block.size
  return total
}

function sizeClass(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0 || size > 2 ** 31) throw new RangeError(`cannot allocate ${size} bytes`)
  let result = smallestClass
  while (result < size) result *= 2
  return result
}

function carve(size: number): Block {
  if (size >= largeSize) {
    const address = map(size)
    return blockAt(view(address, size), address, 0, size)
  }
  if (chunk === undefined || chunkUsed + size > chunkSize) {
    chunkAddress = map(chunkSize)
    chunk = view(chunkAddress, chunkSize)
    chunkUsed = 0
  }
  const block = blockAt(chunk, chunkAddress + chunkUsed, chunkUsed, size)
  chunkUsed += size
  return block
}

function map(length: number): number {
  return check(mmap(0, length, Protection.read | Protection.write, MapFlag.private | MapFlag.anonymous), 'mmap',
    `no ${length} bytes of memory for talking to the kernel`)
}

function blockAt(buffer: ArrayBuffer, address: number, offset: number, size: number): Block {
  return {
    address, size,
    u8: new Uint8Array(buffer, offset, size),
    u32: new Uint32Array(buffer, offset, size / 4),
    i32: new Int32Array(buffer, offset, size / 4),
  }
}

/** Writes a 64-bit number (exact to 2^53) at a byte offset that is a multiple of 4. */
export function writeU64(u32: Uint32Array, byteOffset: number, value: number): void {
  u32[byteOffset >> 2] = value
  u32[(byteOffset >> 2) + 1] = Math.floor(value / 4_294_967_296)
}

/** Reads a 64-bit number (exact to 2^53) at a byte offset that is a multiple of 4. */
export function readU64(u32: Uint32Array, byteOffset: number): number {
  return u32[byteOffset >> 2]! + u32[(byteOffset >> 2) + 1]! * 4_294_967_296
}

/** Runs `use` with the address of a NUL-terminated UTF-8 string. */
export function withString<T>(text: string, use: (address: number) => T): T {
  if (text.includes('\0')) throw new TypeError('a string for the kernel must not contain a NUL')
  const bytes = new TextEncoder().encode(text)
  const block = allocate(bytes.length + 1)
  try {
    block.u8.set(bytes)
    return use(block.address)
  } finally {
    release(block)
  }
}
