/** One conversion of a format: `%-10.3lld`. */
export interface Conversion {
  text: string
  flags: string
  /** Digits, '*' or ''. */
  width: string
  precision: string | null
  length: string
  conversion: string
  /** After %r: 'x' or 'h'. */
  suffix: string
  unknown: boolean
}

const pattern = /%(?:%|([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?(hh|h|ll|l|j|z|t)?(?:(r)([xh]?)|([a-zA-Z])))/y

/** A format as its plain text and conversions, in order; `%%` has become `%`. */
export function parseFormat(format: string): (string | Conversion)[] {
  const parts: (string | Conversion)[] = []
  let text = ''
  for (let at = 0; at < format.length;) {
    if (format[at] !== '%') {
      text += format[at++]
      continue
    }
    pattern.lastIndex = at
    const match = pattern.exec(format)
    if (match === null) {
      if (text !== '') parts.push(text)
      text = ''
      parts.push({
        text: format.slice(at, at + 2), flags: '', width: '', precision: null, length: '', conversion: format[at + 1] ?? '', suffix: '', unknown: true,
      })
      at += 2
      continue
    }
    at += match[0].length
    if (match[0] === '%%') {
      text += '%'
      continue
    }
    if (text !== '') parts.push(text)
    text = ''
    const [whole, flags, width, precision, length, buffer, suffix, conversion] = match
    parts.push({
      text: whole, flags: flags ?? '', width: width ?? '', precision: whole.includes('.') ? precision ?? '0' : null, length: length ?? '',
      conversion: buffer ?? conversion!, suffix: suffix ?? '', unknown: false,
    })
  }
  if (text !== '') parts.push(text)
  return parts
}
