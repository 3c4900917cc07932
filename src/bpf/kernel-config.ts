import { existsSync, readFileSync } from 'node:fs'
import { arch, release, version } from 'node:os'
import { gunzipSync } from 'node:zlib'
import { kernelSymbol } from './kallsyms.ts'
import { hasAttachCookie } from './memlock.ts'

let options: Map<string, string> | undefined

/**
 * An option of the running kernel as externs name it: `CONFIG_HZ` → '250', and libbpf's LINUX_KERNEL_VERSION,
 * LINUX_HAS_BPF_COOKIE and LINUX_HAS_SYSCALL_WRAPPER. Undefined if it is not set.
 * @throws Error when the kernel's configuration is nowhere to be found
 */
export function kernelOption(name: string): string | undefined {
  switch (name) {
    case 'LINUX_KERNEL_VERSION': return String(kernelVersionCode())
    case 'LINUX_HAS_BPF_COOKIE': return hasAttachCookie() ? '1' : '0'
    case 'LINUX_HAS_SYSCALL_WRAPPER': return hasSyscallWrapper() ? '1' : '0'
    default:
  }
  options ??= parseConfig(readConfig())
  return options.get(name)
}

/** `CONFIG_NAME=value` lines; comments and options that are not set are left out. */
export function parseConfig(text: string): Map<string, string> {
  return new Map(Array.from(text.matchAll(/^(CONFIG_\w+)=(.*)$/gm), ([, name, value]) => [name!, value!]))
}

function readConfig(): string {
  if (existsSync('/proc/config.gz')) return gunzipSync(readFileSync('/proc/config.gz')).toString('latin1')
  const paths = [`/boot/config-${release()}`, `/lib/modules/${release()}/config`]
  const found = paths.find((path) => existsSync(path))
  if (found === undefined) throw new Error(
    `the kernel's configuration is not here: neither /proc/config.gz nor ${paths.join(' nor ')}`
  )
  return readFileSync(found, 'latin1')
}

/** LINUX_VERSION_CODE. Debian's releases are names: its version is in the other string. */
export function kernelVersionCode(full = version(), short = release()): number {
  const [, major, minor, patch] = /Debian (\d+)\.(\d+)\.(\d+)/.exec(full) ?? /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(short) ?? []
  return Number(major) << 16 | Number(minor) << 8 | Math.min(Number(patch ?? 0), 255)
}

/** Whether system calls take their arguments in a struct pt_regs (4.17 and later). */
function hasSyscallWrapper(): boolean {
  const prefix = syscallPrefix()
  return prefix !== undefined && kernelSymbol(`${prefix}bpf`) !== undefined
}

/** What the kernel's name of a system call begins with on this processor. */
export function syscallPrefix(): string | undefined {
  return ({ x64: '__x64_sys_', arm64: '__arm64_sys_', riscv64: '__riscv_sys_' } as Record<string, string>)[arch()]
}
