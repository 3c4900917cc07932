import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { VerifierError } from '../../bpf/load-error.ts'
import { machineEnvironment, clockOffsets, pidNamespace } from '../../agent/trace/machine.ts'
import { TraceSession } from '../../agent/trace/session.ts'
import { checkProgram } from '../../bpftrace/check/check.ts'
import type { CheckedProgram } from '../../bpftrace/check/context.ts'
import { ProgramError, renderDiagnostic, type Diagnostic } from '../../bpftrace/diagnostic.ts'
import { generate } from '../../bpftrace/generate/generate.ts'
import { GenerateError } from '../../bpftrace/generate/generation.ts'
import { JsonOutput } from '../../bpftrace/output/json.ts'
import { TextOutput } from '../../bpftrace/output/text.ts'
import { Source } from '../../bpftrace/source.ts'
import type { Program } from '../../bpftrace/syntax/ast.ts'
import { parseProgram } from '../../bpftrace/syntax/parser.ts'
import { printProgram } from '../../bpftrace/syntax/print.ts'
import { parseCommandLine, UsageError, type BpftraceOptions } from './command-line.ts'
import { missingInclude } from './includes.ts'
import { featureReport } from './info.ts'
import { listProbes } from './list.ts'
import { usage } from './usage.ts'
import { writeAll } from './write.ts'

const version = 'bpftrace v0.26.0-skep'

/** `bpftrace`, with its own command line, output and exit status. `programFirst`: the first plain argument is the program itself. */
export async function bpftrace(argv: readonly string[], programFirst = false): Promise<number> {
  process.title = 'bpftrace'
  let options: BpftraceOptions
  try {
    options = parseCommandLine(argv)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    writeAll(2, `bpftrace: ${error.message}\n${usage}`)
    return 1
  }
  if (programFirst && options.program === null && !options.list) {
    options.program = options.file
    options.file = null
  }
  if (options.version) return say(`${version}\n`)
  if (options.info) return say(featureReport())
  if (options.help && options.program === null && options.file === null) return say(usage)
  if (!['text', 'json'].includes(options.format)) {
    return fail(`ERROR: Invalid output format "${options.format}"\nValid formats: 'text', 'json'`)
  }
  const pid = parsePid(options.pid)
  if (typeof pid === 'string') return fail(pid)
  if (options.list && options.program === null) return listProbes(options.file === null ? '' : options.file, options, pid)
  const source = sourceOf(options)
  if (typeof source === 'string') return fail(source)
  if (source === null) {
    writeAll(2, usage)
    return 1
  }
  if (options.fmt) return formatProgram(source)
  return trace(source, options, pid)
}

function say(text: string): number {
  writeAll(1, text)
  return 0
}

function fail(message: string): number {
  writeAll(2, `${message}\n`)
  return 1
}

function parsePid(text: string | null): number | null | string {
  if (text === null) return null
  if (!/^\d/.test(text)) return `ERROR: Failed to parse pid: invalid integer: ${text}`
  if (!/^\d+$/.test(text)) return `ERROR: Failed to parse pid: invalid trailing bytes: ${text}`
  const pid = Number(text)
  if (pid < 1 || pid > 0x40_0000) return `ERROR: Failed to parse pid: pid ${text} out of valid pid range [1,4194304]`
  if (!existsSync(`/proc/${pid}`)) return `ERROR: Failed to find or open process ${pid}`
  return pid
}

function sourceOf(options: BpftraceOptions): Source | string | null {
  if (options.program !== null) return new Source('stdin', options.program)
  if (options.file === null) return null
  if (options.file === '-') return new Source('stdin', readFileSync(0, 'utf8'))
  try {
    return new Source(options.file, readFileSync(options.file, 'utf8'))
  } catch (error) {
    return `ERROR: failed to open file '${options.file}': ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'No such file or directory' : (error as Error).message}`
  }
}

function formatProgram(source: Source): number {
  try {
    return say(printProgram(parseProgram(source)))
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error
    return fail(renderDiagnostic(source, error.diagnostic))
  }
}

async function trace(source: Source, options: BpftraceOptions, pid: number | null): Promise<number> {
  const child = options.command === null ? null : spawnStopped(options.command)
  const target = child?.pid ?? pid
  const environment = machineEnvironment({ pid: target, functionList: options.functionList })
  const { program, checked, diagnostics } = checkProgram(source, {
    environment, positional: options.positional, named: options.named, variables: process.env, unsafe: options.unsafe, pid: target, mode: options.mode,
    read: (path) => readImport(path, source), ...(options.filter !== null && { filter: new RegExp(options.filter) }),
  })
  const problem = program === null ? null : missingInclude(program.preamble)
  if (problem !== null) return end(child, fail(problem))
  tell(source, diagnostics.list, options)
  if (checked === null) return end(child, 1)
  if (options.help) return end(child, say(usage + optionHelp(checked)))
  const unexpected = [...options.named.keys()].filter((name) => !checked.named.has(name))
  if (unexpected.length > 0) {
    fail(`ERROR: unexpected program command line options: ${unexpected.map((name) => `--${name}`).join(', ')}`)
    return end(child, fail(`HINT: expected program options: ${[...checked.named.keys()].map((name) => `--${name}`).join(', ')}`))
  }
  if (options.list) {
    return end(
      child, say(
        checked.probes.flatMap(
          ({ targets }) => targets.map(({ display, point }) => `${listed(display, point.provider)}\n`),
        ).join(''),
      ),
    )
  }
  if (options.debug.includes('ast')) return end(child, say(printProgram(program as Program)))
  if (checked.probes.length === 0) return end(child, fail('ERROR: No probes to attach'))
  return end(child, await run(source, checked, options, { environment, pid, child, target }))
}

/** Lists leave out rates and counts. */
function listed(display: string, provider: string): string {
  return [
    'interval', 'profile', 'hardware', 'software',
  ].includes(provider) ? `${display.split(':').slice(0, 2).join(':')}:` : display
}

function end(child: ChildProcess | null, code: number): number {
  if (child !== null && child.exitCode === null) child.kill('SIGKILL')
  return code
}

function tell(source: Source, list: readonly Diagnostic[], options: BpftraceOptions): void {
  for (const one of list) if (one.severity === 'error' || options.warnings) writeAll(2, `${renderDiagnostic(source, one)}\n`)
}

function optionHelp(checked: CheckedProgram): string {
  if (checked.named.size === 0) return ''
  return `\nPROGRAM OPTIONS:\n${[...checked.named.values()].map(({ name, fallback, description }) => `    --${name}=${typeof fallback === 'bigint' ? 'INT' : typeof fallback === 'boolean' ? 'BOOL' : 'STRING'}  ${description ?? ''} (default ${String(fallback)})\n`).join('')}`
}

function readImport(path: string, from: Source): Source | null {
  const base = from.name === 'stdin' ? '.' : from.name.slice(0, from.name.lastIndexOf('/') + 1) || '.'
  const full = path.startsWith('/') ? path : `${base}/${path}`
  return existsSync(full) ? new Source(path, readFileSync(full, 'utf8')) : null
}

/** The command, waiting for a byte before it begins. */
function spawnStopped(command: string): ChildProcess {
  const words = command.trim().split(/\s+/)
  return spawn(
    '/bin/sh', [
      '-c', 'read -r _ <&3; exec 3<&-; exec "$@"', 'sh', ...words,
    ], { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] },
  )
}

interface Run { environment: ReturnType<typeof machineEnvironment>; pid: number | null; child: ChildProcess | null; target: number | null }

async function run(source: Source, checked: CheckedProgram, options: BpftraceOptions, { environment, pid, child, target }: Run): Promise<number> {
  const clocks = clockOffsets()
  const file = options.output === null ? 1 : openSync(options.output, 'w')
  const write = (text: string) => { if (text !== '') writeAll(file, text) }
  const writeError = (text: string) => { if (text !== '') (options.format === 'json' ? write : (one: string) => writeAll(2, one))(text) }
  let session: TraceSession | undefined
  try {
    const generated = generate(checked, environment.btf!, {
      environment, source, named: options.named, isa: 4, pid, childPid: child?.pid ?? null, helperErrors: options.helperErrors, startNs: clocks.boot,
      pidNamespace: pidNamespace(), taiOffset: clocks.tai - clocks.wall,
      ...(options.debug.includes('ir') && {
        print: (name: string, step: string, text: string) => { writeAll(1, `${name}: ${step}\n${text}\n`) },
      }),
    })
    session = new TraceSession(generated, {
      source, checked, write, writeError, wallOffset: clocks.wall, taiOffset: clocks.tai - clocks.wall, pid: target, warnings: options.warnings,
      output: (symbols) => (options.format === 'json' ? new JsonOutput(symbols, { trailer: checked.config.str_trunc_trailer }) : new TextOutput(symbols, { trailer: checked.config.str_trunc_trailer })),
      run: (kind, command) => (kind === 'cat' ? readLimited(command, Number(checked.config.max_cat_bytes)) : shell(command)),
    })
    return await observe(session, options, child, pid, write)
  } catch (error) {
    return explain(source, error)
  } finally {
    session?.close()
    if (file !== 1) closeSync(file)
  }
}

async function observe(session: TraceSession, options: BpftraceOptions, child: ChildProcess | null, pid: number | null, write: (text: string) => void): Promise<number> {
  if (options.mode === 'bench') {
    session.bench()
    session.drain()
    session.finish()
    return 0
  }
  if (options.mode === 'test') return session.test() ? 0 : 1
  session.attach()
  if (!options.quiet) write(session.output.attached(session.attached))
  if (process.env.__BPFTRACE_NOTIFY_PROBES_ATTACHED !== undefined) writeAll(1, '__BPFTRACE_NOTIFY_PROBES_ATTACHED\n')
  if (options.dryRun) return 0
  if (child?.stdio[3] !== undefined) (child.stdio[3] as NodeJS.WritableStream).end('\n')
  session.drain()
  if (session.exitCode === null && (session.lasting || child !== null)) await ended(session, child, pid)
  session.finish()
  return session.exitCode ?? 0
}

/** The script's exit, a signal, or the end of the process that it is about. */
function ended(session: TraceSession, child: ChildProcess | null, pid: number | null): Promise<void> {
  return new Promise((resolve) => {
    const watch = pid === null ? undefined : setInterval(() => { if (!existsSync(`/proc/${pid}`)) done() }, 100)
    const keepAlive = setInterval(() => {}, 1 << 30)
    const done = () => {
      clearInterval(watch)
      clearInterval(keepAlive)
      process.off('SIGINT', done)
      process.off('SIGTERM', done)
      resolve()
    }
    process.on('SIGINT', done)
    process.on('SIGTERM', done)
    child?.on('exit', done)
    session.listen(done)
  })
}

function explain(source: Source, error: unknown): number {
  if (error instanceof GenerateError) {
    return fail(renderDiagnostic(source, { severity: 'error', message: error.message, span: error.span }))
  }
  if (error instanceof AggregateError) {
    for (const one of error.errors) explain(source, one)
    return 1
  }
  if (error instanceof VerifierError) {
    return fail(`ERROR: ${error.message}${process.env.SKEP_VERIFIER_LOG === undefined ? '' : `\n${error.log}`}`)
  }
  if (process.env.SKEP_DEBUG !== undefined) throw error
  return fail(`ERROR: ${(error as Error).message}`)
}

function shell(command: string): string {
  const { stdout } = spawnSync('/bin/sh', ['-c', command], { stdio: ['inherit', 'pipe', 'inherit'], encoding: 'utf8' })
  return stdout ?? ''
}

function readLimited(path: string, most: number): string {
  try {
    return readFileSync(path).subarray(0, most).toString('utf8')
  } catch (error) {
    writeAll(2, `ERROR: failed to open file '${path}': ${(error as NodeJS.ErrnoException).code}\n`)
    return ''
  }
}
