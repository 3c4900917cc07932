import { readFileSync } from 'node:fs'

/**
 * The address of a symbol of the running kernel, from /proc/kallsyms; undefined if it lists none of that name.
 * @throws Error when addresses are hidden (kernel.kptr_restrict), or when several symbols have the name at different addresses
 */
export function kernelSymbol(name: string): bigint | undefined {
  const found = new Set<bigint>()
  const pattern = new RegExp(`^([0-9a-f]+) \\S ${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?:\\t|$)`, 'gm')
  for (const [, address] of symbols().matchAll(pattern)) found.add(BigInt(`0x${address}`))
  if (found.size > 1) throw new Error(`the kernel has ${found.size} symbols '${name}'`)
  const [address] = found
  if (address === 0n) throw new Error(`the address of '${name}' is hidden: it takes CAP_SYSLOG, and kernel.kptr_restrict below 2`)
  return address
}

/** Names of the kernel's functions that match a pattern with `*` and `?`, as kprobes can be attached to; each once. */
export function kernelFunctions(pattern: string): string[] {
  const glob = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '\\S*').replaceAll('?', '\\S')
  return [...new Set(Array.from(symbols().matchAll(new RegExp(`^[0-9a-f]+ [tTwW] (${glob})$`, 'gm')), ([, name]) => name!))]
}

/** Some megabytes, which change as modules come and go: read anew each time. */
function symbols(): string {
  return readFileSync('/proc/kallsyms', 'latin1')
}
