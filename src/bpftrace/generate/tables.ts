import type { Of } from '../syntax/ast.ts'
import { errorTexts, signalTexts } from '../library/names.ts'
import { expression } from './expression.ts'
import { storeAs, toRegister } from './memory.ts'
import type { Operand } from './operand.ts'
import type { ProgramWriter } from './program-writer.ts'

/** `strerror` and the like: a literal for a literal, else a chain of comparisons over the texts. */
export function tableText(p: ProgramWriter, node: Of<'call'>, name: string): Operand {
  const { f } = p
  const [arg] = node.args
  const type = { kind: 'string' as const, size: 64 }
  const texts = name === 'strerror' ? errorTexts : signalTexts
  const unknown = (value: bigint) => (name === 'strerror' ? 'Unknown error' : value === 0n ? 'Unknown signal 0' : 'N/A')
  if (arg!.kind === 'integer') {
    const text = texts[Number(arg!.value)] ?? unknown(arg!.value)
    return { kind: 'literal', text, type }
  }
  const value = toRegister(p, expression(p, arg!))
  const place = p.temporary(64, 'text')
  const end = f.block()
  for (const [number, text] of Object.entries(texts)) {
    const [here, next] = [f.block(), f.block()]
    f.branch('eq', value, f.number(BigInt(number)), here, next)
    f.start(here)
    storeAs(p, { kind: 'literal', text, type }, place, type, true)
    f.jump(end)
    f.start(next)
  }
  storeAs(p, { kind: 'literal', text: unknown(1n), type }, place, type, true)
  f.jump(end)
  f.start(end)
  return { kind: 'memory', ...place, type }
}
