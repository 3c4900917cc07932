import { VmRefusal } from './fault.ts'

/**
 * What RFC 9669 demands of a program before it may run: known opcodes, unused fields zero, registers that exist, no write to
 * r10, jumps and calls that stay inside and off the second slot of a 64-bit load, and an end that is no fall into nothing.
 */
export interface CheckOptions {
  /** For messages. */
  program?: string
  /** Allow addr_space_cast (6.9); only programs with an arena may use it. */
  arena?: boolean
}

/** Slots a program may have: the kernel looks at no more than a million instructions (5.2). */
const MOST_SLOTS = 1_000_000
const FRAME = 10

/** One slot, taken apart. */
interface Slot { code: number; dst: number; src: number; off: number; imm: number }

/** @throws VmRefusal for the first slot that breaks a rule */
export function checkProgram(bytes: Uint8Array, options: CheckOptions = {}): void {
  const refuse = (slot: number, problem: string): never => { throw new VmRefusal(slot, problem, options.program) }
  if (bytes.length === 0) refuse(-1, 'it has no instructions')
  if (bytes.length % 8 !== 0) refuse(bytes.length >> 3, `${bytes.length % 8} bytes instead of 8`)
  const count = bytes.length / 8
  if (count > MOST_SLOTS) refuse(-1, `${count} instructions are more than ${MOST_SLOTS}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const second = new Uint8Array(count)
  const targets: [from: number, to: number][] = []
  let last = 0
  for (let slot = 0; slot < count; slot++) {
    const at = slot * 8
    const one: Slot = {
      code: bytes[at]!, dst: bytes[at + 1]! & 15, src: bytes[at + 1]! >> 4, off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    }
    const problem = problemOf(one, options)
    if (problem !== null) refuse(slot, problem)
    const target = targetOf(one)
    if (target !== null) targets.push([slot, slot + 1 + target])
    last = slot
    if (one.code === 0x18) {
      if (slot + 1 === count) refuse(slot, 'a 64-bit load lacks its second slot')
      if (view.getUint32(at + 8, true) !== 0) refuse(slot + 1, 'the second slot of a 64-bit load holds more than an immediate')
      if (one.src === 4) targets.push([slot, slot + 1 + one.imm])
      second[++slot] = 1
    }
  }
  for (const [from, to] of targets) {
    if (to < 0 || to >= count) refuse(from, `the target ${to} is outside of the program (0 to ${count - 1})`)
    if (second[to] === 1) refuse(from, `the target ${to} is the second slot of a 64-bit load`)
  }
  const end = bytes[last * 8]!
  if (end !== 0x95 && end !== 0x05 && end !== 0x06) refuse(last, 'the last instruction is neither exit nor a jump')
}

/** The relative target of a jump, or of a call of a function of the program. */
function targetOf({ code, src, off, imm }: Slot): number | null {
  const kind = code & 7
  if (kind !== 5 && kind !== 6) return null
  if (code === 0x06) return imm
  if (code === 0x85) return src === 1 ? imm : null
  return code === 0x95 ? null : off
}

function problemOf(one: Slot, options: CheckOptions): string | null {
  if (one.dst > 10) return `there is no register r${one.dst}`
  switch (one.code & 7) {
    case 0: return immediateLoad(one)
    case 1: return load(one)
    case 2: return storeImmediate(one)
    case 3: return storeRegister(one)
    case 4: case 7: return arithmetic(one, options)
    default: return jump(one)
  }
}

const unknown = ({ code }: Slot) => `the opcode 0x${code.toString(16).padStart(2, '0')} is not known`
const sourceRegister = ({ src }: Slot) => (src > 10 ? `there is no register r${src}` : null)
const writes = ({ dst }: Slot) => (dst === FRAME ? 'r10, the frame pointer, is read-only' : null)

/** The first field among those named that is not zero. */
function zero(one: Slot, ...fields: ('dst' | 'src' | 'off' | 'imm')[]): string | null {
  for (const field of fields) if (one[field] !== 0) return `the field '${field}' is not used here and must be 0, not ${one[field]}`
  return null
}

function immediateLoad(one: Slot): string | null {
  const { code, src } = one
  if (code === 0x18) return zero(one, 'off') ?? (src > 6 ? `a 64-bit load of kind ${src} is not known` : writes(one))
  if (code === 0x20 || code === 0x28 || code === 0x30) return zero(one, 'dst', 'src', 'off')
  if (code === 0x40 || code === 0x48 || code === 0x50) return sourceRegister(one) ?? zero(one, 'dst', 'off')
  return unknown(one)
}

function load(one: Slot): string | null {
  const mode = one.code & 0xe0
  if (mode !== 0x60 && (mode !== 0x80 || one.code === 0x99)) return unknown(one)
  return sourceRegister(one) ?? zero(one, 'imm') ?? writes(one)
}

function storeImmediate(one: Slot): string | null {
  return (one.code & 0xe0) === 0x60 ? zero(one, 'src') : unknown(one)
}

const atomicOperations = new Set([0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1])
const LOAD_ACQUIRE = 0x100
const STORE_RELEASE = 0x110

function storeRegister(one: Slot): string | null {
  const { code, imm, src } = one
  const mode = code & 0xe0
  if (mode === 0x60) return sourceRegister(one) ?? zero(one, 'imm')
  if (mode !== 0xc0) return unknown(one)
  if (imm === LOAD_ACQUIRE) return sourceRegister(one) ?? writes(one)
  if (imm === STORE_RELEASE) return sourceRegister(one)
  if (code !== 0xc3 && code !== 0xdb) return unknown(one)
  if (!atomicOperations.has(imm)) return `the atomic operation 0x${(imm >>> 0).toString(16)} is not known`
  const fetches = (imm & 1) !== 0 && imm !== 0xf1
  return sourceRegister(one) ?? (fetches && src === FRAME ? 'r10, the frame pointer, is read-only' : null)
}

function arithmetic(one: Slot, options: CheckOptions): string | null {
  const { code, off, imm } = one
  const wide = (code & 7) === 7
  const register = (code & 8) !== 0
  const operation = code >> 4
  if (operation > 0xd) return unknown(one)
  if (operation === 0xd) {
    if (wide && register) return unknown(one)
    if (imm !== 16 && imm !== 32 && imm !== 64) return `bytes are swapped in 16, 32 or 64 bits, not ${imm}`
    return zero(one, 'src', 'off') ?? writes(one)
  }
  if (operation === 0x8) return register ? unknown(one) : zero(one, 'src', 'off', 'imm') ?? writes(one)
  if (operation === 0xb && register && wide && off === 1) {
    return options.arena === true ? sourceRegister(one)
      ?? writes(one) : 'addr_space_cast needs a program with an arena, which this one has not'
  }
  const fields = register ? sourceRegister(one) ?? zero(one, 'imm') : zero(one, 'src')
  return fields ?? offsetOf(operation, off, register, wide) ?? writes(one)
}

function offsetOf(operation: number, off: number, register: boolean, wide: boolean): string | null {
  if (off === 0) return null
  if ((operation === 0x3 || operation === 0x9) && off === 1) return null
  if (operation === 0xb && register && (off === 8 || off === 16 || (off === 32 && wide))) return null
  return `the field 'off' is not used here and must be 0, not ${off}`
}

function jump(one: Slot): string | null {
  const { code, src } = one
  const wide = (code & 7) === 5
  const operation = code >> 4
  switch (operation) {
    case 0x0:
      if ((code & 8) !== 0) return unknown(one)
      return wide ? zero(one, 'dst', 'src', 'imm') : zero(one, 'dst', 'src', 'off')
    case 0x8:
      if (code !== 0x85) return unknown(one)
      if (src > 2) return `a call of kind ${src} is not known`
      return src === 2 ? zero(one, 'dst') : zero(one, 'dst', 'off')
    case 0x9: return code === 0x95 ? zero(one, 'dst', 'src', 'off', 'imm') : unknown(one)
    case 0xe: return code === 0xe5 ? zero(one, 'dst', 'src', 'imm') : unknown(one)
    case 0xf: return unknown(one)
    default: return (code & 8) !== 0 ? sourceRegister(one) ?? zero(one, 'imm') : zero(one, 'src')
  }
}
