import { closeSync, openSync, writeSync } from 'node:fs'
import { explain } from '../agent/loaded-probe.ts'
import { preflight } from '../agent/preflight.ts'
import { compileRecorder, Recorder, type RecorderOptions } from '../agent/recorder.ts'
import { processScope, cgroupScope, ScopeError, wholeMachine } from '../agent/recording-scope.ts'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { CompileError } from '../compiler/errors.ts'
import { parseCount, parseDuration, UsageError, type Arguments } from './arguments.ts'
import { byteCount } from './format.ts'
import { Lifetime } from './lifetime.ts'
import { importProbe, ProbeFileError } from './probe-file.ts'
import { packageVersion } from './version.ts'

interface Limits { durationMs: number; count: number; bytes: number }

/** Written at once. */
const chunkBytes = 64 * 1024

/** `skep record [file.ts] -o out.skeprec`: stores what the hooks of probes see of the kernel, for `skep run --replay`. */
export async function record({ flags, values, positional }: Arguments): Promise<number> {
  const output = values.get('output')
  if (output === undefined) throw new UsageError('-o is missing: give the file to write, such as -o out.skeprec')
  if (values.has('pid') && values.has('cgroup')) throw new UsageError('--pid and --cgroup exclude each other')
  const count = values.get('count')
  const limits: Limits = {
    durationMs: parseDuration('--duration', values.get('duration') ?? '10', 1),
    count: count === undefined ? Infinity : parseCount('--count', count),
    bytes: parseSize('--size', values.get('size') ?? '16MB'),
  }
  try {
    const modules = positional.length === 0 ? await builtIn() : [await importProbe(positional[0]!)]
    const refusal = preflight()
    if (refusal !== null) {
      process.stderr.write(`skep: ${refusal.reason} ${refusal.remedy}\n`)
      return 1
    }
    const pid = values.get('pid')
    const cgroup = values.get('cgroup')
    const { scope, cgroups } = pid !== undefined ? processScope(parseCount('--pid', pid)) : cgroup !== undefined ? cgroupScope(cgroup) : wholeMachine()
    const keepText = flags.has('keep-text')
    return await write(modules, { btf: kernelBtf(), scope, keepText, version: packageVersion(), cgroups: keepText || scope.kind === 'cgroup' ? cgroups : {} }, output, limits)
  } catch (error) {
    if (!(error instanceof ProbeFileError || error instanceof ScopeError || error instanceof CompileError)) throw error
    process.stderr.write(`skep: ${error.message}\n`)
    return 2
  }
}

async function builtIn(): Promise<Record<string, unknown>[]> {
  const { catalogue } = await import('../probes/catalogue.ts')
  return Object.values(catalogue)
}

async function write(modules: readonly Record<string, unknown>[], options: RecorderOptions, output: string, limits: Limits): Promise<number> {
  const program = compileRecorder(modules, options)
  for (const what of program.leftOut) process.stderr.write(`skep: not recorded: ${what}${options.keepText ? '' : ' (it may be anything; --keep-text records it)'}\n`)
  if (program.plans.length === 0) throw new ProbeFileError('none of its programs has a hook that can be recorded: tp_btf and raw_tp are')
  let file: RecordingFile
  try {
    file = new RecordingFile(output, limits)
  } catch (error) {
    throw new ProbeFileError(`cannot write ${output}: ${(error as Error).message}`, { cause: error })
  }
  const lifetime = new Lifetime()
  const recorder = Recorder.start(program, options, (line) => { if (file.add(line)) lifetime.stop() })
  const timer = setTimeout(() => lifetime.stop(), limits.durationMs)
  try {
    for (const [name, error] of recorder.collection.failures) process.stderr.write(`skep: ${name} is not attached: ${explain(error).reason}\n`)
    if (recorder.collection.links.size === 0) return 1
    file.begin(JSON.stringify(recorder.header))
    process.stderr.write(`skep: recording ${options.scope.name} for ${limits.durationMs / 1000} s into ${output}; Ctrl-C ends\n`)
    await lifetime.ended
    const end = recorder.stop(file.full ?? 'time')
    file.end(JSON.stringify({ ...end, events: file.events }))
    process.stderr.write(`skep: ${file.events} events, ${byteCount(file.bytes)}${file.full === null ? '' : `; stopped by --${file.full}`}` +
      `${end.lost > 0 ? `; ${end.lost} events were lost, since the ring was full` : ''}\n`)
    return 0
  } finally {
    clearTimeout(timer)
    recorder.close()
    file.close()
  }
}

/** The file as it grows, up to its limits. */
class RecordingFile {
  events = 0
  bytes = 0
  /** The limit that was reached. */
  full: 'count' | 'size' | null = null
  private readonly fd: number
  private readonly limits: Limits
  private waiting: string[] = []
  private waitingBytes = 0

  constructor(path: string, limits: Limits) {
    // Not for others to read: names of processes are in it.
    this.fd = openSync(path, 'w', 0o600)
    this.limits = limits
  }

  begin(header: string): void {
    // Events may have come before.
    this.waiting.unshift(header)
    this.waitingBytes += header.length + 1
    this.bytes += header.length + 1
  }

  /** Whether it is full now. */
  add(line: string): boolean {
    if (this.full !== null) return true
    if (this.bytes + line.length + 1 > this.limits.bytes) this.full = 'size'
    else {
      this.put(line)
      if (++this.events >= this.limits.count) this.full = 'count'
    }
    return this.full !== null
  }

  end(line: string): void {
    this.put(line)
    this.flush()
  }

  close(): void {
    closeSync(this.fd)
  }

  private put(line: string): void {
    this.waiting.push(line)
    this.waitingBytes += line.length + 1
    this.bytes += line.length + 1
    if (this.waitingBytes >= chunkBytes) this.flush()
  }

  private flush(): void {
    const bytes = Buffer.from(`${this.waiting.join('\n')}\n`)
    for (let at = 0; at < bytes.length;) at += writeSync(this.fd, bytes, at)
    this.waiting = []
    this.waitingBytes = 0
  }
}

/** A number of bytes, or with a unit: 500KB, 16MB, 1GB. */
export function parseSize(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(KB|MB|GB)?$/i.exec(text)
  const bytes = match === null ? NaN : Number(match[1]) * { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, '': 1 }[(match[2] ?? '').toLowerCase() as 'kb']
  if (!(bytes >= 16 * 1024)) throw new UsageError(`${option}: '${text}' is no size of at least 16KB; give bytes, or with a unit such as 500KB, 16MB`)
  return bytes
}
