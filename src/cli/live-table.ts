import type { ProcessEvent, Snapshot } from '../agent/snapshot.ts'
import type { Lifetime } from './lifetime.ts'
import { paint, span } from './paint.ts'
import { screen, sorts, type Sort } from './screen.ts'
import { Terminal } from './terminal.ts'

/** Process events remembered for the bottom of the screen. */
const remembered = 20

/** The live table of a terminal with its keys. */
export class LiveTable {
  private readonly color: boolean
  private readonly lifetime: Lifetime
  private readonly terminal: Terminal
  private page: string | null = null
  private newest: Snapshot | null = null
  private recent: ProcessEvent[] = []
  private sort: Sort = 'cpu'
  private help = false

  constructor(color: boolean, lifetime: Lifetime) {
    this.color = color
    this.lifetime = lifetime
    this.terminal = new Terminal(process.stdin, process.stdout, { onKey: (key) => this.key(key), onResize: () => this.draw() })
  }

  begin(page: string | null): void {
    this.page = page
    this.lifetime.onForcedExit(() => this.terminal.stop())
    process.once('exit', () => this.terminal.stop())
    process.on('SIGCONT', () => {
      this.terminal.start()
      this.draw()
    })
    this.terminal.start()
    this.draw()
  }

  show(snapshot: Snapshot): void {
    this.newest = snapshot
    this.recent = [...this.recent, ...snapshot.processes].slice(-remembered)
    this.draw()
  }

  end(): void {
    this.terminal.stop()
  }

  private draw(): void {
    const { columns, rows } = this.terminal.size
    const { newest, color, sort, help, page, recent } = this
    if (newest !== null) this.terminal.draw(screen(newest, { columns, rows, color, sort, help, page, recent }))
    else this.terminal.draw([paint([span('skep', 'bold'), span(`${page === null ? '' : ` · ${page}`} · loading probes`)], columns, color)])
  }

  private key(key: string): void {
    if (key === 'q' || key === '\x03') this.lifetime.stop('SIGINT')
    else if (key === '\x1a') this.suspend()
    else if (key === 's') this.sort = sorts[(sorts.indexOf(this.sort) + 1) % sorts.length]!
    else if (key === '?' || key === 'h') this.help = !this.help
    else return
    this.draw()
  }

  /** Ctrl-Z: in raw mode the terminal does not do it for us. */
  private suspend(): void {
    this.terminal.stop()
    process.kill(process.pid, 'SIGTSTP')
  }
}
