import type { Btf, BtfType } from '../../btf/btf.ts'
import { essentialName } from '../../btf/flavours.ts'
import { CoreProblem } from './error.ts'

/** Pointers, arrays and prototypes inside each other. */
const MAX_DEPTH = 32
/** Pairs of types looked at for one relocation: hostile types could ask for 2^32. */
const MAX_PAIRS = 100_000

type Type<K extends BtfType['kind']> = Extract<BtfType, { kind: K }>
type Composite = Extract<BtfType, { members: unknown }>
const isEnum = (kind: string) => kind === 'enum' || kind === 'enum64'

/** The same kind, where both sorts of enum are one. */
export function sameKind(one: string, other: string): boolean {
  return one === other || (isEnum(one) && isEnum(other))
}

/**
 * Whether two types, whose names agree already, are of one kind: what `bpf_core_type_exists` asks.
 * Behind pointers, arrays and prototypes the kinds must agree too; members are not looked at.
 */
export function typesCompatible(localBtf: Btf, localRoot: number, btf: Btf, root: number): boolean {
  if (!sameKind(localBtf.kindOf(localRoot), btf.kindOf(root))) return false
  return compatible(localRoot, root, MAX_DEPTH, { left: MAX_PAIRS })

  function compatible(localId: number, id: number, depth: number, pairs: { left: number }): boolean {
    if (depth < 0 || pairs.left-- < 0) throw new CoreProblem('the types are nested too deeply')
    const local = localBtf.type(localBtf.resolve(localId))
    const target = btf.type(btf.resolve(id))
    if (!sameKind(local.kind, target.kind)) return false
    switch (local.kind) {
      case 'void': case 'struct': case 'union': case 'enum': case 'enum64': case 'fwd': return true
      case 'int': return local.shift === 0 && (target as Type<'int'>).shift === 0
      case 'ptr': return compatible(local.type, (target as Type<'ptr'>).type, depth - 1, pairs)
      case 'array': return compatible(local.element, (target as Type<'array'>).element, depth - 1, pairs)
      case 'funcProto': {
        const { params, returns } = target as Type<'funcProto'>
        return local.params.length === params.length
          && local.params.every((param, index) => compatible(param.type, params[index]!.type, depth - 1, pairs))
          && compatible(local.returns, returns, depth - 1, pairs)
      }
      default: return false
    }
  }
}

/**
 * Whether the target's type has all that the local one has: what `bpf_core_type_matches` asks. Each local member must
 * be there by name with a matching type, each local enum value by name; integers agree in size and sign; behind a
 * pointer structs are compared by kind and name only.
 */
export function typesMatch(localBtf: Btf, localRoot: number, btf: Btf, root: number): boolean {
  const pairs = { left: MAX_PAIRS }
  return match(localRoot, root, false, MAX_DEPTH)

  function match(localId: number, id: number, behindPointer: boolean, depth: number): boolean {
    if (depth <= 0 || pairs.left-- < 0) throw new CoreProblem('the types are nested too deeply')
    const local = localBtf.type(localBtf.resolve(localId))
    const target = btf.type(btf.resolve(id))
    if (!namesMatch(localBtf.nameOf(local.id), btf.nameOf(target.id))) return false
    switch (local.kind) {
      case 'void': return target.kind === 'void'
      case 'fwd': return forwardMatches(local, target, behindPointer)
      case 'enum': case 'enum64':
        return (target.kind === 'enum' || target.kind === 'enum64') && local.values.length <= target.values.length
          && local.values.every((value) => target.values.some((other) => namesMatch(value.name, other.name)))
      case 'struct': case 'union':
        if (behindPointer && target.kind === 'fwd') return target.union === (local.kind === 'union')
        if (behindPointer) return target.kind === local.kind
        return target.kind === local.kind && membersMatch(local, target as Composite, behindPointer, depth)
      case 'int': return target.kind === 'int' && local.bits === target.bits && local.signed === target.signed
      case 'ptr': return target.kind === 'ptr' && match(local.type, target.type, true, depth - 1)
      case 'array':
        return target.kind === 'array' && local.length === target.length
          && match(local.element, target.element, behindPointer, depth - 1)
      case 'funcProto':
        return target.kind === 'funcProto' && local.params.length === target.params.length
          && local.params.every((param, index) => match(param.type, target.params[index]!.type, behindPointer, depth - 1))
          && match(local.returns, target.returns, behindPointer, depth - 1)
      default: return false
    }
  }

  function membersMatch(local: Composite, target: Composite, behindPointer: boolean, depth: number): boolean {
    return local.members.length <= target.members.length && local.members.every((member) => target.members.some((other) =>
      namesMatch(member.name, other.name) && match(member.type, other.type, behindPointer, depth - 1)))
  }
}

function forwardMatches(local: Type<'fwd'>, target: BtfType, behindPointer: boolean): boolean {
  if (target.kind === 'fwd') return target.union === local.union
  return behindPointer && target.kind === (local.union ? 'union' : 'struct')
}

/** Names agree up to their flavours; a nameless type matches a nameless one only. */
function namesMatch(local: string, target: string): boolean {
  return essentialName(local) === essentialName(target)
}
