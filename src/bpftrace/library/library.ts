import { Source } from '../source.ts'
import type { Macro } from '../syntax/ast.ts'
import { parseProgram } from '../syntax/parser.ts'
import { base } from './base.ts'

/** The text of the library, by the name that messages give it. */
export const librarySource = new Source('stdlib/base.bt', base)

let macros: Macro[] | undefined

/** The macros of the standard library, parsed once. */
export function standardLibrary(): Macro[] {
  if (macros === undefined) {
    const program = parseProgram(librarySource)
    macros = program.items.flatMap((item) => (item.kind === 'macro' ? [{ ...item.macro, library: true }] : []))
  }
  return macros
}
