import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A function of an executable or library. `offset` is its place in the file, where a uprobe goes. */
export interface FunctionSymbol { name: string; offset: number; size: number }

/** A section by its header. */
interface Section { name: string; type: number; address: number; offset: number; size: number; link: number; entrySize: number; compressed: boolean }
interface Segment { address: number; offset: number; size: number; executable: boolean }

/** A file that uprobes cannot be set on, or that lacks what was asked for. */
export class ExecutableError extends Error {
  override readonly name = 'ExecutableError'
  readonly path: string
  constructor(path: string, problem: string) {
    super(`${path}: ${problem}`)
    this.path = path
  }
}

const PT_LOAD = 1
const PF_X = 1
const SHT_SYMTAB = 2
const SHT_DYNSYM = 11
const SHF_COMPRESSED = 0x800
const SHN_UNDEF = 0
const STT_FUNC = 2
const STT_GNU_IFUNC = 10
/** Larger tables than any compiler makes. */
const LARGEST = 1 << 30

/** An ELF file of a program or library, as uprobes and USDT need it. Only headers are read at first, tables when asked for. */
export class Executable {
  readonly path: string
  readonly sections: readonly Section[]
  readonly #segments: readonly Segment[]
  #functions: FunctionSymbol[] | undefined
  #byName: Map<string, FunctionSymbol[]> | undefined

  private constructor(path: string, sections: Section[], segments: Segment[]) {
    this.path = path
    this.sections = sections
    this.#segments = segments
  }

  /** @throws ExecutableError if it is no 64-bit little-endian ELF file, or malformed; the file system's errors */
  static open(path: string): Executable {
    const file = openSync(path, 'r')
    try {
      const size = fstatSync(file).size
      const read = (offset: number, length: number) => readAt(path, file, size, offset, length)
      const head = viewOf(read(0, Math.min(64, size)))
      if (head.byteLength < 64 || head.getUint32(0, false) !== 0x7f454c46) throw new ExecutableError(path, 'is no ELF file')
      if (head.getUint8(4) !== 2 || head.getUint8(5) !== 1) throw new ExecutableError(
        path, 'is not for 64-bit little-endian machines'
      )
      const segments = readSegments(read(Number(head.getBigUint64(32, true)), head.getUint16(54, true) * head.getUint16(56, true)), head.getUint16(54, true))
      return new Executable(path, readSections(path, head, read), segments)
    } finally {
      closeSync(file)
    }
  }

  /** Bytes of a section; undefined if there is none of that name. */
  section(name: string): Uint8Array | undefined {
    const section = this.sections.find((one) => one.name === name)
    return section === undefined ? undefined : this.#bytes(section)
  }

  /** Where an address lies in the file; undefined if no segment holds it. */
  offsetOf(address: number, { executable = false } = {}): number | undefined {
    const segment = this.#segments.find((one) => address >= one.address && address < one.address + one.size && (!executable || one.executable))
    return segment === undefined ? undefined : address - segment.address + segment.offset
  }

  /** All functions in .symtab and .dynsym, each once. */
  functions(): readonly FunctionSymbol[] {
    this.#functions ??= this.#readFunctions()
    return this.#functions
  }

  /** Functions whose names match a pattern with `*` and `?`. */
  matching(pattern: string): FunctionSymbol[] {
    const glob = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.')
    const expression = new RegExp(`^${glob}$`)
    return this.functions().filter(({ name }) => expression.test(name))
  }

  /**
   * A function by its name, with or without its version (`memcpy@GLIBC_2.14`).
   * @throws ExecutableError if there is none (with the reason where it is known), or several at different places
   */
  function(name: string): FunctionSymbol {
    if (this.#byName === undefined) {
      this.#byName = new Map()
      for (const symbol of this.functions()) {
        const list = this.#byName.get(symbol.name)
        if (list === undefined) this.#byName.set(symbol.name, [symbol])
        else list.push(symbol)
      }
    }
    const found = this.#byName.get(name) ?? this.#byName.get(name.replace(/@+.*$/, '')) ?? []
    if (found.length === 0) throw new ExecutableError(this.path, `has no function '${name}'${this.#whyNot()}`)
    if (found.length > 1) throw new ExecutableError(
      this.path, `has ${found.length} functions '${name}': give an offset in the file`
    )
    return found[0]!
  }

  #whyNot(): string {
    if (this.sections.some(({ type }) => type === SHT_SYMTAB)) return ''
    if (this.sections.some(({ name }) => name === '.gnu_debugdata')) {
      return '; more names are in .gnu_debugdata, which is compressed by xz: that is not read, so give an offset in the file'
    }
    return '; it is stripped, so only exported names are known: give an offset in the file, or install its debug symbols'
  }

  #readFunctions(): FunctionSymbol[] {
    const seen = new Map<string, FunctionSymbol>()
    for (const table of this.sections) {
      if (table.type !== SHT_SYMTAB && table.type !== SHT_DYNSYM) continue
      const strings = this.sections[table.link]
      if (strings === undefined) continue
      const view = viewOf(this.#bytes(table))
      const names = this.#bytes(strings)
      for (let at = 0; at + 24 <= view.byteLength; at += 24) {
        const type = view.getUint8(at + 4) & 15
        if ((type !== STT_FUNC && type !== STT_GNU_IFUNC) || view.getUint16(at + 6, true) === SHN_UNDEF) continue
        const offset = this.offsetOf(Number(view.getBigUint64(at + 8, true)), { executable: true })
        const name = stringAt(names, view.getUint32(at, true)).replace(/@+.*$/, '')
        if (offset === undefined || name === '') continue
        seen.set(`${name} ${offset}`, { name, offset, size: Number(view.getBigUint64(at + 16, true)) })
      }
    }
    return [...seen.values()]
  }

  #bytes(section: Section): Uint8Array {
    if (section.compressed) throw new ExecutableError(this.path, `section ${section.name} is compressed, which is not read`)
    const file = openSync(this.path, 'r')
    try {
      return readAt(this.path, file, fstatSync(file).size, section.offset, section.size)
    } finally {
      closeSync(file)
    }
  }
}

function readAt(path: string, file: number, size: number, offset: number, length: number): Uint8Array {
  if (!(offset >= 0 && length >= 0 && offset + length <= size && length <= LARGEST)) {
    throw new ExecutableError(path, `is malformed: ${length} bytes at ${offset} do not lie in its ${size}`)
  }
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const count = readSync(file, bytes, done, length - done, offset + done)
    if (count === 0) throw new ExecutableError(path, 'was truncated while it was read')
    done += count
  }
  return bytes
}

function readSegments(bytes: Uint8Array, entry: number): Segment[] {
  const view = viewOf(bytes)
  const segments: Segment[] = []
  if (entry < 56) return segments
  for (let at = 0; at + entry <= bytes.length; at += entry) {
    if (view.getUint32(at, true) !== PT_LOAD) continue
    segments.push({
      executable: (view.getUint32(at + 4, true) & PF_X) !== 0, offset: Number(view.getBigUint64(at + 8, true)),
      address: Number(view.getBigUint64(at + 16, true)), size: Number(view.getBigUint64(at + 32, true)),
    })
  }
  return segments
}

function readSections(path: string, head: DataView, read: (offset: number, length: number) => Uint8Array): Section[] {
  const entry = head.getUint16(58, true)
  const count = head.getUint16(60, true)
  if (count === 0) return []
  if (entry < 64) throw new ExecutableError(path, 'is malformed: its section headers are too short')
  const view = viewOf(read(Number(head.getBigUint64(40, true)), entry * count))
  const u64 = (at: number) => Number(view.getBigUint64(at, true))
  const sections = Array.from({ length: count }, (_, index) => {
    const at = index * entry
    return {
      nameOffset: view.getUint32(at, true), name: '', type: view.getUint32(at + 4, true), compressed: (u64(at + 8) & SHF_COMPRESSED) !== 0,
      address: u64(at + 16), offset: u64(at + 24), size: u64(at + 32), link: view.getUint32(at + 40, true), entrySize: u64(at + 56),
    }
  })
  const names = sections[head.getUint16(62, true)]
  const strings = names === undefined ? new Uint8Array() : read(names.offset, names.size)
  return sections.map(({ nameOffset, ...section }) => ({ ...section, name: stringAt(strings, nameOffset) }))
}

function stringAt(bytes: Uint8Array, offset: number): string {
  const end = bytes.indexOf(0, offset)
  return end < 0 ? '' : Buffer.from(bytes.buffer, bytes.byteOffset + offset, end - offset).toString('utf8')
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const libraryDirectories = [
  '/usr/local/lib', '/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu',
  '/lib/riscv64-linux-gnu', '/usr/lib/riscv64-linux-gnu', '/lib64', '/usr/lib64', '/lib', '/usr/lib',
]

/**
 * The file that a name means: a path as it is; a library ('libc.so.6', or 'c' and 'libc' for it) of the process if one is
 * given, else
 * where libraries lie; or a command of PATH.
 * @throws ExecutableError that says where it was looked for
 */
export function findExecutable(name: string, pid?: number): string {
  if (name.includes('/')) {
    const inside = pid === undefined ? name : `/proc/${pid}/root${name}`
    return existsSync(inside) ? inside : name
  }
  const isLibrary = new RegExp(`^(lib)?${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}([-.].*)?$`)
  if (pid !== undefined) {
    for (const [, path] of readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/(\/\S+)$/gm)) {
      const file = path!.slice(path!.lastIndexOf('/') + 1)
      if ((file.includes('.so') && isLibrary.test(file)) || file === name) return `/proc/${pid}/root${path}`
    }
  }
  const directories = [...(process.env['LD_LIBRARY_PATH'] ?? '').split(delimiter), ...libraryDirectories].filter((one) => one !== '')
  const names = name.includes('.so') ? [name] : [`${name}.so.6`, `lib${name}.so.6`, `lib${name}.so`, `${name}.so`]
  const candidates = [
    ...directories.flatMap((directory) => names.map((one) => join(directory, one))),
    ...(process.env['PATH'] ?? '').split(delimiter).map((directory) => join(directory, name)),
  ]
  const found = candidates.find((path) => existsSync(path) && !isLinkerScript(path))
  if (found === undefined) throw new ExecutableError(name, 'is neither a library nor a command here: give its path')
  return found
}

/** `libc.so` is often text for the linker. */
function isLinkerScript(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const head = new Uint8Array(4)
    return readSync(file, head, 0, 4, 0) < 4 || head[0] !== 0x7f
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return true
    throw error
  } finally {
    closeSync(file)
  }
}
