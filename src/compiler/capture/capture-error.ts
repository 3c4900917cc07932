/** A place in a source file at which the source transform gave up. */
export interface CapturePlace { file: string; code: string; start: number; end: number }

/**
 * A kernel function that cannot be captured, or a file that does not parse.
 * The message begins with file:line:column and ends with a frame of the source line.
 */
export class CaptureError extends Error {
  override readonly name = 'CaptureError'
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** 1-based, in UTF-16 units as editors count. */
  readonly column: number
  /** The source line with the place underlined. */
  readonly frame: string
  /** What is wrong, without place or frame. */
  readonly reason: string
  /** What to write instead; '' when the reason says it all. */
  readonly fix: string

  constructor(place: CapturePlace, reason: string, fix = '') {
    const { line, column } = lineAndColumn(place.code, place.start)
    const frame = frameOf(place.code, place.start, place.end)
    super(`${place.file}:${line}:${column}: ${reason}\n${frame}${fix === '' ? '' : `\n  fix: ${fix}`}`)
    this.file = place.file
    this.line = line
    this.column = column
    this.frame = frame
    this.reason = reason
    this.fix = fix
  }
}

/** 1-based line and column of an offset. */
export function lineAndColumn(code: string, offset: number): { line: number; column: number } {
  let line = 1
  let from = 0
  for (let at = code.indexOf('\n'); at >= 0 && at < offset; at = code.indexOf('\n', at + 1)) {
    line++
    from = at + 1
  }
  return { line, column: offset - from + 1 }
}

function frameOf(code: string, start: number, end: number): string {
  const { line, column } = lineAndColumn(code, start)
  const from = start - column + 1
  const newline = code.indexOf('\n', start)
  const to = newline < 0 ? code.length : newline
  const text = code.slice(from, to).replace(/\r$/, '')
  const length = Math.max(1, Math.min(end, from + text.length) - start)
  // Tabs are kept in the second line so that the marks stay under the text.
  const indent = text.slice(0, column - 1).replace(/[^\t]/g, ' ')
  const margin = ' '.repeat(String(line).length)
  return `  ${line} | ${text}\n  ${margin} | ${indent}${'^'.repeat(length)}`
}
