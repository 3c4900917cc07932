import { cut, plain, width } from './text.ts'

/** A line is a list of spans, so that it is cut by its columns and coloured afterwards. */
export type Style = 'plain' | 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse'
export interface Span { text: string; style: Style }
export type Line = readonly Span[]

const codes: Record<Style, string> = {
  plain: '', bold: '\x1b[1m', dim: '\x1b[2m', red: '\x1b[31m', green: '\x1b[32m', yellow: '\x1b[33m', cyan: '\x1b[36m', inverse: '\x1b[7m',
}
const reset = '\x1b[0m'

export function span(text: string, style: Style = 'plain'): Span {
  return { text: plain(text), style }
}

/** The line as a string of at most `columns` columns. */
export function paint(line: Line, columns: number, color: boolean): string {
  let room = columns
  let result = ''
  for (const { text, style } of line) {
    if (room <= 0) break
    const shown = cut(text, room)
    room -= width(shown)
    result += color && style !== 'plain' ? codes[style] + shown + reset : shown
  }
  return result
}

/** Colours only on a terminal, and not against NO_COLOR (no-color.org), --no-color or TERM=dumb. */
export function wantsColor(isTerminal: boolean, environment: Record<string, string | undefined>, refused: boolean): boolean {
  const { NO_COLOR: noColor, TERM: term } = environment
  return isTerminal && !refused && (noColor === undefined || noColor === '') && term !== 'dumb'
}
