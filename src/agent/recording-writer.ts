import type { StructSchema } from '../spec/schema.ts'
import type { ObjectChange, RecordedTask, RecordedValue } from '../vm/recording.ts'
import type { HookPlan, RecordedArgument, RecordedField, RecordedObject, Secret } from './recorder-plan.ts'
import type { Redaction } from './redaction.ts'

/** Addresses of the kernel are all above this; errno values and small negative numbers lie higher still. */
const firstKernelAddress = 0xffff_8000_0000_0000n
const lastKernelAddress = 0xffff_ffff_fff0_0000n
/** Addresses of processes: of libraries, stacks and programs that are placed at random. */
const firstUserAddress = 0x5500_0000_0000n
const lastUserAddress = 0x8000_0000_0000n

/** Makes the lines of a recording of the ring's records: numbers for addresses, only what changed of objects, secrets replaced. */
export class RecordingWriter {
  readonly #plans: readonly HookPlan[]
  readonly #offsets: Map<string, number>[]
  readonly #redaction: Redaction
  readonly #redacted: boolean
  /** Tasks outside of a scope look idle: what they did between two events is not recorded. */
  readonly #hasScope: boolean
  readonly #numbers = new Map<bigint, number>()
  /** Object and struct → field → what was written last. */
  readonly #written = new Map<string, Map<string, string>>()
  readonly #tasks = new Map<number, string>()
  #last: number
  events = 0
  /** Of the last event. */
  get time(): number { return this.#last }

  constructor(plans: readonly HookPlan[], redaction: Redaction, { redacted, hasScope }: { redacted: boolean; hasScope: boolean }, clock: number) {
    this.#plans = plans
    this.#offsets = plans.map(({ record }) => offsetsOf(record))
    this.#redaction = redaction
    this.#redacted = redacted
    this.#hasScope = hasScope
    this.#last = clock
  }

  line(bytes: Uint8Array): string {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const hook = view.getUint32(0, true)
    const plan = this.#plans[hook]!
    const at = this.#offsets[hook]!
    const reader = new RecordReader(view, bytes, (field) => at.get(field)!)
    const now = Math.max(this.#last, Number(reader.u64('at')))
    const after = now - this.#last
    this.#last = now
    this.events++
    const scope = reader.u32('scope')
    const changes: ObjectChange[] = []
    const current = this.#object(plan.current, reader, (scope & 1) !== 0, changes)
    const args = plan.arguments.map((one, index) => this.#argument(one, reader, (scope & 2 ** (index + 1)) !== 0, changes))
    const isOutside = this.#hasScope && (scope & 1) === 0
    const task: RecordedTask = [
      isOutside ? 0 : reader.u32('pid'), isOutside ? 0 : reader.u32('tid'), number(reader.u64('cgroup')), this.#redaction.text(reader.text('comm', 16), 'comm', (scope & 1) !== 0), current,
    ]
    const cpu = reader.u32('cpu')
    const known = JSON.stringify(task)
    const same = this.#tasks.get(cpu) === known
    this.#tasks.set(cpu, known)
    const event = [hook, after, cpu, same ? 0 : task, args]
    return JSON.stringify(changes.length === 0 ? event : [...event, changes])
  }

  #argument(one: RecordedArgument, reader: RecordReader, inScope: boolean, changes: ObjectChange[]): RecordedValue {
    if (one.kind === 'object') return this.#object(one.object, reader, inScope, changes)
    const value = this.#value({ field: one.field, type: one.type, secret: one.kind === 'text' ? 'text' : null }, reader, inScope)
    if (one.kind === 'number' && one.type.kind === 'int' && one.type.size === 8 && this.#redacted) {
      const whole = BigInt(value as number | string)
      // What mmap() returned, for one, would tell where a process's libraries are.
      if (whole >= firstUserAddress && whole < lastUserAddress) return 4096
    }
    return value
  }

  /** Gives the object's number; 0 for null. */
  #object(plan: RecordedObject, reader: RecordReader, inScope: boolean, changes: ObjectChange[]): number {
    const id = this.#identity(reader.u64(plan.field))
    if (id === 0) return 0
    const own = inScope && plan.own
    const byStruct = new Map<string, Record<string, RecordedValue>>()
    const put = (struct: string, name: string, value: RecordedValue) => {
      const key = `${id} ${struct}`
      let written = this.#written.get(key)
      if (written === undefined) this.#written.set(key, written = new Map())
      const text = JSON.stringify(value)
      if (written.get(name) === text) return
      written.set(name, text)
      let fields = byStruct.get(struct)
      if (fields === undefined) byStruct.set(struct, fields = {})
      fields[name] = value
    }
    const isOutside = this.#hasScope && plan.own && !inScope && plan.struct === 'task_struct'
    for (const field of plan.fields) {
      const idle = isOutside && (field.name === 'pid' || field.name === 'tgid')
      put(field.struct, field.name, idle ? 0 : this.#value(field, reader, own))
    }
    for (const { struct, name, object } of plan.pointers) put(struct, name, this.#object(object, reader, inScope, changes))
    for (const [struct, fields] of byStruct) changes.push([id, struct, fields])
    return id
  }

  #identity(address: bigint): number {
    if (address === 0n) return 0
    let id = this.#numbers.get(address)
    if (id === undefined) this.#numbers.set(address, id = this.#numbers.size + 1)
    return id
  }

  #value({ field, type, secret }: Pick<RecordedField, 'field' | 'type'> & { secret: Secret | null }, reader: RecordReader, inScope: boolean): RecordedValue {
    switch (type.kind) {
      case 'int': {
        const size = type.bits === undefined ? type.size : 8
        const value = reader.int(field, size, type.signed)
        if (secret === 'ip4') return this.#redaction.ip4(Number(BigInt.asUintN(32, value)))
        const unsigned = BigInt.asUintN(64, value)
        if (size === 8 && unsigned >= firstKernelAddress && unsigned < lastKernelAddress) return this.#identity(unsigned)
        return number(value)
      }
      case 'chars': case 'text': return this.#redaction.text(reader.text(field, type.length), secret ?? 'text', inScope)
      case 'bytes': {
        const bytes = reader.bytes(field, type.length)
        return Buffer.from(secret === 'ip6' ? this.#redaction.ip6(bytes) : bytes).toString('hex')
      }
      case 'array': return reader.array(field, type)
      case 'pointer': return this.#identity(reader.u64(field))
    }
  }
}

function offsetsOf(record: StructSchema<any>): Map<string, number> {
  return new Map(record.fields.map(({ name, offset }) => [name, offset]))
}

function number(value: bigint): number | string {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)
}

/** One record of the ring; 64-bit numbers stay exact, which addresses need. */
class RecordReader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  readonly #at: (field: string) => number

  constructor(view: DataView, bytes: Uint8Array, at: (field: string) => number) {
    this.#view = view
    this.#bytes = bytes
    this.#at = at
  }

  u32(field: string): number { return this.#view.getUint32(this.#at(field), true) }
  u64(field: string): bigint { return this.#view.getBigUint64(this.#at(field), true) }
  bytes(field: string, length: number): Uint8Array { return this.#bytes.slice(this.#at(field), this.#at(field) + length) }

  int(field: string, size: number, signed: boolean, offset = 0): bigint {
    const at = this.#at(field) + offset
    switch (size) {
      case 1: return BigInt(signed ? this.#view.getInt8(at) : this.#view.getUint8(at))
      case 2: return BigInt(signed ? this.#view.getInt16(at, true) : this.#view.getUint16(at, true))
      case 4: return BigInt(signed ? this.#view.getInt32(at, true) : this.#view.getUint32(at, true))
      default: return signed ? this.#view.getBigInt64(at, true) : this.#view.getBigUint64(at, true)
    }
  }

  array(field: string, { size, signed, length }: { size: number; signed: boolean; length: number }): number[] {
    return Array.from({ length }, (_, index) => Number(this.int(field, size, signed, index * size)))
  }

  text(field: string, length: number): string {
    const bytes = this.bytes(field, length)
    const end = bytes.indexOf(0)
    return Buffer.from(bytes.subarray(0, end < 0 ? length - 1 : end)).toString('latin1')
  }
}
