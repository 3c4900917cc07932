/** FNV-1a over the bytes of a name. */
export function hash(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let value = 0x811c9dc5
  for (let at = from; at < to; at++) value = Math.imul(value ^ bytes[at]!, 0x01000193)
  return value >>> 0
}
