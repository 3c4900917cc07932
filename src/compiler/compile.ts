import type { Btf } from '../btf/btf.ts'
import { BtfBuilder } from '../btf/builder.ts'
import { encode } from '../asm/encode.ts'
import type { MapSpec, ProgramSpec, ProgramType, ProgramTypeName, Spec } from '../spec/spec.ts'
import { emitFunction, type EmittedFunction } from './backend/emit.ts'
import { ErrorList } from './errors.ts'
import type { CoreReference, IrFunction } from './ir/ir.ts'
import { printFunction } from './ir/print.ts'
import { validate } from './ir/validate.ts'
import { MapDeclaration, RingDeclaration } from './language/maps.ts'
import { ProgramDeclaration, type CompiledTarget } from './language/programs.ts'
import { LocalTypes } from './lower/local-types.ts'
import type { CompileContext, TargetFeatures } from './lower/lowering.ts'
import { nameMap } from './lower/map-address.ts'
import { lowerProgram } from './lower/program.ts'
import { optimise } from './passes/optimise.ts'
import { positionOf, type Span } from './span.ts'
import { writeLocalTypes } from './types-section.ts'

export interface CompileOptions {
  /** BTF of the target kernel. */
  btf: Btf
  /** Name of the Spec, for messages and dumps. */
  name: string
  /** Licence given to the kernel; most tracing helpers need a GPL-compatible one. */
  license?: string
  /** What the target kernel has beyond the least that programs need; ask it, never its version. */
  features?: TargetFeatures
  /** The text of a tracepoint's `format` file, for programs of the kind 'tracepoint'; undefined if there is no such tracepoint. */
  tracepointFormat?: (category: string, name: string) => string | undefined
  /** CPU version of the instruction set; 3 is understood from kernel 5.1 on. */
  isa?: 1 | 2 | 3 | 4
  /** Validate the IR after every pass: for tests and development. */
  validate?: boolean
  /** Sees the IR as text after each step. */
  print?: (program: string, step: string, text: string) => void
  /** Sees each program right after lowering, before anything is optimised away; see KernelReads. */
  observe?: (hook: CompiledTarget, ir: IrFunction, types: LocalTypes) => void
}

/** Where an instruction comes from: what BTF line info cannot hold. */
export interface Compiled {
  spec: Spec
  /** Program → one span an instruction slot. */
  spans: Map<string, Span[]>
  /** Map in the Spec → its declaration. */
  maps: Map<string, MapDeclaration | RingDeclaration>
}

/**
 * Compiles every program among a module's exports into one Spec.
 * @throws CompileError with all that was found wrong
 */
export function compileModule(module: Record<string, unknown>, options: CompileOptions): Compiled {
  const programs = Object.entries(module).filter((entry): entry is [string, ProgramDeclaration] => entry[1] instanceof ProgramDeclaration)
  if (programs.length === 0) throw new TypeError(`${options.name}: no program is exported; export one such as tp_btf('sched_switch', …)`)
  const context: CompileContext = {
    btf: options.btf, localTypes: new LocalTypes(options.btf), maps: new Map(), mapNames: new Map(), errors: new ErrorList(),
    features: { signedDivision: options.isa === 4, ...options.features }, tracepointFormat: options.tracepointFormat,
  }
  for (const [name, value] of Object.entries(module)) {
    if (value instanceof MapDeclaration || value instanceof RingDeclaration) nameMap(context, value, name)
  }
  const emitted = programs.flatMap(([name, declaration]): Emitted[] => {
    const code = compileProgram(name, declaration, context, options)
    return code === null ? [] : [{ name, declaration, code }]
  })
  context.errors.throwIfAny()
  return assemble(emitted, context, options)
}

function compileProgram(name: string, declaration: ProgramDeclaration, context: CompileContext, options: CompileOptions): EmittedFunction | null {
  const ir = lowerProgram(name, declaration, context)
  if (!context.errors.isEmpty) return null
  const step = (pass: string) => {
    if (options.validate) validated(ir, pass)
    options.print?.(name, pass, printFunction(ir))
  }
  options.observe?.(declaration.attach, ir, context.localTypes)
  step('lower')
  optimise(ir, step)
  try {
    return emitFunction(ir, { isa: options.isa ?? 3 })
  } catch (error) {
    context.errors.note(error)
    return null
  }
}

function validated(ir: IrFunction, pass: string): void {
  try {
    validate(ir)
  } catch (error) {
    throw new Error(`the IR of '${ir.name}' is not valid after ${pass}: ${(error as Error).message}\n${printFunction(ir)}`, { cause: error })
  }
}

interface Emitted { name: string; declaration: ProgramDeclaration; code: EmittedFunction }

function assemble(emitted: Emitted[], context: CompileContext, options: CompileOptions): Compiled {
  const builder = new BtfBuilder()
  const types = writeLocalTypes(builder, context.localTypes)
  const word = builder.int('unsigned long long', 8, {})
  const proto = builder.funcProto(builder.int('int', 4, { signed: true }), [{ name: 'ctx', type: builder.ptr(word) }])
  const spans = new Map<string, Span[]>()
  const programs = emitted.map(({ name, declaration, code }): ProgramSpec => {
    spans.set(name, code.spans)
    return {
      name,
      type: programTypes[declaration.attach.kind],
      attach: declaration.attach,
      code: encode(code.instructions),
      maps: code.maps,
      relocations: code.core.map(({ slot, reference }) => ({ slot, kind: reference.kind as CoreReference['kind'], type: types.id(reference.type), access: types.access(reference) })),
      functions: [{ slot: 0, type: builder.func(name, proto, 'static') }],
      lines: lineRecords(code, builder),
    }
  })
  const maps = [...context.maps].map(([name, map]) => mapSpec(name, map))
  return { spec: { name: options.name, license: options.license ?? 'GPL', maps, programs, btf: builder.build() }, spans, maps: context.maps }
}

const programTypes: Record<ProgramDeclaration['attach']['kind'], ProgramTypeName> = {
  tp_btf: 'tracing', raw_tp: 'raw_tracepoint', tracepoint: 'tracepoint',
} satisfies Record<string, keyof typeof ProgramType>

/** One record where the source line changes. */
function lineRecords(code: EmittedFunction, builder: BtfBuilder): ProgramSpec['lines'] {
  const lines: ProgramSpec['lines'] = []
  let slot = 0
  let last = ''
  code.instructions.forEach((instruction, index) => {
    const { file, line, column, text } = positionOf(code.spans[index]!)
    const place = `${file}:${line}`
    if (place !== last) lines.push({ slot, file: builder.string(file), text: builder.string(text.trim()), line, column })
    last = place
    slot += instruction.code === 0x18 ? 2 : 1
  })
  return lines
}

function mapSpec(name: string, map: MapDeclaration | RingDeclaration): MapSpec {
  if (map instanceof RingDeclaration) return { name, type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: map.bytes, flags: 0 }
  return { name, type: map.type, keySize: map.key.size, valueSize: map.value.size, maxEntries: map.maxEntries, flags: map.flags, key: map.key, value: map.value }
}
