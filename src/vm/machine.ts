import { POISON_HELPER } from '../spec/relocate.ts'
import { FRAME_POINTER, type Code } from './code.ts'
import { VmFault } from './fault.ts'
import { interpret } from './interpret.ts'
import type { MapModel } from './maps/map-model.ts'
import { BASE, FIRST, hexadecimal, Memory, READ, SHADOWED, WRITE, type Region } from './memory.ts'
import { sourceOf, type SourceLines } from './lines.ts'
import { instructionText, registersText } from './notation.ts'
import { reads, writes } from './registers.ts'
import { World } from './world.ts'

/** A helper or kfunc: arguments in r1–r5 of `R`, the result in r0; both halves of each. */
export type Helper = (m: Machine, R: Int32Array) => void
export interface HelperModel {
  /** As linux/bpf.h has it, without `bpf_`. */
  readonly name: string
  /** How many arguments it reads. */
  readonly args: number
  /** It may read more than that, depending on what it is given (a format). */
  readonly variadic?: boolean
  readonly run: Helper
}

/** Sees each instruction before it runs. */
export type Watcher = (code: Code, slot: number, R: Int32Array, depth: number) => void

/** Something that must be given back before the program ends. */
export interface Reference { readonly what: string; readonly slot: number }

export interface MachineOptions {
  /** Instructions a run may take: 10 million if not given. */
  budget?: number
  /** Bytes of memory in all: 256 MB if not given. */
  memory?: number
  helpers?: ReadonlyMap<number, HelperModel>
  /** Name of a helper by id, modelled or not. */
  helperName?: (id: number) => string | undefined
  /** The kernel function that an instruction calls: its model, or what to say of it. */
  kernelFunction?: (id: number, code: Code, slot: number) => HelperModel | string
}

export const STACK_BYTES = 512
export const MAX_FRAMES = 8
/** linux/bpf.h: MAX_TAIL_CALL_CNT. */
const MAX_TAIL_CALLS = 33
/** Iterations of may_goto in one run (BPF_MAX_LOOPS). */
const MAX_LOOPS = 8 * 1024 * 1024
const FRAME_WORDS = 9
/** What helpers may move in a run, for each instruction of the budget. */
const BYTES_AN_INSTRUCTION = 64
/** What may have a value when a function of a program begins: r1 to r5 and r10. */
const CALLED = 0b100_0011_1110

/**
 * The state of an eBPF machine, and what programs may ask of it. One run at a time; callbacks, tail calls and calls of the
 * program's own functions nest inside it.
 */
export class Machine {
  readonly memory: Memory
  readonly world = new World()
  /** Maps by the id of the region that stands for the map itself. */
  readonly maps = new Map<number, MapModel>()
  /** Target of tail calls, by map region and index; kept by prog array models. */
  readonly codes: Code[] = []
  /** Instructions that may still run. */
  left = 0
  pc = 0
  depth = -1
  /** The program that runs now, and where its line info is. */
  code: Code | null = null
  packet: Region | null = null
  /** Sees every instruction; slow. */
  watch: Watcher | null = null
  /** What must be released before the end, by address. */
  readonly references = new Map<string, Reference>()
  /** The spin lock that is held. */
  lock: string | null = null
  /** The context of the running hook when it holds arguments, a word each; for get_func_arg. */
  hookArguments: Region | null = null
  readonly budget: number
  readonly lines = new Map<Code, SourceLines>()
  /** What CO-RE relocations did not find, by slot: the program may not get there. */
  readonly absent = new Map<Code, ReadonlyMap<number, string>>()
  readonly #stacks: Region[]
  readonly #settling: MapModel[] = []
  readonly #frames = new Int32Array(MAX_FRAMES * FRAME_WORDS)
  readonly #helpers: (HelperModel | undefined)[] = []
  readonly #options: MachineOptions
  #tailCalls = 0
  /** Bytes that helpers may still move in this run. */
  #bytes = 0
  #loops = 0

  constructor(options: MachineOptions = {}) {
    this.#options = options
    this.budget = options.budget ?? 10_000_000
    this.memory = new Memory(options.memory)
    for (const [id, model] of options.helpers ?? []) this.#helpers[id] = model
    this.#stacks = Array.from({ length: MAX_FRAMES }, (_, index) => this.memory.add({
      kind: 'stack', name: index === 0 ? 'the stack' : `the stack of call ${index}`, size: STACK_BYTES, flags: READ | WRITE | SHADOWED,
      describe: (offset) => `r10${offset - STACK_BYTES}`,
    }))
  }

  /* Running */

  /** Runs a program on a context (null: r1 is 0), with `length` in r2; gives r0. @throws VmFault */
  run(code: Code, context: Region | null, length = 0): bigint {
    if (this.depth !== -1) throw new Error('the machine is running already')
    const R = code.registers
    this.left = this.budget
    this.#bytes = this.budget * BYTES_AN_INSTRUCTION
    this.#tailCalls = 0
    this.#loops = 0
    this.references.clear()
    this.lock = null
    try {
      R[2] = context === null ? 0 : BASE
      R[3] = context === null ? 0 : this.memory.upper(context)
      R[4] = length
      R[5] = 0
      this.#enter(code, 0)
      this.#checkReleased(code)
      const low = BigInt(R[0]! >>> 0)
      return R[1] === 0 ? low : BigInt(R[1]! >>> 0) << 32n | low
    } finally {
      this.depth = -1
      this.code = null
      for (let index = 0; index < this.#settling.length; index++) this.#settling[index]!.settle()
    }
  }

  addMap(map: MapModel): void {
    this.maps.set(map.region.id, map)
    this.#settling.push(map)
  }

  /** Runs a function of the running program, as a helper's callback; r6 to r10 are kept. Gives the low half of r0. */
  callback(low: number, high: number, ...args: readonly (readonly [number, number])[]): number {
    const code = this.code!
    const region = this.memory.region(high - FIRST)
    if (region?.kind !== 'code') throw new VmFault('bad-argument', `${hexadecimal(low, high)} is no function of the program`)
    const R = code.registers
    const kept = R.slice(12, FRAME_POINTER + 2)
    const { pc } = this
    args.forEach(([argumentLow, argumentHigh], index) => {
      R[2 + index * 2] = argumentLow
      R[3 + index * 2] = argumentHigh
    })
    this.#enter(code, low - BASE)
    R.set(kept, 12)
    this.pc = pc
    return R[0]!
  }

  /** Runs a timer's callback(map, key, value) as a run of its own. */
  runCallback(
    code: Code, [low, high]: readonly [number, number], map: MapModel, key: Uint8Array, value: readonly [number, number],
  ): void {
    const keys = this.memory.add(
      { kind: 'memory', name: `a key of map '${map.shape.name}'`, size: map.shape.keySize, flags: READ },
    )
    this.memory.u8.set(key, this.memory.start(keys))
    this.left = this.budget
    this.#bytes = this.budget * BYTES_AN_INSTRUCTION
    this.code = code
    this.references.clear()
    this.lock = null
    try {
      this.callback(low, high, [BASE, this.memory.upper(map.region)], [BASE, this.memory.upper(keys)], value)
      this.#checkReleased(code)
    } finally {
      this.depth = -1
      this.code = null
      this.memory.release(keys)
      for (const each of this.#settling) each.settle()
    }
  }

  #enter(code: Code, slot: number): void {
    this.#deeper()
    this.#openFrame(code.registers)
    this.#execute(code, slot)
    this.depth--
  }

  #deeper(): void {
    if (this.depth + 1 >= MAX_FRAMES) throw new VmFault('call-depth', `calls nest deeper than ${MAX_FRAMES} frames`)
    this.depth++
  }

  #openFrame(R: Int32Array): void {
    const stack = this.#stacks[this.depth]!
    const start = this.memory.start(stack)
    this.memory.shadow.fill(0, start, start + STACK_BYTES)
    R[FRAME_POINTER] = BASE + STACK_BYTES
    R[FRAME_POINTER + 1] = this.memory.upper(stack)
  }

  #execute(code: Code, slot: number): void {
    const outer = this.code
    this.code = code
    this.pc = slot
    try {
      const compiled = this.watch === null && code.safe ? code.compiled?.get(slot) : undefined
      if (compiled !== undefined) compiled()
      else if (this.watch !== null || !code.safe) this.#step(code)
      else if (!interpret(this, code, this.depth, this.left)) this.outOfBudget()
    } catch (error) {
      if (error instanceof VmFault) error.at(this.#place(code))
      throw error
    }
    this.code = outer
  }

  outOfBudget(): never {
    throw new VmFault('budget', `the run took more than ${this.budget} instructions`)
  }

  /** Counts bytes that a helper moves: large copies take time too. */
  spend(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes < 0) {
      throw new VmFault('budget', `helpers moved more than ${this.budget * BYTES_AN_INSTRUCTION} bytes in one run`)
    }
  }

  /** One instruction at a time: for watchers, and for programs that may read a register before it is set. */
  #step(code: Code): void {
    const base = this.depth
    const R = code.registers
    const argumentsOf = (id: number) => this.argumentsOf(id)
    const masks: number[] = []
    let mask = this.pc === 0 ? code.entry : CALLED
    for (;;) {
      const slot = this.pc
      const missing = reads(code, slot, argumentsOf) & ~mask
      if (missing !== 0) {
        throw new VmFault('uninitialised-register', `r${31 - Math.clz32(missing)} is read, which has no value here`)
      }
      this.watch?.(code, slot, R, this.depth)
      const before = this.depth
      const done = interpret(this, code, base, 1)
      if (done) return
      if (this.depth > before) {
        masks.push(mask)
        mask &= CALLED
      } else if (this.depth < before) mask = (masks.pop()! & ~0b11_1110) | 1
      else {
        const { set, lost } = writes(code, slot)
        mask = (mask & ~lost) | set
      }
      if (this.left <= 0) this.outOfBudget()
    }
  }

  /** Opens the frame of a call of the program's own function. */
  push(R: Int32Array, returnTo: number): void {
    const at = (this.depth + 1) * FRAME_WORDS
    this.#deeper()
    this.#frames[at] = returnTo
    for (let index = 0; index < 8; index++) this.#frames[at + 1 + index] = R[12 + index]!
    this.#openFrame(R)
  }

  /** Closes it; gives the slot to go on at. */
  pop(R: Int32Array): number {
    const at = this.depth * FRAME_WORDS
    for (let index = 0; index < 8; index++) R[12 + index] = this.#frames[at + 1 + index]!
    this.closeCall(R)
    return this.#frames[at]!
  }

  /** As push, for compiled code: it keeps r6 to r9 itself. */
  openCall(R: Int32Array): void {
    this.#deeper()
    this.#openFrame(R)
  }

  closeCall(R: Int32Array): void {
    this.depth--
    R[FRAME_POINTER] = BASE + STACK_BYTES
    R[FRAME_POINTER + 1] = this.memory.upper(this.#stacks[this.depth]!)
  }

  /** Arena index of the end of the current frame, where r10 points; it never moves. */
  stackEnd(): number {
    return this.memory.start(this.#stacks[this.depth]!) + STACK_BYTES
  }

  /** Whether the loop has run long enough. */
  mayGoto(): boolean {
    return ++this.#loops > MAX_LOOPS
  }

  /** Runs the target in place of the rest of this function; false if there is none, then the program goes on. */
  tailCall(R: Int32Array): boolean {
    const target = this.mapAt(R[4]!, R[5]!).program(R[6]!)
    if (target === null || this.#tailCalls++ >= MAX_TAIL_CALLS) return false
    const T = target.registers
    T[2] = R[2]!
    T[3] = R[3]!
    this.#openFrame(T)
    this.#execute(target, 0)
    R[0] = T[0]!
    R[1] = T[1]!
    this.#openFrame(R)
    return true
  }

  /* Helpers */

  /** Registers that a helper reads, as bits; none for one that is not modelled. */
  argumentsOf(id: number): number {
    return ((1 << (this.#helpers[id]?.args ?? 0)) - 1) << 1
  }

  /** Registers that compiled code hands to a helper. */
  handedTo(id: number): number {
    return this.#helpers[id]?.variadic === true ? 0b11_1110 : this.argumentsOf(id)
  }

  callHelper(id: number, R: Int32Array): void {
    const model = this.#helpers[id]
    if (model === undefined) {
      const absent = this.absent.get(this.code!)?.get(this.pc)
      if (id === POISON_HELPER && absent !== undefined) {
        throw new VmFault('not-in-kernel', `the kernel that is played has no ${absent}`)
      }
      const name = this.#options.helperName?.(id)
      throw new VmFault(
        'not-modelled',
        name === undefined ? `there is no helper ${id}` : `the helper bpf_${name} (${id}) is not modelled; give your own with helpers: { ${name}: … }`,
      )
    }
    model.run(this, R)
  }

  callKernel(id: number, R: Int32Array): void {
    const found = this.#options.kernelFunction?.(id, this.code!, this.pc) ?? `kernel function with the BTF id ${id}`
    if (typeof found === 'string') throw new VmFault('not-modelled', `${found} is not modelled`)
    found.run(this, R)
  }

  /** The map that a pointer means. @throws VmFault bad-argument */
  mapAt(low: number, high: number): MapModel {
    const map = low === BASE ? this.maps.get(high - FIRST) : undefined
    if (map === undefined) throw new VmFault('bad-argument', `${hexadecimal(low, high)} is no map`)
    return map
  }

  acquire(low: number, high: number, what: string): void {
    this.references.set(hexadecimal(low, high), { what, slot: this.pc })
  }

  /** @throws VmFault released, if it is not held */
  giveBack(low: number, high: number, what: string): void {
    const key = hexadecimal(low, high)
    if (!this.references.delete(key)) throw new VmFault('released', `${what} at ${key} is given back, but it is not held`)
  }

  #checkReleased(code: Code): void {
    if (this.references.size === 0 && this.lock === null) return
    const [first] = this.references.values()
    const held = first ?? { what: 'a spin lock', slot: this.pc }
    throw new VmFault('unreleased', `the program ends but ${held.what}, acquired at slot ${held.slot}, was not given back`).at(this.#place(code))
  }

  #place(code: Code) {
    return {
      program: code.name,
      slot: this.pc,
      instruction: instructionText(code.spec.code, this.pc),
      source: sourceOf(this.lines.get(code), this.pc),
      registers: code.compiled !== null && this.watch === null ? null : registersText(code.registers),
    }
  }
}

export function setRegister(R: Int32Array, register: number, value: bigint): void {
  R[register * 2] = Number(BigInt.asIntN(32, value))
  R[register * 2 + 1] = Number(BigInt.asIntN(32, value >> 32n))
}

/** A helper's result: a small signed number, sign-extended. */
export function answer(R: Int32Array, value: number): void {
  R[0] = value
  R[1] = value < 0 ? -1 : 0
}
