import type { Target } from '../environment.ts'
import { parseInteger } from '../syntax/lexer.ts'
import { wildcard } from '../syntax/probe-names.ts'
import type { Resolver } from './targets.ts'

const languages = new Set(['cpp', 'go', 'rust'])

/** Uprobes and USDT: files first, then what is in them. */
export function resolveUser(resolver: Resolver): Target[] {
  const { parts, provider } = resolver.point
  return provider === 'usdt' ? usdt(resolver, parts) : uprobe(resolver, provider as 'uprobe' | 'uretprobe', parts)
}

function uprobe(resolver: Resolver, provider: 'uprobe' | 'uretprobe', parts: string[]): Target[] {
  const { hooks } = resolver.environment
  const location = /^(.*)@([^@]*)$/.exec(parts[0]!)
  if (location !== null && parts.length <= 3 && /\.\w+$/.test(location[2]!)) {
    return sourceLine(resolver, provider, location[1]!, [location[2]!, ...parts.slice(1)].join(':'))
  }
  const path = parts[0] === '' ? '*' : parts[0]!
  const files = hooks.files(path)
  if (files.length === 0) {
    return path.includes('*') ? resolver.none(parts.join(':')) : resolver.error(
      `${provider} target file '${path}' does not exist or is not executable`,
    )
  }
  const language = parts.length === 3 ? parts[1]! : ''
  if (language !== '' && !languages.has(language)) return resolver.error(`${provider} does not support language '${language}'`)
  const target = parts.at(-1)!
  if (/^(0x[0-9a-fA-F]+|[0-9]+)$/.test(target) && !resolver.point.quoted.at(-1)) {
    const address = parseInteger(target, resolver.point.span)
    return files.map(
      (file) => ({
        kind: provider, point: resolver.point, path: file, name: '', offset: 0, address, display: `${provider}:${file}:${target}`,
      }),
    )
  }
  const [, name, offset] = /^(.+?)(?:\+(0x[0-9a-fA-F]+|[0-9]+))?$/s.exec(target) as unknown as [string, string, string | undefined]
  const targets: Target[] = []
  let refused = false
  for (const file of files) {
    const found = hooks.symbols(file, name, language === 'cpp')
    for (const symbol of found ?? []) {
      if (symbol.size === 0 && !name.includes('*') && !resolver.options.unsafe && provider === 'uprobe') {
        refused = true
        resolver.plainError(
          `Could not determine boundary for ${symbol.name} (symbol has size 0).\nUse --unsafe to force attachment. WARNING: This option could lead to data corruption in the target process.`,
        )
        continue
      }
      targets.push({
        kind: provider, point: resolver.point, path: file, name: symbol.name, offset: offset === undefined ? 0 : Number(parseInteger(offset, resolver.point.span)), address: null,
        display: `${provider}:${file}:${language === '' ? '' : `${language}:`}${symbol.name}${offset === undefined ? '' : `+${offset}`}`,
      })
    }
  }
  return targets.length === 0 && !refused ? resolver.none(parts.join(':')) : targets
}

function sourceLine(resolver: Resolver, provider: 'uprobe' | 'uretprobe', path: string, _line: string): Target[] {
  const files = resolver.environment.hooks.files(path)
  if (path === '' || path.includes('*') || files.length !== 1) {
    return resolver.error(`${provider} at a source line needs exactly one file, not '${path}'`)
  }
  return resolver.error(`No debug info (DWARF) found in ${files[0]} for source locations`)
}

function usdt(resolver: Resolver, parts: string[]): Target[] {
  const { hooks } = resolver.environment
  const path = parts[0] === '' ? '*' : parts[0]!
  const provider = parts.length === 3 && parts[1] !== '' ? parts[1]! : '*'
  const name = parts.at(-1) === '' ? '*' : parts.at(-1)!
  const files = hooks.files(path)
  if (files.length === 0) return resolver.error(`usdt target file '${path}' does not exist or is not executable`)
  const targets: Target[] = []
  for (const file of files) {
    const seen = new Set<string>()
    for (const one of hooks.usdt(file, provider, name)) {
      if (seen.has(`${one.provider}:${one.name}`)) continue
      seen.add(`${one.provider}:${one.name}`)
      if (!wildcard(provider).test(one.provider) || !wildcard(name).test(one.name)) continue
      targets.push({
        kind: 'usdt', point: resolver.point, path: file, provider: one.provider, name: one.name, arguments: one.arguments, display: `usdt:${file}:${one.provider}:${one.name}`,
      })
    }
  }
  return targets.length === 0 ? resolver.none(parts.join(':')) : targets
}
