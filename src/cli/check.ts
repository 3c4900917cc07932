import { hookName } from '../agent/loaded-probe.ts'
import { preflight } from '../agent/preflight.ts'
import { decode } from '../asm/decode.ts'
import { printProgram } from '../asm/print.ts'
import { Collection } from '../bpf/collection.ts'
import { VerifierError } from '../bpf/load-error.ts'
import { Btf } from '../btf/btf.ts'
import { recordOf } from '../compiler/capture/kernel-function.ts'
import { ProgramDeclaration } from '../compiler/language/programs.ts'
import { firstKernel, requirementsOf, type Requirement } from '../spec/requirements.ts'
import type { ProgramSpec, Spec } from '../spec/spec.ts'
import { checkAgainst } from './against.ts'
import { UsageError, type Arguments } from './arguments.ts'
import { byteCount } from './format.ts'
import { paint, span, wantsColor, type Line, type Style } from './paint.ts'
import { compileProbe, importProbe, ProbeFileError, readBpfObject, type ProbeModule } from './probe-file.ts'
import { left, right } from './text.ts'

const printable = ['ast', 'ir', 'asm'] as const

/** What is known of one program after the kernel's verifier has seen it. */
interface ProgramReport {
  name: string
  hook: string
  accepted: boolean
  /** Why not; null when it was accepted. */
  reason: string | null
  /** The kernel's whole log; null when it was accepted or there is none. */
  log: string | null
  instructions: number
  /** Instructions the verifier walked, all paths counted; null before kernel 5.16 and for refused programs. */
  verified: number | null
  jitedBytes: number | null
  stackBytes: number
}

interface MapReport { name: string; type: string; entries: number; keyBytes: number; valueBytes: number; memoryBytes: number | null }

/** `skep check file.ts`: compiles, lets the kernel verify, and tells what each program costs and needs. Nothing is attached. */
export async function checkFile({ flags, values, positional }: Arguments): Promise<number> {
  const print = values.get('print')
  if (print !== undefined && !printable.includes(print as never)) throw new UsageError(`--print: '${print}' is none of ${printable.join(', ')}`)
  try {
    const path = positional[0]!
    const others = values.get('against')
    if (path.endsWith('.o')) return checkObject(path, others, print, flags)
    const module = await importProbe(path)
    const refusal = preflight()
    if (refusal !== null) {
      process.stderr.write(`skep: ${refusal.reason} ${refusal.remedy}\n`)
      return 1
    }
    if (print === 'ast') return printTrees(module)
    const compiled = compileProbe(path, module, print === 'ir' ? { print: printStep } : {})
    if (print === 'ir') return 0
    if (print === 'asm') return printCode(compiled.spec)
    return others === undefined ? report(path, compiled.spec, flags) : checkAgainst(compiled.spec, others, flags)
  } catch (error) {
    if (!(error instanceof ProbeFileError)) throw error
    process.stderr.write(`skep: ${error.message}\n`)
    return 2
  }
}

/** An object of another compiler. */
function checkObject(path: string, others: string | undefined, print: string | undefined, flags: ReadonlySet<string>): number {
  const spec = readBpfObject(path)
  if (print !== undefined && print !== 'asm') throw new UsageError(`--print: an object has no ${print}, only asm`)
  if (print === 'asm') return printCode(spec)
  return others === undefined ? report(path, spec, flags) : checkAgainst(spec, others, flags)
}

function printTrees(module: ProbeModule): number {
  for (const [name, value] of Object.entries(module)) {
    if (value instanceof ProgramDeclaration) process.stdout.write(`${name}: ${JSON.stringify(recordOf(value.fn)?.ast, null, 2)}\n`)
  }
  return 0
}

function printStep(program: string, step: string, text: string): void {
  process.stdout.write(`── ${program} after ${step}\n${text}\n`)
}

/** Instructions under the source lines that they come from. */
function printCode(spec: Spec): number {
  const types = spec.btf === null ? null : Btf.parse(spec.btf)
  for (const { name, attach, code, lines } of spec.programs) {
    process.stdout.write(`${name}: ${hookName(attach)}\n`)
    for (const text of printProgram(decode(code)).split('\n')) {
      const slot = /^\s*(\d+):/.exec(text)?.[1]
      const line = slot === undefined || types === null ? undefined : lines.find((one) => one.slot === Number(slot))
      if (line !== undefined) process.stdout.write(`; ${types!.string(line.file)}:${line.line}: ${types!.string(line.text)}\n`)
      process.stdout.write(`${text}\n`)
    }
  }
  return 0
}

function report(path: string, spec: Spec, flags: ReadonlySet<string>): number {
  const collection = Collection.load(spec)
  try {
    const programs = spec.programs.map((program) => programReport(program, collection))
    const maps = spec.maps.map((map): MapReport => ({
      name: map.name, type: map.type, entries: map.maxEntries, keyBytes: map.keySize, valueBytes: map.valueSize,
      memoryBytes: collection.maps.get(map.name)?.memoryBytes ?? null,
    }))
    const requirements = requirementsOf(spec)
    if (flags.has('json')) {
      const needs = requirements.map((one) => ({ ...one, place: placeOf(one, spec) }))
      process.stdout.write(`${JSON.stringify({ file: path, programs, maps, requirements: needs, firstKernel: firstKernel(requirements), capabilities })}\n`)
    } else {
      const color = wantsColor(process.stdout.isTTY === true, process.env, flags.has('no-color'))
      const lines = [...programLines(programs, flags.has('log')), [], ...mapLines(maps), ...needLines(requirements, spec)]
      process.stdout.write(`${lines.map((line) => paint(line, Infinity, color)).join('\n')}\n`)
    }
    return programs.every(({ accepted }) => accepted) ? 0 : 1
  } finally {
    collection.close()
  }
}

/** What tracing programs ask for; CAP_SYS_ADMIN implies both. */
const capabilities = ['CAP_BPF', 'CAP_PERFMON']

function programReport(program: ProgramSpec, collection: Collection): ProgramReport {
  const failure = collection.failures.get(program.name)
  const info = collection.programs.get(program.name)?.info()
  return {
    name: program.name, hook: hookName(program.attach), accepted: failure === undefined, reason: failure?.message ?? null,
    log: failure instanceof VerifierError ? failure.log : null, instructions: program.code.length / 8,
    verified: info?.verifiedInstructions || null, jitedBytes: info?.jitedBytes || null, stackBytes: stackOf(program),
  }
}

/** The deepest access below the frame pointer: the compiler reaches its stack through r10 alone. */
function stackOf(program: ProgramSpec): number {
  let deepest = 0
  for (const { code, dst, src, off, imm } of decode(program.code)) {
    const kind = code & 7
    const stores = (kind === 2 || kind === 3) && dst === 10
    if (stores || (kind === 1 && src === 10)) deepest = Math.min(deepest, off)
    // An address is a copy of r10 and then a constant added to it.
    if (code === 0x07 && imm < 0 && imm >= -512) deepest = Math.min(deepest, imm)
  }
  return -deepest
}

function programLines(programs: readonly ProgramReport[], withLog: boolean): Line[] {
  const names = Math.max(7, ...programs.map(({ name }) => name.length)) + 2
  const hooks = Math.max(4, ...programs.map(({ hook }) => hook.length)) + 2
  const number = (value: number | null) => right(value === null ? '-' : String(value), 10)
  const head = `${left('PROGRAM', names)}${left('HOOK', hooks)}${left('VERDICT', 10)}${['INSNS', 'VERIFIED', 'JITED', 'STACK'].map((title) => right(title, 10)).join('')}`
  return [[span(head, 'dim')], ...programs.flatMap((one): Line[] => {
    const style: Style = one.accepted ? 'green' : 'red'
    const row: Line = [
      span(left(one.name, names), 'bold'), span(left(one.hook, hooks)), span(left(one.accepted ? 'accepted' : 'refused', 10), style),
      span(`${number(one.instructions)}${number(one.verified)}${right(byteCount(one.jitedBytes), 10)}${right(byteCount(one.stackBytes), 10)}`),
    ]
    const why: Line[] = one.reason === null ? [] : [[span(`  ${one.reason}`, 'red')]]
    const log: Line[] = withLog && one.log !== null ? one.log.trimEnd().split('\n').map((text): Line => [span(`    ${text}`, 'dim')]) : []
    return [row, ...why, ...log]
  })]
}

function mapLines(maps: readonly MapReport[]): Line[] {
  const names = Math.max(3, ...maps.map(({ name }) => name.length)) + 2
  const total = maps.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? 0), 0)
  return maps.length === 0 ? [] : [
    [span(`${left('MAP', names)}${left('TYPE', 14)}${right('ENTRIES', 10)}${right('KEY', 8)}${right('VALUE', 8)}${right('MEMORY', 10)}`, 'dim')],
    ...maps.map((map): Line => [span(left(map.name, names), 'bold'), span(`${left(map.type, 14)}${right(map.type === 'ringbuf' ? byteCount(map.entries) : String(map.entries), 10)}` +
      `${right(byteCount(map.keyBytes), 8)}${right(byteCount(map.valueBytes), 8)}${right(byteCount(map.memoryBytes), 10)}`)]),
    [span(`kernel memory of the maps: ${byteCount(total)}`)], [],
  ]
}

/** The release that is needed, and by what; the rest in one line. */
function needLines(requirements: readonly Requirement[], spec: Spec): Line[] {
  const release = firstKernel(requirements)
  const newest = requirements.filter(({ since, name }, index) => since === release && requirements.findIndex((other) => other.name === name) === index)
  const names = (kind: Requirement['kind']) => [...new Set(requirements.filter((one) => one.kind === kind).map(({ name }) => name))].join(', ') || 'none'
  return [
    [span(`needs Linux ${release}`, 'bold'), span(` (BTF; ${capabilities.join(' and ')})`)],
    ...newest.map((one): Line => [span(`  for ${one.kind} ${one.name}${placeText(one, spec)}`)]),
    [span(`helpers: ${names('helper')}`, 'dim')],
  ]
}

function placeText(one: Requirement, spec: Spec): string {
  const place = placeOf(one, spec)
  return place === null ? '' : ` at ${place.file}:${place.line}`
}

function placeOf({ program, slot }: Requirement, spec: Spec): { file: string; line: number } | null {
  const found = spec.programs.find(({ name }) => name === program)
  const line = slot === null ? undefined : found?.lines.findLast((one) => one.slot <= slot)
  return line === undefined || spec.btf === null ? null : { file: Btf.parse(spec.btf).string(line.file), line: line.line }
}
