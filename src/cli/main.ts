import { parseArguments, UsageError, nearest, type Arguments, type CommandSpec } from './arguments.ts'
import { agentCommand, verbs } from './commands.ts'

/**
 * The entry of the command line. It imports next to nothing, so that `skep --help` answers at once; what a
 * command needs is loaded when it runs.
 */
async function main(args: readonly string[]): Promise<number> {
  const [first] = args
  const verb = first === undefined || first.startsWith('-') ? agentCommand : verbs.find(({ name }) => name === first)
  if (verb === undefined) return usage(unknownVerb(first!))
  // The bpftrace language comes with bpftrace's options.
  if (verb.name === 'trace' && !wantsHelp(args)) return (await import('./trace.ts')).traceProgram(args.slice(1))
  if (verb.name === 'run' && args[1]?.endsWith('.bt')) return (await import('./trace.ts')).traceFile(args.slice(1))
  try {
    const parsed = wantsHelp(args) ? null : parseArguments(verb, verb === agentCommand ? args : args.slice(1))
    if (parsed === null) {
      const { helpOf } = await import('./help.ts')
      process.stdout.write(helpOf(verb))
      return 0
    }
    return await run(verb, parsed)
  } catch (error) {
    if (error instanceof UsageError) return usage(error.message, verb)
    throw error
  }
}

function wantsHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h')
}

async function run(verb: CommandSpec, args: Arguments): Promise<number> {
  switch (verb.name) {
    case 'run': return (await import('./run.ts')).runFile(args)
    case 'check': return (await import('./check.ts')).checkFile(args)
    case 'build': return (await import('./build.ts')).buildObject(args)
    case 'types': return (await import('./types.ts')).writeTypes(args)
    case 'doctor': return (await import('./doctor.ts')).diagnose(args)
    case 'record': return (await import('./record.ts')).record(args)
    case 'demo': return (await import('./demo.ts')).demo(args)
    case 'vm': return (await import('./vm.ts')).runVm(args)
    case 'list': return (await import('./list.ts')).listProbes(args)
    default: return args.flags.has('version') ? version() : (await import('./start.ts')).startAgent(args)
  }
}

async function version(): Promise<number> {
  const { packageVersion } = await import('./version.ts')
  process.stdout.write(`skep ${packageVersion()}\n`)
  return 0
}

function unknownVerb(word: string): string {
  const close = nearest(word, verbs.map(({ name }) => name))
  return `unknown command '${word}'${close === null ? '' : `; did you mean '${close}'?`}`
}

function usage(message: string, command?: CommandSpec): number {
  const topic = command === undefined || command.name === '' ? 'skep --help' : `skep ${command.name} --help`
  process.stderr.write(`skep: ${message}\n\`${topic}\` shows what there is.\n`)
  return 2
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // `skep --help | head -1`: the reader has what it wanted.
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})
process.exitCode = await main(process.argv.slice(2))
