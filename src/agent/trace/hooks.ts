import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { kernelBtf } from '../../bpf/kernel-btf.ts'
import { listTracefs } from '../../bpf/tracefs.ts'
import type { Hooks } from '../../bpftrace/environment.ts'
import { wildcard } from '../../bpftrace/syntax/probe-names.ts'
import { elfSymbols } from './elf-symbols.ts'
import { usdtProbes } from './usdt.ts'

/** What this machine lets a script attach to. */
export function machineHooks(options: { pid: number | null; functionList: string | null }): Hooks {
  return {
    tracepoints: (category, name) => tracepoints(category, name),
    functions: (_module, name) => functions(name, options.functionList),
    rawTracepoints: (name) => rawTracepoints(name),
    files: (pattern) => files(pattern, options.pid),
    symbols: (path, name) => {
      const elf = elfSymbols(path)
      if (elf === null) return null
      const pattern = wildcard(name)
      const seen = new Set<string>()
      return elf.functions.filter((one) => pattern.test(one.name) && !seen.has(one.name) && (seen.add(one.name), true))
    },
    usdt: (path, provider, name) => usdtProbes(path).filter(
      (one) => wildcard(provider).test(one.provider) && wildcard(name).test(one.name),
    ),
    iterators,
    hasModule: (name) => existsSync(`/sys/module/${name}`),
  }
}

function tracepoints(category: string, name: string): string[] {
  const [left, right] = [wildcard(category), wildcard(name)]
  const categories = category.includes('*') ? listTracefs('events').filter((one) => left.test(one)) : [category]
  const found: string[] = []
  for (const one of categories) for (const event of listTracefs(`events/${one}`)) if (right.test(event)) found.push(`${one}:${event}`)
  return found.sort()
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

let functionNames: string[] | undefined

/** Functions by name: of a given list, or of the kernel's types. */
function functions(name: string, listed: string | null): string[] | null {
  if (listed !== null) {
    return readFileSync(listed, 'utf8').split('\n').filter((one) => wildcard(name).test(one)).map((one) => `vmlinux:${one}`)
  }
  const btf = kernelBtf()
  if (!name.includes('*')) return btf.find(name, 'func') === 0 ? [] : [`vmlinux:${name}`]
  if (functionNames === undefined) {
    functionNames = []
    for (let id = 1; id < btf.typeCount; id++) if (btf.kindOf(id) === 'func') functionNames.push(btf.nameOf(id))
  }
  const pattern = wildcard(name)
  return [...new Set(functionNames.filter((one) => pattern.test(one)))].sort().map((one) => `vmlinux:${one}`)
}

function rawTracepoints(name: string): string[] {
  const btf = kernelBtf()
  if (!name.includes('*')) return btf.find(`btf_trace_${name}`, 'typedef') === 0 ? [] : [name]
  const pattern = wildcard(name)
  const found = new Set<string>()
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kindOf(id) !== 'typedef') continue
    const one = btf.nameOf(id)
    if (one.startsWith('btf_trace_') && pattern.test(one.slice(10))) found.add(one.slice(10))
  }
  return [...found].sort()
}

function iterators(): string[] {
  const btf = kernelBtf()
  const found: string[] = []
  for (let id = 1; id < btf.typeCount; id++) {
    if (btf.kindOf(id) === 'struct' && btf.nameOf(id).startsWith('bpf_iter__')) found.push(btf.nameOf(id).slice(10))
  }
  return found
}

/** Files that a path means: with wildcards, by name in PATH or among libraries, or all that a process has mapped. */
function files(pattern: string, pid: number | null): string[] {
  if (pattern === '*' || (pattern.includes('*') && pid !== null && !pattern.includes('/'))) {
    return pid === null ? [] : mapped(pid).filter((one) => pattern === '*' || wildcard(pattern).test(one))
  }
  if (pattern.includes('*')) return glob(pattern)
  if (pattern.includes('/')) return existsSync(pattern) && statSync(pattern).isFile() ? [pattern] : []
  if (existsSync(pattern) && statSync(pattern).isFile()) return [pattern]
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, pattern)
    if (existsSync(path) && statSync(path).isFile()) return [path]
  }
  const library = libraries().find(
    (path) => path.split('/').at(-1)!.startsWith(
      pattern.includes('.so') ? pattern : `${pattern}.so`,
    ) && elfSymbols(path) !== null,
  )
  return library === undefined ? [] : [library]
}

/** Empty for a process that has ended meanwhile. */
function mapsOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/maps`, 'utf8')
  } catch {
    return ''
  }
}

function mapped(pid: number): string[] {
  const found = new Set<string>()
  for (const line of mapsOf(pid).split('\n')) {
    const match = /^\S+ ..x. \S+ \S+ [1-9]\d*\s+(\/.*)$/.exec(line)
    if (match !== null && existsSync(match[1]!)) found.add(match[1]!)
  }
  return [...found]
}

function libraries(): string[] {
  return [
    '/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib64', '/usr/lib64', '/lib', '/usr/lib', '/usr/local/lib',
  ].flatMap((folder) => list(folder).map((one) => join(folder, one)))
}

function glob(pattern: string): string[] {
  let found = [pattern.startsWith('/') ? '/' : '']
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    found = found.flatMap((base) => {
      if (!part.includes('*')) return existsSync(base + part) ? [`${base}${part}/`] : []
      return list(base === '' ? '.' : base).filter((one) => wildcard(part).test(one)).map((one) => `${base}${one}/`)
    })
  }
  return found.map((one) => one.slice(0, -1)).filter((one) => isElf(one)).map(
    (one) => (pattern.startsWith('./') ? `./${one.replace(/^\.\//, '')}` : one),
  )
}

function isElf(path: string): boolean {
  try {
    return statSync(realpathSync(path)).isFile() && elfSymbols(path) !== null
  } catch {
    return false
  }
}
