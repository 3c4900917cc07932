/** A file of an initramfs. */
export type Entry =
  | { kind: 'file'; path: string; mode: number; bytes: Uint8Array }
  | { kind: 'folder'; path: string }
  | { kind: 'link'; path: string; target: string }
  | { kind: 'device'; path: string; major: number; minor: number }

const S_IFREG = 0o100000
const S_IFDIR = 0o040000
const S_IFLNK = 0o120000
const S_IFCHR = 0o020000

/**
 * An archive in the "newc" format, which the kernel unpacks into its first root
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Parents of every path are made. Not compressed, since
 * unpacking costs more in an emulated machine than reading.
 */
export function cpio(entries: Iterable<Entry>): Uint8Array {
  const parts: Uint8Array[] = []
  const folders = new Set<string>()
  let inode = 1
  const add = (path: string, mode: number, bytes: Uint8Array, device: readonly [number, number] = [0, 0]) => {
    const name = new TextEncoder().encode(`${path}\0`)
    const fields = [inode++, mode, 0, 0, 1, 0, bytes.length, 0, 0, device[0], device[1], name.length, 0]
    const header = new TextEncoder().encode(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`)
    parts.push(header, name, padding(header.length + name.length), bytes, padding(bytes.length))
  }
  const parents = (path: string) => {
    const names = path.split('/').slice(0, -1)
    for (let depth = 1; depth <= names.length; depth++) folder(names.slice(0, depth).join('/'))
  }
  const folder = (path: string) => {
    if (path === '' || folders.has(path)) return
    folders.add(path)
    add(path, S_IFDIR | 0o755, new Uint8Array(0))
  }
  for (const entry of entries) {
    parents(entry.path)
    switch (entry.kind) {
      case 'folder': folder(entry.path); break
      case 'file': add(entry.path, S_IFREG | entry.mode, entry.bytes); break
      case 'link': add(entry.path, S_IFLNK | 0o777, new TextEncoder().encode(entry.target)); break
      case 'device': add(entry.path, S_IFCHR | 0o600, new Uint8Array(0), [entry.major, entry.minor]); break
    }
  }
  add('TRAILER!!!', 0, new Uint8Array(0))
  return Buffer.concat(parts)
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - length % 4) % 4)
}
