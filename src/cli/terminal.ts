/**
 * A terminal that is redrawn in place, without the alternate screen, so that the last picture stays
 * when the program ends. Whatever happens, `stop` gives the terminal back as it was.
 */
export interface TerminalEvents {
  /** A key as the terminal sends it, such as 'q' or '\x03'. */
  onKey: (key: string) => void
  onResize: () => void
}

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
/** No wrapping, should a name be wider than we think. */
const noWrap = '\x1b[?7l'
const wrap = '\x1b[?7h'

export class Terminal {
  private readonly input: NodeJS.ReadStream
  private readonly output: NodeJS.WriteStream
  private readonly events: TerminalEvents
  private drawn = 0
  private running = false
  private readonly onData = (data: string) => { for (const key of data.match(/\x1b\[[0-9;]*[A-Za-z~]|[^]/g) ?? []) this.events.onKey(key) }
  private readonly onResize = () => {
    // Old lines may have been wrapped by the terminal: their number is unknown, so begin anew.
    this.output.write('\x1b[2J\x1b[H')
    this.drawn = 0
    this.events.onResize()
  }

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream, events: TerminalEvents) {
    this.input = input
    this.output = output
    this.events = events
  }

  get size(): { columns: number; rows: number } {
    return { columns: this.output.columns || 80, rows: this.output.rows || 24 }
  }

  start(): void {
    if (this.running) return
    this.running = true
    this.input.setRawMode(true)
    this.input.setEncoding('utf8')
    this.input.on('data', this.onData)
    this.input.resume()
    this.output.on('resize', this.onResize)
    this.output.write(hideCursor + noWrap)
  }

  /** Puts the lines where the last ones were. They must not be wider or more than the size. */
  draw(lines: readonly string[]): void {
    if (!this.running) return
    const up = this.drawn > 0 ? `\x1b[${this.drawn}A\r` : ''
    this.output.write(`${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}\x1b[J`)
    this.drawn = lines.length
  }

  stop(): void {
    if (!this.running) return
    this.running = false
    this.drawn = 0
    this.input.off('data', this.onData)
    this.output.off('resize', this.onResize)
    this.input.setRawMode(false)
    this.input.pause()
    this.output.write(wrap + showCursor)
  }
}
