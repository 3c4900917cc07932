import { readFileSync } from 'node:fs'

/** Capabilities that eBPF asks for, by bit (linux/capability.h). */
export const Capability = {
  CAP_NET_ADMIN: 12, CAP_SYS_PTRACE: 19, CAP_SYS_ADMIN: 21, CAP_SYS_RESOURCE: 24, CAP_SYSLOG: 34, CAP_PERFMON: 38, CAP_BPF: 39,
} as const
export type CapabilityName = keyof typeof Capability

export interface ProcessStatus {
  /** Effective capabilities among those of `Capability`. */
  capabilities: Set<CapabilityName>
  /** A seccomp filter judges this process's system calls. */
  seccomp: boolean
  euid: number
}

/** What this process may do, from /proc/self/status. */
export function processStatus(): ProcessStatus {
  const text = readFileSync('/proc/self/status', 'latin1')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(text)?.[1] ?? '0'}`)
  const capabilities = new Set<CapabilityName>()
  for (const [name, bit] of Object.entries(Capability)) {
    if ((effective >> BigInt(bit) & 1n) === 1n) capabilities.add(name as CapabilityName)
  }
  return {
    capabilities,
    seccomp: /^Seccomp:\s*2/m.test(text),
    euid: Number(/^Uid:\s*\d+\s+(\d+)/m.exec(text)?.[1] ?? '0'),
  }
}

let cpus = 0
/** How many values a per-CPU map holds an entry: the CPUs the kernel was started for, present or not. */
export function possibleCpus(): number {
  if (cpus === 0) cpus = parseCpuCount(readFileSync('/sys/devices/system/cpu/possible', 'latin1'))
  return cpus
}

/** '0-3' → 4; '0,2-3' → 3: the kernel copies a value for each possible CPU and leaves no holes. */
export function parseCpuCount(list: string): number {
  let count = 0
  for (const range of list.trim().split(',')) {
    const [first, last = first] = range.split('-')
    count += Number(last) - Number(first) + 1
  }
  if (!Number.isInteger(count) || count < 1) throw new Error(`/sys/devices/system/cpu/possible is not a CPU list: ${list}`)
  return count
}

let page = 0
/** Bytes of a memory page: 4096 on x86-64, up to 65536 on arm64. */
export function pageSize(): number {
  if (page === 0) page = pageSizeOf(readFileSync('/proc/self/auxv'))
  return page
}

/** AT_PAGESZ of an auxiliary vector of 64-bit pairs. */
export function pageSizeOf(auxv: Uint8Array): number {
  const AT_PAGESZ = 6n
  const view = new DataView(auxv.buffer, auxv.byteOffset, auxv.byteLength)
  for (let offset = 0; offset + 16 <= auxv.byteLength; offset += 16) {
    if (view.getBigUint64(offset, true) === AT_PAGESZ) return Number(view.getBigUint64(offset + 8, true))
  }
  throw new Error('/proc/self/auxv has no AT_PAGESZ')
}

/** The CPUs that run now, by number. */
export function availableCpus(): number[] {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'latin1'))
}

/** '0,2-4' → [0, 2, 3, 4] */
export function parseCpuList(list: string): number[] {
  return list.trim().split(',').filter((range) => range !== '').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
  })
}
