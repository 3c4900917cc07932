import type { Expression } from '../syntax/ast.ts'
import { isIntLike, typeName } from '../types/type.ts'
import type { CheckContext } from './context.ts'
import { valueType } from './expressions.ts'

export function predicateOf(c: CheckContext, predicate: Expression): void {
  const type = valueType(c, predicate)
  if (isIntLike(type) || type.kind === 'pointer' || type.kind === 'none') return
  c.error(`Invalid type for predicate: ${typeName(type)}`, predicate.span)
}
