import type { Diagnostics } from '../diagnostic.ts'
import type { Environment, Target } from '../environment.ts'
import type { AttachPoint, Probe } from '../syntax/ast.ts'
import { parseInteger } from '../syntax/lexer.ts'
import { resolveUser } from './user-targets.ts'

export type MissingProbes = 'error' | 'warn' | 'ignore'
export interface TargetOptions { missing: MissingProbes; unsafe: boolean; pid: number | null }

export const softwareEvents: Readonly<Record<string, number>> = {
  'cpu-clock': 0, cpu: 0, 'task-clock': 1, 'page-faults': 2, faults: 2, 'context-switches': 3, cs: 3, 'cpu-migrations': 4,
  'minor-faults': 5, 'major-faults': 6, 'alignment-faults': 7, 'emulation-faults': 8, dummy: 9, 'bpf-output': 10,
}
export const hardwareEvents: Readonly<Record<string, number>> = {
  'cpu-cycles': 0, cycles: 0, instructions: 1, 'cache-references': 2, 'cache-misses': 3, 'branch-instructions': 4, branches: 4,
  'branch-misses': 5, 'bus-cycles': 6, 'stalled-cycles-frontend': 7, 'frontend-stalls': 7, 'stalled-cycles-backend': 8, 'backend-stalls': 8, 'ref-cycles': 9,
}
export const signals: Readonly<Record<string, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12,
  SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23,
  SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29, SIGPWR: 30, SIGSYS: 31,
}

/** Resolves the attach points of a probe to what exists. */
export function resolveProbe(probe: Probe, environment: Environment, options: TargetOptions, diagnostics: Diagnostics): Target[] {
  const targets: Target[] = []
  const seen = new Set<string>()
  for (const point of probe.points) {
    for (const target of new Resolver(point, environment, options, diagnostics).targets()) {
      if (seen.has(target.display) && point.text.includes('*')) continue
      seen.add(target.display)
      targets.push(target)
    }
  }
  return targets
}

export class Resolver {
  readonly point: AttachPoint
  readonly environment: Environment
  readonly options: TargetOptions
  readonly diagnostics: Diagnostics

  constructor(point: AttachPoint, environment: Environment, options: TargetOptions, diagnostics: Diagnostics) {
    this.point = point
    this.environment = environment
    this.options = options
    this.diagnostics = diagnostics
  }

  error(message: string, hint?: string): Target[] {
    this.diagnostics.error(message, this.point.span, hint)
    return []
  }

  /** About the thing rather than about the place. */
  plainError(message: string): void {
    this.diagnostics.add({ severity: 'error', message, span: this.point.span, plain: true })
  }

  /** Nothing matches: an error, a warning or nothing, as the configuration says. */
  none(what: string): Target[] {
    const { missing } = this.options
    if (missing === 'error') {
      return this.error(
        `No matches for ${this.point.provider} ${what}.`, 'If this is expected, set the \'missing_probes\' config variable to \'warn\'.',
      )
    }
    if (missing === 'warn') this.diagnostics.warn(`No matches for ${this.point.provider} ${what}. Skipping.`, this.point.span)
    return []
  }

  targets(): Target[] {
    const { point } = this
    const { parts, provider } = point
    const plain = { point, display: [provider, ...parts].join(':') }
    switch (provider) {
      case 'begin': case 'end': return [{ ...plain, kind: provider }]
      case 'self':
        if (signals[parts[1]!] === undefined) return this.error(`${parts[1]} is not a supported signal`)
        return [{ ...plain, kind: 'self', signal: parts[1]! }]
      case 'test': case 'bench': return [{ ...plain, kind: provider, name: parts[0]! }]
      case 'interval': case 'profile': return this.#timer(provider, parts)
      case 'software': case 'hardware': return this.#event(provider, parts)
      case 'tracepoint': return this.#tracepoint(parts)
      case 'rawtracepoint': return this.#rawTracepoint(parts)
      case 'kprobe': case 'kretprobe': return this.#kprobe(provider, parts)
      case 'fentry': case 'fexit': return this.#fentry(provider, parts)
      case 'uprobe': case 'uretprobe': case 'usdt': return resolveUser(this)
      case 'watchpoint': case 'asyncwatchpoint': return this.#watchpoint(parts)
      case 'iter': return this.#iter(parts)
      default: return this.error(`Invalid provider: '${provider}'`)
    }
  }

  #timer(provider: 'interval' | 'profile', parts: string[]): Target[] {
    const number = parseInteger(parts.at(-1)!, this.point.span)
    const unit = parts.length === 1 ? 'ns' : parts[0]!
    const scale: Record<string, bigint> = { ns: 1n, us: 1000n, ms: 1_000_000n, s: 1_000_000_000n }
    const hz = unit === 'hz' ? number : null
    return [
      {
        kind: provider, point: this.point, display: [provider, ...parts].join(':'), hz, periodNs: hz === null ? number * scale[unit]! : null,
      },
    ]
  }

  #event(provider: 'software' | 'hardware', parts: string[]): Target[] {
    const [event, count] = parts as [string, string | undefined]
    const known = provider === 'software' ? softwareEvents : hardwareEvents
    if (known[event] === undefined) {
      return this.error(
        event.includes('*') ? `wildcards are not allowed for ${provider} probe type` : `${event} is not a ${provider} probe`,
      )
    }
    const number = count === undefined || count === '' ? null : parseInteger(count, this.point.span)
    return [{ kind: provider, point: this.point, display: [provider, ...parts].join(':'), event, count: number }]
  }

  #tracepoint([category, name]: string[]): Target[] {
    const found = this.environment.hooks.tracepoints(category!, name!)
    if (found.length === 0) return this.none(`${category}:${name}`)
    return found.map((one) => {
      const [category, name] = one.split(':') as [string, string]
      return { kind: 'tracepoint', point: this.point, display: `tracepoint:${one}`, category, name }
    })
  }

  #rawTracepoint(parts: string[]): Target[] {
    const name = parts.at(-1)!
    if (parts.length === 2 && !'vmlinux'.match(
      new RegExp(`^${parts[0]!.replaceAll('*', '.*')}$`),
    ) && !this.environment.hooks.hasModule(parts[0]!)) {
      return this.none(parts.join(':'))
    }
    const found = this.environment.hooks.rawTracepoints(name)
    if (found.length === 0) return this.none(parts.join(':'))
    return found.map((one) => ({ kind: 'rawtracepoint', point: this.point, display: `rawtracepoint:vmlinux:${one}`, name: one }))
  }

  #kprobe(provider: 'kprobe' | 'kretprobe', parts: string[]): Target[] {
    const { hooks } = this.environment
    const module = parts.length === 2 ? parts[0]! : ''
    const target = parts.at(-1)!
    const base = { kind: provider, point: this.point, module } as const
    if (/^(0x)?[0-9]/.test(target) && !this.point.quoted.at(-1)) {
      if (!this.options.unsafe) return this.error(`Cannot attach ${provider} to address ${target} without --unsafe`)
      return [{ ...base, name: '', offset: 0, address: parseInteger(target, this.point.span), display: `${provider}:${target}` }]
    }
    const [, name, offset] = /^(.+?)(?:\+(\w+))?$/.exec(target) as unknown as [string, string, string | undefined]
    if (module !== '' && !module.includes('*') && module !== 'vmlinux' && !hooks.hasModule(module)) {
      return this.error(`specified module ${module} in probe ${provider}:${module}:${name} is not loaded.`)
    }
    const make = (one: string): Target => ({
      ...base, name: one, offset: offset === undefined ? 0 : Number(parseInteger(offset, this.point.span)), address: null, display: `${provider}:${module === '' ? '' : `${module}:`}${one}${offset === undefined ? '' : `+${offset}`}`,
    })
    const found = hooks.functions(module === '' ? '*' : module, name)
    if (found === null && !name.includes('*')) return [make(name)]
    if (found === null || found.length === 0) {
      if (!name.includes('*')) {
        this.diagnostics.warn(
          `${name} is not traceable (either non-existing, inlined, or marked as "notrace"); attaching to it will likely fail`, this.point.span,
        )
        if (this.options.unsafe) return [make(name)]
      }
      return this.none(parts.join(':'))
    }
    return [...new Set(found.map((one) => one.slice(one.indexOf(':') + 1)))].map(make)
  }

  #fentry(provider: 'fentry' | 'fexit', parts: string[]): Target[] {
    const name = parts.at(-1)!
    if (parts[0] === 'bpf' && parts.length > 1) {
      return [
        {
          kind: provider, point: this.point, module: 'bpf', name, bpf: parts.length === 3 ? parts[1]! : '*', display: `${provider}:${parts.join(':')}`,
        },
      ]
    }
    const module = parts.length === 2 ? parts[0]! : 'vmlinux'
    const { btf } = this.environment
    const found = name.includes('*') ? this.environment.hooks.functions(module, name)?.map((one) => one.slice(one.indexOf(':') + 1)) ?? [] : [name]
    const known = found.filter((one) => btf === null || btf.find(one, 'func') !== 0)
    if (known.length === 0) return this.none(parts.join(':'))
    return known.map(
      (one) => ({
        kind: provider, point: this.point, module: 'vmlinux', name: one, bpf: null, display: `${provider}:vmlinux:${one}`,
      }),
    )
  }

  #watchpoint([addressText, lengthText, mode]: string[]): Target[] {
    const address = parseInteger(addressText!, this.point.span)
    const length = Number(parseInteger(lengthText!, this.point.span))
    if (address === 0n) return this.error('watchpoint must be attached to a non-zero address')
    if (![1, 2, 4, 8].includes(length)) return this.error('watchpoint length must be one of (1,2,4,8)')
    const letters = [...mode!].sort().join('')
    if (!/^[rwx]+$/.test(mode!) || new Set(letters).size !== letters.length) {
      return this.error("watchpoint mode must be combination of (r,w,x)")
    }
    if (letters.includes('x') && letters.length > 1) return this.error('watchpoint modes (rx, rwx, wx) not supported')
    return [
      {
        kind: 'watchpoint', point: this.point, address, length, mode: letters, display: `watchpoint:${addressText}:${length}:${mode}`,
      },
    ]
  }

  #iter([name, pin]: string[]): Target[] {
    if (name!.includes('*') || pin?.includes('*')) return this.error('iter probe type does not support wildcards')
    if (!this.environment.hooks.iterators().includes(name!)) {
      return this.error(`iter ${name} not available for your kernel version.`)
    }
    return [
      {
        kind: 'iter', point: this.point, name: name!, pin: pin ?? null, display: `iter:${name}${pin === undefined ? '' : `:${pin}`}`,
      },
    ]
  }
}
