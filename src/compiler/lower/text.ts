import type { Size, Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import type { Join, Lowering } from './lowering.ts'
import { allocate, asPlace, charArrayLength, originOf, readText, widthAt } from './memory.ts'
import { host, int, type Operand, type Place } from './operand.ts'
import { chars } from '../../spec/schema.ts'

/** Strings of the kernel compared with one that is known: by words, until one differs. */

/** The kernel's string and the known one, if that is what is compared. */
export function textComparison(l: Lowering, left: Operand, right: Operand, span: Span): { place: Place; length: number; text: Uint8Array } | null {
  const [known, other] = right.kind === 'host' ? [right, left] : [left, right]
  if (known.kind !== 'host' || typeof known.value !== 'string' || other.kind === 'host') return null
  const text = new TextEncoder().encode(known.value)
  if (other.kind === 'pointer' && other.pointee?.from === 'btf' && l.btf.sizeOf(other.pointee.id) === 1) {
    // A pointer to characters: as many are copied as decide it.
    const room = allocate(l, chars(text.length + 2), 'text', span, new Set())
    readText(l, room, text.length + 2, other.value, span)
    return { place: room, length: text.length + 2, text }
  }
  const place = asPlace(l, other, span)
  const length = place === null ? null : charArrayLength(l, place.type)
  if (place === null || length === null) return null
  if (originOf(place.base) !== 'kernel') return { place, length, text }
  // What is not loaded directly is copied to the stack first, with room for a NUL that a full array lacks.
  const room = allocate(l, chars(length + 1), 'text', span, new Set())
  readText(l, room, length + 1, addressIn(l, place, span), span)
  return { place: room, length: length + 1, text }
}

function addressIn(l: Lowering, place: Place, span: Span): Value {
  const core = place.path === null ? undefined : l.context.localTypes.fieldOffset(place.path)
  const out = l.value(place.base.type)
  l.emit({ op: 'offset', out, pointer: place.base, offset: place.offset, ...(core && { core }), span })
  return out
}

/** Goes to `same` if the string is the text, NUL included; what stands behind it does not matter. */
export function branchOnText(l: Lowering, { place, length, text }: { place: Place; length: number; text: Uint8Array }, same: Join, different: Join, span: Span): void {
  if (text.length > length || text.includes(0)) return void l.jump(different, span)
  // A kernel array that is full has no NUL.
  const compared = Math.min(length, text.length + 1)
  for (let at = 0; at < compared;) {
    const width = widthAt(place.offset + at, compared - at)
    const path = place.path === null ? null : { root: place.path.root, steps: [...place.path.steps, at] }
    const core = path === null ? undefined : l.context.localTypes.fieldOffset(path)
    const word = l.value(int((width * 8) as 8, false))
    l.emit({ op: 'load', out: word, pointer: place.base, offset: place.offset + at, size: width, signed: false, ...(core && { core }), span })
    const rest = l.join()
    l.branch({ operator: 'eq', width: 64, left: word, right: l.constant(wordOf(text, at, width), span) }, rest, different, span)
    l.start(rest)
    at += width
  }
  l.jump(same, span)
}

function wordOf(text: Uint8Array, at: number, width: Size): bigint {
  let word = 0n
  for (let index = width - 1; index >= 0; index--) word = (word << 8n) | BigInt(text[at + index] ?? 0)
  return word
}

/** What two JavaScript values that are no integers give, or null if that has no meaning. */
export function hostBinary(operator: string, left: Operand, right: Operand): Operand | null {
  if (left.kind !== 'host' || right.kind !== 'host') return null
  if (operator === '+' && (typeof left.value === 'string' || typeof right.value === 'string')) return host(`${String(left.value)}${String(right.value)}`)
  return null
}

/** The comparison of two JavaScript values, known while compiling. */
export function hostComparison(operator: string, left: unknown, right: unknown): boolean {
  switch (operator) {
    case '===': return left === right
    case '!==': return left !== right
    case '<': return (left as number) < (right as number)
    case '<=': return (left as number) <= (right as number)
    case '>': return (left as number) > (right as number)
    default: return (left as number) >= (right as number)
  }
}
