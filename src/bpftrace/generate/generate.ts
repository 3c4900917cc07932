import { BtfBuilder } from '../../btf/builder.ts'
import type { Btf } from '../../btf/btf.ts'
import { encode } from '../../asm/encode.ts'
import { emitFunction, type EmittedFunction } from '../../compiler/backend/emit.ts'
import { printFunction } from '../../compiler/ir/print.ts'
import { validate } from '../../compiler/ir/validate.ts'
import { optimise } from '../../compiler/passes/optimise.ts'
import { positionOf } from '../../compiler/span.ts'
import { writeLocalTypes } from '../../compiler/types-section.ts'
import type { CoreReference } from '../../compiler/ir/ir.ts'
import type { AttachTarget, ProgramSpec, ProgramTypeName, Spec } from '../../spec/spec.ts'
import type { CheckedProgram } from '../check/context.ts'
import type { Target } from '../environment.ts'
import type { Statement } from '../syntax/ast.ts'
import { visit } from '../syntax/walk.ts'
import type { Event } from './events.ts'
import { condition } from './expression.ts'
import { Generation, lostName, ringName, scratchName, type GenerateOptions } from './generation.ts'
import { useMap } from './map-access.ts'
import { ProgramWriter } from './program-writer.ts'
import { processId } from './builtin.ts'
import { body } from './statement.ts'

/** A script ready to be loaded: its Spec, and how to read what its programs say. */
export interface Generated {
  spec: Spec
  /** By the number in a record's first eight bytes. */
  events: Event[]
  /** Program → what it hangs on. */
  targets: Map<string, Target>
}

export interface EmitOptions extends GenerateOptions {
  /** Check the IR after each pass: for tests. */
  validate?: boolean
  print?: (program: string, step: string, text: string) => void
}

const ringBytes = 4 * 1024 * 1024

/** Programs, maps and records of a checked script. @throws GenerateError, BackendError */
export function generate(checked: CheckedProgram, btf: Btf, options: EmitOptions): Generated {
  const generation = new Generation(checked, btf, options)
  generation.addMap({ name: ringName, type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: ringBytes, flags: 0 })
  generation.addMap({ name: lostName, type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 })
  for (const info of checked.maps.values()) if (info.value.kind !== 'none') useMap(generation, info.name)
  const targets = new Map<string, Target>()
  const writers: ProgramWriter[] = []
  for (const probe of checked.probes) {
    for (const target of probe.targets) {
      const writer = new ProgramWriter(generation, probe, target, programName(target, targets), writers.length)
      write(writer)
      targets.set(writer.name, target)
      writers.push(writer)
    }
  }
  const scratch = Math.max(0, ...writers.map((writer) => writer.scratchSize))
  if (scratch > 0) {
    generation.addMap({
      name: scratchName, type: 'percpuArray', keySize: 4, valueSize: Math.ceil(scratch / 8) * 8, maxEntries: writers.length, flags: 0,
    })
  }
  return { spec: assemble(generation, writers, options), events: generation.events, targets }
}

/** As the kernel shows it: what it hangs on, in at most fifteen characters. */
function programName(target: Target, taken: ReadonlyMap<string, unknown>): string {
  const base = target.display.replace(/[^A-Za-z0-9_]/g, '_')
  let name = base
  for (let count = 1; taken.has(name); count++) name = `${base}_${count}`
  return name
}

/** Variables that are assigned inside loops which the kernel drives. */
function findChanging(p: ProgramWriter): void {
  visit(p.probe.probe.body, (loop) => {
    if (loop.kind !== 'forMap' && loop.kind !== 'forRange') return
    visit((loop as Statement & { body: unknown }).body, (node) => {
      const target = node.kind === 'assignVariable' ? node : node.kind === 'unary' && (node.operator === '++' || node.operator === '--') ? node.operand : null
      const info = target === null ? undefined : p.generation.checked.variables.get(target)
      if (info !== undefined) p.changing.add(info)
    })
  })
}

function write(p: ProgramWriter): void {
  const { probe } = p.probe
  findChanging(p)
  p.main(probe.span, () => {
    filterProcess(p)
    skipEnd(p)
    if (probe.predicate !== null) {
      const { f } = p
      const [yes, no] = [f.block(), f.block()]
      const value = condition(p, probe.predicate)
      f.branch('ne', value, f.number(0), yes, no)
      f.start(no)
      f.return(f.number(0))
      f.start(yes)
    }
    body(p, probe.body)
  })
}

/** Iterators call once more at the end, with nothing. */
function skipEnd(p: ProgramWriter): void {
  if (p.target.kind !== 'iter') return
  const { f } = p
  const [there, gone] = [f.block(), f.block()]
  f.branch('ne', f.load(p.context, 8, 8), f.number(0), there, gone)
  f.start(gone)
  f.return(f.number(0))
  f.start(there)
}

/** With `-p`, events of other processes do not count. */
function filterProcess(p: ProgramWriter): void {
  const { pid } = p.generation.options
  if (pid === null || !['tracepoint', 'rawtracepoint', 'kprobe', 'kretprobe', 'fentry', 'fexit'].includes(p.target.kind)) return
  const { f } = p
  const [yes, no] = [f.block(), f.block()]
  f.branch('eq', processId(p, true, false), f.number(pid), yes, no)
  f.start(no)
  f.return(f.number(0))
  f.start(yes)
}

/** The kernel's kind of program for a target, and where it is attached. */
export function attachOf(target: Target): { type: ProgramTypeName; attach: AttachTarget } {
  const given: AttachTarget = { kind: 'given', name: '' }
  switch (target.kind) {
    case 'begin': case 'end': case 'self': return { type: 'raw_tracepoint', attach: given }
    case 'test': case 'bench': return { type: 'xdp', attach: given }
    case 'interval': case 'profile': case 'software': case 'hardware': case 'watchpoint': return { type: 'perf_event', attach: given }
    case 'tracepoint': return { type: 'tracepoint', attach: { kind: 'tracepoint', category: target.category, name: target.name } }
    case 'rawtracepoint': return { type: 'tracing', attach: { kind: 'tp_btf', name: target.name } }
    case 'kprobe': case 'kretprobe': return {
      type: 'kprobe', attach: { kind: target.kind, name: target.name, offset: target.offset },
    }
    case 'fentry': case 'fexit': return { type: 'tracing', attach: { kind: target.kind, name: target.name } }
    case 'uprobe': case 'uretprobe': return {
      type: 'kprobe', attach: { kind: target.kind, path: target.path, name: target.name, offset: target.offset },
    }
    case 'usdt': return {
      type: 'kprobe', attach: { kind: 'usdt', path: target.path, provider: target.provider, name: target.name },
    }
    case 'iter': return { type: 'tracing', attach: { kind: 'iter', name: target.name } }
  }
}

function assemble(generation: Generation, writers: readonly ProgramWriter[], options: EmitOptions): Spec {
  const builder = new BtfBuilder()
  const emitted = writers.map((writer) => writer.functions.map((fn) => {
    const step = (pass: string) => {
      if (options.validate) validate(fn)
      options.print?.(fn.name, pass, printFunction(fn))
    }
    step('generated')
    optimise(fn, step)
    return { name: fn.name, code: emitFunction(fn, { isa: options.isa }) }
  }))
  const structs = writeLocalTypes(builder, generation.localTypes)
  const int = builder.int('int', 4, { signed: true })
  const long = builder.int('unsigned long long', 8, {})
  const pointer = builder.ptr(long)
  const proto = builder.funcProto(int, [{ name: 'ctx', type: pointer }])
  const callback = builder.funcProto(int, [{ name: 'a', type: long }, { name: 'b', type: pointer }])
  const programs = writers.map((writer, index): ProgramSpec => link(writer, emitted[index]!))
  const { config } = generation.checked
  return {
    name: options.source.name, license: config.license, maps: [...generation.maps.values()], programs, btf: builder.build(),
  }

  /** The program and the functions it has called back, one after the other. */
  function link(writer: ProgramWriter, functions: readonly { name: string; code: EmittedFunction }[]): ProgramSpec {
    // The program itself is finished last, and comes first.
    const all = new Map(functions.map((one) => [one.name, one]))
    const order = [functions.at(-1)!]
    // Functions of loops that turned out to be empty are called by nobody.
    for (const { code } of order) for (const { function: name } of code.functions) if (!order.includes(all.get(name)!)) order.push(all.get(name)!)
    const starts = new Map<string, number>()
    let at = 0
    for (const { name, code } of order) {
      starts.set(name, at)
      at += code.instructions.reduce((sum, instruction) => sum + (instruction.code === 0x18 ? 2 : 1), 0)
    }
    const { type, attach } = attachOf(writer.target)
    const program: ProgramSpec = {
      name: writer.name, type, attach, code: new Uint8Array(at * 8), maps: [], relocations: [], functions: [], lines: [],
    }
    let last = ''
    for (const [position, { name, code }] of order.entries()) {
      const start = starts.get(name)!
      let slot = start
      let first = true
      for (const [index, instruction] of code.instructions.entries()) {
        const place = positionOf(code.spans[index]!)
        if (first || `${place.line}` !== last) {
          program.lines.push({
            slot, file: builder.string(place.file), text: builder.string(place.text.trim()), line: place.line, column: place.column,
          })
        }
        last = `${place.line}`
        first = false
        slot += instruction.code === 0x18 ? 2 : 1
      }
      for (const { slot: where, function: wanted } of code.functions) {
        const instruction = instructionAt(code, where)
        instruction.imm64 = BigInt.asUintN(32, BigInt(starts.get(wanted)! - (start + where) - 1))
      }
      program.code.set(encode(code.instructions), start * 8)
      program.maps.push(...code.maps.map((map) => ({ ...map, slot: map.slot + start })))
      program.relocations.push(
        ...code.core.map(
          ({ slot: where, reference }) => ({
            slot: where + start, kind: reference.kind as CoreReference['kind'], type: structs.id(reference.type), access: structs.access(reference),
          }),
        ),
      )
      program.functions.push({
        slot: start, type: builder.func(position === 0 ? writer.name : name, position === 0 ? proto : callback, 'static'),
      })
    }
    if (order.length > 1) program.subprograms = order.slice(1).map(({ name }) => ({ name, slot: starts.get(name)! }))
    return program
  }
}

function instructionAt(code: EmittedFunction, slot: number): EmittedFunction['instructions'][number] {
  let at = 0
  for (const instruction of code.instructions) {
    if (at === slot) return instruction
    at += instruction.code === 0x18 ? 2 : 1
  }
  throw new Error(`no instruction at slot ${slot}`)
}
