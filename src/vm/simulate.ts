import { helperNameOf } from '../asm/helper-names.ts'
import { Btf } from '../btf/btf.ts'
import type { Span } from '../compiler/span.ts'
import { Relocator, type Relocated } from '../spec/relocate.ts'
import type { MapSpec, ProgramSpec, Spec } from '../spec/spec.ts'
import { toBigInt } from './arithmetic.ts'
import { decodeProgram, type Code } from './code.ts'
import { compileCode } from './compiled.ts'
import { ContextMemory, type Context } from './context.ts'
import { Coverage, lcov } from './coverage.ts'
import { VmRefusal, type SourceLine } from './fault.ts'
import { helperTable } from './helpers.ts'
import { kernelFunctions } from './kernel-functions.ts'
import { FixtureError } from './kernel-object.ts'
import { sourceOf, spansBySlot } from './lines.ts'
import { Machine, setRegister, type HelperModel } from './machine.ts'
import { MapView } from './map-view.ts'
import { makeMap } from './maps/make-map.ts'
import type { MapModel } from './maps/map-model.ts'
import { PerfArray } from './maps/reference-map.ts'
import { RingMap } from './maps/ring-map.ts'
import { instructionText, registersText } from './notation.ts'
import { ObjectMemory } from './object-memory.ts'
import { alwaysInitialised } from './registers.ts'
import { PerfView, RingView } from './ring-view.ts'
import { parseTracepointFormat } from './tracepoint.ts'
import type { CurrentTask } from './world.ts'

export interface SimulateOptions {
  /** Types of the kernel that the simulation plays: for the arguments of hooks and for kernel functions. */
  btf?: Btf
  /** CPUs there are; 2 if not given. */
  cpus?: number
  /** The task that runs the programs; may be changed by `current`. */
  current?: CurrentTask
  /** Of the random numbers. */
  seed?: number
  /** Instructions a run may take; 10 million if not given. */
  budget?: number
  /** Bytes of memory in all; 256 MB if not given. */
  memory?: number
  /** What reads through null and unknown kernel pointers do: 'zero' as the kernel does for pointers typed by BTF, or a fault. */
  nullReads?: 'fault' | 'zero'
  /**
   * Formats of tracepoints by 'category/name', as /sys/kernel/tracing/events/…/format has them: their programs are then fired
   * with fields.
   */
  formats?: Readonly<Record<string, string>>
  /** Values of the kernel's configuration that the Spec asks for (`.kconfig`), by name. */
  kconfig?: Readonly<Record<string, number | bigint | string>>
  /** Run programs as JavaScript functions made from them: several times faster, and faults do not show registers. */
  compiled?: boolean
  /** Count which lines run; slower. */
  coverage?: boolean
  /** Helpers of your own, by name without `bpf_`; they get the five arguments. */
  helpers?: Readonly<Record<string, (args: bigint[], simulation: Simulation) => number | bigint>>
}

/** What a Spec comes in: itself, or with the declarations it was compiled from. */
export type SimulationSource = Spec | {
  readonly spec: Spec
  readonly maps?: ReadonlyMap<string, unknown>
  readonly spans?: ReadonlyMap<string, readonly Span[]>
}

export interface RunResult {
  /** r0 */
  result: bigint
  /** Instructions that ran. */
  instructions: number
}

export interface Step {
  program: string
  slot: number
  instruction: string
  /** Before it ran. */
  registers: string
  source: SourceLine | null
  /** 0 for the program, 1 and up for what it calls. */
  depth: number
}

/** What the programs of one simulation cost so far. */
export interface Cost { runs: number; instructions: number; /** Of one run. */ most: number }

/**
 * A Spec running in process: no kernel, no root.
 * @throws VmRefusal for programs or maps that may not be
 */
export function simulate(source: SimulationSource, options: SimulateOptions = {}): Simulation {
  return new Simulation(source, options)
}

export class Simulation {
  readonly spec: Spec
  readonly machine: Machine
  readonly #declarations: ReadonlyMap<string, unknown>
  readonly #spans: ReadonlyMap<string, readonly Span[]>
  readonly #codes = new Map<string, Code>()
  readonly #maps = new Map<string, MapModel>()
  readonly #views = new Map<MapModel, MapView>()
  readonly #contexts: ContextMemory
  readonly #costs = new Map<string, Cost>()
  readonly #coverage: Coverage | null
  /** The Spec's own types. */
  readonly #local: Btf | null
  readonly #relocator: Relocator | null
  readonly #compiled: boolean
  #steps: Step[] | null = null

  constructor(source: SimulationSource, options: SimulateOptions) {
    this.spec = 'spec' in source ? source.spec : source
    this.#declarations = 'spec' in source ? source.maps ?? new Map() : new Map()
    this.#spans = 'spec' in source ? source.spans ?? new Map() : new Map()
    const { btf } = options
    this.#local = this.spec.btf === null ? null : Btf.parse(this.spec.btf)
    this.#relocator = this.#local === null || btf === undefined ? null : new Relocator(this.#local, btf)
    const more = Object.entries(options.helpers ?? {}).map(
      ([name, run]): HelperModel => ({ name, args: 5, run: (_m, R) => this.#own(run, R) }),
    )
    const kernel = kernelFunctions(btf ?? null)
    this.machine = new Machine({
      helpers: helperTable(more), helperName: helperNameOf, kernelFunction: kernel,
      ...(options.budget !== undefined && { budget: options.budget }), ...(options.memory !== undefined
        && { memory: options.memory }),
    })
    const { world, memory } = this.machine
    world.cpus = options.cpus ?? 2
    world.current = options.current ?? null
    if (options.seed !== undefined) world.seed(options.seed)
    memory.forgiving = options.nullReads === 'zero'
    const objects = new ObjectMemory(memory)
    world.addressOf = (object) => objects.addressOf(object)
    const formats = Object.fromEntries(
      Object.entries(options.formats ?? {}).map(([name, text]) => [name, parseTracepointFormat(text)]),
    )
    this.#contexts = new ContextMemory(memory, objects, btf ?? null, formats)
    for (const map of this.spec.maps) this.#addMap(map, options)
    this.#compiled = options.compiled === true
    // Programs that are only loaded when asked for may be ones that cannot be.
    for (const program of this.spec.programs) if (program.autoload !== false) this.#load(program)
    for (const { name, slots } of this.spec.maps) {
      for (const { key, map, program } of slots ?? []) {
        if (program !== undefined) this.map(name).setProgram(key, program)
        if (map !== undefined) this.map(name).setMap(key, map)
      }
    }
    this.#coverage = options.coverage === true ? new Coverage() : null
    this.#watch()
  }

  #addMap(map: MapSpec, options: SimulateOptions): void {
    // 0 leaves it to who creates the map: one for each CPU.
    const shape = map.maxEntries === 0 ? { ...map, maxEntries: this.machine.world.cpus } : map
    const model = makeMap(shape, this.machine.memory, this.machine.world.cpus)
    this.#maps.set(map.name, model)
    this.machine.addMap(model)
    if (map.data === undefined) return
    if (map.data.contents !== null) model.value(0, 0).set(map.data.contents)
    if (map.data.section !== '.kconfig') return
    for (const extern of this.spec.externs ?? []) {
      if (extern.kind !== 'kconfig') continue
      const given = options.kconfig?.[extern.name]
      if (given === undefined && !extern.weak) {
        throw new FixtureError(
          `the Spec asks for ${extern.name} of the kernel's configuration: give kconfig: { ${extern.name}: … }`,
        )
      }
      const bytes = typeof given === 'string' ? new TextEncoder().encode(given) : littleEndian(BigInt(given ?? 0), extern.size)
      model.value(0, 0).set(bytes.subarray(0, extern.size), extern.offset)
    }
  }

  #own(run: NonNullable<SimulateOptions['helpers']>[string], R: Int32Array): void {
    const args = [2, 4, 6, 8, 10].map((at) => toBigInt(R[at]!, R[at + 1]!))
    setRegister(R, 0, BigInt(run(args, this)))
  }

  #load(original: ProgramSpec): Code {
    const { code: bytes, poisoned } = this.#relocated(original)
    const program: ProgramSpec = { ...original, code: bytes }
    const functions = this.machine.memory.add({ kind: 'code', name: `code of '${program.name}'`, size: 0, flags: 0 })
    const code = decodeProgram(program, {
      resolve: (slot, kind, low, high) => {
        if (kind === 4) return this.machine.memory.address(functions, slot + 1 + low)
        return this.#openLoad(program, slot, kind, high)
      },
    })
    code.safe = alwaysInitialised(code, (id) => this.machine.argumentsOf(id))
    if (this.#compiled) code.compiled = compileCode(this.machine, code)
    this.#codes.set(program.name, code)
    this.machine.codes.push(code)
    if (poisoned.length > 0) this.machine.absent.set(
      code, new Map(poisoned.map(({ slot, spec, reason }) => [slot, `${spec}: ${reason}`])),
    )
    const spans = this.#spans.get(program.name)
    this.machine.lines.set(code, { spec: program, btf: this.#local, spans: spans === undefined ? null : spansBySlot(program.code, spans) })
    return code
  }

  /** CO-RE: the code for the kernel whose BTF was given; as compiled without one. */
  #relocated(program: ProgramSpec): Relocated {
    if (this.#relocator === null || program.relocations.length === 0) return { code: program.code, poisoned: [] }
    return this.#relocator.relocate(program)
  }

  #openLoad(program: ProgramSpec, slot: number, kind: number, offset: number): bigint {
    const extern = program.externs?.find((one) => one.slot === slot)
    if (extern !== undefined) {
      const weak = this.spec.externs?.some(({ name, weak: optional }) => name === extern.extern && optional) === true
      if (weak) return 0n
      throw new VmRefusal(
        slot, `the kernel's '${extern.extern}' has no address here: kernel variables are not modelled`, program.name,
      )
    }
    const reference = program.maps.find((one) => one.slot === slot)
    const map = reference === undefined ? undefined : this.#maps.get(reference.map)
    if (map === undefined) {
      throw new VmRefusal(
        slot, kind === 3 ? 'kernel variables are not modelled' : 'it names a map that the Spec does not have', program.name,
      )
    }
    const value = reference?.offset !== undefined || kind === 2 || kind === 6
    if (!value) return this.machine.memory.address(map.region)
    if (map.values === null) throw new VmRefusal(slot, `values of map '${map.shape.name}' have no address`, program.name)
    return this.machine.memory.address(map.values, reference?.offset ?? offset)
  }

  /* Running */

  /**
   * Runs a program. `context`: the hook's arguments in an array (objects, fields of one, numbers, strings), the fields of a
   * tracepoint's record, the bytes of a context, or a packet().
   * @throws VmFault when the program does what it may not; FixtureError for a context that does not fit
   */
  fire(program: string, context: Context = []): RunResult {
    const code = this.#code(program)
    const { region, packet } = this.#contexts.place(code.spec, context)
    this.machine.packet = packet
    this.machine.hookArguments = Array.isArray(context) ? region : null
    let result: bigint
    try {
      result = this.machine.run(code, region)
    } finally {
      // A packet is there for one run.
      if (packet !== null) for (const one of [packet, region]) this.machine.memory.release(one)
      this.machine.packet = null
    }
    const instructions = this.machine.budget - this.machine.left
    const cost = this.#costs.get(program)
    if (cost === undefined) this.#costs.set(program, { runs: 1, instructions, most: instructions })
    else {
      cost.runs++
      cost.instructions += instructions
      cost.most = Math.max(cost.most, instructions)
    }
    return { result, instructions }
  }

  #code(program: string): Code {
    const code = this.#codes.get(program)
    if (code !== undefined) return code
    const spec = this.spec.programs.find(({ name }) => name === program)
    if (spec === undefined) {
      throw new RangeError(`there is no program '${program}'; there are ${this.spec.programs.map(({ name }) => name).join(', ')}`)
    }
    return this.#load(spec)
  }

  /** Runs every program that is attached to a hook of this name, in the Spec's order. */
  hit(hook: string, context: Context = []): RunResult[] {
    const programs = this.spec.programs.filter(({ attach }) => attach.name === hook)
    if (programs.length === 0) throw new RangeError(`no program is attached to '${hook}'`)
    return programs.map(({ name }) => this.fire(name, context))
  }

  /** Moves the clock; timers that become due run. */
  advance(nanoseconds: number): void {
    this.machine.world.advance(nanoseconds)
  }

  /** Nanoseconds since boot. */
  get now(): number { return this.machine.world.now }

  /** The CPU that programs run on. */
  get cpu(): number { return this.machine.world.cpu }
  set cpu(cpu: number) {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= this.machine.world.cpus) {
      throw new FixtureError(`there is no CPU ${cpu}; the simulation has ${this.machine.world.cpus}`)
    }
    this.machine.world.cpu = cpu
  }

  get current(): CurrentTask | null { return this.machine.world.current }
  set current(task: CurrentTask | null) { this.machine.world.current = task }

  /** Lines that programs printed (bpf_trace_printk). */
  get printed(): readonly string[] { return this.machine.world.printed }

  /* Maps */

  /** A map by its name in the Spec, or by its declaration. */
  map<K = any, V = any>(which: string | object): MapView<K, V> {
    const model = this.#model(which)
    let view = this.#views.get(model)
    if (view === undefined) this.#views.set(model, (view = new MapView(this.machine, model)))
    return view as MapView<K, V>
  }

  /** A ring buffer, seen by its reader. */
  ring(which: string | object): RingView {
    const model = this.#model(which)
    if (!(model instanceof RingMap)) throw new TypeError(`map '${model.shape.name}' (${model.shape.type}) is no ring buffer`)
    return new RingView(model)
  }

  /** A perf event array, seen by its reader. */
  perf(which: string | object): PerfView {
    const model = this.#model(which)
    if (!(model instanceof PerfArray)) {
      throw new TypeError(`map '${model.shape.name}' (${model.shape.type}) is no perf event array`)
    }
    return new PerfView(model)
  }

  #model(which: string | object): MapModel {
    const name = typeof which === 'string' ? which : [...this.#declarations].find(([, declaration]) => declaration === which)?.[0]
    const model = name === undefined ? undefined : this.#maps.get(name)
    if (model === undefined) {
      throw new RangeError(
        `there is no such map${typeof which === 'string' ? ` '${which}'` : ''}; there are ${[...this.#maps.keys()].join(', ')}`,
      )
    }
    return model
  }

  /* Looking */

  /** Runs `act` and gives every instruction that ran, before its effect. */
  trace(act: () => void): Step[] {
    const steps: Step[] = []
    this.#steps = steps
    this.#watch()
    try {
      act()
    } finally {
      this.#steps = null
      this.#watch()
    }
    return steps
  }

  #watch(): void {
    const coverage = this.#coverage
    this.machine.watch = coverage === null && this.#steps === null ? null : (code, slot, R, depth) => {
      coverage?.count(code, slot)
      this.#steps?.push({
        program: code.name, slot, instruction: instructionText(code.spec.code, slot), registers: registersText(R), depth,
        source: sourceOf(this.machine.lines.get(code), slot),
      })
    }
  }

  /** File → line → how often it ran. @throws TypeError unless made with `coverage: true` */
  coverage(): Map<string, Map<number, number>> {
    if (this.#coverage === null) throw new TypeError('coverage is not counted: simulate(spec, { coverage: true })')
    return this.#coverage.lines([...this.#codes.values()], this.machine.lines)
  }

  /** The same as an lcov tracefile. */
  lcov(test = ''): string {
    return lcov(this.coverage(), test)
  }

  /** Instructions by program. */
  cost(): ReadonlyMap<string, Cost> {
    return this.#costs
  }
}

function littleEndian(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number(BigInt.asUintN(8, value >> BigInt(index * 8))))
}

/** A trace as text: one line an instruction, a heading where the source line changes. */
export function traceText(steps: readonly Step[]): string {
  let place = ''
  return steps.flatMap(({ program, slot, instruction, registers, source, depth }) => {
    const here = source === null ? program : `${source.file}:${source.line}`
    const heading = here === place ? [] : [source === null ? `${program}:` : `${here}  ${source.text}`]
    place = here
    return [...heading, `${'  '.repeat(depth + 1)}${slot}: ${instruction}    ${registers}`]
  }).join('\n')
}

