import type { Btf } from '../btf/btf.ts'
import type { ProgramSpec } from '../spec/spec.ts'
import { argumentPlaces, isReturn, parametersOf, registerContext, registerName, type Parameter } from './hook-arguments.ts'
import { FixtureError, KernelObject, MemberAddress, type Fields, type FieldValue } from './kernel-object.ts'
import { BASE, READ, SHADOWED, SPECIAL, WRITE, type Memory, type Region } from './memory.ts'
import type { ObjectMemory } from './object-memory.ts'
import { layRecord, type TracepointFormat } from './tracepoint.ts'

/** A packet with the context that programs on packets see (linux/bpf.h: struct xdp_md, struct __sk_buff). */
export class Packet {
  readonly bytes: Uint8Array
  readonly kind: 'xdp' | 'skb'
  /** Other fields of the context. */
  readonly fields: Readonly<Record<string, number>>

  constructor(bytes: Uint8Array, kind: 'xdp' | 'skb', fields: Readonly<Record<string, number>>) {
    this.bytes = bytes
    this.kind = kind
    this.fields = fields
  }
}

/** Offsets of the fields of four bytes; `data` and `data_end` read as pointers, as the verifier makes them. */
const packetContexts = {
  xdp: { size: 24, fields: { data: 0, data_end: 4, data_meta: 8, ingress_ifindex: 12, rx_queue_index: 16, egress_ifindex: 20 } },
  skb: {
    size: 192,
    fields: {
      len: 0, pkt_type: 4, mark: 8, queue_mapping: 12, protocol: 16, vlan_present: 20, vlan_tci: 24, vlan_proto: 28, priority: 32,
      ingress_ifindex: 36, ifindex: 40, tc_index: 44, hash: 68, tc_classid: 72, data: 76, data_end: 80, napi_id: 84, family: 88,
    },
  },
} as const satisfies Record<string, { size: number; fields: Record<string, number> }>

export function packet(bytes: Uint8Array, kind: 'xdp' | 'skb' = 'skb', fields: Readonly<Record<string, number>> = {}): Packet {
  for (const field of Object.keys(fields)) {
    if (!(field in packetContexts[kind].fields)) throw new FixtureError(`${kind}: there is no field '${field}'`)
  }
  return new Packet(bytes, kind, fields)
}

/**
 * What a program is fired with: arguments of the hook, fields of a tracepoint's record, the bytes of its context, or a packet.
 */
export type Context = readonly FieldValue[] | Fields | Uint8Array | Packet

/** Lays contexts out; the region of each program is used again. */
export class ContextMemory {
  readonly #memory: Memory
  readonly #objects: ObjectMemory
  readonly #regions = new Map<string, Region>()
  readonly #prototypes = new Map<string, readonly Parameter[] | null>()
  readonly #btf: Btf | null
  readonly #formats: Readonly<Record<string, TracepointFormat>>

  constructor(memory: Memory, objects: ObjectMemory, btf: Btf | null, formats: Readonly<Record<string, TracepointFormat>>) {
    this.#formats = formats
    this.#memory = memory
    this.#objects = objects
    this.#btf = btf
  }

  /** The region of the context, and of the packet if there is one. */
  place(program: ProgramSpec, context: Context): { region: Region; packet: Region | null } {
    if (context instanceof Packet) return this.#packet(context)
    if (context instanceof Uint8Array) {
      const region = this.#region(program.name, context.length, READ)
      this.#memory.bytes(region).set(context)
      return { region, packet: null }
    }
    return {
      region: Array.isArray(context) ? this.#arguments(program, context) : this.#record(program, context as Fields), packet: null,
    }
  }

  /** The record of a tracepoint; fields that are not given cannot be read. */
  #record(program: ProgramSpec, fields: Fields): Region {
    const { attach } = program
    const format = attach.kind === 'tracepoint' ? this.#formats[`${attach.category}/${attach.name}`] : undefined
    if (format === undefined) {
      throw new FixtureError(
        `program '${program.name}': fields need the format of a tracepoint; give simulate() formats: { 'category/name': … }, or arguments as an array`,
      )
    }
    const record = layRecord(format, fields, (text, user) => this.#objects.text(text, user))
    const region = this.#region(program.name, record.bytes.length, READ | SHADOWED, { describe: record.describe })
    const at = this.#memory.start(region)
    this.#memory.u8.set(record.bytes, at)
    this.#memory.shadow.set(record.set, at)
    return region
  }

  #region(name: string, size: number, flags: number, more: Partial<Region> = {}): Region {
    const known = this.#regions.get(name)
    if (known !== undefined && this.#memory.size(known) === size) return known
    const region = this.#memory.add({ kind: 'context', name: 'the context', size, flags, ...more })
    if (known !== undefined) this.#memory.release(known)
    this.#regions.set(name, region)
    return region
  }

  #arguments(program: ProgramSpec, values: readonly FieldValue[]): Region {
    const parameters = this.#parameters(program)
    if (parameters !== null && values.length > parameters.length) {
      throw new FixtureError(
        `${program.attach.kind} '${program.attach.name}' has ${parameters.length} arguments (${parameters.map(({ name }) => name).join(', ')}), not ${values.length}`,
      )
    }
    if (argumentPlaces(program.attach) === 'registers') return this.#registers(program, values, parameters)
    const count = parameters?.length ?? values.length
    const region = this.#region(program.name, count * 8, READ | SHADOWED, {
      describe: (offset) => `argument ${offset >> 3}${parameters === null ? '' : ` (${parameters[offset >> 3]?.name})`}`,
    })
    const first = this.#memory.start(region) >> 2
    for (let index = 0; index < count; index++) {
      const word = first + index * 2
      // Taken anew each time: laying out an argument may move the arena.
      const { shadow32 } = this.#memory
      shadow32[word] = shadow32[word + 1] = index < values.length ? 0x0101_0101 : 0
      if (index < values.length) this.#put(word, values[index]!, parameters?.[index], index)
    }
    return region
  }

  /** Arguments in struct pt_regs, as kprobes and uprobes find them on x86-64; other registers are not set. */
  #registers(program: ProgramSpec, values: readonly FieldValue[], parameters: readonly Parameter[] | null): Region {
    const places = isReturn(program.attach) ? [registerContext.result] : registerContext.arguments
    if (values.length > places.length) {
      throw new FixtureError(`program '${program.name}': ${values.length} arguments do not fit the ${places.length} registers for them`)
    }
    const region = this.#region(program.name, registerContext.size, READ | SHADOWED, { describe: registerName })
    const start = this.#memory.start(region)
    this.#memory.shadow.fill(0, start, start + registerContext.size)
    values.forEach((value, index) => {
      const at = start + places[index]!
      this.#memory.shadow.fill(1, at, at + 8)
      this.#put(at >> 2, value, parameters?.[index], index)
    })
    return region
  }

  /**
   * Writes an argument; `word` counts words of four bytes in the arena. Objects and small numbers take no detour over bigints.
   */
  #put(word: number, value: FieldValue, parameter: Parameter | undefined, index: number): void {
    let low = 0
    let high = 0
    if (value instanceof KernelObject) {
      low = BASE
      high = this.#objects.upperOf(value)
    } else if (typeof value === 'boolean') low = value ? 1 : 0
    else if (typeof value === 'number' && (value | 0) === value) {
      low = value
      high = value < 0 ? -1 : 0
    } else {
      const whole = this.#argument(value, parameter, index)
      low = Number(BigInt.asIntN(32, whole))
      high = Number(BigInt.asIntN(32, whole >> 32n))
    }
    this.#memory.i32[word] = low
    this.#memory.i32[word + 1] = high
  }

  #argument(value: FieldValue, parameter: Parameter | undefined, index: number): bigint {
    if (typeof value === 'number' || typeof value === 'bigint') return BigInt.asUintN(64, BigInt(value))
    const btf = this.#btf
    if (btf === null || parameter === undefined) {
      if (value instanceof KernelObject || value instanceof MemberAddress || value === null || typeof value === 'string'
        || value instanceof Uint8Array) {
        return this.#objects.pointer(undefined as unknown as Btf, 0, value, `argument ${index}`)
      }
      throw new FixtureError(
        `argument ${index}: fields alone need the BTF of the hook; give simulate() a btf, or a kernelObject()`,
      )
    }
    const type = btf.type(btf.resolve(parameter.type))
    if (type.kind !== 'ptr') throw new FixtureError(`argument ${index} (${parameter.name}) is a number`)
    return this.#objects.pointer(btf, type.type, value, `argument ${index} (${parameter.name})`)
  }

  #parameters({ name, attach }: ProgramSpec): readonly Parameter[] | null {
    if (this.#btf === null) return null
    let found = this.#prototypes.get(name)
    if (found === undefined) this.#prototypes.set(name, (found = parametersOf(this.#btf, attach)))
    return found
  }

  #packet(fixture: Packet): { region: Region; packet: Region } {
    const { bytes, kind, fields } = fixture
    const layout = packetContexts[kind]
    const data = this.#memory.add({ kind: 'packet', name: 'the packet', size: bytes.length, flags: READ | WRITE })
    this.#memory.bytes(data).set(bytes)
    const { data: start, data_end: end } = layout.fields
    const special = (offset: number, size: number): bigint | null => {
      if (size !== 4) return null
      if (offset === start) return this.#memory.address(data)
      return offset === end ? this.#memory.address(data, bytes.length) : null
    }
    const region = this.#memory.add({
      kind: 'context', name: `the context (${kind === 'xdp' ? 'xdp_md' : '__sk_buff'})`, size: layout.size, flags: READ | WRITE | SPECIAL, special,
    })
    const at = this.#memory.start(region)
    const set: Record<string, number> = kind === 'skb' ? { len: bytes.length, ...fields } : fields
    for (const [field, value] of Object.entries(set)) this.#memory.putWord(
      at + (layout.fields as Record<string, number>)[field]!, value,
    )
    return { region, packet: data }
  }
}
