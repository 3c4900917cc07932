import type { BinaryOperator, Op, Value, Width } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import { BackendError } from './error.ts'
import { Role, type Operand, type Template } from './machine.ts'
import { Alu32, Alu64, AluOperation, AtomicCode, Code, FromRegister, LoadCode, LoadSignedCode, StoreCode, StoreImmCode } from './opcode.ts'
import type { Selection } from './select.ts'

export function fitsImm(value: bigint): boolean {
  return BigInt.asIntN(32, value) === value
}

export function selectOp(s: Selection, op: Op): void {
  switch (op.op) {
    case 'const': return s.bind(op.out, s.constant({ kind: 'number', value: BigInt.asIntN(64, op.value), core: op.core }))
    case 'mapAddress': return s.bind(op.out, s.constant({ kind: 'map', map: op.map }))
    case 'stackAddress': return s.bind(op.out, s.constant({ kind: 'frame', slot: op.slot, offset: op.offset }))
    case 'refine': return s.bind(op.out, s.operand(op.value))
    case 'functionAddress': return s.bind(op.out, s.constant({ kind: 'function', function: op.function }))
    case 'context': return s.emit({ kind: 'context', register: op.register ?? 1, out: s.define(op.out), uses: [], span: op.span })
    case 'binary': return selectBinary(s, op)
    case 'negate': return unary(s, op.out, op.value, true, [step(op.width === 64 ? Code.neg64 : Code.neg32)], op.span)
    case 'byteSwap': return unary(s, op.out, op.value, true, [step(s.isa >= 4 ? Code.byteSwap : Code.toBigEndian, op.bits)], op.span)
    case 'extend': return selectExtend(s, op)
    case 'load': return selectLoad(s, op)
    case 'store': return selectStore(s, op)
    case 'atomicAdd': return selectAtomicAdd(s, op)
    case 'offset': return selectOffset(s, op)
    case 'call': return selectCall(s, op)
  }
}

/** An instruction on the result's register. */
function step(code: number, imm = 0): Template {
  return { code, dst: Role.out, src: Role.none, off: 0, imm }
}

function unary(s: Selection, out: Value, value: Value, tied: boolean, templates: Template[], span: Span): void {
  const use = s.inRegister(s.operand(value), span)
  s.emit({ kind: 'plain', tied, commutative: false, out: s.define(out), uses: [use], templates, span })
}

function isPointer(value: Value): boolean {
  return value.type.kind === 'pointer'
}

const commutative: ReadonlySet<BinaryOperator> = new Set(['add', 'mul', 'and', 'or', 'xor'])

function selectBinary(s: Selection, op: Op & { op: 'binary' }): void {
  const { operator, width, span } = op
  const signedDivision = operator === 'sdiv' || operator === 'smod'
  if (signedDivision && s.isa < 4) {
    throw new BackendError('SKEP-C01', `signed ${operator === 'sdiv' ? 'division' : 'remainder'} needs the v4 instruction set (kernel 6.6)`,
      'divide unsigned numbers, or compile with isa: 4 for kernels that have it', span)
  }
  let left = s.operand(op.left)
  let right = s.operand(op.right)
  const swaps = commutative.has(operator)
  if (swaps && left < 0 && right >= 0) {
    const swapped = left
    left = right
    right = swapped
  }
  const imm = immediate(s.numberOf(right), operator, width)
  if (imm === 0n && AluOperation[operator] === AluOperation.div) return s.bind(op.out, s.number(0n))
  if (imm === 0n && AluOperation[operator] === AluOperation.mod) return moduloZero(s, op.out, left, width, span)
  const code = (width === 64 ? Alu64 : Alu32) | AluOperation[operator]
  const off = signedDivision ? 1 : 0
  const leftRegister = s.inRegister(left, span)
  if (imm !== null && fitsImm(imm)) {
    const templates = [{ ...step(code, Number(imm)), off }]
    return s.emit({ kind: 'plain', tied: true, commutative: false, out: s.define(op.out), uses: [leftRegister], templates, span })
  }
  const uses = [leftRegister, s.inRegister(right, span)]
  const templates = [{ code: code | FromRegister, dst: Role.out, src: Role.second, off, imm: 0 }]
  // A pointer stays on the left, where every verifier accepts it.
  const mayExchange = swaps && !isPointer(op.left) && !isPointer(op.right)
  s.emit({ kind: 'plain', tied: true, commutative: mayExchange, out: s.define(op.out), uses, templates, span })
}

/** A constant operand as the instruction would hold it; the verifier refuses shifts by the width and more. */
function immediate(number: bigint | null, operator: BinaryOperator, width: Width): bigint | null {
  if (number === null) return null
  if (operator === 'shl' || operator === 'shr' || operator === 'sar') return BigInt.asUintN(64, number) & BigInt(width - 1)
  return width === 32 ? BigInt.asIntN(32, number) : number
}

/** The left side as it is; the verifier refuses the instruction. */
function moduloZero(s: Selection, out: Value, left: Operand, width: Width, span: Span): void {
  if (width === 64) return s.bind(out, left)
  const templates = [{ code: Code.mov32, dst: Role.out, src: Role.first, off: 0, imm: 0 }]
  s.emit({ kind: 'plain', tied: false, commutative: false, out: s.define(out), uses: [s.inRegister(left, span)], templates, span })
}

function selectExtend(s: Selection, op: Op & { op: 'extend' }): void {
  const { bits, signed, span } = op
  if (s.demand.onlyLow(op.out, bits)) return s.bind(op.out, s.operand(op.value))
  if (!signed && bits === 32) return unary(s, op.out, op.value, false, [{ code: Code.mov32, dst: Role.out, src: Role.first, off: 0, imm: 0 }], span)
  if (!signed) return unary(s, op.out, op.value, true, [step(Code.and64Imm, 2 ** bits - 1)], span)
  if (s.isa >= 4) return unary(s, op.out, op.value, false, [{ code: Code.mov64, dst: Role.out, src: Role.first, off: bits, imm: 0 }], span)
  unary(s, op.out, op.value, true, signExtension(bits), span)
}

export function signExtension(bits: number): Template[] {
  return [step(Code.shl64Imm, 64 - bits), step(Code.sar64Imm, 64 - bits)]
}

type Access = Op & { op: 'load' | 'store' | 'atomicAdd' }

/** Where an access goes: a register or the frame, with the offset that the instruction holds. */
function address(s: Selection, op: Access): { uses: number[]; role: Role; off: number; slot?: Template['slot'] } {
  const core = 'core' in op ? op.core : undefined
  const { base, offset } = core === undefined ? s.addresses.resolve(op.pointer, op.offset) : { base: op.pointer, offset: op.offset }
  const operand = s.operand(base)
  const constant = s.constantOf(operand)
  if (constant?.kind === 'frame' && core === undefined) {
    return { uses: [], role: Role.frame, off: constant.offset + offset, slot: constant.slot }
  }
  const register = s.inRegister(operand, op.span)
  if (offset >= -0x8000 && offset <= 0x7fff) return { uses: [register], role: Role.first, off: offset }
  const out = s.temporary()
  s.emit({ kind: 'plain', tied: true, commutative: false, out, uses: [register], templates: [step(Code.add64Imm, offset)], span: op.span })
  return { uses: [out], role: Role.first, off: 0 }
}

/** The fields that depend on the address, and the relocation. */
function withSlot(template: Template, slot: Template['slot'], core: Template['core']): Template {
  if (slot !== undefined) template.slot = slot
  if (core !== undefined) template.core = core
  return template
}

function selectLoad(s: Selection, op: Op & { op: 'load' }): void {
  const { size, signed, span, core } = op
  const { uses, role, off, slot } = address(s, op)
  const extending = signed && size !== 8 && !s.demand.ignoresSign(op.out, size * 8)
  const code = extending && s.isa >= 4 ? LoadSignedCode[size] : LoadCode[size]
  const templates = [withSlot({ code, dst: Role.out, src: role, off, imm: 0 }, slot, core)]
  if (extending && s.isa < 4) templates.push(...signExtension(size * 8))
  s.emit({ kind: 'plain', tied: false, commutative: false, out: s.define(op.out), uses, templates, span })
}

function selectStore(s: Selection, op: Op & { op: 'store' }): void {
  const { size, span, core } = op
  const value = s.operand(op.value)
  const number = s.numberOf(value)
  const { uses, role, off, slot } = address(s, op)
  const imm = number === null ? null : size === 8 ? number : size === 4 ? BigInt.asIntN(32, number) : BigInt.asUintN(size * 8, number)
  if (imm !== null && fitsImm(imm)) {
    const templates = [withSlot({ code: StoreImmCode[size], dst: role, src: Role.none, off, imm: Number(imm) }, slot, core)]
    return s.emit({ kind: 'plain', tied: false, commutative: false, out: -1, uses, templates, span })
  }
  const templates = [withSlot({ code: StoreCode[size], dst: role, src: uses.length === 0 ? Role.first : Role.second, off, imm: 0 }, slot, core)]
  s.emit({ kind: 'plain', tied: false, commutative: false, out: -1, uses: [...uses, s.inRegister(value, span)], templates, span })
}

function selectAtomicAdd(s: Selection, op: Op & { op: 'atomicAdd' }): void {
  const { uses, role, off, slot } = address(s, op)
  const value = s.inRegister(s.operand(op.value), op.span)
  const templates = [withSlot({ code: AtomicCode[op.size], dst: role, src: uses.length === 0 ? Role.first : Role.second, off, imm: 0 }, slot, undefined)]
  s.emit({ kind: 'plain', tied: false, commutative: false, out: -1, uses: [...uses, value], templates, span: op.span })
}

function selectOffset(s: Selection, op: Op & { op: 'offset' }): void {
  // Its users go to the pointer it starts from.
  if (s.addresses.isFolded(op.out)) return
  const { core, span } = op
  const { base, offset } = core === undefined ? s.addresses.resolve(op.pointer, op.offset) : { base: op.pointer, offset: op.offset }
  const pointer = s.operand(base)
  const constant = s.constantOf(pointer)
  if (core === undefined && constant?.kind === 'frame') {
    return s.bind(op.out, s.constant({ ...constant, offset: constant.offset + offset }))
  }
  const templates = [withSlot(step(Code.add64Imm, offset), undefined, core)]
  s.emit({ kind: 'plain', tied: true, commutative: false, out: s.define(op.out), uses: [s.inRegister(pointer, span)], templates, span })
}

function selectCall(s: Selection, op: Op & { op: 'call' }): void {
  if (op.args.length > 5) throw new Error(`back end: ${op.name} has ${op.args.length} arguments; helpers take five`)
  const uses = op.args.map((arg) => s.operand(arg))
  const out = op.out === null ? -1 : s.define(op.out)
  s.emit({ kind: 'call', out, uses, helper: op.helper, name: op.name, span: op.span })
}
