import type { BinaryOperator as IrOperator, Comparison, Value } from '../../compiler/ir/ir.ts'
import type { BinaryOperator, Expression, Of } from '../syntax/ast.ts'
import { asNumber, bool, i64, isIntLike, sizeOf, u64, type Type } from '../types/type.ts'
import { compareMemory } from './compare.ts'
import { condition, expression, notify, number, register, remote, storeVariable, variableAddress } from './expression.ts'
import { changeMap, mapAddress } from './map-access.ts'
import { toRegister } from './memory.ts'
import type { Operand } from './operand.ts'
import { isScalar, type ProgramWriter } from './program-writer.ts'

export function unary(p: ProgramWriter, node: Of<'unary'>): Operand {
  const { f } = p
  const { operator, operand } = node
  const type = node.type ?? u64
  switch (operator) {
    case '!': return register(f.compare('eq', condition(p, operand), f.number(0)), bool)
    case '-': return register(f.negate(number(p, operand)), type)
    case '~': return register(f.binary('xor', number(p, operand), f.number(-1)), type)
    case '&':
      if (operand.kind === 'variable') return register(variableAddress(p, operand), type)
      return register(mapAddress(p, operand), type)
    case '*': {
      const from = operand.type ?? u64
      const address = number(p, operand)
      return remote(p, address, from.kind === 'pointer' ? from.space : 'unknown', type)
    }
    default: return expression(p, operand)
  }
}

/** `++` and `--`, by one or by the size of what a pointer points to. */
export function step(p: ProgramWriter, node: Of<'unary'>): Operand {
  const { f } = p
  const { operand, operator, postfix } = node
  const type = node.type ?? i64
  const by = type.kind === 'pointer' ? Math.max(1, sizeOf(type.to)) : 1
  const change = (old: Value) => f.binary(operator === '++' ? 'add' : 'sub', old, f.number(by))
  if (operand.kind === 'variable') {
    const old = number(p, operand)
    const now = change(old)
    storeVariable(p, operand, register(now, type))
    return register(postfix ? old : now, type)
  }
  if (operand.kind !== 'map' && operand.kind !== 'mapAccess') return { kind: 'void' }
  if (type.kind !== 'pointer') return addToMap(p, operand, operator === '++' ? 1 : -1, postfix, type)
  const { before, after } = changeMap(p, operand, change)
  return register(postfix ? before : after, type)
}

function addToMap(p: ProgramWriter, operand: Of<'map'> | Of<'mapAccess'>, by: number, postfix: boolean, type: Type): Operand {
  const { f } = p
  const { before, after } = changeMap(p, operand, (old) => f.binary('add', old, f.number(by)), by)
  return register(postfix ? before : after, type)
}

const comparisons: Partial<Record<BinaryOperator, [Comparison, Comparison]>> = {
  '==': ['eq', 'eq'], '!=': ['ne', 'ne'], '<': ['lt', 'slt'], '>': ['gt', 'sgt'], '<=': ['le', 'sle'], '>=': ['ge', 'sge'],
}

export function binary(p: ProgramWriter, node: Of<'binary'>): Operand {
  const { operator, left, right } = node
  if (operator === '&&' || operator === '||') return logical(p, node)
  const [a, b] = [asNumber(left.type ?? u64), asNumber(right.type ?? u64)]
  const compared = comparisons[operator]
  if (compared !== undefined && !(isNumber(a) && isNumber(b))) return compareMemory(p, node, a, b)
  const x = number(p, left)
  const y = number(p, right)
  p.at(node.span)
  if (compared !== undefined) return register(p.f.compare(compared[isSigned(a, b, left, right) ? 1 : 0], x, y), bool)
  return register(arithmetic(p, operator, x, y, a, b, node), node.type ?? i64)
}

function isNumber(type: Type): boolean {
  return isScalar(type)
}

/** Signed unless both sides are unsigned; a literal goes with the other side. */
function isSigned(a: Type, b: Type, _left: Expression, _right: Expression): boolean {
  if (a.kind === 'pointer' || b.kind === 'pointer') return false
  const fits = (type: Type, other: Type) => type.kind === 'int' && type.range !== undefined && (other.kind !== 'int' || other.signed || type.range.least >= 0n)
  const signed = (type: Type) => (type.kind === 'int' || type.kind === 'enum') && type.signed
  if (fits(a, b) && !fits(b, a)) return signed(b)
  if (fits(b, a) && !fits(a, b)) return signed(a)
  return signed(a) || signed(b)
}

const operators: Partial<Record<string, IrOperator>> = {
  '+': 'add', '-': 'sub', '*': 'mul', '&': 'and', '|': 'or', '^': 'xor', '<<': 'shl',
}

export function arithmetic(p: ProgramWriter, operator: string, x: Value, y: Value, a: Type, b: Type, node: Expression | { span: import('../source.ts').Span }): Value {
  const { f } = p
  // Pointers move by what they point to.
  if (a.kind === 'pointer' && isIntLike(b) && (operator === '+' || operator === '-')) {
    return f.binary(operators[operator]!, x, f.binary('mul', y, f.number(Math.max(1, sizeOf(a.to)))))
  }
  if (b.kind === 'pointer' && isIntLike(a) && operator === '+') {
    return f.binary('add', y, f.binary('mul', x, f.number(Math.max(1, sizeOf(b.to)))))
  }
  const plain = operators[operator]
  if (plain === 'shl') return f.binary('shl', x, f.binary('and', y, f.number(63)))
  if (plain !== undefined) return f.binary(plain, x, y)
  const left = { kind: 'bool', value: true, span: node.span } as Expression
  const signed = isSigned(a, b, left, left)
  if (operator === '>>') return f.binary(a.kind === 'int' && a.signed ? 'sar' : 'shr', x, f.binary('and', y, f.number(63)))
  return divide(p, operator === '/', x, y, signed, node)
}

/** Division by zero is a warning, and gives 1. */
function divide(p: ProgramWriter, quotient: boolean, x: Value, y: Value, signed: boolean, node: { span: import('../source.ts').Span }): Value {
  const { f } = p
  const zero = p.generation.event({
    kind: 'runtimeError', message: 'Divide or modulo by 0 detected. This can lead to unexpected results. 1 is being used as the result.', span: node.span,
  })
  return f.choose('ne', y, f.number(0), () => {
    if (!signed) return f.binary(quotient ? 'div' : 'mod', x, y)
    if (p.generation.options.isa >= 4) return f.binary(quotient ? 'sdiv' : 'smod', x, y)
    const absolute = (value: Value) => f.choose('slt', value, f.number(0), () => f.negate(value), () => value)
    const result = f.binary(quotient ? 'div' : 'mod', absolute(x), absolute(y))
    const sign = quotient ? f.binary('xor', x, y) : x
    return f.choose('slt', sign, f.number(0), () => f.negate(result), () => result)
  }, () => {
    notify(p, zero)
    return f.number(1)
  })
}

function logical(p: ProgramWriter, node: Of<'binary'>): Operand {
  const { f } = p
  const and = node.operator === '&&'
  const left = condition(p, node.left)
  const rest = () => f.compare('ne', condition(p, node.right), f.number(0))
  const value = f.choose('ne', left, f.number(0), () => (and ? rest() : f.number(1)), () => (and ? f.number(0) : rest()))
  return register(value, bool)
}

/** `x op= y` on a number. */
export function compound(p: ProgramWriter, operator: string, old: Value, oldType: Type, value: Operand, valueType: Type, node: { span: import('../source.ts').Span }): Value {
  return arithmetic(p, operator.slice(0, -1), old, toRegister(p, value), oldType, asNumber(valueType), node)
}
