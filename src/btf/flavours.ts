/** What stands between a name and its flavour. */
export const FLAVOUR_MARK = '___'

/**
 * The part of a name that says what the type is: `task_struct___v52` is a flavour of `task_struct`, another layout of
 * the same thing. The suffix begins at the last three underscores that have no underscore at either side.
 */
export function essentialName(name: string): string {
  for (let at = name.lastIndexOf('___'); at > 0; at = name.lastIndexOf('___', at - 1)) {
    const before = name[at - 1]
    const after = name[at + 3]
    if (before !== '_' && after !== '_' && after !== undefined) return name.slice(0, at)
  }
  return name
}
