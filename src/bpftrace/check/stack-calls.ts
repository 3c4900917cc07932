import type { Expression, Of } from '../syntax/ast.ts'
import type { StackMode, Type } from '../types/type.ts'
import type { CheckContext } from './context.ts'

const modes: ReadonlySet<string> = new Set(['bpftrace', 'perf', 'raw', 'build_id'])
const defaultLimit = 127

/** `kstack([mode,] [limit])`: the mode is a word, the limit a literal. */
export function stackType(c: CheckContext, node: Of<'call'>, name: string): Type {
  const [first, second] = node.args as [Expression | undefined, Expression | undefined]
  const user = name !== 'kstack'
  let mode: StackMode = c.config.stack_mode
  let limit = defaultLimit
  const takeLimit = (arg: Expression) => {
    if (arg.kind === 'integer') limit = Number(arg.value)
    else c.error(`${name}: invalid limit value`, arg.span)
    if (limit > 127 || limit < 0) c.error(`${name}([int limit]): limit shouldn't exceed 127, ${limit} given`, arg.span)
  }
  if (first !== undefined && second === undefined && first.kind === 'integer') takeLimit(first)
  else if (first !== undefined) {
    if (first.kind === 'identifier' && modes.has(first.name)) mode = first.name as StackMode
    else c.error(
      first.kind === 'identifier' ? `Unknown stack mode: '${first.name}'` : `${name}: expects a stack mode or a literal limit`, first.span,
    )
    if (second !== undefined) takeLimit(second)
  }
  if (mode === 'build_id' && !user) c.error("'build_id' stack mode can only be used for ustack", node.span)
  return { kind: 'stack', user, mode, limit }
}
