/**
 * When a command ends: SIGINT, SIGTERM, SIGHUP, its own end or a reader that went away stop it once, in
 * order; a second Ctrl-C leaves at once. The exit status of a stop that was asked for is 0.
 */
export class Lifetime {
  /** Resolves when it is time to stop. */
  readonly ended: Promise<void>
  private end!: () => void
  private stopping = false
  private readonly restore: (() => void)[] = []

  constructor() {
    this.ended = new Promise((resolve) => { this.end = resolve })
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.stop(signal))
    // The entry's own way to end is for commands that only print.
    process.stdout.removeAllListeners('error')
    process.stdout.on('error', (error: NodeJS.ErrnoException) => this.outputFailed(error))
    process.on('uncaughtException', (error) => this.crash(error))
    process.on('unhandledRejection', (error) => this.crash(error))
  }

  get isStopping(): boolean { return this.stopping }

  /** Runs before the process leaves by force or by a crash, such as giving the terminal back. Must not throw or wait. */
  onForcedExit(action: () => void): void {
    this.restore.push(action)
  }

  /** Asks for the end. The second time a person asks, the process leaves at once. */
  stop(signal?: NodeJS.Signals): void {
    if (this.stopping && signal === 'SIGINT') this.leave(130)
    this.stopping = true
    this.end()
  }

  private outputFailed(error: NodeJS.ErrnoException): void {
    // `skep | head`: the reader has what it wanted.
    if (error.code === 'EPIPE') this.stop()
    else this.crash(error)
  }

  private crash(error: unknown): void {
    for (const action of this.restore) action()
    process.stderr.write(`skep: internal error, please report it: ${error instanceof Error ? error.stack : String(error)}\n`)
    process.exit(1)
  }

  private leave(status: number): never {
    for (const action of this.restore) action()
    process.exit(status)
  }
}
