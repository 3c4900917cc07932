import { encoder } from '../../spec/codec.ts'
import type { Schema } from '../../spec/schema.ts'
import { helpers } from '../helpers.ts'
import { Memory, type Helper, type InterpretEnvironment } from '../ir/interpret.ts'
import { MapDeclaration, type RingDeclaration } from '../language/maps.ts'

/** What a program left behind: keys and values as hexadecimal bytes, in order of the keys; records in order. */
export interface Outcome { maps: Record<string, [key: string, value: string][]>; rings: Record<string, string[]> }

/** What maps hold before the program runs. */
export type Contents = Readonly<Record<string, readonly (readonly [key: any, value: any])[]>>

const BPF_NOEXIST = 1n
const EEXIST = -17n
const ENOENT = -2n
const E2BIG = -7n

/**
 * As much of a kernel as compiled programs see, for the IR interpreter and the bytecode oracle: maps, rings,
 * helpers and memory at made-up addresses. Per-CPU maps have one CPU.
 */
export class SimulatedKernel {
  readonly memory = new Memory()
  readonly #maps: { name: string; handle: bigint; content: MapContent | RingContent }[] = []
  #next = 0xffff_8880_0000_0000n

  constructor(maps: ReadonlyMap<string, MapDeclaration | RingDeclaration>, before: Contents = {}) {
    for (const [name, map] of maps) {
      const handle = this.allocate(new Uint8Array(8))
      const content = map instanceof MapDeclaration ? new MapContent(map, this) : new RingContent(map, this)
      this.#maps.push({ name, handle, content })
      if (content instanceof MapContent) for (const [key, value] of before[name] ?? []) content.update(encode(content.map.key, key), encode(content.map.value, value))
    }
  }

  /** Maps bytes at an address that nothing else has. */
  allocate(bytes: Uint8Array): bigint {
    const address = this.#next
    this.memory.map(address, bytes)
    this.#next += BigInt(Math.ceil((bytes.length + 64) / 64) * 64)
    return address
  }

  handleOf(name: string): bigint {
    return this.#maps.find((map) => map.name === name)!.handle
  }

  environment(context: readonly bigint[]): InterpretEnvironment {
    const bytes = new Uint8Array(Math.max(1, context.length) * 8)
    const view = new DataView(bytes.buffer)
    context.forEach((word, index) => view.setBigUint64(index * 8, BigInt.asUintN(64, word), true))
    return { memory: this.memory, context: this.allocate(bytes), mapAddress: (map) => this.handleOf(map), helpers: this.#helpers() }
  }

  outcome(): Outcome {
    const outcome: Outcome = { maps: {}, rings: {} }
    for (const { name, content } of this.#maps) {
      if (content instanceof MapContent) outcome.maps[name] = content.entries()
      else outcome.rings[name] = content.submitted
    }
    return outcome
  }

  #content<C extends MapContent | RingContent>(handle: bigint, kind: new (...args: any[]) => C): C {
    const content = this.#maps.find((map) => map.handle === handle)?.content
    if (!(content instanceof kind)) throw new Error(`0x${handle.toString(16)} is no ${kind.name}`)
    return content
  }

  #helpers(): Record<number, Helper> {
    const map = (handle: bigint) => this.#content(handle, MapContent)
    const ringOf = new Map<bigint, RingContent>()
    const done = (submit: boolean): Helper => ([record]) => {
      ringOf.get(record!)!.finish(record!, submit)
      return 0n
    }
    return {
      [helpers.map_lookup_elem.id]: ([handle, key], memory) => map(handle!).lookup(read(memory, key!, map(handle!).map.key.size)),
      [helpers.map_update_elem.id]: ([handle, key, value, flags], memory) => {
        const { map: declaration } = map(handle!)
        return map(handle!).update(read(memory, key!, declaration.key.size), read(memory, value!, declaration.value.size), flags!)
      },
      [helpers.map_delete_elem.id]: ([handle, key], memory) => map(handle!).delete(read(memory, key!, map(handle!).map.key.size)),
      [helpers.ktime_get_ns.id]: () => 1_000_000_000n,
      [helpers.get_smp_processor_id.id]: () => 0n,
      [helpers.get_current_pid_tgid.id]: () => 0x0000_1234_0000_5678n,
      [helpers.get_current_cgroup_id.id]: () => 77n,
      [helpers.probe_read_kernel.id]: ([to, size, from], memory) => probeRead(memory, to!, size!, from!),
      [helpers.probe_read_kernel_str.id]: ([to, size, from], memory) => probeReadText(memory, to!, size!, from!),
      [helpers.ringbuf_reserve.id]: ([handle, size]) => {
        const ring = this.#content(handle!, RingContent)
        const record = ring.reserve(Number(size))
        ringOf.set(record, ring)
        return record
      },
      [helpers.ringbuf_submit.id]: done(true),
      [helpers.ringbuf_discard.id]: done(false),
      [helpers.ringbuf_query.id]: ([handle]) => this.#content(handle!, RingContent).waiting(),
    }
  }
}

class MapContent {
  readonly map: MapDeclaration
  readonly #kernel: SimulatedKernel
  readonly #entries = new Map<string, { address: bigint; bytes: Uint8Array }>()

  constructor(map: MapDeclaration, kernel: SimulatedKernel) {
    this.map = map
    this.#kernel = kernel
    if (map.isArray) for (let index = 0; index < map.maxEntries; index++) this.#insert(hex(encode(map.key, index)), new Uint8Array(map.value.size))
  }

  #insert(key: string, bytes: Uint8Array): void {
    this.#entries.set(key, { address: this.#kernel.allocate(bytes), bytes })
  }

  lookup(key: Uint8Array): bigint {
    return this.#entries.get(hex(key))?.address ?? 0n
  }

  update(key: Uint8Array, value: Uint8Array, flags = 0n): bigint {
    const found = this.#entries.get(hex(key))
    if (found !== undefined) {
      if (flags === BPF_NOEXIST) return EEXIST
      found.bytes.set(value)
      return 0n
    }
    if (this.map.isArray || this.#entries.size >= this.map.maxEntries) return E2BIG
    this.#insert(hex(key), value.slice())
    return 0n
  }

  delete(key: Uint8Array): bigint {
    return this.#entries.delete(hex(key)) ? 0n : ENOENT
  }

  entries(): [string, string][] {
    return [...this.#entries].map(([key, { bytes }]): [string, string] => [key, hex(bytes)]).sort()
  }
}

class RingContent {
  readonly submitted: string[] = []
  readonly #kernel: SimulatedKernel
  readonly #size: number
  readonly #reserved = new Map<bigint, Uint8Array>()
  #used = 0

  constructor(ring: RingDeclaration, kernel: SimulatedKernel) {
    this.#kernel = kernel
    this.#size = ring.bytes
  }

  reserve(size: number): bigint {
    const whole = Math.ceil(size / 8) * 8 + 8
    if (this.#used + whole > this.#size) return 0n
    this.#used += whole
    const bytes = new Uint8Array(size)
    const address = this.#kernel.allocate(bytes)
    this.#reserved.set(address, bytes)
    return address
  }

  finish(address: bigint, submit: boolean): void {
    const bytes = this.#reserved.get(address)
    if (bytes === undefined) throw new Error('a record that was not reserved, or is gone')
    this.#reserved.delete(address)
    if (submit) this.submitted.push(hex(bytes))
  }

  waiting(): bigint {
    return BigInt(this.#used)
  }
}

export function encode(schema: Schema, value: unknown): Uint8Array {
  const bytes = new Uint8Array(schema.size)
  encoder(schema)(value as never, bytes, 0)
  return bytes
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function read(memory: Memory, address: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number(memory.load(address + BigInt(index), 1)))
}

/** What is not mapped reads as zeros and gives EFAULT, as in the kernel. */
function probeRead(memory: Memory, to: bigint, size: bigint, from: bigint): bigint {
  let bytes: Uint8Array
  try {
    bytes = read(memory, from, Number(size))
  } catch {
    bytes = new Uint8Array(Number(size))
  }
  bytes.forEach((byte, index) => memory.store(to + BigInt(index), 1, BigInt(byte)))
  return 0n
}

/** Copies up to and with the NUL; the last byte of the room is always one. */
function probeReadText(memory: Memory, to: bigint, size: bigint, from: bigint): bigint {
  let length = 0n
  for (; length < size - 1n; length++) {
    const byte = memory.load(from + length, 1)
    memory.store(to + length, 1, byte)
    if (byte === 0n) return length + 1n
  }
  memory.store(to + length, 1, 0n)
  return length + 1n
}
