import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import type { Collection } from '../../bpf/collection.ts'
import type { StackFrames, Symbols } from '../../bpftrace/output/symbols.ts'
import { elfSymbols } from './elf-symbols.ts'
import { kernelSymbolAt } from './kernel-symbols.ts'
import { strftime } from './strftime.ts'

interface Region { start: bigint; end: bigint; offset: bigint; path: string }

/** Names for addresses, users, groups and times of this machine. */
export class MachineSymbols implements Symbols {
  readonly #collection: () => Collection
  readonly #wallOffset: bigint
  readonly #taiOffset: bigint
  readonly #debugInfo: boolean
  /** Files that the script traces. */
  readonly #paths: ReadonlySet<string>
  readonly #regions = new Map<number, Region[]>()
  #users: Map<number, string> | undefined

  constructor(collection: () => Collection, options: { wallOffset: bigint; taiOffset: bigint; debugInfo: boolean; paths: ReadonlySet<string> }) {
    this.#paths = options.paths
    this.#collection = collection
    this.#wallOffset = options.wallOffset
    this.#taiOffset = options.taiOffset
    this.#debugInfo = options.debugInfo
  }

  kernel(address: bigint, offset: boolean): string {
    const found = kernelSymbolAt(address)
    if (found === undefined) return `0x${address.toString(16)}`
    return offset ? `${found.name}+${found.offset}` : found.name
  }

  user(address: bigint, pid: number, offset: boolean): string {
    const found = this.#user(address, pid)
    if (found === null) return `0x${address.toString(16)}`
    return offset ? `${found.name}+${found.offset}` : found.name
  }

  #user(address: bigint, pid: number): { name: string; offset: bigint; path: string } | null {
    const region = this.#region(address, pid)
    if (region === undefined) return this.#fixed(address)
    const elf = elfSymbols(existsSync(region.path) ? region.path : `/proc/${pid}/root${region.path}`)
    if (elf === null) return null
    const local = elf.addressOf(Number(address - region.start + region.offset))
    const symbol = elf.functionAt(local)
    return symbol === undefined ? null : { name: symbol.name, offset: BigInt(local - symbol.address), path: region.path }
  }

  /** A process that has ended: files that are always loaded at the same place still tell. */
  #fixed(address: bigint): { name: string; offset: bigint; path: string } | null {
    for (const path of this.#paths) {
      const elf = elfSymbols(path)
      const symbol = elf === null || elf.relocatable ? undefined : elf.functionAt(Number(address))
      if (symbol !== undefined) return { name: symbol.name, offset: address - BigInt(symbol.address), path }
    }
    return null
  }

  /** Learns where a process has its code, while it is still there. */
  remember(pid: number): void {
    if (this.#regions.has(pid)) return
    try {
      this.#regions.set(pid, parseMaps(readFileSync(`/proc/${pid}/maps`, 'utf8')))
    } catch {
      // It has ended: its addresses stay numbers.
    }
  }

  #region(address: bigint, pid: number): Region | undefined {
    const find = () => this.#regions.get(pid)?.find((one) => address >= one.start && address < one.end)
    const known = find()
    if (known !== undefined) return known
    if (existsSync(`/proc/${pid}/maps`)) this.#regions.delete(pid)
    this.remember(pid)
    return find()
  }

  stack({ user, mode, limit, id, pid }: StackFrames): string[] {
    if (id < 0n) return []
    const build = mode === 'build_id'
    const map = this.#collection().maps.get(`stack_${build ? 'id_' : ''}${Math.max(1, limit)}`)
    const key = new Uint8Array(4)
    new DataView(key.buffer).setUint32(0, Number(id), true)
    const raw = map?.getRaw(key)
    if (raw === undefined) return []
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength)
    const lines: string[] = []
    for (let at = 0; at + (build ? 32 : 8) <= raw.length; at += build ? 32 : 8) {
      if (build) {
        const status = view.getInt32(at, true)
        if (status === 0) break
        if (status === 2) {
          // The file has no build id: the address itself.
          lines.push(`        ${view.getBigUint64(at + 24, true).toString(16)}`)
          continue
        }
        lines.push(
          `        ${Buffer.from(raw.subarray(at + 4, at + 24)).toString('hex')} 0x${view.getBigUint64(at + 24, true).toString(16)}`,
        )
        continue
      }
      const address = view.getBigUint64(at, true)
      if (address === 0n) break
      lines.push(this.#frame(address, user, mode, pid))
    }
    return mode === 'raw' || build ? lines.map((line) => line.trim()) : lines
  }

  #frame(address: bigint, user: boolean, mode: string, pid: number): string {
    if (mode === 'raw') return address.toString(16)
    const name = user ? this.user(address, pid, true) : this.kernel(address, true)
    if (mode !== 'perf') return `        ${name}`
    const path = user ? this.#region(address, pid)?.path ?? this.#fixed(address)?.path ?? '[unknown]' : null
    return `\t${address.toString(16).padStart(16)} ${name}${path === null ? '' : ` (${path})`}`
  }

  user_name(uid: number): string {
    if (this.#users === undefined) {
      this.#users = new Map()
      for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
        const [name, , number] = line.split(':')
        if (name !== undefined && number !== undefined && !this.#users.has(Number(number))) this.#users.set(Number(number), name)
      }
    }
    return this.#users.get(uid) ?? String(uid)
  }

  cgroupPath(id: bigint): string {
    const found = findCgroup('/sys/fs/cgroup', id, 6)
    return found === null ? '' : `unified:${found === '/sys/fs/cgroup' ? '/' : found.slice('/sys/fs/cgroup'.length)}`
  }

  time(format: string, ns: bigint, base: 'boot' | 'tai' | 'wall'): string {
    if (base === 'wall') return strftime(format, BigInt(Date.now()) * 1_000_000n)
    return strftime(format, base === 'tai' ? ns - this.#taiOffset + this.#wallOffset : ns + this.#wallOffset)
  }

  get debugInfo(): boolean {
    return this.#debugInfo
  }
}

function parseMaps(text: string): Region[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+\s+(\/.*)$/.exec(line)
    return match === null ? [] : [
      { start: BigInt(`0x${match[1]}`), end: BigInt(`0x${match[2]}`), offset: BigInt(`0x${match[3]}`), path: match[4]! },
    ]
  })
}

function findCgroup(path: string, id: bigint, depth: number): string | null {
  try {
    if (statSync(path, { bigint: true }).ino === id) return path
    if (depth === 0) return null
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue
      const found = findCgroup(`${path}/${entry.name}`, id, depth - 1)
      if (found !== null) return found
    }
  } catch {
    return null
  }
  return null
}
