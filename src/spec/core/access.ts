import type { Btf } from '../../btf/btf.ts'
import type { CoreKindName } from '../spec.ts'
import { CoreProblem } from './error.ts'

/** Steps of an access string, as in libbpf. */
export const MAX_STEPS = 64

/** One step of an access: a named member, an enum value, or (name null) an element of an array. Anonymous members are no step. */
export interface Accessor {
  /** The struct that has the member, the enum, or the element's type. */
  type: number
  /** Of the member, value or element. */
  index: number
  name: string | null
}

/** What a relocation refers to, in one BTF: the local one as compiled, or a target's as found. */
export interface CoreAccess {
  btf: Btf
  /** The type that the access starts from. */
  root: number
  accessors: Accessor[]
  /** Of the field, from the start of the root. */
  bitOffset: number
}

export type CoreSubject = 'field' | 'type' | 'enumval'

/** What relocations of a kind are about. */
export function subjectOf(kind: CoreKindName): CoreSubject {
  if (kind.startsWith('field')) return 'field'
  return kind.startsWith('enumval') ? 'enumval' : 'type'
}

/**
 * Reads an access string such as "0:3:1" through the types of the object: the first number is an index at the root,
 * each further one a member of a struct or an element of an array.
 * @throws CoreProblem when the string or the types do not fit
 */
export function parseAccess(btf: Btf, root: number, text: string, kind: CoreKindName): CoreAccess {
  const access: CoreAccess = { btf, root, accessors: [], bitOffset: 0 }
  const subject = subjectOf(kind)
  if (subject === 'type') {
    if (text !== '0') throw new CoreProblem(`the access of a type is "0", not ${JSON.stringify(text)}`)
    return access
  }
  if (!/^\d{1,10}(:\d{1,10})*$/.test(text)) throw new CoreProblem(`${JSON.stringify(text)} is no access string`)
  const [first, ...steps] = text.split(':').map(Number) as [number, ...number[]]
  if (steps.length >= MAX_STEPS) throw new CoreProblem(`${steps.length + 1} steps are more than ${MAX_STEPS}`)
  const resolved = btf.resolve(root)
  if (subject === 'enumval') {
    const type = btf.type(resolved)
    if (type.kind !== 'enum' && type.kind !== 'enum64') throw new CoreProblem(`a ${type.kind} has no enum values`)
    const value = type.values[first]
    if (value === undefined || steps.length > 0) throw new CoreProblem(`the enum has no value ${text}`)
    access.accessors.push({ type: resolved, index: first, name: value.name })
    return access
  }
  access.accessors.push({ type: resolved, index: first, name: null })
  access.bitOffset = first * sized(btf, resolved) * 8
  let at = resolved
  for (const index of steps) at = step(access, at, index)
  return access
}

function step(access: CoreAccess, at: number, index: number): number {
  const { btf } = access
  const type = btf.type(btf.resolve(at))
  switch (type.kind) {
    case 'struct': case 'union': {
      const member = type.members[index]
      if (member === undefined) {
        throw new CoreProblem(`${type.kind} ${type.name || '(anonymous)'} has no member ${index}, only ${type.members.length}`)
      }
      access.bitOffset += member.bitOffset
      if (member.name !== '') access.accessors.push({ type: type.id, index, name: member.name })
      return member.type
    }
    case 'array': {
      const element = btf.resolve(type.element)
      if (index >= type.length && !isFlexible(access, type.length)) {
        throw new CoreProblem(`element ${index} of an array of ${type.length}`)
      }
      access.accessors.push({ type: element, index, name: null })
      access.bitOffset += index * sized(btf, element) * 8
      return element
    }
    default: throw new CoreProblem(`a ${type.kind} has no parts`)
  }
}

/** Whether the array that was reached is of no length and the last member of its struct: it is as long as its memory. */
export function isFlexible(access: CoreAccess, length: number): boolean {
  const last = access.accessors[access.accessors.length - 1]!
  if (last.name === null || length > 0) return false
  const type = access.btf.type(last.type)
  return (type.kind === 'struct' || type.kind === 'union') && last.index === type.members.length - 1
}

/** Bytes of a type. @throws CoreProblem for types without a size: functions, forward declarations */
export function sized(btf: Btf, id: number): number {
  const kind = btf.kindOf(btf.resolve(id))
  if (kind === 'fwd' || kind === 'func' || kind === 'funcProto' || kind === 'void') {
    throw new CoreProblem(`a type of kind ${kind} has no size`)
  }
  return btf.sizeOf(id)
}
