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

/** Whether the NUL-terminated name at `at` has three underscores in a row, without decoding it. */
export function mayBeFlavour(bytes: Uint8Array, at: number): boolean {
  for (let run = 0; bytes[at] !== 0; at++) {
    run = bytes[at] === 0x5f ? run + 1 : 0
    if (run === 3) return true
  }
  return false
}
