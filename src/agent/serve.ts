import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import { extname, join } from 'node:path'
import { type ListenAddress, formatAddress, isHostAllowed, isWildcard } from './address.ts'
import type { History } from './history.ts'
import type { Snapshot } from './snapshot.ts'
import { StreamClients } from './stream.ts'

export interface ServeOptions {
  listen: ListenAddress
  /** Folder of the built page; null serves the API alone. */
  page: string | null
  /** The newest snapshot; null before the first tick. */
  latest: () => Snapshot | null
  history: () => History
}

/** A port that cannot be listened on, with the cause and the fix. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8', '.map': 'application/json; charset=utf-8', '.svg': 'image/svg+xml', '.png': 'image/png',
  '.ico': 'image/x-icon', '.woff2': 'font/woff2', '.txt': 'text/plain; charset=utf-8', '.webmanifest': 'application/manifest+json',
}

const always = {
  'Content-Security-Policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache',
}

/** The HTTP server of the page and the API: reads only, and only for this machine's user. */
export class PageServer {
  /** The address in use; the port is the real one when 0 was asked for. */
  readonly address: ListenAddress
  private readonly server: Server
  private readonly options: ServeOptions
  private readonly streams = new StreamClients()
  private files: Promise<Map<string, string>> | null = null

  static async start(options: ServeOptions): Promise<PageServer> {
    // Only who wants a page waits for it.
    const { createServer } = await import('node:http')
    const server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 })
    return new Promise((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, options.listen)))
      server.listen(options.listen.port, options.listen.host, () => resolve(new PageServer(server, options)))
    })
  }

  private constructor(server: Server, options: ServeOptions) {
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error('serve: the server has no address')
    this.server = server
    this.options = options
    this.address = { host: options.listen.host, port: bound.port }
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.answer(request, response).catch((error: unknown) => fail(response, error))
    })
    server.on('clientError', (_error, socket) => socket.destroy())
  }

  /** Where a browser on this machine finds the page. */
  get url(): string {
    const { host, port } = this.address
    return `http://${formatAddress({ host: isWildcard(host) ? 'localhost' : host, port })}/`
  }

  /** Clients of the stream now, and those dropped since they did not keep up. */
  get clients(): { streaming: number; dropped: number } {
    return { streaming: this.streams.size, dropped: this.streams.dropped }
  }

  /** Sends a tick to all that listen; serialises once, and not at all for nobody. */
  publish(snapshot: Snapshot): void {
    this.streams.publish(snapshot)
  }

  async close(): Promise<void> {
    this.streams.close()
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isHostAllowed(request.headers.host, this.options.listen.host, hostname())) {
      return text(response, 403, 'skep answers only under its own address (Host header not allowed)\n')
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      return text(response, 405, 'skep only reads: GET and HEAD\n')
    }
    const path = (request.url ?? '/').split(/[?#]/, 1)[0]!
    switch (path) {
      case '/healthz': return text(response, 200, 'ok\n')
      case '/api/snapshot': return this.snapshot(response)
      case '/api/history': return json(response, this.options.history())
      case '/api/stream': return this.streams.add(request, response, this.options.latest())
      default: return this.file(path, response)
    }
  }

  private snapshot(response: ServerResponse): void {
    const latest = this.options.latest()
    if (latest !== null) return json(response, latest)
    response.setHeader('Retry-After', '1')
    text(response, 503, 'no tick yet, try again in a second\n')
  }

  /** Only files that a listing of the folder showed are served, so no path can lead out of it. */
  private async file(path: string, response: ServerResponse): Promise<void> {
    const { page } = this.options
    if (page === null) return text(response, 404, 'no page here; the API is /api/snapshot, /api/history, /api/stream\n')
    this.files ??= listing(page)
    const files = await this.files
    if (files.size === 0) this.files = null
    const file = files.get(path === '/' ? '/index.html' : path)
    if (file === undefined) {
      return text(response, 404, path === '/' ? `the page is not built (nothing in ${page})\n` : 'not found\n')
    }
    const content = await readFile(file)
    response.writeHead(200, { ...always, 'Content-Type': types[extname(file)] ?? 'application/octet-stream', 'Content-Length': content.length })
    response.end(response.req.method === 'HEAD' ? undefined : content)
  }
}

async function listing(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  const visit = async (path: string): Promise<void> => {
    for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
      const child = `${path}/${entry.name}`
      if (entry.isDirectory()) await visit(child)
      else if (entry.isFile()) files.set(encodeURI(child), join(folder, child))
    }
  }
  try {
    await visit('')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return files
}

function text(response: ServerResponse, status: number, body: string): void {
  send(response, status, 'text/plain; charset=utf-8', body)
}

function json(response: ServerResponse, value: unknown): void {
  send(response, 200, 'application/json; charset=utf-8', JSON.stringify(value))
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { ...always, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  text(response, 500, `skep failed to answer: ${error instanceof Error ? error.message : String(error)}\n`)
}

function listenError(error: NodeJS.ErrnoException, listen: ListenAddress): ListenError {
  const where = formatAddress(listen)
  const causes: Record<string, string> = {
    EADDRINUSE: `${where} is in use by another process. Choose another address with --listen (such as --listen ${listen.port + 1}), ` +
      `or find the holder with: ss -ltnp 'sport = :${listen.port}'`,
    EACCES: `listening on ${where} is not permitted. Choose a port from 1024 on with --listen, or grant CAP_NET_BIND_SERVICE.`,
    EADDRNOTAVAIL: `${listen.host} is not an address of this machine. Choose one of \`ip address\` with --listen, or 127.0.0.1.`,
    ENOTFOUND: `the name ${listen.host} has no address. Give an IP address with --listen.`,
  }
  return new ListenError(causes[error.code ?? ''] ?? `listening on ${where} failed: ${error.message}`, { cause: error })
}
