/**
 * A strict reader of command lines: an option that no one declared is an error with the nearest one
 * that exists, since an ignored option is a wrong answer.
 */
export interface OptionSpec {
  /** Without the dashes: 'listen'. */
  name: string
  /** One letter: 'o' for -o. */
  short?: string
  /** Name of the value in help texts; an option without one is a flag. */
  value?: string
  /** One line for the help text. */
  help: string
}

export interface CommandSpec {
  name: string
  /** One line. */
  summary: string
  /** Positional arguments for the usage line, such as '<file.ts>'. */
  positional?: string
  /** Least and most positional arguments. */
  arity: readonly [number, number]
  options: readonly OptionSpec[]
}

export interface Arguments {
  flags: ReadonlySet<string>
  values: ReadonlyMap<string, string>
  positional: readonly string[]
}

/** A command line that cannot be understood; shown as it is, status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function parseArguments(command: CommandSpec, args: readonly string[]): Arguments {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const positional: string[] = []
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!
    if (arg === '--') {
      positional.push(...args.slice(index + 1))
      break
    }
    if (!arg.startsWith('-') || arg === '-') {
      positional.push(arg)
      continue
    }
    const [written, attached] = split(arg)
    const option = find(command, written)
    if (option.value === undefined) {
      if (attached !== undefined) throw new UsageError(`${written} takes no value`)
      flags.add(option.name)
      continue
    }
    const value = attached ?? args[++index]
    if (value === undefined || value === '') throw new UsageError(`${written} needs a value: ${written} ${option.value}`)
    if (values.has(option.name)) throw new UsageError(`${written} is given twice`)
    values.set(option.name, value)
  }
  checkArity(command, positional)
  return { flags, values, positional }
}

/** `--name=value` in two; short options are never joined. */
function split(arg: string): [written: string, attached: string | undefined] {
  const equals = arg.indexOf('=')
  return arg.startsWith('--') && equals > 0 ? [arg.slice(0, equals), arg.slice(equals + 1)] : [arg, undefined]
}

function find(command: CommandSpec, written: string): OptionSpec {
  const option = command.options.find(({ name, short }) => written === `--${name}` || (short !== undefined && written === `-${short}`))
  if (option !== undefined) return option
  const close = nearest(written, command.options.map(({ name }) => `--${name}`))
  throw new UsageError(`unknown option ${written}${close === null ? '' : `; did you mean ${close}?`}`)
}

function checkArity(command: CommandSpec, positional: readonly string[]): void {
  const [least, most] = command.arity
  if (positional.length < least) throw new UsageError(`${command.positional ?? 'an argument'} is missing`)
  if (positional.length > most) throw new UsageError(`unexpected argument '${positional[most]}'`)
}

/** The candidate with the smallest edit distance, if that is small enough to be a slip. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null
  let least = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate)
    if (distance < least) [best, least] = [candidate, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** A number of seconds, or with a unit: 500ms, 2s, 1m, 1h. Milliseconds out. */
export function parseDuration(option: string, text: string, least: number): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match?.[2] ?? 's']!
  const milliseconds = match === null ? NaN : Number(match[1]) * unit
  if (!(milliseconds >= least)) {
    throw new UsageError(`${option}: '${text}' is no duration of at least ${least} ms; give seconds such as 1 or 0.5, or 500ms, 2m, 1h`)
  }
  return milliseconds
}

export function parseCount(option: string, text: string): number {
  const count = Number(text)
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count)) throw new UsageError(`${option}: '${text}' is no positive whole number`)
  return count
}
