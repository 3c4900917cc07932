import { ExecutableError } from './executable.ts'
import type { Executable } from './executable.ts'

/** A static probe of a program: places where it is, from the file's notes. Offsets are in the file. */
export interface UsdtProbe {
  provider: string
  name: string
  offset: number
  /** Of the counter that tells the program somebody listens; 0: none. */
  semaphore: number
  arguments: UsdtArgument[]
}

/** Where a probe's argument is. `size` in bytes; the value is `scale`d index + base register + `offset` for places in memory. */
export type UsdtArgument = { size: number; signed: boolean } & (
  | { kind: 'constant'; value: bigint }
  | { kind: 'register'; register: string }
  | { kind: 'memory'; register: string; offset: number }
  | { kind: 'indexed'; register: string; index: string; scale: number; offset: number }
)

const NT_STAPSDT = 3

/** All static probes of a file. @throws ExecutableError */
export function usdtProbes(file: Executable): UsdtProbe[] {
  const notes = file.section('.note.stapsdt')
  if (notes === undefined) return []
  const base = file.sections.find(({ name }) => name === '.stapsdt.base')?.address
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength)
  const probes: UsdtProbe[] = []
  for (let at = 0; at + 12 <= notes.length;) {
    const [nameBytes, bytes, type] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true)) as [number, number, number]
    const start = at + 12 + (nameBytes + 3 & ~3)
    if (start + bytes > notes.length) throw new ExecutableError(file.path, `a note at ${at} of .note.stapsdt reaches beyond it`)
    if (type === NT_STAPSDT && bytes >= 24) probes.push(readProbe(file, notes.subarray(start, start + bytes), base))
    at = start + (bytes + 3 & ~3)
  }
  return probes
}

function readProbe(file: Executable, note: Uint8Array, base: number | undefined): UsdtProbe {
  const view = new DataView(note.buffer, note.byteOffset, note.byteLength)
  const [location, linkedBase, semaphore] = [0, 8, 16].map((at) => Number(view.getBigUint64(at, true))) as [number, number, number]
  const [provider = '', name = '', text = ''] = new TextDecoder().decode(note.subarray(24)).split('\0')
  // Whoever moved the code after linking (prelink) moved the base too, but not the notes.
  const moved = base === undefined || linkedBase === 0 ? 0 : base - linkedBase
  const offset = file.offsetOf(location + moved, { executable: true })
  if (offset === undefined) throw new ExecutableError(file.path, `the probe ${provider}:${name} is at no place of the file`)
  const counter = semaphore === 0 ? 0 : file.offsetOf(semaphore + moved)
  if (counter === undefined) throw new ExecutableError(
    file.path, `the semaphore of ${provider}:${name} is at no place of the file`
  )
  try {
    return { provider, name, offset, semaphore: counter, arguments: parseArguments(text) }
  } catch (cause) {
    throw new ExecutableError(file.path, `the probe ${provider}:${name}: ${(cause as Error).message}`)
  }
}

/**
 * Arguments as compilers write them, for x86-64, arm64 and riscv64: '-4@%edi 8@-8(%rbp) 4@$5 8@(%rax,%rcx,8)', '8@[sp, 16]',
 * '4@x1', '8@8(sp)'.
 * @throws RangeError for one that is none
 */
export function parseArguments(text: string): UsdtArgument[] {
  return [...text.matchAll(/(-?\d+)@((?:\[[^\]]*\]|\([^)]*\)|[^\s[(])+)/g)].map(([whole, bytes, place]) => {
    const size = { size: Math.abs(Number(bytes)), signed: bytes!.startsWith('-') }
    const found = parsePlace(place!)
    if (found === undefined || ![1, 2, 4, 8].includes(size.size)) throw new RangeError(
      `'${whole}' is no argument of a static probe`
    )
    return { ...size, ...found }
  })
}

type Place = UsdtArgument extends infer A ? A extends unknown ? Omit<A, 'size' | 'signed'> : never : never

function parsePlace(place: string): Place | undefined {
  let match
  if ((match = /^\$?(-?(?:0x[0-9a-f]+|\d+))$/i.exec(place))) return { kind: 'constant', value: integer(match[1]!) }
  if ((match = /^%?([a-z]\w*)$/.exec(place))) return { kind: 'register', register: match[1]! }
  if ((match = /^(-?\w*)\(%?(\w+)\)$/.exec(place))) return { kind: 'memory', register: match[2]!, offset: Number(match[1] || 0) }
  if ((match = /^\[\s*(\w+)\s*(?:,\s*#?(-?\d+)\s*)?\]$/.exec(place))) return { kind: 'memory', register: match[1]!, offset: Number(match[2] ?? 0) }
  if ((match = /^(-?\w*)\(%(\w+),\s*%(\w+)(?:,\s*([1248]))?\)$/.exec(place))) {
    return { kind: 'indexed', register: match[2]!, index: match[3]!, scale: Number(match[4] ?? 1), offset: Number(match[1] || 0) }
  }
  return undefined
}

const integer = (text: string) => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text))

/** Bytes from the start of `struct pt_regs` (x86-64), or of `struct user_pt_regs` (arm64) or of riscv64's, to a register. */
export function registerOffset(register: string, arch: string = process.arch): number | undefined {
  if (arch === 'x64') return x64[register]
  if (arch === 'arm64') {
    if (register === 'sp') return 31 * 8
    const number = /^[xw](\d+)$/.exec(register)?.[1]
    return number !== undefined && Number(number) < 31 ? Number(number) * 8 : undefined
  }
  const index = riscv64.indexOf(register)
  return arch === 'riscv64' && index >= 0 ? index * 8 : undefined
}

const x64: Record<string, number> = { rip: 128, eip: 128 }
for (const [offset, names] of [
  [0, 'r15 r15d r15w r15b'], [8, 'r14 r14d r14w r14b'], [16, 'r13 r13d r13w r13b'], [24, 'r12 r12d r12w r12b'], [32, 'rbp ebp bp bpl'],
  [40, 'rbx ebx bx bl'], [48, 'r11 r11d r11w r11b'], [56, 'r10 r10d r10w r10b'], [64, 'r9 r9d r9w r9b'], [72, 'r8 r8d r8w r8b'],
  [80, 'rax eax ax al'], [88, 'rcx ecx cx cl'], [96, 'rdx edx dx dl'], [104, 'rsi esi si sil'], [112, 'rdi edi di dil'],
  [152, 'rsp esp sp spl'],
] as const) for (const name of names.split(' ')) x64[name] = offset

const riscv64 = ('pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6').split(' ')

const MAX_ARGUMENTS = 12
const SPEC_BYTES = MAX_ARGUMENTS * 16 + 16

/** `struct __bpf_usdt_spec` of libbpf's usdt.bpf.h: how programs that include it find their arguments. */
export function encodeUsdtSpec(probe: UsdtProbe, cookie: bigint): Uint8Array {
  const bytes = new Uint8Array(SPEC_BYTES)
  const view = new DataView(bytes.buffer)
  const offsetOf = (register: string) => {
    const offset = registerOffset(register)
    if (offset === undefined) throw new RangeError(`${probe.provider}:${probe.name}: the register '${register}' is not known`)
    return offset
  }
  probe.arguments.slice(0, MAX_ARGUMENTS).forEach((argument, index) => {
    const at = index * 16
    switch (argument.kind) {
      case 'constant': view.setBigInt64(at, BigInt.asIntN(64, argument.value), true); break
      case 'register':
        view.setUint8(at + 8, 1)
        view.setInt16(at + 12, offsetOf(argument.register), true)
        break
      case 'memory':
        view.setBigInt64(at, BigInt(argument.offset), true)
        view.setUint8(at + 8, 2)
        view.setInt16(at + 12, offsetOf(argument.register), true)
        break
      case 'indexed':
        view.setBigInt64(at, BigInt(argument.offset), true)
        view.setUint8(at + 8, 3)
        view.setUint16(at + 9, offsetOf(argument.index) | Math.log2(argument.scale) << 12, true)
        view.setInt16(at + 12, offsetOf(argument.register), true)
        break
    }
    view.setUint8(at + 14, argument.signed ? 1 : 0)
    view.setUint8(at + 15, 64 - argument.size * 8)
  })
  view.setBigUint64(MAX_ARGUMENTS * 16, BigInt.asUintN(64, cookie), true)
  view.setInt16(MAX_ARGUMENTS * 16 + 8, Math.min(MAX_ARGUMENTS, probe.arguments.length), true)
  return bytes
}
