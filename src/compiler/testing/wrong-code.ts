import type { CompileError } from '../errors.ts'
import { positionOf } from '../span.ts'

/** An error, and where: a comment below a line says it, with a mark under the error's first character. */
export interface Expected { line: number; column: number; text: string }

const mark = /^\s*\/\/\s*\^/

/** The errors that the comments of a text announce. */
export function expectedIn(code: string): Expected[] {
  const expected: Expected[] = []
  let line = 0
  code.split('\n').forEach((text, index) => {
    if (!mark.test(text)) line = index + 1
    // A mark that follows the slashes at once stands for the start of the line's text.
    else expected.push({ line, column: /^\s*\/\/\^/.test(text) ? text.indexOf('//') + 1 : text.indexOf('^') + 1, text: text.slice(text.indexOf('^') + 1).trim() })
  })
  return expected
}

/** Indexes of the lines with marks. */
export function marksIn(code: string): number[] {
  return code.split('\n').flatMap((text, index) => (mark.test(text) ? [index] : []))
}

/** The errors of a module from `evaluateModule`, which begins one line further down. */
export function errorsIn(error: CompileError | null): Expected[] {
  if (error === null) return []
  return [error, ...error.others].map(({ code, what, fix, span }) => {
    const { line, column } = positionOf(span)
    return { line: line - 1, column, text: `${code} ${what} | ${fix}` }
  }).sort((a, b) => a.line - b.line || a.column - b.column)
}
