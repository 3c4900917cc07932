/**
 * Numbers as people read them: three significant digits, a narrow space and a unit, by the rules of the terminal's
 * (src/cli/format.ts). What was not measured shows as '–'.
 */

/** Narrow no-break space, between a number and its unit. */
const gap = '\u202f'
export const nothing = '–'

/** A number and its unit, apart, so that a big figure can show its unit smaller. */
export interface Quantity { figure: string; unit: string }
type Value = number | null | undefined
type Steps = readonly (readonly [factor: number, unit: string])[]

function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95 || value === 0) return Math.round(value).toString()
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

function scaled(value: number, steps: Steps): Quantity {
  for (const [factor, unit] of steps) {
    // Rounds to the next unit rather than showing "1000 µs".
    if (Math.abs(value) >= factor * 0.9995) return { figure: digits(value / factor), unit }
  }
  return { figure: digits(value), unit: '' }
}

function isMissing(value: Value): value is null | undefined {
  return value === null || value === undefined || !Number.isFinite(value)
}

const missing: Quantity = { figure: nothing, unit: '' }

function text({ figure, unit }: Quantity): string {
  return unit === '' ? figure : `${figure}${gap}${unit}`
}

/** Nanoseconds: 850 ns, 12.3 µs, 4.56 ms, 7.89 s, 2m05s. */
export const duration = (value: Value) => text(durationParts(value))
export function durationParts(value: Value): Quantity {
  if (isMissing(value)) return missing
  if (value >= 59.995e9) return { figure: age(value / 1e9 + 0.005), unit: '' }
  if (value < 999.5) return { figure: Math.round(value).toString(), unit: 'ns' }
  return scaled(value, [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']])
}

/** A round one, as on an axis: 10 µs, 1 ms. */
export const roundDuration = (value: number) => duration(value).replace(/\.0+(?=\D)/, '')

/** Bytes in powers of 1024: 512 B, 1.50 KiB, 3.00 MiB. */
export const bytes = (value: Value) => text(bytesParts(value))
export function bytesParts(value: Value): Quantity {
  if (isMissing(value)) return missing
  if (value < 1023.5) return { figure: Math.round(value).toString(), unit: 'B' }
  return scaled(value, [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']])
}

/** Counts and rates: 0, 0.5, 12, 1.23 k, 4.56 M. */
export const amount = (value: Value) => text(amountParts(value))
export function amountParts(value: Value): Quantity {
  if (isMissing(value)) return missing
  if (value < 999.5) {
    if (value >= 9.95 || Number.isInteger(value)) return { figure: Math.round(value).toString(), unit: '' }
    // Something is never shown as nothing.
    return { figure: value < 0.05 ? '<0.1' : value.toFixed(1), unit: '' }
  }
  return scaled(value, [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']])
}

/** Cores as per cent of one CPU: 0.3 %, 12 %, 187 %. */
export const percent = (cores: Value) => text(percentParts(cores))
export function percentParts(cores: Value): Quantity {
  if (isMissing(cores)) return missing
  const value = cores * 100
  if (value === 0 || value >= 9.95) return { figure: Math.round(value).toString(), unit: '%' }
  return { figure: value < 0.005 ? '<0.01' : value.toFixed(value < 0.095 ? 2 : 1), unit: '%' }
}

/** Cores: 0.04, 1.83, 12.5. */
export function cores(value: Value): string {
  return isMissing(value) ? nothing : value === 0 ? '0' : digits(value)
}

/** An exact count with its thousands apart: 12 345. */
export function count(value: Value): string {
  return isMissing(value) ? nothing : Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, gap)
}

/** Seconds: 12s, 3m05s, 2h14m, 5d03h. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`
  return `${Math.floor(whole / 86_400)}d${two(Math.floor(whole / 3600) % 24)}h`
}

/** Local time of day: 14:03:09. */
export function clock(at: number): string {
  const time = new Date(at)
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

const signals: Record<number, string> = {
  1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL',
  10: 'SIGUSR1', 11: 'SIGSEGV', 12: 'SIGUSR2', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM',
  24: 'SIGXCPU', 25: 'SIGXFSZ', 31: 'SIGSYS',
}

/** SIGKILL, or the number of a signal that has no common name. */
export function signalName(signal: number): string {
  return signals[signal] ?? `signal ${signal}`
}

/** An address with its port: 10.0.0.1:443, [2001:db8::1]:443. */
export function endpoint(family: 4 | 6, address: string, port: number): string {
  return family === 6 ? `[${address}]:${port}` : `${address}:${port}`
}
