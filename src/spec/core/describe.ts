import type { Btf } from '../../btf/btf.ts'
import type { CoreRelocation } from '../spec.ts'
import { parseAccess, subjectOf, type CoreAccess } from './access.ts'

/**
 * What a relocation refers to, for messages: `struct task_struct.comm[8] (0:2:8)`, `enum bpf_type::HASH (1)`,
 * `struct sock (0)`. Never throws: what cannot be read is left out.
 */
export function describeRelocation(btf: Btf, { type, access, kind }: CoreRelocation): string {
  try {
    const root = rootName(btf, type)
    try {
      return `${root}${stepsOf(parseAccess(btf, type, access, kind), subjectOf(kind) === 'enumval')} (${access})`
    } catch {
      return `${root} (${access})`
    }
  } catch {
    return `type ${type} (${access})`
  }
}

/** A type as C writes it: `struct sock`, `u64`, `(anonymous) union`. */
export function rootName(btf: Btf, id: number): string {
  const kind = btf.kindOf(id)
  const name = btf.nameOf(id)
  const word = kind === 'enum64' ? 'enum' : kind
  if (name === '') return `anonymous ${word}`
  return word === 'struct' || word === 'union' || word === 'enum' ? `${word} ${name}` : name
}

function stepsOf({ accessors }: CoreAccess, enumval: boolean): string {
  if (enumval) return `::${accessors[0]!.name}`
  const step = (index: number, at: number) => (at === 0 && index === 0 ? '' : `[${index}]`)
  return accessors.map(({ index, name }, at) => (name === null ? step(index, at) : `.${name}`)).join('')
}
