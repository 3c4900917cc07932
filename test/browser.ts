import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { until } from './until.ts'

/** Debian's Chromium; null where it is not installed. */
export const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find((name) => spawnSync(name, ['--version']).status === 0) ?? null

/** Headless Chromium with one page, driven over the pipes of its devtools protocol. */
export class Browser {
  private readonly process: ChildProcess
  private readonly directory: string
  private readonly waiting = new Map<number, { resolve: (value: any) => void; reject: (error: Error) => void }>()
  private session: string | undefined
  private lastId = 0
  /** What the page wrote to its console as errors, exceptions included. */
  readonly errors: string[] = []

  static async open(url: string, { width, height }: { width: number; height: number }): Promise<Browser> {
    const browser = new Browser()
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
    browser.session = (await browser.send('Target.attachToTarget', { targetId, flatten: true })).sessionId as string
    await browser.send('Runtime.enable')
    await browser.send('Log.enable')
    await browser.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
    await browser.send('Page.navigate', { url })
    return browser
  }

  private constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'skep-chromium-'))
    this.process = spawn(chromium!, [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--hide-scrollbars', '--disable-background-networking',
      '--remote-debugging-pipe', `--user-data-dir=${this.directory}`,
    ], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
    let rest = ''
    ;(this.process.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0')
      rest = messages.pop()!
      for (const message of messages) this.receive(JSON.parse(message))
    })
    this.process.once('exit', () => {
      for (const { reject } of this.waiting.values()) reject(new Error('chromium ended'))
    })
  }

  send(method: string, params: object = {}): Promise<any> {
    const id = ++this.lastId
    ;(this.process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`)
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }))
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value as T
  }

  /** Waits until an expression in the page has a value that is neither undefined, null, false nor an empty string. */
  shows<T>(expression: string): Promise<NonNullable<T>> {
    return until(`value of ${expression} in the page`, () => this.evaluate<T | null | false>(`(${expression}) || null`), 60_000, 100) as Promise<NonNullable<T>>
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from((await this.send('Page.captureScreenshot', { format: 'png' })).data as string, 'base64')
  }

  async close(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.send('Browser.close').catch(() => {})
      await once(this.process, 'exit')
    }
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  private receive({ id, method, params, result, error }: any): void {
    if (method === 'Runtime.exceptionThrown') this.errors.push(String(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text))
    if (method === 'Log.entryAdded' && params.entry.level === 'error') this.errors.push(`${params.entry.text} ${params.entry.url ?? ''}`)
    const call = this.waiting.get(id)
    if (call === undefined) return
    this.waiting.delete(id)
    if (error === undefined) call.resolve(result)
    else call.reject(new Error(error.message))
  }
}
