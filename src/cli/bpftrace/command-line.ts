/** bpftrace's command line. */
export interface BpftraceOptions {
  program: string | null
  file: string | null
  positional: string[]
  named: Map<string, string | true>
  list: boolean
  format: string
  output: string | null
  buffering: string
  pid: string | null
  command: string | null
  verbose: boolean
  quiet: boolean
  debug: string[]
  unsafe: boolean
  warnings: boolean
  helperErrors: boolean
  info: boolean
  dryRun: boolean
  fmt: boolean
  mode: 'run' | 'test' | 'bench'
  help: boolean
  version: boolean
  filter: string | null
  functionList: string | null
  includes: string[]
  emitElf: string | null
}

/** Thrown for what is no option: the usage is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Options with a value: their names, and what they do; null: accepted and without a meaning here. */
const valued: Record<string, ((options: BpftraceOptions, value: string) => void) | null> = {
  '-e': (o, v) => { o.program = o.program === null ? v : `${o.program}\n${v}` },
  '-f': (o, v) => { o.format = v }, '--format': (o, v) => { o.format = v },
  '-o': (o, v) => { o.output = v }, '--output': (o, v) => { o.output = v },
  '-B': (o, v) => { o.buffering = v },
  '-p': (o, v) => { o.pid = v }, '--pid': (o, v) => { o.pid = v },
  '-c': (o, v) => { o.command = v }, '--cmd': (o, v) => { o.command = v },
  '-d': (o, v) => { o.debug.push(...v.split(',')) }, '--debug': (o, v) => { o.debug.push(...v.split(',')) },
  '-I': null, '--include': (o, v) => { o.includes.push(v) },
  '--mode': (o, v) => {
    if (v === 'test' || v === 'bench') o.mode = v
    else if (v === 'format') o.fmt = true
    else if (v !== 'codegen' && v !== 'compiler-bench') throw new UsageError(`Invalid mode: ${v}`)
    else o.dryRun = true
  },
  '--probe-filter': (o, v) => { o.filter = v },
  '--traceable-functions': (o, v) => { o.functionList = v },
  '--emit-elf': (o, v) => { o.emitElf = v },
  '--emit-llvm': null, '--no-feature': null, '--debuginfo': null, '--dwarf-pid': null, '--aot': null, '--usdt-provider': null,
}

const flags: Record<string, ((options: BpftraceOptions) => void) | null> = {
  '-l': (o) => { o.list = true }, '--list': (o) => { o.list = true },
  '-v': (o) => { o.verbose = true }, '--verbose': (o) => { o.verbose = true },
  '-q': (o) => { o.quiet = true }, '--quiet': (o) => { o.quiet = true },
  '-k': (o) => { o.helperErrors = true }, '-kk': (o) => { o.helperErrors = true },
  '-h': (o) => { o.help = true }, '--help': (o) => { o.help = true },
  '-V': (o) => { o.version = true }, '--version': (o) => { o.version = true },
  '--unsafe': (o) => { o.unsafe = true }, '--no-warnings': (o) => { o.warnings = false }, '--info': (o) => { o.info = true },
  '--dry-run': (o) => { o.dryRun = true }, '--fmt': (o) => { o.fmt = true }, '--test': (o) => { o.mode = 'test' }, '--bench': (o) => { o.mode = 'bench' },
  '--usdt-file-activation': null, '--verify-llvm-ir': null, '--btf': null, '--kfunc': null,
}

/** @throws UsageError */
export function parseCommandLine(argv: readonly string[]): BpftraceOptions {
  const options: BpftraceOptions = {
    program: null, file: null, positional: [], named: new Map(), list: false, format: 'text', output: null, buffering: 'line', pid: null, command: null,
    verbose: false, quiet: false, debug: [], unsafe: false, warnings: true, helperErrors: false, info: false, dryRun: false, fmt: false, mode: 'run',
    help: false, version: false, filter: null, functionList: null, includes: [], emitElf: null,
  }
  const rest: string[] = []
  const args = [...argv]
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === '--') {
      rest.push(...named(args, options))
      break
    }
    if (!arg.startsWith('-') || arg === '-') rest.push(arg)
    else take(arg, args, options)
  }
  if (options.program === null && rest.length > 0) options.file = rest.shift()!
  options.positional = rest
  return options
}

/** Behind `--`: parameters of the program, by name or by place. */
function named(args: readonly string[], options: BpftraceOptions): string[] {
  const plain: string[] = []
  for (const arg of args) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(arg)
    if (match === null) plain.push(arg)
    else options.named.set(match[1]!, match[2] ?? true)
  }
  return plain
}

function take(arg: string, args: string[], options: BpftraceOptions): void {
  const [name, attached] = arg.startsWith('--') && arg.includes('=') ? [
    arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1),
  ] : [arg, undefined]
  if (Object.hasOwn(flags, name) && attached === undefined) {
    flags[name]?.(options)
    return
  }
  if (Object.hasOwn(valued, name)) {
    const value = attached ?? args.shift()
    if (value === undefined) throw new UsageError(`option requires an argument -- '${name.replace(/^-+/, '')}'`)
    valued[name]?.(options, value)
    return
  }
  if (!arg.startsWith('--') && arg.length > 2) {
    // Several letters at once; the last may have its value behind it.
    const letter = arg.slice(0, 2)
    if (Object.hasOwn(flags, letter)) {
      take(letter, args, options)
      return take(`-${arg.slice(2)}`, args, options)
    }
    if (Object.hasOwn(valued, letter)) {
      valued[letter]?.(options, arg.slice(2))
      return
    }
  }
  throw new UsageError(arg.startsWith('--') ? `unrecognized option '${arg}'` : `invalid option -- '${arg[1]}'`)
}
