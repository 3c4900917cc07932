import { holds, int, limitsOf, ofRange, typeName, type IntType, type Type } from './type.ts'

/** How two types became one. `lossy`: a uint64 and a signed number, which become int64. */
export interface Merged { type: Type; lossy: boolean }

/**
 * The one type that holds values of both, by the language's promotion rules; null if there is none.
 * Numbers widen (a sign mismatch becomes the next signed type, at most int64), strings take the longer one,
 * tuples and records go element by element.
 */
export function mergeTypes(a: Type, b: Type): Merged | null {
  if (a.kind === 'none') return { type: b, lossy: false }
  if (b.kind === 'none') return { type: a, lossy: false }
  if (a.kind === 'int' && b.kind === 'int') return mergeInts(a, b)
  if ((a.kind === 'int' || a.kind === 'enum') && (b.kind === 'int' || b.kind === 'enum')) {
    if (a.kind === 'enum' && b.kind === 'enum' && a.name === b.name) return { type: a, lossy: false }
    return mergeInts(int(a.bits, a.signed), int(b.bits, b.signed))
  }
  if (a.kind !== b.kind) return null
  switch (a.kind) {
    case 'string': return { type: a.size >= (b as typeof a).size ? a : b, lossy: false }
    case 'buffer': return { type: a.size >= (b as typeof a).size ? a : b, lossy: false }
    case 'tuple': {
      const other = (b as typeof a).elements
      if (a.elements.length !== other.length) return null
      const merged = a.elements.map((element, index) => mergeTypes(element, other[index]!))
      if (merged.includes(null)) return null
      return { type: { kind: 'tuple', elements: merged.map((one) => one!.type) }, lossy: merged.some((one) => one!.lossy) }
    }
    case 'record': {
      const other = new Map((b as typeof a).fields.map((field) => [field.name, field.type]))
      if (a.fields.length !== other.size) return null
      let lossy = false
      const fields = []
      for (const { name, type } of a.fields) {
        const theirs = other.get(name)
        const merged = theirs === undefined ? null : mergeTypes(type, theirs)
        if (merged === null) return null
        lossy ||= merged.lossy
        fields.push({ name, type: merged.type })
      }
      return { type: { kind: 'record', fields }, lossy }
    }
    case 'array': {
      const other = b as typeof a
      return a.length === other.length && typeName(a.element) === typeName(other.element) ? { type: a, lossy: false } : null
    }
    case 'struct': return a.definition === (b as typeof a).definition ? { type: a, lossy: false } : null
    case 'pointer': {
      const other = b as typeof a
      if (a.to.kind === 'void' || other.to.kind === 'void') return { type: a, lossy: false }
      if (a.to.kind === 'none') return { type: b, lossy: false }
      if (other.to.kind === 'none') return { type: a, lossy: false }
      if (a.space === 'own' && other.space === 'own') {
        // Addresses of variables, whose own types may still grow.
        const to = mergeTypes(a.to, other.to)
        return to === null ? null : { type: { kind: 'pointer', to: to.type, space: 'own' }, lossy: false }
      }
      return typeName(a.to) === typeName(other.to) ? { type: a, lossy: false } : null
    }
    case 'stack': {
      const other = b as typeof a
      return a.user === other.user && a.mode === other.mode && a.limit === other.limit ? { type: a, lossy: false } : null
    }
    case 'aggregate': {
      const other = b as typeof a
      if (a.fn !== other.fn) return null
      return { type: a.signed ? a : other.signed ? other : a, lossy: false }
    }
    default: return { type: a, lossy: false }
  }
}

function mergeInts(a: IntType, b: IntType): Merged {
  if (a.range !== undefined && b.range !== undefined) {
    return {
      type: ofRange({
        least: a.range.least < b.range.least ? a.range.least : b.range.least, most: a.range.most > b.range.most ? a.range.most : b.range.most,
      }), lossy: false,
    }
  }
  if (a.range !== undefined) return mergeLiteral(b, a)
  if (b.range !== undefined) return mergeLiteral(a, b)
  if (a.signed === b.signed) return { type: a.bits >= b.bits ? a : b, lossy: false }
  const [signed, unsigned] = a.signed ? [a, b] : [b, a]
  const bits = Math.max(signed.bits, unsigned.bits * 2)
  return bits > 64 ? { type: int(64, true), lossy: true } : { type: int(bits, true), lossy: false }
}

/** A literal takes the other's type if it fits, else both take the next type that holds it. */
function mergeLiteral(type: IntType, literal: IntType): Merged {
  const range = literal.range!
  if (holds(type, range)) return { type, lossy: false }
  if (range.least >= 0n && !type.signed) return { type: int(ofUnsigned(range.most), false), lossy: false }
  const limits = limitsOf(type)
  const both = ofRange({
    least: range.least < limits.least ? range.least : limits.least, most: range.most > limits.most ? range.most : limits.most,
  })
  return both.signed ? { type: int(both.bits, true), lossy: false } : {
    type: int(64, range.least < 0n || type.signed), lossy: true,
  }
}

function ofUnsigned(most: bigint): number {
  return [8, 16, 32, 64].find((bits) => most < 1n << BigInt(bits)) ?? 64
}
