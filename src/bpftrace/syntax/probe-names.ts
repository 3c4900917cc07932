/** The providers of probes: canonical name, the names it is written by, and whether its first part is a path. */
export interface Provider { name: string; aliases: readonly string[]; path?: boolean }

export const providers: readonly Provider[] = [
  { name: 'begin', aliases: [] },
  { name: 'end', aliases: [] },
  { name: 'self', aliases: [] },
  { name: 'test', aliases: [] },
  { name: 'bench', aliases: [] },
  { name: 'interval', aliases: ['i'] },
  { name: 'profile', aliases: ['p'] },
  { name: 'software', aliases: ['s'] },
  { name: 'hardware', aliases: ['h'] },
  { name: 'tracepoint', aliases: ['t'] },
  { name: 'rawtracepoint', aliases: ['rt'] },
  { name: 'kprobe', aliases: ['k'] },
  { name: 'kretprobe', aliases: ['kr'] },
  { name: 'fentry', aliases: ['f', 'kfunc'] },
  { name: 'fexit', aliases: ['fr', 'kretfunc'] },
  { name: 'uprobe', aliases: ['u'], path: true },
  { name: 'uretprobe', aliases: ['ur'], path: true },
  { name: 'usdt', aliases: ['U'], path: true },
  { name: 'watchpoint', aliases: ['w'] },
  { name: 'asyncwatchpoint', aliases: ['aw'] },
  { name: 'iter', aliases: ['it'] },
]

/** The providers that a written name means; several for a wildcard. Short names are as written, long ones in any case. */
export function providersOf(written: string): Provider[] {
  if (written.includes('*')) {
    const pattern = wildcard(written.toLowerCase())
    return providers.filter(({ name }) => pattern.test(name))
  }
  const alias = providers.find(({ aliases }) => aliases.includes(written))
  if (alias !== undefined) return [alias]
  const lower = written.toLowerCase()
  return providers.filter(({ name, aliases }) => name === lower || (aliases.includes(lower) && lower.length > 2))
}

/** A pattern in which `*` stands for anything. */
export function wildcard(pattern: string): RegExp {
  return new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`, 's')
}
