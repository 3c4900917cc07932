import { gunzipSync } from 'node:zlib'
import { readFileSync } from 'node:fs'
import { openReplayedRings, ReplayedMap } from '../agent/replayed-map.ts'
import { SignalSession } from '../agent/signal-session.ts'
import { CompileError } from '../compiler/errors.ts'
import { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import { VmFault, VmRefusal } from '../vm/fault.ts'
import { FixtureError } from '../vm/kernel-object.ts'
import { parseRecording, RecordingError, type Recording } from '../vm/recording.ts'
import { Replay } from '../vm/replay.ts'
import { traceText, type Simulation } from '../vm/simulate.ts'
import { parseCount, parseDuration, type Arguments } from './arguments.ts'
import { compileProbe, importProbe, ProbeFileError } from './probe-file.ts'
import { SignalOutput } from './signal-output.ts'
import { signalsOf } from './signals.ts'

/** Bytes that a recording may have when it is unpacked. */
const mostBytes = 512 * 1024 * 1024

/** Reads a recording, gzipped or not. @throws RecordingError */
export function readRecording(path: string): Recording {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = gunzipSync(bytes, { maxOutputLength: mostBytes })
  } catch (error) {
    throw new RecordingError(0, `it cannot be read: ${(error as Error).message}`)
  }
  return parseRecording(bytes.toString('utf8'))
}

/** `skep run --replay FILE probe.ts`: plays a recording through the programs of a module, and shows its signals as they were. */
export async function replayFile(file: string, { flags, values, positional }: Arguments): Promise<number> {
  const path = positional[0]!
  const intervalMs = parseDuration('--interval', values.get('interval') ?? '1', 1)
  const duration = values.get('duration')
  const count = values.get('count')
  const limit = count === undefined ? Infinity : parseCount('--count', count)
  const mostMs = duration === undefined ? Infinity : parseDuration('--duration', duration, 1)
  try {
    const recording = readRecording(file)
    const module = await importProbe(path)
    const { header, end } = recording
    process.stderr.write(`skep: replaying ${end.events} events of ${header.at} (Linux ${header.kernel}, ${header.scope}${header.redacted ? ', redacted' : ''})` +
      `${end.lost > 0 ? `; ${end.lost} were lost when it was made` : ''}\n`)
    play(recording, path, module, { output: new SignalOutput(flags.has('json')), intervalMs, mostMs, limit, trace: flags.has('trace') })
    return 0
  } catch (error) {
    if (error instanceof RecordingError) process.stderr.write(`skep: ${file}: ${error.message}\n`)
    else if (error instanceof ProbeFileError) process.stderr.write(`skep: ${error.message}\n${remedyFor(error)}`)
    else if (error instanceof VmFault || error instanceof VmRefusal || error instanceof FixtureError) process.stderr.write(`skep: ${error.message}\n`)
    else throw error
    return 2
  }
}

interface PlayOptions { output: SignalOutput; intervalMs: number; mostMs: number; limit: number; trace: boolean }

/** The trace is written after so much of the recording's time, so that it does not gather in memory. */
const traceNs = 1e6

function play(recording: Recording, path: string, module: Record<string, unknown>, { output, intervalMs, mostMs, limit, trace }: PlayOptions): void {
  const replay = new Replay(recording)
  const compiled = compileProbe(path, module, { btf: replay.types.btf })
  const simulation = replay.attach(compiled)
  const maps = new Map([...compiled.maps.values()].map((declaration) => [declaration, new ReplayedMap(simulation, declaration, declaration instanceof RingDeclaration)]))
  const session = new SignalSession(signalsOf(module), (declaration) => maps.get(declaration), output.event, openReplayedRings)
  const { clock } = recording.header
  const end = Math.min(replay.end, clock + mostMs * 1e6)
  for (let tick = 1; tick <= limit && replay.now < end; tick++) {
    const until = Math.min(end, clock + tick * intervalMs * 1e6)
    const advance = (time: number) => replay.advanceTo(time, () => session.drain())
    if (trace) traced(simulation, replay, until, advance)
    else advance(until)
    output.tick(session.read((replay.now - clock) / 1e6), Math.round(replay.wallClock(replay.now)))
  }
  for (const [name, value] of Object.entries(module)) {
    const map = value instanceof MapDeclaration ? maps.get(value) : undefined
    if (map !== undefined) output.map(name, map.entries())
  }
  if (session.lost > 0) process.stderr.write(`skep: ${session.lost} records were lost, since a map or ring was full\n`)
  session.close()
}

/** Writes the steps of short stretches, one after the other. */
function traced(simulation: Simulation, replay: Replay, until: number, advance: (time: number) => void): void {
  while (replay.now < until) {
    const steps = simulation.trace(() => advance(Math.min(until, replay.now + traceNs)))
    if (steps.length > 0) process.stdout.write(`${traceText(steps)}\n`)
  }
}

function remedyFor({ cause }: ProbeFileError): string {
  if (!(cause instanceof CompileError)) return ''
  return 'skep: “this kernel” is the recording, which holds only what it was made for; record with this probe to have all that it reads: skep record FILE.ts\n'
}
