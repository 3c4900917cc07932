import { explain, hookName } from '../agent/loaded-probe.ts'
import { preflight } from '../agent/preflight.ts'
import { SignalSession } from '../agent/signal-session.ts'
import { Collection } from '../bpf/collection.ts'
import type { Compiled } from '../compiler/compile.ts'
import { MapDeclaration } from '../compiler/language/maps.ts'
import { parseCount, parseDuration, UsageError, type Arguments } from './arguments.ts'
import { Lifetime } from './lifetime.ts'
import { compileProbe, importProbe, ProbeFileError } from './probe-file.ts'
import { SignalOutput } from './signal-output.ts'
import { signalsOf } from './signals.ts'

interface Options { path: string; json: boolean; intervalMs: number; durationMs: number | null; count: number | null }

/** `skep run file.ts`: compiles, loads and attaches the programs that a module exports, and shows its signals until it is stopped. */
export async function runFile(args: Arguments): Promise<number> {
  const { flags, values, positional } = args
  const recording = values.get('replay')
  if (recording === undefined && flags.has('trace')) throw new UsageError('--trace shows the instructions of a replay: give --replay FILE too')
  if (recording !== undefined) return (await import('./run-replay.ts')).replayFile(recording, args)
  const duration = values.get('duration')
  const count = values.get('count')
  const options: Options = {
    path: positional[0]!,
    json: flags.has('json'),
    intervalMs: parseDuration('--interval', values.get('interval') ?? '1', 10),
    durationMs: duration === undefined ? null : parseDuration('--duration', duration, 1),
    count: count === undefined ? null : parseCount('--count', count),
  }
  try {
    const module = await importProbe(options.path)
    // What the machine refuses comes first: without its types nothing can be compiled.
    const refusal = preflight()
    if (refusal !== null) {
      process.stderr.write(`skep: ${refusal.reason} ${refusal.remedy}\n`)
      return 1
    }
    return await observe(compileProbe(options.path, module), module, options)
  } catch (error) {
    if (!(error instanceof ProbeFileError)) throw error
    process.stderr.write(`skep: ${error.message}\n`)
    return 2
  }
}

async function observe(compiled: Compiled, module: Record<string, unknown>, options: Options): Promise<number> {
  const lifetime = new Lifetime()
  const collection = Collection.load(compiled.spec)
  try {
    collection.attachAll()
    for (const [name, error] of collection.failures) {
      const { reason, remedy } = explain(error)
      process.stderr.write(`skep: ${name} is not attached: ${reason}${remedy === null ? '' : ` ${remedy}`}\n`)
    }
    if (collection.links.size === 0) return 1
    const hooks = [...collection.links.values()].map((link) => hookName(link.target))
    process.stderr.write(`skep: attached ${hooks.join(', ')}; Ctrl-C ends\n`)
    await show(collection, compiled, module, options, lifetime)
    return 0
  } finally {
    collection.close()
  }
}

async function show(collection: Collection, { maps }: Compiled, module: Record<string, unknown>, options: Options, lifetime: Lifetime): Promise<void> {
  const byDeclaration = new Map([...maps].map(([name, declaration]) => [declaration, collection.maps.get(name)]))
  const output = new SignalOutput(options.json)
  const session = new SignalSession(signalsOf(module), (declaration) => byDeclaration.get(declaration), output.event)
  let ticks = 0
  const tick = () => {
    output.tick(session.read(performance.now()), Date.now())
    if (++ticks === options.count) lifetime.stop()
  }
  const timer = setInterval(tick, options.intervalMs)
  const end = options.durationMs === null ? undefined : setTimeout(() => lifetime.stop(), options.durationMs)
  try {
    await lifetime.ended
    clearInterval(timer)
    if (ticks !== options.count) tick()
    for (const [name, value] of Object.entries(module)) {
      const map = value instanceof MapDeclaration ? byDeclaration.get(value) : undefined
      if (map !== undefined) output.map(name, map.readAll())
    }
    if (session.lost > 0) process.stderr.write(`skep: ${session.lost} records were lost, since a map or ring was full\n`)
  } finally {
    clearInterval(timer)
    clearTimeout(end)
    session.close()
  }
}
