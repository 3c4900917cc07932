import type { Block, IrFunction, StackSlot, Value } from '../../compiler/ir/ir.ts'
import type { CheckedProbe, VariableInfo } from '../check/context.ts'
import type { Target } from '../environment.ts'
import type { Span } from '../source.ts'
import { alignOf, sizeOf, type Type } from '../types/type.ts'
import { GenerateError, lostName, ringName, scratchName, type Generation } from './generation.ts'
import { FunctionWriter, pointerType, word } from './writer.ts'

/** Scalars that live on the stack; those beyond live in scratch memory. */
const mostScalars = 30
/** Bytes of a value that may be made on the stack. */
export const onStack = 48
const mostScratch = 32 * 1024 - 64
/** Slots at the beginning of the frame that all functions of a program share. */
export const contextSlot = 0
export const stoppedSlot = 8
const firstVariable = 16

/** Where a variable lives. */
export type Home = { in: 'frame'; offset: number } | { in: 'scratch'; offset: number }

/** What each function of a program has at hand: its own registers for what they all share. */
interface Frame {
  f: FunctionWriter
  /** Address of the shared frame on the stack of the program. */
  shared: Value | null
  scratch: Value
  entry: Block
  usesScratch: boolean
  /** Where `return` and `exit` go. */
  leave: () => void
  loops: { breaks: () => void; continues: () => void }[]
}

/** Writes one program, with the functions that helpers call back for its loops. */
export class ProgramWriter {
  readonly generation: Generation
  readonly probe: CheckedProbe
  readonly target: Target
  readonly name: string
  readonly functions: IrFunction[] = []
  /** Index of the program's own part of the scratch map. */
  readonly index: number
  scratchSize = 0
  /** Variables that loops change: they live where the verifier does not follow their values. */
  readonly changing = new Set<VariableInfo>()
  #scratchTop = 0
  readonly #homes = new Map<number, Home>()
  readonly #order: VariableInfo[] = []
  readonly #sharedSlot: StackSlot
  #sharedSize = firstVariable
  #frame!: Frame
  #callbacks = 0

  constructor(generation: Generation, probe: CheckedProbe, target: Target, name: string, index: number) {
    this.generation = generation
    this.probe = probe
    this.target = target
    this.name = name
    this.index = index
    this.#sharedSlot = { id: 0, size: 0, align: 8, name: 'variables' }
  }

  get f(): FunctionWriter { return this.#frame.f }
  get frame(): Frame { return this.#frame }

  at(span: Span): void {
    this.f.span = this.generation.span(span)
  }

  fail(message: string, span: Span): never {
    throw new GenerateError(message, span)
  }

  /** The program itself: `body` writes what it does. */
  main(span: Span, body: () => void): void {
    const f = new FunctionWriter(this.name, this.generation.span(span))
    const slot = f.slot(8, 'variables')
    Object.assign(this.#sharedSlot, { id: slot.id })
    f.ir.slots[0] = this.#sharedSlot
    const context = f.argument(1, pointerType('context'), 'ctx')
    this.#context = context
    const first = f.block()
    this.#frame = {
      f, shared: null, scratch: f.value(pointerType('mapValue'), 'scratch'), entry: f.current, usesScratch: false, loops: [],
      leave: () => f.return(f.number(0)),
    }
    f.start(first)
    body()
    f.return(f.number(0))
    this.#finish(first, (entry) => {
      Object.assign(this.#sharedSlot, { size: this.#sharedSize })
      const zero = entry.number(0)
      if (this.#callbacks > 0) entry.store(entry.stack(this.#sharedSlot, contextSlot), 0, 8, context)
      else entry.store(entry.stack(this.#sharedSlot, contextSlot), 0, 8, zero)
      for (let at = stoppedSlot; at < this.#sharedSize; at += 8) entry.store(entry.stack(this.#sharedSlot, at), 0, 8, zero)
    })
  }

  #context!: Value

  /** The program's context; inside loops it is kept in the shared frame. */
  get context(): Value {
    const { shared, f } = this.#frame
    return shared === null ? this.#context : f.load(shared, contextSlot, 8, false, pointerType('context'))
  }

  /** A function that a helper calls for each turn of a loop. Gives its name; `arguments` are its registers but the last, which is the frame. */
  callback(span: Span, count: 1 | 3, body: (args: Value[]) => void): string {
    const outer = this.#frame
    const name = `${this.name}_${++this.#callbacks}`
    const f = new FunctionWriter(name, this.generation.span(span))
    const args = count === 1 ? [f.argument(1, word, 'index')]
      : [
        f.argument(1, pointerType('map'), 'map'), f.argument(2, pointerType('mapValue'), 'key'), f.argument(3, pointerType('mapValue'), 'value'),
      ]
    const shared = f.argument((count + 1) as 2 | 4, pointerType('stack'), 'variables')
    const first = f.block()
    this.#frame = {
      f, shared, scratch: f.value(pointerType('mapValue'), 'scratch'), entry: f.current, usesScratch: false,
      leave: () => {
        f.store(shared, stoppedSlot, 8, f.number(1))
        f.return(f.number(1))
      },
      loops: [{ breaks: () => f.return(f.number(1)), continues: () => f.return(f.number(0)) }],
    }
    f.start(first)
    body(args)
    f.return(f.number(0))
    this.#finish(first, () => {})
    this.#frame = outer
    return name
  }

  /** Address of the shared frame, to be handed to a helper that calls back. */
  sharedAddress(): Value {
    return this.#frame.shared ?? this.f.stack(this.#sharedSlot)
  }

  /** Leaves the program if something inside the loop did. */
  leaveIfStopped(): void {
    const stopped = this.loadShared(stoppedSlot)
    this.f.when('ne', stopped, this.f.number(0), () => this.#frame.leave())
  }

  loadShared(offset: number, signed = false): Value {
    const { shared, f } = this.#frame
    return shared === null ? f.load(
      f.stack(this.#sharedSlot, offset), 0, 8, signed, word,
    ) : f.load(shared, offset, 8, signed, word)
  }

  storeShared(offset: number, value: Value): void {
    const { shared, f } = this.#frame
    if (shared === null) f.store(f.stack(this.#sharedSlot, offset), 0, 8, value)
    else f.store(shared, offset, 8, value)
  }

  /** Ends the entry block, which could not be known before: the scratch memory is looked up there if anything needs it. */
  #finish(first: Block, before: (f: FunctionWriter) => void): void {
    const { f, entry, usesScratch, scratch } = this.#frame
    const { span } = f
    f.resume(entry)
    before(f)
    if (usesScratch) {
      const slot = f.slot(8, 'key')
      f.store(f.stack(slot), 0, 8, f.number(0))
      f.store(f.stack(slot), 0, 4, f.number(this.index))
      const found = f.call('map_lookup_elem', [f.map(scratchName), f.stack(slot)], pointerType('mapValue', true))
      const there = f.block()
      const missing = f.block()
      f.branch('ne', found, f.number(0), there, missing)
      f.start(missing)
      f.return(f.number(0))
      f.start(there)
      f.add({ op: 'refine', out: scratch, value: found, span })
    }
    f.jump(first)
    // The entry's blocks come first: what they define is used everywhere.
    const { blocks } = f.ir
    const at = blocks.indexOf(entry)
    const added = blocks.splice(blocks.length - (usesScratch ? 2 : 0), usesScratch ? 2 : 0)
    blocks.splice(at + 1, 0, ...added)
    this.functions.push(f.ir)
  }

  get scratch(): Value {
    this.#frame.usesScratch = true
    return this.#frame.scratch
  }

  /** Memory for as long as the statement lasts: on the stack if small. */
  temporary(size: number, name: string, align = 8): { base: Value; offset: number } {
    if (size <= onStack) {
      const base = this.f.stack(this.f.slot(Math.max(8, size), name))
      return { base, offset: 0 }
    }
    return { base: this.scratch, offset: this.#reserve(size, align) }
  }

  #reserve(size: number, align: number): number {
    const at = Math.ceil(this.#scratchTop / Math.max(8, align)) * Math.max(8, align)
    this.#scratchTop = at + Math.ceil(size / 8) * 8
    this.scratchSize = Math.max(this.scratchSize, this.#scratchTop)
    if (this.scratchSize > mostScratch) {
      throw new GenerateError(
        `the probe needs ${this.scratchSize} bytes of memory for its strings; at most ${mostScratch} are there. Use shorter strings (max_strlen)`, this.probe.probe.span,
      )
    }
    return at
  }

  /** What a statement took of scratch memory is free after it. */
  statement(run: () => void): void {
    const top = this.#scratchTop
    run()
    this.#scratchTop = Math.max(top, this.#variablesEnd)
  }

  #variablesEnd = 0

  /** Variables keep their scratch memory for the whole program: their homes come before all else. */
  home(info: VariableInfo): Home {
    let home = this.#homes.get(info.id)
    if (home !== undefined) return home
    const scalar = isScalar(info.type)
    if (scalar && !this.changing.has(info) && this.#order.length < mostScalars) {
      home = { in: 'frame', offset: this.#sharedSize }
      this.#sharedSize += 8
      this.#order.push(info)
    } else {
      home = { in: 'scratch', offset: this.#reserve(Math.max(8, sizeOf(info.type)), alignOf(info.type)) }
      this.#variablesEnd = Math.max(this.#variablesEnd, this.#scratchTop)
    }
    this.#homes.set(info.id, home)
    return home
  }

  /** A word of the shared frame, for the generator itself. */
  sharedWord(): number {
    const at = this.#sharedSize
    this.#sharedSize += 8
    return at
  }

  ring(): string { return ringName }
  lost(): string { return lostName }
}

/** Whether values of the type are kept in one register. */
export function isScalar(type: Type): boolean {
  switch (type.kind) {
    case 'int': case 'bool': case 'enum': case 'pointer': case 'ksym': case 'timestamp': case 'username': case 'cgroupPath': case 'none': case 'word': case 'float': return true
    default: return false
  }
}
