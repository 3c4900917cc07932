import { renderDiagnostic } from '../../bpftrace/diagnostic.ts'
import { checkProgram } from '../../bpftrace/check/check.ts'
import { generate } from '../../bpftrace/generate/generate.ts'
import { JsonOutput } from '../../bpftrace/output/json.ts'
import { Source } from '../../bpftrace/source.ts'
import { clockOffsets, machineEnvironment, pidNamespace } from './machine.ts'
import { TraceSession } from './session.ts'

export interface TraceOptions {
  /** Parameters of the program: `$1`… and `getopt()`. */
  parameters?: readonly string[]
  named?: Readonly<Record<string, string | true>>
  /** Only what this process does. */
  pid?: number
  unsafe?: boolean
  signal?: AbortSignal
}

/** A bucket of a histogram; an end that is open is left out. `max` is the last number in it. */
export interface TraceBucket { min?: number; max?: number; count: number }
export type TraceValue = number | string | boolean | null | TraceValue[] | { [field: string]: TraceValue }

/** What a script says, in the shapes of `bpftrace -f json`. */
export type TraceMessage =
  | { type: 'printf' | 'time' | 'join'; data: string }
  | { type: 'value'; data: TraceValue }
  | { type: 'map' | 'stats' | 'tseries'; data: { [map: string]: TraceValue } }
  | { type: 'hist'; data: { [map: string]: TraceBucket[] | { [key: string]: TraceBucket[] } } }
  | { type: 'lost_events'; count: number; data: { events: number } }
  | { type: 'errorf' | 'warnf' | 'runtime_error'; msg: string; filename: string; line: number; col: number }
  | { type: 'helper_error'; msg: string; helper: string; retcode: number; filename: string; line: number; col: number }

/** A program that the language refuses: one message a line, with places. */
export class TraceError extends Error {
  override readonly name = 'TraceError'
}

/**
 * Runs a program in the bpftrace language and gives what it says, until it exits, the loop is left, or `signal` aborts.
 * Maps come at the end, as bpftrace prints them. Needs what loading eBPF needs.
 * @throws TraceError for what is wrong with the program; what loading and attaching throw
 */
export async function* trace(program: string, options: TraceOptions = {}): AsyncGenerator<TraceMessage, void, void> {
  const waiting: TraceMessage[] = []
  let wake: (() => void) | undefined
  let ended = false
  const end = () => {
    ended = true
    wake?.()
  }
  const session = open(program, options, (message) => {
    waiting.push(message)
    wake?.()
  })
  options.signal?.addEventListener('abort', end, { once: true })
  try {
    session.attach()
    session.drain()
    if (session.exitCode === null && session.lasting && !options.signal?.aborted) session.listen(end)
    else end()
    for (;;) {
      yield* waiting.splice(0)
      if (ended) break
      await new Promise<void>((resolve) => { wake = resolve })
    }
    session.finish()
    yield* waiting.splice(0)
  } finally {
    options.signal?.removeEventListener('abort', end)
    session.close()
  }
}

function open(program: string, { parameters = [], named = {}, unsafe = false, ...options }: TraceOptions, say: (message: TraceMessage) => void): TraceSession {
  const pid = options.pid ?? null
  const source = new Source('program', program)
  const environment = machineEnvironment({ pid, functionList: null })
  const given = new Map(Object.entries(named))
  const { checked, diagnostics } = checkProgram(source, { environment, positional: parameters, named: given, unsafe, pid })
  if (checked === null) {
    throw new TraceError(
      diagnostics.list.filter(({ severity }) => severity === 'error').map((one) => renderDiagnostic(source, one)).join('\n'),
    )
  }
  const clocks = clockOffsets()
  const generated = generate(checked, environment.btf!, {
    environment, source, named: given, isa: 4, pid, childPid: null, helperErrors: false, startNs: clocks.boot, pidNamespace: pidNamespace(), taiOffset: clocks.tai - clocks.wall,
  })
  const write = (text: string) => { for (const line of text.split('\n')) if (line !== '') say(JSON.parse(line) as TraceMessage) }
  return new TraceSession(generated, {
    source, checked, write, writeError: write, wallOffset: clocks.wall, taiOffset: clocks.tai - clocks.wall, pid, warnings: true,
    output: (symbols) => new JsonOutput(symbols, { trailer: checked.config.str_trunc_trailer }),
    run: (kind) => { throw new TraceError(`${kind}() cannot be used here`) },
  })
}

