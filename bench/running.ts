import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

const alive = new Set<ChildProcess>()
// Nothing of ours outlives the benchmark, whatever goes wrong.
process.on('exit', () => { for (const child of alive) child.kill('SIGKILL') })

/** A process of ours whose standard output is read line by line. */
export class Running {
  readonly pid: number
  readonly child: ChildProcess
  readonly startedAt: number
  private buffer = ''
  private readonly waiting: ((line: string | null) => void)[] = []
  private readonly lines: string[] = []
  private ended = false
  private readonly exit: Promise<void>

  constructor(command: string, args: string[], { env, stderr = 'ignore' as 'ignore' | 'inherit' | 'pipe' } : { env?: NodeJS.ProcessEnv; stderr?: 'ignore' | 'inherit' | 'pipe' } = {}) {
    this.startedAt = performance.now()
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', stderr], env: { ...process.env, ...env } })
    if (this.child.pid === undefined) throw new Error(`${command} could not be started`)
    this.pid = this.child.pid
    alive.add(this.child)
    this.exit = new Promise((resolve) => this.child.once('close', () => {
      this.ended = true
      alive.delete(this.child)
      for (const take of this.waiting.splice(0)) take(null)
      resolve()
    }))
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => this.take(text))
  }

  private take(text: string): void {
    const parts = (this.buffer + text).split('\n')
    this.buffer = parts.pop()!
    for (const line of parts) {
      const take = this.waiting.shift()
      if (take === undefined) this.lines.push(line)
      else take(line)
    }
  }

  /** The next line; @throws when the process ends before, or after a minute. */
  async line(): Promise<string> {
    const known = this.lines.shift()
    if (known !== undefined) return known
    if (this.ended) throw new Error('the process ended without the line that was waited for')
    const line = await Promise.race([
      new Promise<string | null>((resolve) => this.waiting.push(resolve)),
      new Promise<null>((resolve) => setTimeout(resolve, 60_000, null).unref()),
    ])
    if (line === null) throw new Error(`no line came from process ${this.pid}`)
    return line
  }

  /** Milliseconds on a CPU, of all threads that live. */
  cpuMs(): number {
    let ns = 0
    for (const thread of readdirSync(`/proc/${this.pid}/task`)) ns += Number(readFileSync(`/proc/${this.pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0])
    return ns / 1e6
  }

  /** A field of /proc/PID/status or smaps_rollup in MiB, such as 'VmRSS'. */
  memoryMb(file: 'status' | 'smaps_rollup', field: string): number {
    const text = readFileSync(`/proc/${this.pid}/${file}`, 'latin1')
    return Number(new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? NaN) / 1024
  }

  /** Asks once a second, since a signal may come at a moment at which it is not heard; after ten it is the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    for (let second = 0; !this.ended; second++) {
      this.child.kill(second < 10 ? signal : 'SIGKILL')
      await Promise.race([this.exit, new Promise((resolve) => setTimeout(resolve, 1000).unref())])
    }
  }

  async end(): Promise<void> {
    await this.exit
  }
}
