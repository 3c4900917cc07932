import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Snapshot } from './snapshot.ts'

/** A client that has this much unsent does not keep up and is dropped; its browser reconnects by itself. */
const backlogBytes = 4 * 1024 * 1024
const heartbeatMs = 15_000
const maxClients = 64

/** The clients of /api/stream: server-sent events, one unnamed event a snapshot with its sequence as id. */
export class StreamClients {
  dropped = 0
  private readonly clients = new Set<ServerResponse>()
  private heartbeat: NodeJS.Timeout | null = null

  get size(): number { return this.clients.size }

  add(request: IncomingMessage, response: ServerResponse, latest: Snapshot | null): void {
    if (this.clients.size >= maxClients) {
      response.writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '10' })
      response.end(`skep streams to ${maxClients} clients at most\n`)
      return
    }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no',
      'X-Content-Type-Options': 'nosniff', 'Cross-Origin-Resource-Policy': 'same-origin',
    })
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    request.socket.setNoDelay(true)
    response.write('retry: 2000\n\n')
    if (latest !== null) response.write(encode(latest))
    this.clients.add(response)
    response.on('close', () => this.remove(response))
    response.on('error', () => this.remove(response))
    this.heartbeat ??= setInterval(() => this.write(': alive\n\n'), heartbeatMs).unref()
  }

  publish(snapshot: Snapshot): void {
    if (this.clients.size > 0) this.write(encode(snapshot))
  }

  close(): void {
    for (const client of this.clients) client.end()
    this.clients.clear()
    this.stopHeartbeat()
  }

  private write(message: string | Buffer): void {
    for (const client of this.clients) {
      if (client.writableLength > backlogBytes) {
        this.dropped++
        client.destroy()
        this.remove(client)
      } else {
        client.write(message)
      }
    }
  }

  private remove(client: ServerResponse): void {
    this.clients.delete(client)
    if (this.clients.size === 0) this.stopHeartbeat()
  }

  private stopHeartbeat(): void {
    if (this.heartbeat !== null) clearInterval(this.heartbeat)
    this.heartbeat = null
  }
}

/** As bytes, so that they are encoded once for all clients. */
function encode(snapshot: Snapshot): Buffer {
  return Buffer.from(`id: ${snapshot.sequence}\ndata: ${JSON.stringify(snapshot)}\n\n`)
}
