/** Numbers as people read them: three significant digits and a unit. `null` and nothing show as '-'. */

function digits(value: number): string {
  const size = Math.abs(value)
  if (size >= 99.95 || value === 0) return Math.round(value).toString()
  return size >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

function scaled(value: number, steps: readonly (readonly [number, string])[]): string {
  for (let index = 0; index < steps.length; index++) {
    const [factor, unit] = steps[index]!
    // Rounds to the next unit rather than showing "1000 µs".
    if (Math.abs(value) >= factor * 0.9995 || index === steps.length - 1) return `${digits(value / factor)}${unit}`
  }
  return digits(value)
}

/** Nanoseconds: 850ns, 12.3µs, 4.56ms, 7.89s. */
export function nanoseconds(value: number | null): string {
  if (value === null) return '-'
  if (value >= 60e9) return `${Math.floor(value / 60e9)}m${Math.floor(value / 1e9 % 60)}s`
  return value < 999.5 ? `${Math.round(value)}ns` : scaled(value, [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']])
}

/** Bytes in powers of 1024: 512B, 1.50K, 3.00M. */
export function byteCount(value: number | null): string {
  if (value === null) return '-'
  return value < 1023.5 ? `${Math.round(value)}B` : scaled(value, [[2 ** 40, 'T'], [2 ** 30, 'G'], [2 ** 20, 'M'], [2 ** 10, 'K']])
}

/** Counts and rates: 0, 0.5, 12, 1.23k, 4.56M. */
export function amount(value: number | null): string {
  if (value === null) return '-'
  if (value < 999.5) return value >= 9.95 || Number.isInteger(value) ? Math.round(value).toString() : value.toFixed(1)
  return scaled(value, [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']])
}

/** Cores as per cent of one CPU: 0.3%, 12%, 187%. */
export function percentOfCpu(cores: number | null): string {
  if (cores === null) return '-'
  const percent = cores * 100
  return `${percent < 9.95 && percent !== 0 ? percent.toFixed(percent < 0.095 ? 2 : 1) : Math.round(percent)}%`
}

/** Seconds since a start: 12s, 3m05s, 2h14m, 5d03h. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (value: number) => String(value).padStart(2, '0')
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`
  return `${Math.floor(whole / 86_400)}d${two(Math.floor(whole / 3600) % 24)}h`
}
