import { bytes, struct, u32 } from '../../spec/schema.ts'

/** Keys of a trie (lpmTrie, 4.11): how many leading bits count, and the address. */
export const ipv4Prefix = struct({ length: u32, address: bytes(4) }, 'ipv4_prefix')
export const ipv6Prefix = struct({ length: u32, address: bytes(16) }, 'ipv6_prefix')

export interface Prefix { length: number; address: Uint8Array }

/**
 * '10.0.0.0/8' → its key; an address alone is a prefix of all its bits, as look-ups want it. Bits beyond the length are cleared.
 * @throws RangeError if it is no address or no prefix
 */
export function prefix(text: string): Prefix {
  const [host, bits, ...rest] = text.split('/')
  const address = parseAddress(host!)
  const most = (address?.length ?? 0) * 8
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN
  if (address === undefined || rest.length > 0 || !(length <= most)) {
    throw new RangeError(`'${text}' is no prefix: write 10.0.0.0/8, 2001:db8::/32, or an address`)
  }
  for (let bit = length; bit < most; bit++) address[bit >> 3]! &= ~(0x80 >> (bit & 7))
  return { length, address }
}

function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) return undefined
  return Uint8Array.from(parts, Number)
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const words = (half: string | undefined) => half === undefined || half === '' ? [] : half.split(':')
  const [head, tail] = [words(halves[0]), words(halves[1])]
  const given = head.length + tail.length
  if ([...head, ...tail].some((word) => !/^[0-9a-fA-F]{1,4}$/.test(word))) return undefined
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined
  const all = [...head, ...Array.from({ length: 8 - given }, () => '0'), ...tail].map((word) => Number.parseInt(word, 16))
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]))
}
