import type { Comparison, Condition, Width } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import { Code, Mirrored } from './opcode.ts'
import { Role, type Operand } from './machine.ts'
import type { Selection } from './select.ts'
import { fitsImm, signExtension } from './select-op.ts'

export interface MachineCondition { operator: Comparison; width: Width; uses: Operand[]; imm: number }

export function selectCondition(s: Selection, condition: Condition, span: Span): MachineCondition {
  let { operator } = condition
  if (operator === 'exhausted') return { operator, width: 64, uses: [], imm: 0 }
  const width = s.narrowing.allows(condition) ? 32 : condition.width
  let left = s.operand(condition.left)
  let right = s.operand(condition.right)
  if (left < 0 && right >= 0) {
    operator = Mirrored[operator]
    const swapped = left
    left = right
    right = swapped
  }
  if (width === 32 && s.isa < 3) return widened(s, operator, left, right, span)
  const number = s.numberOf(right)
  const leftRegister = s.inRegister(left, span)
  const imm = number === null ? null : width === 32 ? BigInt.asIntN(32, number) : number
  if (imm !== null && fitsImm(imm)) return { operator, width, uses: [leftRegister], imm: Number(imm) }
  return { operator, width, uses: [leftRegister, s.inRegister(right, span)], imm: 0 }
}

/** Without 32-bit jumps both sides are extended and compared whole. */
function widened(s: Selection, operator: Comparison, left: Operand, right: Operand, span: Span): MachineCondition {
  const signed = operator === 'slt' || operator === 'sle' || operator === 'sgt' || operator === 'sge'
  const number = s.numberOf(right)
  const leftRegister = extended(s, s.inRegister(left, span), signed, span)
  if (number !== null) {
    const value = signed ? BigInt.asIntN(32, number) : BigInt.asUintN(32, number)
    if (fitsImm(value)) return { operator, width: 64, uses: [leftRegister], imm: Number(value) }
  }
  return { operator, width: 64, uses: [leftRegister, extended(s, s.inRegister(right, span), signed, span)], imm: 0 }
}

function extended(s: Selection, value: number, signed: boolean, span: Span): number {
  const out = s.temporary()
  const templates = signed ? signExtension(32) : [{ code: Code.mov32, dst: Role.out, src: Role.first, off: 0, imm: 0 }]
  s.emit({ kind: 'plain', tied: signed, commutative: false, out, uses: [value], templates, span })
  return out
}
