import { ProgramError } from '../diagnostic.ts'
import type { Span } from '../source.ts'
import type { BinaryOperator, Expression, Of } from '../syntax/ast.ts'

export const minI64 = -(1n << 63n)
export const maxI64 = (1n << 63n) - 1n
const maxU64 = (1n << 64n) - 1n

type Literal = Of<'integer'> | Of<'string'> | Of<'bool'> | Of<'tuple'>

/** What positional and named parameters stand for. */
export interface Parameters { positional: readonly string[] }

export function isLiteral(expression: Expression): expression is Literal {
  return expression.kind === 'integer' || expression.kind === 'string' || expression.kind === 'bool'
    || (expression.kind === 'tuple' && expression.elements.every(isLiteral))
}

export function integer(value: bigint, span: Span): Expression {
  return { kind: 'integer', value, text: String(value), folded: true, span }
}

/** Computes what is known before the program runs. Operands must be folded already. @throws ProgramError on overflow and division by zero */
export function foldExpression(node: Expression): Expression {
  switch (node.kind) {
    case 'binary': return foldBinary(node)
    case 'unary': return foldUnary(node)
    case 'ternary': {
      if (!isLiteral(node.condition) || node.condition.kind === 'tuple') return node
      return truth(node.condition) ? node.then ?? node.condition : node.otherwise
    }
    case 'tupleField': {
      if (node.operand.kind !== 'tuple' || !isLiteral(node.operand)) return node
      return node.operand.elements[node.index] ?? node
    }
    case 'index': {
      const { operand, index } = node
      if (operand.kind !== 'string' || index.kind !== 'integer') return node
      const bytes = byteString(operand.value)
      if (index.value < 0n || index.value > BigInt(bytes.length)) return node
      return integer(BigInt(bytes[Number(index.value)] ?? 0), node.span)
    }
    default: return node
  }
}

/** Characters stand for bytes above 127 only where they are written so. */
function byteString(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function truth(literal: Expression): boolean {
  switch (literal.kind) {
    case 'integer': return literal.value !== 0n
    case 'bool': return literal.value
    case 'string': return literal.value !== ''
    default: return true
  }
}

function foldUnary(node: Of<'unary'>): Expression {
  const { operand, operator, span } = node
  if (operator === '!' && isLiteral(operand) && operand.kind !== 'tuple' && operand.kind !== 'string') {
    return { kind: 'bool', value: !truth(operand), span }
  }
  if (operand.kind !== 'integer' || operand.enum !== undefined && operator !== '-') return node
  if (operator === '~') return integer(operand.value > maxI64 ? BigInt.asUintN(64, ~operand.value) : ~operand.value, span)
  if (operator === '-') {
    if (-operand.value < minI64) throw new ProgramError(`negative literal out of range: -${operand.text}`, span)
    return integer(-operand.value, span)
  }
  return node
}

function foldBinary(node: Of<'binary'>): Expression {
  const { left, right, operator, span } = node
  if (!isLiteral(left) || !isLiteral(right)) return node
  if (operator === '&&') return { kind: 'bool', value: truth(left) && truth(right), span }
  if (operator === '||') return { kind: 'bool', value: truth(left) || truth(right), span }
  if (left.kind === 'tuple' || right.kind === 'tuple') return foldTuples(node)
  if (left.kind === 'string' || right.kind === 'string') return foldStrings(node)
  const a = left.kind === 'bool' ? BigInt(left.value) : left.value
  const b = right.kind === 'bool' ? BigInt(right.value) : right.value
  const compared = compare(operator, a, b)
  if (compared !== null) return { kind: 'bool', value: compared, span }
  return integer(arithmetic(operator, a, b, span), span)
}

function compare<T extends bigint | string>(operator: BinaryOperator, a: T, b: T): boolean | null {
  switch (operator) {
    case '==': return a === b
    case '!=': return a !== b
    case '<': return a < b
    case '>': return a > b
    case '<=': return a <= b
    case '>=': return a >= b
    default: return null
  }
}

function foldStrings(node: Of<'binary'>): Expression {
  const { left, right, operator, span } = node
  if (left.kind === 'string' && right.kind === 'string') {
    const compared = compare(operator, left.value, right.value)
    return compared === null ? node : { kind: 'bool', value: compared, span }
  }
  // An address in a literal: the rest of the text.
  const [text, number] = left.kind === 'string' ? [left, right] : [right, left]
  if (operator === '+' && text.kind === 'string' && number.kind === 'integer' && number.value >= 0n && number.value <= BigInt(text.value.length)) {
    return { kind: 'string', value: text.value.slice(Number(number.value)), span }
  }
  return node
}

function foldTuples(node: Of<'binary'>): Expression {
  if (node.operator !== '==' && node.operator !== '!=') return node
  const equal = sameLiteral(node.left, node.right)
  return equal === null ? node : { kind: 'bool', value: equal === (node.operator === '=='), span: node.span }
}

function sameLiteral(a: Expression, b: Expression): boolean | null {
  if (a.kind === 'tuple' && b.kind === 'tuple' && a.elements.length === b.elements.length) {
    let all = true
    for (const [index, element] of a.elements.entries()) {
      const one = sameLiteral(element, b.elements[index]!)
      if (one === null) return null
      all &&= one
    }
    return all
  }
  if (a.kind !== b.kind) return null
  if (a.kind === 'integer' || a.kind === 'string' || a.kind === 'bool') return a.value === (b as typeof a).value
  return null
}

/** Both as uint64, or both as int64 where one is negative. */
function arithmetic(operator: BinaryOperator, a: bigint, b: bigint, span: Span): bigint {
  const signed = a < 0n || b < 0n
  const overflow = () => new ProgramError(`unable to fold literals due to overflow`, span)
  if (signed && (a > maxI64 || b > maxI64)) throw overflow()
  if ((operator === '/' || operator === '%') && b === 0n) throw new ProgramError('unable to fold due to division by zero', span)
  const check = (value: bigint, least: bigint, most: bigint) => {
    if (value < least || value > most) throw overflow()
    return value
  }
  switch (operator) {
    case '+': return check(a + b, minI64, signed ? maxI64 : maxU64)
    case '-': return check(a - b, minI64, signed ? maxI64 : maxU64)
    case '*': return check(a * b, minI64, signed ? maxI64 : maxU64)
    case '/': return check(a / b, minI64, maxU64)
    case '%': return a % b
    case '&': return signed ? BigInt.asIntN(64, a & b) : a & b
    case '|': return signed ? BigInt.asIntN(64, a | b) : a | b
    case '^': return signed ? BigInt.asIntN(64, a ^ b) : a ^ b
    case '<<': return a < 0n ? BigInt.asIntN(64, a << (b & 63n)) : BigInt.asUintN(64, a << (b & 63n))
    case '>>': return a >> (b < 0n || b > 63n ? b & 63n : b)
    default: throw overflow()
  }
}
