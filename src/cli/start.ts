import { fileURLToPath } from 'node:url'
import { parseListen, defaultListen, isLoopback, type ListenAddress } from '../agent/address.ts'
import type { AgentOptions, Pipeline } from '../agent/agent.ts'
import { ListenError, PageServer } from '../agent/serve.ts'
import type { ProbeState, Snapshot } from '../agent/snapshot.ts'
import type { SpecCache } from '../agent/spec-cache.ts'
import type { Recording } from '../vm/recording.ts'
import { parseCount, parseDuration, UsageError, type Arguments } from './arguments.ts'
import { Lifetime } from './lifetime.ts'
import { tickLines } from './lines.ts'
import { LiveTable } from './live-table.ts'
import { paint, wantsColor } from './paint.ts'
import { missing } from './screen.ts'

interface Options {
  listen: ListenAddress | null
  json: boolean
  color: boolean
  intervalMs: number
  durationMs: number | null
  count: number | null
}

function read({ flags, values }: Arguments): Options {
  if (flags.has('no-page') && values.has('listen')) throw new UsageError('--no-page and --listen exclude each other')
  const listen = values.get('listen')
  const address = listen === undefined ? defaultListen : parseListen(listen)
  if (address === null) throw new UsageError(`--listen: '${listen}' is no address; give PORT, ADDRESS:PORT or [IPv6]:PORT, such as 127.0.0.1:7070`)
  const count = values.get('count')
  const duration = values.get('duration')
  return {
    listen: flags.has('no-page') ? null : address,
    json: flags.has('json'),
    color: wantsColor(process.stdout.isTTY === true, process.env, flags.has('no-color')),
    intervalMs: parseDuration('--interval', values.get('interval') ?? '1', 100),
    durationMs: duration === undefined ? null : parseDuration('--duration', duration, 1),
    count: count === undefined ? null : parseCount('--count', count),
  }
}

/** Where ticks go: a live table, lines, or JSON. */
interface Output {
  /** The page is up; probes are not loaded yet. */
  begin(page: string | null): void
  show(snapshot: Snapshot): void
  end(): void
}

/** `skep`: the page first, then the probes, then a tick after the other until someone stops it. */
export async function startAgent(args: Arguments): Promise<number> {
  const options = read(args)
  const refusal = await refused()
  if (refusal !== null) return refusal
  return runPipeline(options, async (given) => new (await import('../agent/agent.ts')).Agent({ ...given, specs: await keptSpecs() }))
}

/** `skep demo`: the same on a recording. */
export async function startReplay(args: Arguments, recording: () => Recording): Promise<number> {
  const options = read(args)
  return runPipeline(options, async (given) => new (await import('../agent/replay-agent.ts')).ReplayAgent(recording(), given))
}

async function runPipeline(options: Options, make: (options: AgentOptions) => Promise<Pipeline>): Promise<number> {
  const lifetime = new Lifetime()
  const output = chooseOutput(options, lifetime)
  let agent: Pipeline | null = null
  let server: PageServer | null
  try {
    server = await serve(options.listen, () => agent)
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    process.stderr.write(`skep: ${error.message}\n`)
    return 2
  }
  try {
    output.begin(server?.url ?? null)
    agent = await make({ intervalMs: options.intervalMs, onSnapshot: counted(options.count, lifetime, (snapshot) => {
      server?.publish(snapshot)
      output.show(snapshot)
    }) })
    const states = await agent.start()
    if (states.every(({ state }) => state === 'off')) {
      output.end()
      return nothingToShow(states)
    }
    if (options.durationMs !== null) setTimeout(() => lifetime.stop(), options.durationMs).unref()
    await lifetime.ended
    return 0
  } finally {
    // The terminal goes back first: its last picture is a whole tick, while lines and JSON also tell the last, short one.
    output.end()
    agent?.stop()
    await server?.close()
  }
}

/** Probes as an earlier start compiled them, where bin/skep.js found a folder that only this user can write to; SKEP_NO_CACHE=1 compiles anew. */
async function keptSpecs(): Promise<SpecCache | null> {
  const folder = (globalThis as Record<symbol, unknown>)[Symbol.for('skep.cacheFolder')]
  if (typeof folder !== 'string' || process.env['SKEP_NO_CACHE'] === '1') return null
  const { SpecCache } = await import('../agent/spec-cache.ts')
  return SpecCache.open(folder, fileURLToPath(import.meta.url))
}

/** Says why nothing can be observed here; null when it is worth trying. */
async function refused(): Promise<number | null> {
  const { preflight } = await import('../agent/preflight.ts')
  const refusal = preflight()
  if (refusal === null) return null
  process.stderr.write(`skep: ${refusal.reason} ${refusal.remedy}\n`)
  return 1
}

async function serve(listen: ListenAddress | null, agent: () => Pipeline | null): Promise<PageServer | null> {
  if (listen === null) return null
  if (!isLoopback(listen.host)) {
    process.stderr.write(`skep: warning: ${listen.host} can be reached from other machines and the page asks for no password; ` +
      'anyone there sees process names and connections. Prefer 127.0.0.1 and a tunnel (ssh -L).\n')
  }
  return PageServer.start({
    listen, page: pageFolder(),
    latest: () => agent()?.latest ?? null,
    history: () => agent()?.history ?? { startedAt: 0, intervalSeconds: 1, snapshots: [] },
  })
}

/** The built page lies beside the bundle. */
function pageFolder(): string {
  return decodeURIComponent(new URL('./web', import.meta.url).pathname)
}

function counted(limit: number | null, lifetime: Lifetime, show: (snapshot: Snapshot) => void): (snapshot: Snapshot) => void {
  let shown = 0
  return (snapshot) => {
    if (limit !== null && shown >= limit) return
    shown++
    show(snapshot)
    if (limit !== null && shown >= limit) lifetime.stop()
  }
}

function chooseOutput({ json, color }: Options, lifetime: Lifetime): Output {
  if (json) return jsonOutput()
  if (process.stdout.isTTY === true && process.stdin.isTTY === true) return new LiveTable(color, lifetime)
  return lineOutput()
}

function jsonOutput(): Output {
  const told = new Set<string>()
  return {
    begin: (page) => { if (page !== null) process.stderr.write(`skep: page at ${page}\n`) },
    show: (snapshot) => {
      tell(snapshot.probes, told)
      process.stdout.write(`${JSON.stringify(snapshot)}\n`)
    },
    end: () => {},
  }
}

function lineOutput(): Output {
  const told = new Set<string>()
  return {
    begin: (page) => process.stdout.write(page === null ? 'skep: no page\n' : `skep: page at ${page}\n`),
    show: (snapshot) => {
      tell(snapshot.probes, told)
      process.stdout.write(`${tickLines(snapshot).join('\n')}\n`)
    },
    end: () => {},
  }
}

/** Says once what is missing. */
function tell(probes: readonly ProbeState[], told: Set<string>): void {
  for (const probe of probes) {
    if (probe.state === 'on' || told.has(probe.name)) continue
    told.add(probe.name)
    process.stderr.write(`skep: ${paint(missing(probe), Infinity, false)}\n`)
  }
}

function nothingToShow(states: readonly ProbeState[]): number {
  process.stderr.write('skep: no probe could be loaded, so there is nothing to show:\n')
  for (const state of states) process.stderr.write(`  ${paint(missing(state), Infinity, false)}\n`)
  return 1
}
