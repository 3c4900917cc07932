import type { Lowering } from './lowering.ts'

/** The id of a named struct or union of the target kernel, 0 if there is none. */
export function structNamed(l: Lowering, name: string): number {
  return l.btf.find(name, 'struct', 'union')
}

/** Names of all structs and unions: a walk through all types, for an error only. */
export function structNames(l: Lowering): Set<string> {
  const names = new Set<string>()
  for (let id = 1; id < l.btf.typeCount; id++) {
    const kind = l.btf.kindOf(id)
    if (kind === 'struct' || kind === 'union') names.add(l.btf.nameOf(id))
  }
  return names
}
