import type { Compiled } from '../compiler/compile.ts'
import type { FieldType } from '../compiler/kernel-field.ts'
import { kernelObject, type KernelObject, type Fields, type FieldValue } from './kernel-object.ts'
import { RecordingTypes, opaque, wholeField } from './recording-types.ts'
import type { ObjectChange, RecordedEvent, RecordedValue, Recording } from './recording.ts'
import { Simulation, type SimulateOptions } from './simulate.ts'
import type { CurrentTask } from './world.ts'

/** Objects of the recording as plain fields, and as what programs see. */
interface Replayed { readonly object: KernelObject; /** Nested, as KernelObject takes them. */ readonly fields: Record<string, any>; readonly views: boolean }

/**
 * A recording that runs again: each event fires the programs that are attached to its hook, with the same objects at the same
 * addresses, at the recorded time, CPU and task. The same recording gives the same, byte for byte.
 */
export class Replay {
  readonly recording: Recording
  /** What the modules were compiled against: only what was recorded is in there. */
  readonly types: RecordingTypes
  readonly #simulations: Simulation[] = []
  readonly #programs: { simulation: Simulation; names: string[] }[][]
  readonly #objects = new Map<string, Replayed>()
  readonly #current: (CurrentTask | null)[]
  #next = 0
  #now: number
  /** When the event before the next one was. */
  #lastEvent: number

  constructor(recording: Recording, types = new RecordingTypes(recording)) {
    this.recording = recording
    this.types = types
    this.#programs = recording.header.hooks.map(() => [])
    this.#current = new Array<CurrentTask | null>(recording.header.cpus).fill(null)
    this.#now = this.#lastEvent = recording.header.clock
  }

  /** Attaches the programs of a module that was compiled against `types.btf`. @throws VmRefusal */
  attach(compiled: Compiled, options: Omit<SimulateOptions, 'btf' | 'cpus' | 'current'> = {}): Simulation {
    const { cpus, clock } = this.recording.header
    const simulation = new Simulation(compiled, { nullReads: 'zero', compiled: true, ...options, btf: this.types.btf, cpus })
    simulation.advance(Math.max(0, clock - simulation.now))
    this.#simulations.push(simulation)
    this.recording.header.hooks.forEach(({ name }, hook) => {
      const names = simulation.spec.programs.filter(({ attach }) => attach.name === name).map((program) => program.name)
      if (names.length > 0) this.#programs[hook]!.push({ simulation, names })
    })
    return simulation
  }

  /** The kernel's clock, in nanoseconds. */
  get now(): number { return this.#now }

  /** When the recording ended. */
  get end(): number { return this.recording.header.clock + this.recording.end.duration }

  get isDone(): boolean { return this.#next >= this.recording.events.length && this.#now >= this.end }

  /** Milliseconds since the epoch of a time of the kernel's clock. */
  wallClock(at: number): number {
    return Date.parse(this.recording.header.at) + (at - this.recording.header.clock) / 1e6
  }

  /** Plays up to a time. `between` is called now and then, for rings to be read. @throws VmFault when a program does what it may not */
  advanceTo(time: number, between: () => void = () => {}): void {
    const { events } = this.recording
    for (let played = 1; this.#next < events.length; played++) {
      const event = events[this.#next]!
      const at = this.#lastEvent + event[1]
      if (at > time) break
      this.#lastEvent = at
      this.#next++
      this.#move(at)
      this.#play(event)
      if (played % 256 === 0) between()
    }
    this.#move(Math.max(this.#now, time))
  }

  #move(time: number): void {
    this.#now = time
    for (const simulation of this.#simulations) simulation.advance(Math.max(0, time - simulation.now))
  }

  #play([hook, , cpu, task, args, changes = []]: RecordedEvent): void {
    for (const change of changes) this.#change(change)
    if (task !== 0) {
      const [pid, tid, cgroup, comm, object] = task
      this.#current[cpu] = {
        pid, tid, cgroup: typeof cgroup === 'string' ? BigInt(cgroup) : cgroup, comm,
        ...(object !== 0 && { task: this.#object(object, 'task_struct').object }),
      }
    }
    const programs = this.#programs[hook]!
    if (programs.length === 0) return
    const types = this.recording.types[hook]!
    const values = args.map((value, index) => this.#value(types[index]!, value))
    for (const { simulation, names } of programs) {
      simulation.cpu = cpu
      simulation.current = this.#current[cpu]!
      for (const name of names) simulation.fire(name, values)
    }
  }

  #object(id: number, struct: string): Replayed {
    const family = this.types.familyOf(struct)
    const key = `${id} ${family}`
    let known = this.#objects.get(key)
    if (known === undefined) {
      const { btf } = this.types
      known = { object: kernelObject(btf, family === opaque ? opaque : this.types.objectOf(family), {}), fields: {}, views: this.types.hasViews(family) }
      this.#objects.set(key, known)
    }
    return known
  }

  #change([id, struct, changed]: ObjectChange): void {
    const { object, fields, views } = this.#object(id, struct)
    const root: Record<string, any> = views ? fields[struct] ??= {} : fields
    const types = this.recording.fields.get(struct)!
    const touched = new Set<string>()
    for (const [path, value] of Object.entries(changed)) {
      const names = path.split('.')
      touched.add(names[0]!)
      put(root, names, this.#value(types.get(path)!, value))
    }
    object.set(views ? { [struct]: root as Fields } : Object.fromEntries([...touched].map((name) => [name, root[name]])))
  }

  #value(type: FieldType, value: RecordedValue): FieldValue {
    switch (type.kind) {
      case 'int': return typeof value === 'string' ? BigInt(value) : value as number
      case 'chars': case 'text': return value as string
      case 'array': return value as number[]
      case 'bytes': return { [wholeField]: bytesOfHex(value as string) }
      case 'pointer': return value === 0 ? null : this.#object(value as number, type.struct).object
    }
  }
}

/** Sets a field of nested fields. */
function put(root: Record<string, any>, names: readonly string[], value: FieldValue): void {
  let at = root
  for (const name of names.slice(0, -1)) at = at[name] ??= {}
  const last = names.at(-1)!
  // A struct that is copied as a whole may also have fields of its own.
  if (isFields(at[last]) && isFields(value)) Object.assign(at[last], value)
  else at[last] = value
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function bytesOfHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) => parseInt(text.slice(index * 2, index * 2 + 2), 16))
}
