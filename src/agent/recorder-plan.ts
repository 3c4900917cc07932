import type { Btf } from '../btf/btf.ts'
import { fieldPlaceOf, typeOf, type FieldType } from '../compiler/kernel-field.ts'
import type { HookReads, KernelRead, ReadHop } from '../compiler/kernel-reads.ts'
import { parametersOf } from '../vm/hook-arguments.ts'
import { bytes, chars, i16, i32, i64, i8, struct, u16, u32, u64, u8, type Schema, type StructSchema } from '../spec/schema.ts'

/** What must not be in a file as it is. */
export type Secret = 'comm' | 'text' | 'ip4' | 'ip6'

/** A field of a kernel object that is recorded; `field`: its name in the ring's record. */
export interface RecordedField { readonly field: string; readonly struct: string; readonly name: string; readonly type: FieldType; readonly bitOffset: number; readonly secret: Secret | null }
export interface RecordedPointer { readonly struct: string; readonly name: string; readonly bitOffset: number; readonly object: RecordedObject }

/** A kernel object that an argument leads to. */
export interface RecordedObject {
  /** Name of its address in the ring's record. */
  readonly field: string
  /** What the pointer to it is declared to point to; '' if that is no struct. */
  readonly struct: string
  /** Whether it belongs to the process of the root: then so does its comm. */
  readonly own: boolean
  readonly fields: RecordedField[]
  readonly pointers: RecordedPointer[]
}

export type RecordedArgument = { readonly name: string; readonly type: FieldType } & (
  | { readonly kind: 'number' | 'text'; readonly field: string }
  | { readonly kind: 'object'; readonly object: RecordedObject }
)

/** What one event of a hook holds. */
export interface HookPlan {
  readonly name: string
  readonly arguments: readonly RecordedArgument[]
  readonly current: RecordedObject
  /** The record on the ring. */
  readonly record: StructSchema<any>
}

/** Fields that cannot be made harmless: raw bytes may be anything. */
export type LeftOut = Set<string>

const head = { type: u32, cpu: u32, at: u64, pid: u32, tid: u32, cgroup: u64, scope: u32, comm: chars(16) } satisfies Record<string, Schema>

/** What to record of a hook, for programs that read this of it. `redacted`: leave out what cannot be made harmless. */
export function planHook(btf: Btf, { hook, roots }: HookReads, redacted: boolean, leftOut: LeftOut): HookPlan | null {
  // Raw tracepoints: what other hooks are given is not recorded.
  const parameters = hook.kind === 'tp_btf' || hook.kind === 'raw_tp' ? parametersOf(btf, hook) : null
  if (parameters === null) return null
  const schema: Record<string, Schema> = { ...head }
  const planner = new Planner(btf, schema, redacted, leftOut)
  const recorded = parameters.map(({ name: given, type }, index): RecordedArgument | null => {
    // Not every kernel names the arguments.
    const name = given || `arg${index}`
    const kind = typeOf(btf, btf.resolve(type))
    if (kind?.kind === 'int') return { kind: 'number', name, type: kind, field: planner.field('a', kind) }
    if (kind?.kind !== 'pointer') return null
    const reads = roots.get(index) ?? []
    const text = reads.find((read) => read.hops.length === 0 && read.type.kind === 'text')
    if (text !== undefined) return { kind: 'text', name, type: text.type, field: planner.field('a', text.type) }
    return { kind: 'object', name, type: kind, object: planner.object(kind.struct, reads) }
  })
  if (recorded.includes(null)) return null
  const current = planner.object('task_struct', roots.get('current') ?? [])
  return { name: hook.name, arguments: recorded as RecordedArgument[], current, record: struct(schema) }
}

class Planner {
  readonly #btf: Btf
  readonly #schema: Record<string, Schema>
  readonly #redacted: boolean
  readonly #leftOut: LeftOut

  constructor(btf: Btf, schema: Record<string, Schema>, redacted: boolean, leftOut: LeftOut) {
    this.#btf = btf
    this.#schema = schema
    this.#redacted = redacted
    this.#leftOut = leftOut
  }

  field(letter: string, type: FieldType): string {
    const name = `${letter}${Object.keys(this.#schema).length}`
    this.#schema[name] = schemaOf(type)
    return name
  }

  object(declared: string, reads: readonly KernelRead[]): RecordedObject {
    const root = this.#make(declared, true)
    for (const { hops, type } of reads) this.#insert(root, hops, type)
    return root
  }

  #make(declared: string, own: boolean): RecordedObject {
    return { field: this.field('p', { kind: 'pointer', struct: declared }), struct: declared, own, fields: [], pointers: [] }
  }

  #insert(at: RecordedObject, [hop, ...rest]: readonly ReadHop[], type: FieldType): void {
    if (hop === undefined) return
    const place = fieldPlaceOf(this.#btf, hop)
    if (place === null) return
    const name = hop.fields.join('.')
    const { bitOffset } = place
    if (rest.length > 0 || type.kind === 'pointer') {
      let pointer = at.pointers.find((one) => one.struct === hop.struct && one.name === name)
      if (pointer === undefined) {
        const target = place.type.kind === 'pointer' ? place.type.struct : ''
        pointer = { struct: hop.struct, name, bitOffset, object: this.#make(target, at.own && name === 'group_leader') }
        at.pointers.push(pointer)
      }
      return this.#insert(pointer.object, rest, type)
    }
    const secret = secretOf(hop, type, place.typedef)
    if (this.#redacted && secret === null && (type.kind === 'bytes' || type.kind === 'array')) {
      this.#leftOut.add(`${hop.struct}.${name}`)
      return
    }
    at.fields.push({ field: this.field('v', type), struct: hop.struct, name, type, bitOffset, secret })
  }
}

function secretOf({ struct: of, fields }: ReadHop, type: FieldType, typedef: string): Secret | null {
  if (type.kind === 'chars' || type.kind === 'text') return of === 'task_struct' && fields.at(-1) === 'comm' ? 'comm' : 'text'
  if (type.kind === 'bytes' && type.struct === 'in6_addr') return 'ip6'
  const isAddress = typedef === '__be32' || (type.kind === 'int' && type.size === 4 && /(^|_)[sd]?addr$/.test(fields.at(-1)!))
  return isAddress ? 'ip4' : null
}

const integers = { u1: u8, u2: u16, u4: u32, u8: u64, i1: i8, i2: i16, i4: i32, i8: i64 } as const

function schemaOf(type: FieldType): Schema {
  switch (type.kind) {
    case 'int': return integers[`${type.signed ? 'i' : 'u'}${type.bits === undefined ? type.size : 8}`]
    case 'chars': case 'text': return chars(type.length)
    case 'bytes': return bytes(type.length)
    case 'array': return bytes(type.size * type.length)
    case 'pointer': return u64
  }
}
