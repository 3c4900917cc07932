import type { Lowering } from './lowering.ts'

/** The id of a named struct or union of the target kernel, 0 if there is none. */
export function structNamed(l: Lowering, name: string): number {
  return l.btf.find(name, 'struct', 'union')
}
