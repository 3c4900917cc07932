import { parseFieldType, type FieldType } from '../compiler/kernel-field.ts'

/**
 * The file of `skep record`: JSON, one value a line. The first line is the header, the last one the end, each line between one
 * event. Kernel objects have numbers instead of addresses; an event brings those of their fields that changed.
 */
export const recordingVersion = 1

export interface RecordingHeader {
  v: typeof recordingVersion
  /** Version of skep. */
  skep: string
  kernel: string
  /** When it began, ISO 8601, and the kernel's clock then, in nanoseconds. */
  at: string
  clock: number
  cpus: number
  architecture: string
  /** Whether text, addresses and names of processes outside the scope were replaced. */
  redacted: boolean
  /** Whose events: 'everything', 'pid 12', 'cgroup /x'. */
  scope: string
  hooks: { name: string; arguments: { name: string; type: string }[] }[]
  /** Struct → its size, the fields recorded ('uid.val' → type and bit offset), and the struct that pointers to it are declared as. */
  structs: Record<string, { size: number; of?: string; fields: Record<string, [type: string, bitOffset: number]> }>
  /** Names of cgroups by id. */
  cgroups: Record<string, string>
}

export type RecordedValue = number | string | number[]
/** Object, struct that it is seen as, fields that changed; a pointer's value is an object or 0. */
export type ObjectChange = [object: number, struct: string, fields: Record<string, RecordedValue>]
/** Who ran: process, thread, cgroup, comm, and its task_struct. */
export type RecordedTask = [pid: number, tid: number, cgroup: number | string, comm: string, task: number]
/** `after`: nanoseconds since the event before; `task` 0: the same as at the last event of this CPU. */
export type RecordedEvent = [hook: number, after: number, cpu: number, task: RecordedTask | 0, args: RecordedValue[], changes?: ObjectChange[]]

export interface RecordingEnd { end: true; events: number; lost: number; /** Nanoseconds from the first moment to the last. */ duration: number; /** What stopped it. */ stopped: string }

export type FieldTypes = ReadonlyMap<string, ReadonlyMap<string, FieldType>>
export interface Recording { header: RecordingHeader; /** Types of the arguments by hook. */ types: FieldType[][]; /** Of the fields by struct. */ fields: FieldTypes; events: RecordedEvent[]; end: RecordingEnd }

/** A file that is no recording, or not all of one. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError'
  readonly line: number

  constructor(line: number, problem: string) {
    super(`${line > 0 ? `line ${line}: ` : ''}${problem}`)
    this.line = line
  }
}

const most = { text: 512 * 1024 * 1024, hooks: 256, structs: 1024, fields: 4096, structBytes: 1024 * 1024, cpus: 8192, gap: 30 * 86_400e9 }

/** @throws RecordingError that names the line */
export function parseRecording(text: string): Recording {
  if (text.length > most.text) throw new RecordingError(0, `the recording has ${text.length} bytes; ${most.text} can be read`)
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const header = headerOf(parse(lines[0] ?? '', 1))
  const types = header.hooks.map((hook) => hook.arguments.map(({ type }) => typeOf(type, 1)))
  const last = lines.length > 1 ? parse(lines.at(-1)!, lines.length) as Partial<RecordingEnd> : null
  if (last === null || typeof last !== 'object' || Array.isArray(last) || last.end !== true) throw new RecordingError(lines.length, 'the recording is cut off: its last line is missing')
  const fields = new Map(Object.entries(header.structs).map(([name, struct]) => [name, new Map(Object.entries(struct.fields).map(([path, [type]]) => [path, typeOf(type, 1)]))]))
  const events = lines.slice(1, -1).map((line, index) => eventOf(parse(line, index + 2), index + 2, header, types, fields))
  if (last.events !== events.length) throw new RecordingError(lines.length, `the recording tells of ${String(last.events)} events and has ${events.length}`)
  const { lost = 0, duration = 0, stopped = '' } = last
  need(isCount(lost) && isCount(duration) && typeof stopped === 'string', lines.length, 'the last line is not understood')
  return { header, types, fields, events, end: { end: true, events: events.length, lost, duration, stopped } }
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new RecordingError(number, number === 1 ? 'this is no recording of skep: its first line is no JSON' : 'the line is no JSON: the recording is cut off or damaged')
  }
}

function need(condition: boolean, line: number, problem: string): asserts condition {
  if (!condition) throw new RecordingError(line, problem)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isName = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z_]\w{0,127}$/.test(value)
const isIds = (value: unknown): value is number | string => isCount(value) || (typeof value === 'string' && /^\d{1,20}$/.test(value))

function typeOf(text: unknown, line: number): FieldType {
  const type = typeof text === 'string' ? parseFieldType(text) : null
  need(type !== null, line, `'${String(text).slice(0, 80)}' is no type of a field`)
  return type
}

function headerOf(value: unknown): RecordingHeader {
  need(isObject(value) && 'v' in value && 'skep' in value, 1, 'this is no recording of skep: its first line is no header')
  need(value['v'] === recordingVersion, 1, `the recording is of version ${String(value['v']).slice(0, 20)}, this skep reads version ${recordingVersion}`)
  const header = value as unknown as RecordingHeader
  const { hooks, structs, cpus, clock, at, cgroups } = header
  need(isCount(cpus) && cpus >= 1 && cpus <= most.cpus, 1, `${String(cpus).slice(0, 20)} is no number of CPUs`)
  need(isCount(clock) && typeof at === 'string' && !Number.isNaN(Date.parse(at)), 1, 'the header does not say when the recording began')
  for (const field of ['skep', 'kernel', 'architecture', 'scope'] as const) need(typeof header[field] === 'string', 1, `the header does not say '${field}'`)
  need(typeof header.redacted === 'boolean', 1, "the header does not say 'redacted'")
  need(Array.isArray(hooks) && hooks.length > 0 && hooks.length <= most.hooks, 1, 'the header names no hooks, or too many')
  for (const hook of hooks) {
    need(isObject(hook) && isName(hook.name) && Array.isArray(hook.arguments) && hook.arguments.length <= 12, 1, 'a hook of the header is not understood')
    for (const argument of hook.arguments) need(isObject(argument) && isName(argument.name), 1, `an argument of '${hook.name}' is not understood`)
  }
  need(isObject(structs) && Object.keys(structs).length <= most.structs, 1, 'the header has no structs, or too many')
  for (const [name, struct] of Object.entries(structs)) {
    need(isName(name) && isObject(struct) && isCount(struct.size) && struct.size <= most.structBytes, 1, `the size of struct '${name.slice(0, 80)}' is not possible`)
    need(struct.of === undefined || (isName(struct.of) && Object.hasOwn(structs, struct.of)), 1, `struct '${name}' is not understood`)
    need(isObject(struct.fields) && Object.keys(struct.fields).length <= most.fields, 1, `struct '${name}' has no fields, or too many`)
    for (const [path, field] of Object.entries(struct.fields)) {
      need(path.split('.').every(isName) && path.length < 512 && path.split('.').length < 16, 1, `'${path.slice(0, 80)}' is no field of struct '${name}'`)
      need(Array.isArray(field) && isCount(field[1]) && field[1] / 8 < struct.size, 1, `the field ${name}.${path} lies outside of its struct`)
      need(field[1] / 8 + bytesOf(typeOf(field[0], 1)) <= struct.size, 1, `the field ${name}.${path} lies outside of its struct`)
    }
  }
  need(isObject(cgroups) && Object.values(cgroups).every((path) => typeof path === 'string'), 1, 'the names of cgroups are not understood')
  return header
}

export function bytesOf(type: FieldType): number {
  switch (type.kind) {
    case 'int': return type.bits === undefined ? type.size : Math.ceil(type.bits / 8)
    case 'chars': case 'bytes': return type.length
    case 'array': return type.size * type.length
    default: return 8
  }
}

function eventOf(value: unknown, line: number, { hooks, cpus }: RecordingHeader, types: FieldType[][], structs: FieldTypes): RecordedEvent {
  need(Array.isArray(value) && (value.length === 5 || value.length === 6), line, 'this is no event')
  const [hook, after, cpu, task, args, changes = []] = value as RecordedEvent
  need(isCount(hook) && hook < hooks.length, line, `there is no hook ${String(hook).slice(0, 20)}; the header has ${hooks.length}`)
  need(isCount(after) && after <= most.gap, line, `${String(after).slice(0, 30)} is no time between two events`)
  need(isCount(cpu) && cpu < cpus, line, `there is no CPU ${String(cpu).slice(0, 20)}; the header has ${cpus}`)
  need(task === 0 || (Array.isArray(task) && task.length === 5 && isCount(task[0]) && isCount(task[1]) && isIds(task[2]) && typeof task[3] === 'string' && isCount(task[4])), line, 'the current task is not understood')
  need(Array.isArray(args) && args.length === types[hook]!.length && args.every((one, at) => fits(types[hook]![at]!, one)), line, `the arguments are not those of '${hooks[hook]!.name}'`)
  need(Array.isArray(changes), line, 'the changes are not understood')
  for (const change of changes) {
    need(Array.isArray(change) && isCount(change[0]) && structs.has(change[1]) && isObject(change[2]), line, 'a change of an object is not understood')
    const fields = structs.get(change[1])!
    for (const [path, one] of Object.entries(change[2])) {
      const type = fields.get(path)
      need(type !== undefined && fits(type, one), line, `${change[1]}.${path.slice(0, 80)} is not recorded as the header says`)
    }
  }
  return value as RecordedEvent
}

function fits(type: FieldType, value: unknown): boolean {
  switch (type.kind) {
    case 'int': return Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value))
    case 'chars': return typeof value === 'string' && value.length < type.length
    case 'text': return typeof value === 'string' && value.length < type.length
    case 'bytes': return typeof value === 'string' && value.length === type.length * 2 && /^[0-9a-f]*$/.test(value)
    case 'array': return Array.isArray(value) && value.length === type.length && value.every((one) => Number.isSafeInteger(one))
    case 'pointer': return isCount(value)
  }
}
