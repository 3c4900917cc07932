import type { Btf, BtfMember } from '../../btf/btf.ts'
import { essentialName } from '../../btf/flavours.ts'
import type { CoreKindName } from '../spec.ts'
import { isFlexible, MAX_STEPS, sized, subjectOf, type Accessor, type CoreAccess } from './access.ts'
import { CoreProblem } from './error.ts'
import { sameKind, typesCompatible, typesMatch } from './type-match.ts'

/**
 * The local access found again from a candidate type of the target, or undefined if the candidate has no such thing.
 * @throws CoreProblem when the target's types are nested beyond reason
 */
export function matchAccess(local: CoreAccess, btf: Btf, candidate: number, kind: CoreKindName): CoreAccess | undefined {
  const target: CoreAccess = { btf, root: candidate, accessors: [], bitOffset: 0 }
  switch (subjectOf(kind)) {
    case 'type': {
      const same = kind === 'typeMatches' ? typesMatch : typesCompatible
      return same(local.btf, local.root, btf, candidate) ? target : undefined
    }
    case 'enumval': return matchValue(local.accessors[0]!, target)
    case 'field': return matchField(local, target)
  }
}

function matchValue(local: Accessor, target: CoreAccess): CoreAccess | undefined {
  const id = target.btf.resolve(target.root)
  const type = target.btf.type(id)
  if (type.kind !== 'enum' && type.kind !== 'enum64') return undefined
  const wanted = essentialName(local.name!)
  const index = type.values.findIndex((value) => essentialName(value.name) === wanted)
  if (index < 0) return undefined
  target.accessors.push({ type: id, index, name: type.values[index]!.name })
  return target
}

function matchField(local: CoreAccess, target: CoreAccess): CoreAccess | undefined {
  const { btf } = target
  let at = target.root
  for (const [step, accessor] of local.accessors.entries()) {
    at = btf.resolve(at)
    if (accessor.name !== null) {
      const found = matchMember(local.btf, accessor, btf, at, new Set(), 0)
      if (found === undefined) return undefined
      target.accessors.push({ type: found.struct, index: found.index, name: found.member.name })
      target.bitOffset += found.bitOffset
      at = found.member.type
      continue
    }
    // The first index counts candidates side by side; every further one counts elements of an array.
    if (step > 0) {
      const array = btf.type(at)
      if (array.kind !== 'array' || (accessor.index >= array.length && !isFlexible(target, array.length))) return undefined
      at = btf.resolve(array.element)
    }
    target.accessors.push({ type: at, index: accessor.index, name: null })
    target.bitOffset += accessor.index * sized(btf, at) * 8
  }
  return target
}

interface FoundMember { struct: number; index: number; member: BtfMember; bitOffset: number }

/** The member of the same name and of a compatible type; anonymous structs and unions are looked through. */
function matchMember(
  localBtf: Btf, local: Accessor, btf: Btf, id: number, seen: Set<number>, depth: number,
): FoundMember | undefined {
  const struct = btf.resolve(id)
  const type = btf.type(struct)
  if ((type.kind !== 'struct' && type.kind !== 'union') || seen.has(struct)) return undefined
  if (depth > MAX_STEPS) throw new CoreProblem(`the target's ${type.kind} is nested more than ${MAX_STEPS} deep`)
  seen.add(struct)
  for (const [index, member] of type.members.entries()) {
    if (member.name === '') {
      const inner = matchMember(localBtf, local, btf, member.type, seen, depth + 1)
      if (inner !== undefined) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset }
    } else if (member.name === local.name) {
      const own = localBtf.type(local.type)
      const localType = own.kind === 'struct' || own.kind === 'union' ? own.members[local.index]!.type : 0
      if (!fieldsCompatible(localBtf, localType, btf, member.type)) return undefined
      return { struct, index, member, bitOffset: member.bitOffset }
    }
  }
  return undefined
}

/**
 * Whether two fields of one name can stand for each other: structs and unions always, pointers always, integers of any
 * size, enums and forward declarations of the same name (or one without), arrays of compatible elements.
 */
function fieldsCompatible(localBtf: Btf, localId: number, btf: Btf, id: number): boolean {
  for (let localAt = localId, at = id, depth = 0; depth <= MAX_STEPS; depth++) {
    const local = localBtf.type(localBtf.resolve(localAt))
    const target = btf.type(btf.resolve(at))
    if (isComposite(local.kind) && isComposite(target.kind)) return true
    if (!sameKind(local.kind, target.kind)) return false
    switch (local.kind) {
      case 'ptr': case 'float': return true
      case 'fwd': case 'enum': case 'enum64': {
        const [one, other] = [essentialName(local.name), essentialName(btf.nameOf(target.id))]
        return one === '' || other === '' || one === other
      }
      case 'int': return target.kind === 'int' && local.shift === 0 && target.shift === 0
      case 'array':
        localAt = local.element
        at = target.kind === 'array' ? target.element : 0
        break
      default: return false
    }
  }
  return false
}

const isComposite = (kind: string) => kind === 'struct' || kind === 'union'
