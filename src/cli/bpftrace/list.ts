import { existsSync, readFileSync } from 'node:fs'
import { kernelBtf } from '../../bpf/kernel-btf.ts'
import { machineEnvironment, tracepointFields } from '../../agent/trace/machine.ts'
import { argsOf } from '../../bpftrace/check/args.ts'
import { hardwareEvents, softwareEvents } from '../../bpftrace/check/targets.ts'
import type { Environment } from '../../bpftrace/environment.ts'
import { Source } from '../../bpftrace/source.ts'
import { parseProgram } from '../../bpftrace/syntax/parser.ts'
import { providersOf, wildcard } from '../../bpftrace/syntax/probe-names.ts'
import { TypeStore } from '../../bpftrace/types/store.ts'
import { typeName } from '../../bpftrace/types/type.ts'
import type { BpftraceOptions } from './command-line.ts'
import { writeAll } from './write.ts'

/** `-l`: what matches a pattern, the probes of a script, or the definition of a struct. */
export function listProbes(search: string, { verbose, functionList }: BpftraceOptions, pid: number | null): number {
  const environment = machineEnvironment({ pid, functionList })
  const write = (text: string) => writeAll(1, text)
  if (search !== '' && existsSync(search)) {
    const program = parseProgram(new Source(search, readFileSync(search, 'utf8')), { params: [] })
    for (const item of program.items) {
      if (item.kind !== 'probe') continue
      for (const point of item.probe.points) write(
        `${['interval', 'profile', 'hardware', 'software'].includes(point.provider) ? `${point.provider}:${point.parts[0]}:` : [point.provider, ...point.parts].join(':')}\n`,
      )
    }
    return 0
  }
  for (const one of search === '' ? ['*'] : search.split(',')) {
    const struct = /^(struct|union|enum)\s+(\S+)$/.exec(one)
    if (struct !== null) write(structText(struct[2]!))
    else for (const probe of matching(one, environment, pid)) write(
      `${probe}\n${verbose ? argumentsText(probe, environment) : ''}`,
    )
  }
  return 0
}

/** Where a process is given, what is in its files too. */
const inFiles = ['uprobe', 'usdt']
const everywhere = ['tracepoint', 'rawtracepoint', 'software', 'hardware', 'interval', 'profile', 'kprobe', 'fentry', 'iter']

function* matching(search: string, environment: Environment, pid: number | null): Generator<string> {
  const colon = search.indexOf(':')
  if (colon < 0) {
    const named = providersOf(search)
    const pattern = wildcard(search)
    if (search === '*' || named.length === 0) {
      for (const provider of pid === null ? everywhere : [...inFiles, ...everywhere]) for (const probe of all(provider, ['*', '*'], environment, pid)) if (pattern.test(probe)) yield probe
      return
    }
    for (const { name } of named) yield* all(name, [], environment, pid)
    return
  }
  const parts = search.slice(colon + 1).split(':')
  for (const { name } of providersOf(search.slice(0, colon))) yield* all(name, parts, environment, pid)
}

function* all(provider: string, parts: string[], environment: Environment, pid: number | null): Generator<string> {
  const { hooks } = environment
  const last = parts.at(-1) ?? '*'
  switch (provider) {
    case 'tracepoint':
      for (const one of hooks.tracepoints(parts[0] ?? '*', parts[1] ?? '*')) yield `tracepoint:${one}`
      return
    case 'rawtracepoint':
      for (const one of hooks.rawTracepoints(last)) yield `rawtracepoint:vmlinux:${one}`
      return
    case 'software': case 'hardware':
      for (const one of Object.keys(
        provider === 'software' ? softwareEvents : hardwareEvents,
      )) if (wildcard(parts[0] ?? '*').test(one)) yield `${provider}:${one}:`
      return
    case 'interval': case 'profile':
      for (const one of ['hz', 'us', 'ms', 's']) yield `${provider}:${one}:`
      return
    case 'kprobe': case 'kretprobe':
      for (const one of hooks.functions('*', last) ?? []) yield `${provider}:${one.slice(one.indexOf(':') + 1)}`
      return
    case 'fentry': case 'fexit':
      for (const one of hooks.functions('*', last) ?? []) yield `${provider}:${one}`
      return
    case 'iter':
      for (const one of hooks.iterators()) if (wildcard(last).test(one)) yield `iter:${one}`
      return
    case 'uprobe': case 'uretprobe':
      if (parts.length === 1 && pid !== null) parts = ['*', parts[0]!]
      for (const file of hooks.files(parts[0] ?? '*')) for (const symbol of hooks.symbols(file, parts.at(-1)!, false) ?? []) yield `${provider}:${file}:${symbol.name}`
      return
    case 'usdt':
      for (const file of hooks.files(parts[0] === undefined || parts[0] === '' ? '*' : parts[0])) {
        for (const one of hooks.usdt(
          file, parts.length === 3 ? parts[1]! || '*' : '*', parts.length === 1 ? '*' : last || '*',
        )) yield `usdt:${file}:${one.provider}:${one.name}`
      }
  }
}

/** The fields of a probe's arguments, one a line. */
function argumentsText(probe: string, environment: Environment): string {
  const [provider, ...parts] = probe.split(':') as [string, ...string[]]
  if (provider === 'tracepoint') {
    return (tracepointFields(parts[0]!, parts[1]!) ?? []).filter(
      ({ name }) => !name.startsWith('common_'),
    ).map(({ type, name }) => {
      const array = /^(.*?)(\[.*\])$/.exec(type)
      return `    ${array === null ? type : array[1]} ${name}${array === null ? '' : array[2]}\n`
    }).join('')
  }
  if (provider !== 'rawtracepoint' && provider !== 'fentry' && provider !== 'kprobe' && provider !== 'fexit') return ''
  const store = new TypeStore(environment.btf, [])
  const point = { provider, text: probe, parts, quoted: [], span: { start: 0, end: 0 } }
  const base = { display: probe, point }
  const args = argsOf(provider === 'rawtracepoint' ? { ...base, kind: 'rawtracepoint', name: parts.at(-1)! }
    : {
      ...base, kind: provider === 'fexit' ? 'fexit' : 'fentry', module: 'vmlinux', name: parts.at(-1)!, bpf: null,
    }, store, environment)
  return (args?.fields ?? []).map(
    ({ name, type }) => `    ${typeName(type).replace(/\*$/, ' *')} ${name === '$retval' ? 'retval' : name}\n`,
  ).join('')
}

function structText(name: string): string {
  const btf = kernelBtf()
  const pattern = wildcard(name)
  const ids = name.includes('*') ? Array.from({ length: btf.typeCount - 1 }, (_, index) => index + 1).filter(
    (id) => ['struct', 'union'].includes(btf.kindOf(id)) && pattern.test(btf.nameOf(id)),
  )
    : btf.findAll(name, 'struct', 'union').slice(0, 1)
  const store = new TypeStore(btf, [])
  return ids.map((id) => {
    const definition = store.btfStruct(id)
    const fields = definition.fields.map(({ name: field, type }) => `        ${typeName(type)} ${field};\n`).join('')
    return `vmlinux: ${definition.union ? 'union' : 'struct'} ${definition.name} {\n${fields}};\n`
  }).join('')
}
