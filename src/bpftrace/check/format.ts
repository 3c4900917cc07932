import type { Expression } from '../syntax/ast.ts'
import { isCastableAggregate, isIntLike, typeName, type Type } from '../types/type.ts'
import { parseFormat, type Conversion } from '../output/format.ts'
import type { CheckContext } from './context.ts'

/** Checks a format against its arguments. The first of `args` belongs to the first conversion. */
export function checkFormat(c: CheckContext, fn: string, format: Expression, args: readonly Expression[]): void {
  if (format.kind !== 'string') return
  const conversions = parseFormat(format.value).filter((part): part is Conversion => typeof part !== 'string')
  const wrong = conversions.find((one) => !'diouxXcspr'.includes(one.conversion) || one.unknown)
  if (wrong !== undefined) return c.error(`${fn}: Unknown format string token: ${wrong.text}`, format.span)
  const wanted = conversions.reduce((sum, one) => sum + 1 + (one.width === '*' ? 1 : 0) + (one.precision === '*' ? 1 : 0), 0)
  if (args.length < wanted) {
    return c.error(`${fn}: Not enough arguments for format string (${wanted} expected, ${args.length} found)`, format.span)
  }
  if (args.length > wanted) {
    return c.error(`${fn}: Too many arguments for format string (${wanted} expected, ${args.length} found)`, format.span)
  }
  let at = 0
  for (const one of conversions) {
    at += (one.width === '*' ? 1 : 0) + (one.precision === '*' ? 1 : 0)
    const arg = args[at++]!
    const type = arg.type ?? { kind: 'none' }
    if (type.kind === 'none') continue
    if (!takes(one, type)) {
      c.error(`${fn}: ${one.text} specifier expects a value of type ${expected(one)} (${typeName(type)} supplied)`, arg.span)
    }
  }
}

function takes({ conversion }: Conversion, type: Type): boolean {
  switch (conversion) {
    case 's': return type.kind !== 'void' && !(type.kind === 'aggregate' && !isCastableAggregate(type))
    case 'r': return type.kind === 'buffer'
    case 'c': case 'd': case 'i': case 'o': case 'u': case 'x': case 'X': case 'p':
      return isIntLike(type) || type.kind === 'pointer' || isCastableAggregate(type) || type.kind === 'ksym' || type.kind === 'usym' || type.kind === 'username'
  }
  return false
}

function expected({ conversion }: Conversion): string {
  return conversion === 'r' ? 'buffer' : conversion === 's' ? 'string' : conversion === 'p' ? 'pointer' : 'integer'
}
