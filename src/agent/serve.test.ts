import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { request, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptySnapshot } from './empty.ts'
import { HistoryRing } from './history.ts'
import { ListenError, PageServer } from './serve.ts'
import type { Snapshot } from './snapshot.ts'

let folder: string
let page: string
let server: PageServer
let latest: Snapshot | null
const ring = new HistoryRing()

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skep-serve-'))
  page = join(folder, 'web')
  mkdirSync(join(page, 'assets'), { recursive: true })
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>skep</title>')
  writeFileSync(join(page, 'assets/main.js'), 'export {}')
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  symlinkSync(join(folder, 'secret.txt'), join(page, 'link.txt'))
  latest = null
  server = await PageServer.start({
    listen: { host: '127.0.0.1', port: 0 }, page, latest: () => latest, history: () => ({ startedAt: 1, intervalSeconds: 1, snapshots: ring.list() }),
  })
})
afterEach(async () => {
  await server.close()
  rmSync(folder, { recursive: true })
})

interface Answer { status: number; headers: IncomingHttpHeaders; body: string }
/** The path goes to the server as written: no client-side clean-up of dots. */
function get(path: string, options: { method?: string; host?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { host = 'localhost', method = 'GET' } = options
    request({ host: '127.0.0.1', port: server.address.port, path, method, headers: { host }, agent: false }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk) => { body += chunk })
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }))
    }).on('error', reject).end()
  })
}
function snapshot(sequence: number): Snapshot {
  return { ...emptySnapshot(), sequence }
}

test('serves the page with types and a content security policy', async () => {
  const index = await get('/')
  expect([index.status, index.headers['content-type'], index.body]).toEqual([200, 'text/html; charset=utf-8', '<!doctype html><title>skep</title>'])
  expect(index.headers['content-security-policy']).toContain("default-src 'self'")
  expect(index.headers['x-content-type-options']).toBe('nosniff')
  expect((await get('/assets/main.js?v=1')).headers['content-type']).toBe('text/javascript; charset=utf-8')
  expect(await get('/assets/main.js', { method: 'HEAD' })).toMatchObject({ status: 200, body: '', headers: { 'content-length': '9' } })
})

test.each(['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/assets/../../secret.txt', '//etc/passwd', '/link.txt', '/assets', '/nothing'])(
  'nothing outside of the page: %s', async (path) => {
    const answer = await get(path)
    expect([answer.status, answer.body]).toEqual([404, 'not found\n'])
  })

test('the snapshot is 503 before the first tick, then the newest', async () => {
  expect(await get('/api/snapshot')).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
  latest = snapshot(3)
  const answer = await get('/api/snapshot')
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.body)).toMatchObject({ v: 1, sequence: 3 })
})

test('history and health', async () => {
  ring.add(snapshot(9))
  expect(JSON.parse((await get('/api/history')).body)).toMatchObject({ startedAt: 1, intervalSeconds: 1, snapshots: [{ sequence: 9, buckets: [] }] })
  expect((await get('/healthz')).body).toBe('ok\n')
})

test('a foreign Host header is refused on every path', async () => {
  for (const path of ['/', '/api/snapshot', '/api/stream', '/healthz']) {
    expect((await get(path, { host: 'rebound.example' })).status).toBe(403)
  }
})

test('only reads', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    expect(await get('/api/snapshot', { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
  }
})

test('a port in use is an error that says what to do', async () => {
  const { port } = server.address
  const again = PageServer.start({ listen: { host: '127.0.0.1', port }, page, latest: () => null, history: () => ({ startedAt: 1, intervalSeconds: 1, snapshots: [] }) })
  await expect(again).rejects.toThrow(ListenError)
  await expect(again).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port} is in use.*--listen.*ss -ltnp 'sport = :${port}'`))
})

test('an address of another machine is an error that says so', async () => {
  await expect(PageServer.start({ listen: { host: '192.0.2.1', port: 0 }, page, latest: () => null, history: () => ({ startedAt: 1, intervalSeconds: 1, snapshots: [] }) }))
    .rejects.toThrow(/not an address of this machine/)
})

/** Opens the stream and collects what arrives. */
function stream(): { text: () => string; until: (part: string) => Promise<void>; close: () => void; closed: Promise<void> } {
  let text = ''
  let wake = () => {}
  const socket = connect(server.address.port, '127.0.0.1')
  socket.write('GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
  socket.on('data', (chunk) => {
    text += chunk
    wake()
  })
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  return {
    text: () => text,
    until: async (part) => {
      while (!text.includes(part)) await new Promise<void>((resolve) => { wake = resolve })
    },
    close: () => socket.destroy(),
    closed,
  }
}

test('streams the newest snapshot at once, then each that is published, to all', async () => {
  latest = snapshot(1)
  const [a, b] = [stream(), stream()]
  await Promise.all([a.until('id: 1\n'), b.until('id: 1\n')])
  expect(a.text()).toContain('text/event-stream')
  expect(server.clients.streaming).toBe(2)
  server.publish(snapshot(2))
  await Promise.all([a.until('id: 2\ndata: {"v":1,"sequence":2,'), b.until('id: 2\n')])
  a.close()
  b.close()
  await Promise.all([a.closed, b.closed])
})

test('a client that does not read is dropped, one that does is not', async () => {
  const good = stream()
  await good.until('retry')
  const bad = connect(server.address.port, '127.0.0.1')
  bad.on('error', () => {})
  bad.write('GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await new Promise<void>((resolve) => bad.once('data', () => resolve()))
  bad.pause()
  const big = snapshot(1)
  big.host.name = 'x'.repeat(1024 * 1024)
  for (let sequence = 1; sequence <= 200 && server.clients.dropped === 0; sequence++) {
    big.sequence = sequence
    server.publish(big)
    await good.until(`id: ${sequence}\n`)
  }
  expect(server.clients).toEqual({ streaming: 1, dropped: 1 })
  bad.destroy()
  good.close()
})

test('closing ends the streams', async () => {
  const a = stream()
  await a.until('retry')
  await server.close()
  await a.closed
  expect(server.clients.streaming).toBe(0)
})
