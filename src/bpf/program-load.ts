import type { Btf } from '../btf/btf.ts'
import { ProgramType } from '../spec/spec.ts'
import type { PoisonedInstruction } from '../spec/relocate.ts'
import type { ExternSpec, ProgramSpec } from '../spec/spec.ts'
import { Errno, type SysError } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import type { Block } from '../sys/memory.ts'
import { command, commandError } from './command.ts'
import type { Attr } from './command.ts'
import { resolveExterns } from './externs.ts'
import { PolicyError, VerifierError } from './load-error.ts'
import type { SourceLine } from './load-error.ts'
import { withMemlock } from './memlock.ts'
import { loadTarget } from './program-target.ts'
import type { LoadTarget, StructOpsMember } from './program-target.ts'

export { TargetError } from './target-error.ts'

/** What a program shares with the other programs of its Spec, and what only the loader can know. */
export interface LoadContext {
  license: string
  /** Descriptor of a map by its name in the Spec. */
  mapFd(name: string): number
  /** The Spec's own BTF. */
  btf: Btf | undefined
  /** The same BTF in the kernel; undefined leaves functions and lines out. */
  btfFd: number | undefined
  /** The running kernel's BTF; called only by programs that need it. */
  kernelBtf(): Btf
  /** The program's code with its CO-RE relocations applied; called only if it has some. */
  relocate(spec: ProgramSpec): Uint8Array
  /** What relocation found missing in this kernel: see `relocatorFor`. */
  poisoned?(spec: ProgramSpec): readonly PoisonedInstruction[]
  /** Externs of the Spec, for programs that refer to some. */
  externs?: readonly ExternSpec[]
  /** The program that this one replaces (freplace) or traces (fentry, fexit of a program). */
  targetProgram?(spec: ProgramSpec): { fd: number } | undefined
  /** The callback that a struct_ops program fills. */
  structOpsMember?(spec: ProgramSpec): StructOpsMember | undefined
  /** A delegated permission (6.9); see Token. */
  tokenFd?: number
  /** The interface whose hardware is to run it. */
  interfaceIndex?: number
}

const BPF_PSEUDO_MAP_FD = 1
const BPF_PSEUDO_MAP_VALUE = 2
const BPF_F_TOKEN_FD = 1 << 16
const attrSize = 144
/** With the token's descriptor: older kernels refuse an attr with it. */
const attrSizeWithToken = 148
const firstLog = 64 * 1024
const largestLog = 16 * 1024 * 1024

/** Loads and returns the descriptor. */
export function loadProgram(spec: ProgramSpec, context: LoadContext): number {
  const code = patchMaps(spec, spec.relocations.length === 0 ? spec.code : context.relocate(spec), context)
  const hasExterns = (spec.externs?.length ?? 0) > 0
  const target = loadTarget(spec, () => context.kernelBtf(), context.targetProgram?.(spec), context.structOpsMember?.(spec))
  try {
    const externs = hasExterns ? resolveExterns(spec, code, context.externs ?? [], context.kernelBtf()) : undefined
    try {
      return loadCode(spec, context, code, target, externs?.fds ?? [])
    } finally {
      externs?.close()
    }
  } finally {
    target.descriptor?.close()
  }
}

function loadCode(spec: ProgramSpec, context: LoadContext, code: Uint8Array, target: LoadTarget, fds: readonly number[]): number {
  const license = new TextEncoder().encode(context.license)
  const licenseAt = code.length
  const functionsAt = Math.ceil((licenseAt + license.length + 1) / 8) * 8
  const linesAt = functionsAt + spec.functions.length * 8
  const fdsAt = linesAt + spec.lines.length * 16
  const memory = allocate(fdsAt + fds.length * 4)
  try {
    memory.u8.set(code)
    memory.u8.set(license, licenseAt)
    spec.functions.forEach((info, index) => memory.u32.set([info.slot, info.type], functionsAt / 4 + index * 2))
    spec.lines.forEach((info, index) => memory.u32.set(
      [info.slot, info.file, info.text, (info.line << 10 | Math.min(info.column, 1023)) >>> 0], linesAt / 4 + index * 4))
    memory.u32.set(fds, fdsAt / 4)
    return loadFrom(memory, spec, context, { licenseAt, functionsAt, linesAt, fdsAt: fds.length > 1 ? fdsAt : 0, target })
  } finally {
    release(memory)
  }
}

/** Bytes from the start of the memory; 0 where there is nothing. */
interface Placement { licenseAt: number; functionsAt: number; linesAt: number; fdsAt: number; target: LoadTarget }

function loadFrom(memory: Block, spec: ProgramSpec, context: LoadContext, place: Placement): number {
  const { target } = place
  const fill = (attr: Attr) => {
    attr.u32(0, ProgramType[spec.type])
    attr.u32(4, spec.code.length / 8)
    attr.u64(8, memory.address)
    attr.u64(16, memory.address + place.licenseAt)
    attr.u32(44, (spec.flags ?? 0) | (context.tokenFd === undefined ? 0 : BPF_F_TOKEN_FD))
    attr.name(48, spec.name)
    attr.u32(64, context.interfaceIndex ?? 0)
    attr.u32(68, target.attachType)
    attr.u32(108, target.btfId)
    attr.u32(112, target.objectFd)
    if (place.fdsAt !== 0) attr.u64(120, memory.address + place.fdsAt)
    if (context.tokenFd !== undefined) attr.u32(144, context.tokenFd)
    if (context.btfFd === undefined || spec.functions.length === 0) return
    attr.u32(72, context.btfFd)
    attr.u32(76, 8)
    attr.u64(80, memory.address + place.functionsAt)
    attr.u32(88, spec.functions.length)
    attr.u32(92, 16)
    attr.u64(96, memory.address + place.linesAt)
    attr.u32(104, spec.lines.length)
  }
  const size = context.tokenFd === undefined ? attrSize : attrSizeWithToken
  const result = withMemlock(() => load(fill, size))
  if (result >= 0) return result
  if (result === -Errno.EAGAIN) {
    throw commandError('BPF_PROG_LOAD', result, `program '${spec.name}': signals interrupted its verification ${mostAttempts} times: is this process profiled (--cpu-prof)?`)
  }
  return explain(spec, context, fill, size, result)
}

const mostAttempts = 200

function load(fill: (attr: Attr) => void, attrBytes: number): number {
  // A signal during verification makes the kernel give up with EAGAIN; it is meant to be tried again. Profilers send many.
  for (let attempt = 0; ; attempt++) {
    const result = command('BPF_PROG_LOAD', attrBytes, fill)
    if (result !== -Errno.EAGAIN || attempt === mostAttempts) return result
  }
}

/**
 * Loads again, with a log, to learn why. The log is only asked for here because it makes loading several times slower.
 * The verdict is that of the first load: with a log, an overflowing buffer replaces it by ENOSPC.
 */
function explain(spec: ProgramSpec, context: LoadContext, fill: (attr: Attr) => void, attrBytes: number, verdict: number): number {
  const sourceOf = (slot: number) => sourceLine(spec, context.btf, slot)
  for (let size = firstLog; ; size *= 4) {
    const buffer = allocate(size)
    try {
      const result = load((attr) => {
        fill(attr)
        attr.u32(24, 1)
        attr.u32(28, size)
        attr.u64(32, buffer.address)
      }, attrBytes)
      if (result >= 0) return result
      if (result === -Errno.ENOSPC && size < largestLog) continue
      const log = readLog(buffer.u8.subarray(0, size))
      if (log.trim() === '') throw emptyLogError(spec, verdict)
      throw new VerifierError(spec.name, -verdict, log, result === -Errno.ENOSPC, sourceOf, (slot) => {
        const missing = context.poisoned?.(spec).find((one) => one.slot === slot)
        return missing === undefined ? undefined : `this kernel lacks ${missing.spec}: ${missing.reason}`
      })
    } finally {
      release(buffer)
    }
  }
}

function emptyLogError(spec: ProgramSpec, verdict: number): SysError {
  if (verdict === -Errno.EPERM || verdict === -Errno.EACCES) {
    return new PolicyError('bpf(BPF_PROG_LOAD)', -verdict, `loading '${spec.name}' (${spec.attach.kind})`)
  }
  const meanings: Record<number, string> = {
    [Errno.EINVAL]: `this kernel does not know programs of the kind ${spec.attach.kind}, or an attribute of it`,
    [Errno.E2BIG]: `it has ${spec.code.length / 8} instructions, more than this kernel allows`,
  }
  return commandError('BPF_PROG_LOAD', verdict, `program '${spec.name}': ${meanings[-verdict] ?? 'refused without a log'}`)
}

function readLog(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end))
}

/** A copy of the code with the descriptors of its maps in the lddw slots that name them. */
function patchMaps(spec: ProgramSpec, code: Uint8Array, context: LoadContext): Uint8Array {
  const patched = code.slice()
  const view = new DataView(patched.buffer)
  for (const { slot, map, offset } of spec.maps) {
    const at = slot * 8
    if (patched[at] !== 0x18) throw new Error(`program '${spec.name}': slot ${slot} should load map '${map}' but is no lddw`)
    patched[at + 1] = patched[at + 1]! & 0x0f | (offset === undefined ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE) << 4
    view.setInt32(at + 4, context.mapFd(map), true)
    if (offset !== undefined) view.setInt32(at + 12, offset, true)
  }
  return patched
}

/** The source line an instruction came from: the last record at or before it. */
function sourceLine(spec: ProgramSpec, btf: Btf | undefined, slot: number): SourceLine | undefined {
  const info = spec.lines.findLast((line) => line.slot <= slot)
  if (info === undefined || btf === undefined) return undefined
  return { file: btf.string(info.file), line: info.line, column: info.column, text: btf.string(info.text) }
}
