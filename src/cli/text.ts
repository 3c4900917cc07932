/**
 * Text from the kernel on a terminal: names of processes and cgroups are chosen by anyone on the machine,
 * so control characters (escape sequences) are replaced, and widths are counted in columns.
 */

/** Without control, format (such as direction overrides) and unassigned characters. */
export function plain(text: string): string {
  // \p{C}: control, format, surrogate, private use, unassigned.
  return text.replace(/\p{C}|[\u2028\u2029]/gu, '?')
}

/** Columns of plain text: East Asian wide characters and emoji take two, combining marks none. */
export function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let columns = 0
  for (const character of text) columns += columnsOf(character)
  return columns
}

function columnsOf(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x300) return 1
  if (/\p{M}/u.test(character)) return 0
  return isWide(code) ? 2 : 1
}

/** Unicode's East_Asian_Width W and F, in blocks. */
function isWide(code: number): boolean {
  return (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf && code !== 0x303f) || (code >= 0xac00 && code <= 0xd7a3)
    || (code >= 0xf900 && code <= 0xfaff) || (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60)
    || (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x1faff) || (code >= 0x20000 && code <= 0x3fffd)
}

/** Cut to `columns`, with '…' where something is missing. */
export function cut(text: string, columns: number): string {
  if (columns <= 0) return ''
  if (width(text) <= columns) return text
  let used = 0
  let result = ''
  for (const character of text) {
    used += columnsOf(character)
    if (used > columns - 1) break
    result += character
  }
  return `${result}…`
}

/** Exactly `columns` wide. */
export function left(text: string, columns: number): string {
  const short = cut(text, columns)
  return short + ' '.repeat(Math.max(0, columns - width(short)))
}

export function right(text: string, columns: number): string {
  const short = cut(text, columns)
  return ' '.repeat(Math.max(0, columns - width(short))) + short
}
