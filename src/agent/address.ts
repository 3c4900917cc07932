import { isIP } from 'node:net'

export interface ListenAddress { host: string; port: number }

export const defaultListen: ListenAddress = Object.freeze({ host: '127.0.0.1', port: 7070 })

/** Reads "7070", "127.0.0.1:7070", "[::1]:7070", "localhost:7070", ":7070" (loopback). Null when it is none of them. */
export function parseListen(text: string): ListenAddress | null {
  const match = /^(?:(?:\[([^\]]+)\]|([^:\s[\]]*)):)?(\d{1,5})$/.exec(text)
  if (match === null) return null
  const [, six, other] = match
  const port = Number(match[3])
  if (port > 65_535 || (six !== undefined && isIP(six) !== 6)) return null
  return { host: six ?? (other === undefined || other === '' ? defaultListen.host : other), port }
}

export function formatAddress(address: ListenAddress): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/**
 * Whether a request with this Host header may be answered. A foreign page can make a browser send
 * requests here under a name of its own (DNS rebinding); it cannot do so under an address. So: loopback
 * and the address listened on; when listening on all addresses, any literal address and `machine`'s name.
 * The port is not compared, since a tunnel may change it.
 */
export function isHostAllowed(header: string | undefined, listen: string, machine: string): boolean {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+))(?::\d+)?$/.exec(header ?? '')
  if (match === null) return false
  const host = (match[1] ?? match[2]!).toLowerCase()
  if (isLoopback(host) || host === listen.toLowerCase()) return true
  return isWildcard(listen) && (isIP(host) !== 0 || host === machine.toLowerCase())
}
