const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
]

/** C's strftime in local time, with `%f` for microseconds. `ns` since 1970. */
export function strftime(format: string, ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n))
  const two = (value: number, fill = '0') => String(value).padStart(2, fill)
  const sub = (ns % 1_000_000_000n + 1_000_000_000n) % 1_000_000_000n
  const replace = (letter: string): string => {
    switch (letter) {
      case 'Y': return String(date.getFullYear())
      case 'C': return two(Math.floor(date.getFullYear() / 100))
      case 'y': return two(date.getFullYear() % 100)
      case 'm': return two(date.getMonth() + 1)
      case 'd': return two(date.getDate())
      case 'e': return two(date.getDate(), ' ')
      case 'H': return two(date.getHours())
      case 'I': return two(date.getHours() % 12 || 12)
      case 'M': return two(date.getMinutes())
      case 'S': return two(date.getSeconds())
      case 'p': return date.getHours() < 12 ? 'AM' : 'PM'
      case 'f': return String(sub / 1000n).padStart(6, '0')
      case 's': return String(ns / 1_000_000_000n)
      case 'j': return String(
        Math.floor((date.getTime() - new Date(date.getFullYear(), 0, 1).getTime()) / 86_400_000) + 1,
      ).padStart(3, '0')
      case 'a': return days[date.getDay()]!.slice(0, 3)
      case 'A': return days[date.getDay()]!
      case 'b': case 'h': return months[date.getMonth()]!.slice(0, 3)
      case 'B': return months[date.getMonth()]!
      case 'u': return String(date.getDay() || 7)
      case 'w': return String(date.getDay())
      case 'D': return strftime('%m/%d/%y', ns)
      case 'F': return strftime('%Y-%m-%d', ns)
      case 'T': return strftime('%H:%M:%S', ns)
      case 'R': return strftime('%H:%M', ns)
      case 'r': return strftime('%I:%M:%S %p', ns)
      case 'c': return strftime('%a %b %e %H:%M:%S %Y', ns)
      case 'x': return strftime('%m/%d/%y', ns)
      case 'X': return strftime('%H:%M:%S', ns)
      case 'z': {
        const minutes = -date.getTimezoneOffset()
        return `${minutes < 0 ? '-' : '+'}${two(Math.floor(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
      }
      case 'Z': return Intl.DateTimeFormat(undefined, { timeZoneName: 'short' }).formatToParts(date).find(({ type }) => type === 'timeZoneName')?.value ?? ''
      case 'n': return '\n'
      case 't': return '\t'
      case '%': return '%'
      default: return `%${letter}`
    }
  }
  return format.replace(/%(\d)f|%([A-Za-z%])/g, (_, digits: string | undefined, letter: string) => (
    digits === undefined ? replace(letter) : String(sub).padStart(9, '0').slice(0, Number(digits))))
}
