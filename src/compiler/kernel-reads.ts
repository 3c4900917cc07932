import type { Btf } from '../btf/btf.ts'
import type { Block, CoreReference, IrFunction, Op, Value } from './ir/ir.ts'
import { fieldTypeOf, type FieldType } from './kernel-field.ts'
import type { CompiledTarget } from './language/programs.ts'
import type { LocalTypes } from './lower/local-types.ts'

/** An argument of the hook by its index, or the task that runs the program. */
export type ReadRoot = number | 'current'

/** Fields of one struct, embedded ones included, up to the next pointer. The struct is named since programs cast. */
export interface ReadHop { readonly struct: string; readonly fields: readonly string[] }

/** One field of the kernel that a program reads. */
export interface KernelRead {
  readonly hops: readonly ReadHop[]
  /** The names of all hops: ['cgroups', 'dfl_cgrp', 'kn', 'id']; empty for what an argument points to itself. */
  readonly path: readonly string[]
  readonly type: FieldType
}

export interface HookReads {
  readonly hook: CompiledTarget
  readonly roots: Map<ReadRoot, KernelRead[]>
}

/** Where a value comes from. `inside`: it is an address within the object that the hops lead to. */
interface Trail { readonly root: ReadRoot; readonly hops: readonly ReadHop[]; readonly inside: ReadHop | null }

/** Loops that walk lists would make endless paths. */
const mostHops = 8
const mostTrails = 32

/**
 * What kernel fields the programs of a module read, by hook: give `observe` to compileModule(). Roots are the hook's arguments
 * and the current task; each load with a CO-RE reference is one step further.
 */
export class KernelReads {
  readonly hooks = new Map<string, HookReads>()
  /** What is read but has no name: elements of arrays of structs, pointers of unnamed types. */
  readonly nameless = new Set<string>()
  readonly #btf: Btf

  constructor(btf: Btf) {
    this.#btf = btf
  }

  readonly observe = (hook: CompiledTarget, ir: IrFunction, types: LocalTypes): void => {
    const key = `${hook.kind === 'tp_btf' || hook.kind === 'raw_tp' ? 'tracepoint' : JSON.stringify(hook)}/${hook.name}`
    const known = this.hooks.get(key)
    if (known === undefined) this.hooks.set(key, { hook, roots: new Map() })
    new Walk(ir, types, (root, hops, textLength) => this.#note(this.hooks.get(key)!, ir.name, root, hops, textLength)).run()
  }

  #note({ roots }: HookReads, program: string, root: ReadRoot, hops: readonly ReadHop[], textLength: number | null): void {
    const type = textLength === null ? fieldTypeOf(this.#btf, hops.at(-1)) : { kind: 'text', length: textLength } as const
    const path = hops.flatMap(({ fields }) => fields)
    if (type === null) {
      this.nameless.add(`${program}: ${path.join('.')}`)
      return
    }
    const reads = roots.get(root) ?? []
    roots.set(root, reads)
    const at = reads.findIndex((read) => sameHops(read.hops, hops))
    if (at < 0) reads.push({ hops, path, type })
    else reads[at] = { hops, path, type: wider(reads[at]!.type, type) }
  }
}

function sameHops(a: readonly ReadHop[], b: readonly ReadHop[]): boolean {
  return a.length === b.length && a.every(({ struct, fields }, index) => struct === b[index]!.struct && fields.join('.') === b[index]!.fields.join('.'))
}

/** A pointer that is also read as text is text, of the longest length asked for. */
function wider(a: FieldType, b: FieldType): FieldType {
  if (a.kind !== 'text') return b.kind === 'text' ? b : a
  return b.kind === 'text' && b.length > a.length ? b : a
}

type Note = (root: ReadRoot, hops: readonly ReadHop[], textLength: number | null) => void

/** One program's IR, walked until nothing new is found. */
class Walk {
  readonly #ir: IrFunction
  readonly #types: LocalTypes
  readonly #note: Note
  readonly #trails = new Map<number, Map<string, Trail>>()
  /** Stack slots that probe reads filled, and addresses of slots. */
  readonly #slots = new Map<number, Map<string, Trail>>()
  readonly #slotOf = new Map<number, number>()
  readonly #constants = new Map<number, bigint>()
  #context: number | null = null
  #changed = true

  constructor(ir: IrFunction, types: LocalTypes, note: Note) {
    this.#ir = ir
    this.#types = types
    this.#note = note
  }

  run(): void {
    while (this.#changed) {
      this.#changed = false
      for (const block of this.#ir.blocks) this.#block(block)
    }
  }

  #block({ ops, terminator }: Block): void {
    for (const op of ops) this.#op(op)
    const edges = terminator.op === 'jump' ? [terminator.edge] : terminator.op === 'branch' ? [terminator.then, terminator.else] : []
    for (const { target, args } of edges) {
      target.params.forEach((param, index) => { for (const trail of this.#of(args[index]!)) this.#add(param, trail) })
    }
  }

  #of(value: Value): Iterable<Trail> {
    return this.#trails.get(value.id)?.values() ?? []
  }

  #add(value: Value, trail: Trail): void {
    this.#put(this.#trails, value.id, trail)
  }

  #put(into: Map<number, Map<string, Trail>>, id: number, trail: Trail): void {
    let known = into.get(id)
    if (known === undefined) into.set(id, known = new Map())
    const key = JSON.stringify([trail.root, trail.hops, trail.inside])
    if (known.has(key) || known.size >= mostTrails || trail.hops.length > mostHops) return
    known.set(key, trail)
    this.#changed = true
  }

  #op(op: Op): void {
    switch (op.op) {
      case 'const': this.#constants.set(op.out.id, op.value); return
      case 'context': this.#context = op.out.id; return
      case 'stackAddress': if (op.offset === 0) this.#slotOf.set(op.out.id, op.slot.id); return
      case 'refine': for (const trail of this.#of(op.value)) this.#add(op.out, trail); return
      case 'offset':
        for (const trail of this.#of(op.pointer)) {
          const inside = op.core === undefined ? trail.inside : this.#step(trail.inside, op.core)
          if (inside !== null) this.#add(op.out, { ...trail, inside })
        }
        return
      case 'binary':
        // An element whose index is not known: the whole array is read.
        if (op.operator === 'add') for (const trail of this.#of(op.left)) if (trail.inside !== null) this.#add(op.out, trail)
        return
      case 'load': return this.#load(op)
      case 'call': return this.#call(op)
      default:
    }
  }

  #load(op: Op & { op: 'load' }): void {
    if (op.pointer.id === this.#context) {
      if (op.offset % 8 === 0 && op.out.type.kind === 'pointer') this.#add(op.out, { root: op.offset / 8, hops: [], inside: null })
      return
    }
    const slot = this.#slotOf.get(op.pointer.id)
    if (slot !== undefined && op.offset === 0) for (const trail of this.#slots.get(slot)?.values() ?? []) this.#add(op.out, trail)
    for (const trail of this.#of(op.pointer)) {
      const hop = op.core === undefined ? trail.inside : this.#step(trail.inside, op.core)
      if (hop !== null) this.#add(op.out, this.#read(trail, hop))
    }
  }

  #call(op: Op & { op: 'call' }): void {
    if (op.name === 'get_current_task_btf' || op.name === 'get_current_task') this.#add(op.out!, { root: 'current', hops: [], inside: null })
    if (op.name !== 'probe_read_kernel' && op.name !== 'probe_read_kernel_str') return
    const [target, size, source] = op.args as [Value, Value, Value]
    const length = Number(this.#constants.get(size.id) ?? 0n)
    const slot = this.#slotOf.get(target.id)
    for (const trail of this.#of(source)) {
      if (trail.inside !== null) {
        const read = this.#read(trail, trail.inside)
        if (slot !== undefined) this.#put(this.#slots, slot, read)
      } else if (op.name === 'probe_read_kernel_str' && length > 0) this.#note(trail.root, trail.hops, length)
    }
  }

  /** A field was read: what it holds leads further if it is a pointer. */
  #read({ root, hops }: Trail, hop: ReadHop): Trail {
    const all = [...hops, hop]
    if (all.length <= mostHops) this.#note(root, all, null)
    return { root, hops: all, inside: null }
  }

  /** The fields that a CO-RE reference names; null for a struct without a name. */
  #step(inside: ReadHop | null, core: CoreReference): ReadHop | null {
    const root = this.#types.structs[core.type]!
    const fields: string[] = []
    let at: { kind: string; struct?: number; element?: unknown } = { kind: 'struct', struct: core.type }
    for (const index of core.access.split(':').slice(1).map(Number)) {
      if (at.kind === 'array') {
        at = at.element as typeof at
        // A word of a char array, or one element of another: the field is the whole array.
        if (at.kind === 'struct') return null
        break
      }
      const member = this.#types.structs[at.struct!]!.members[index]!
      fields.push(member.name)
      at = member.type as typeof at
    }
    if (inside !== null) return { struct: inside.struct, fields: [...inside.fields, ...fields] }
    return root.name === '' ? null : { struct: root.name, fields }
  }
}
