import { readFileSync } from 'node:fs'
import { errnoName, SysError } from '../sys/errno.ts'
import { processStatus } from '../sys/machine.ts'
import type { CapabilityName, ProcessStatus } from '../sys/machine.ts'
import { readVerifierLog } from './verifier-log.ts'

/** A place in the source that an instruction came from. */
export interface SourceLine { file: string; line: number; column: number; text: string }

/** The kernel's verifier refused a program. The message holds the useful line first; `log` is all it said. */
export class VerifierError extends Error {
  override readonly name = 'VerifierError'
  readonly errno: number
  readonly code: string
  readonly program: string
  readonly log: string
  /** The log was longer than 16 MiB: only a part is here. */
  readonly truncated: boolean
  readonly slot: number | undefined
  readonly source: SourceLine | undefined
  readonly suggestion: string | undefined

  /** @param lacks what this kernel lacks, by the slot of the instruction that needs it: relocation left a call there that must not be reached */
  constructor(
    program: string, errno: number, log: string, truncated: boolean, sourceOf: (slot: number) => SourceLine | undefined,
    lacks: (slot: number) => string | undefined = () => undefined,
  ) {
    const finding = readVerifierLog(log)
    const lacking = /#195896080\b|invalid func.*195896080/.test(finding.message) && finding.slot !== undefined ? lacks(finding.slot) : undefined
    if (lacking !== undefined) finding.message = lacking
    const source = finding.slot === undefined ? undefined : sourceOf(finding.slot)
    const what = finding.message === '' ? `${errnoName(errno)}, and its log names no reason` : finding.message
    const where = source === undefined
      ? (finding.slot === undefined ? '' : ` at instruction ${finding.slot}`)
      : ` at ${source.file}:${source.line}:${source.column}${source.text === '' ? '' : `: ${source.text.trim()}`}`
    const advice = finding.suggestion === undefined ? '' : `. ${finding.suggestion}`
    super(`the kernel's verifier rejects '${program}': ${what}${where}${advice}`)
    this.program = program
    this.errno = errno
    this.code = errnoName(errno)
    this.log = log
    this.truncated = truncated
    this.slot = finding.slot
    this.source = source
    this.suggestion = finding.suggestion
  }
}

/** The kernel refused without judging the program: capabilities, lockdown, a security module or a sandbox. */
export class PolicyError extends SysError {
  override readonly name = 'PolicyError'
  /** What may be the cause, likeliest first, each with its remedy. */
  readonly causes: readonly string[]
  readonly missing: readonly CapabilityName[]

  constructor(call: string, errno: number, subject: string, circumstances: Circumstances = currentCircumstances()) {
    const missing = missingCapabilities(circumstances.status.capabilities)
    const causes = policyCauses(circumstances, missing)
    super(call, errno, `this machine does not permit ${subject}: ${causes.join('; or ')}`)
    this.causes = causes
    this.missing = missing
  }
}

export interface Circumstances {
  status: ProcessStatus
  /** 'none', 'integrity' or 'confidentiality'; undefined if the kernel has no lockdown or does not show it. */
  lockdown: string | undefined
  /** kernel.unprivileged_bpf_disabled: 0, 1 or 2. */
  unprivilegedDisabled: string | undefined
  /** Of a container: its capabilities count inside only. */
  userNamespace?: boolean
}

function currentCircumstances(): Circumstances {
  return {
    status: processStatus(),
    lockdown: /\[(\w+)\]/.exec(readIfThere('/sys/kernel/security/lockdown') ?? '')?.[1],
    unprivilegedDisabled: readIfThere('/proc/sys/kernel/unprivileged_bpf_disabled')?.trim(),
    userNamespace: !/^\s*0\s+0\s+4294967295\s*$/.test(readIfThere('/proc/self/uid_map') ?? '0 0 4294967295'),
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // These files only serve to explain another error: absent or unreadable, they explain nothing.
    return undefined
  }
}

/** Tracing programs need CAP_BPF and CAP_PERFMON (5.8), or CAP_SYS_ADMIN, which implies both. */
export function missingCapabilities(held: ReadonlySet<CapabilityName>): CapabilityName[] {
  if (held.has('CAP_SYS_ADMIN')) return []
  return (['CAP_BPF', 'CAP_PERFMON'] as const).filter((name) => !held.has(name))
}

export function policyCauses(now: Circumstances, missing: readonly CapabilityName[]): string[] {
  const causes: string[] = []
  if (missing.length > 0) {
    const names = missing.join(' and ')
    causes.push(now.status.euid === 0
      ? `this process is root without ${names}; grant them (--cap-add of a container, CapabilityBoundingSet= of a service)`
      : `user ${now.status.euid} runs this process without ${names}; run it as root, or grant them (AmbientCapabilities= of a service)`)
  }
  if (now.userNamespace === true) {
    causes.push('this process is in a user namespace, whose capabilities do not count for eBPF: run it outside, or give it a bpf file system'
      + ' that delegates (6.9; see Token)')
  }
  if (now.lockdown === 'confidentiality') {
    causes.push('kernel lockdown is in confidentiality mode, which forbids reading kernel memory; boot with lockdown=integrity')
  }
  if (now.status.seccomp) {
    causes.push('a seccomp filter applies to this process; allow bpf and perf_event_open in its profile (containers: seccomp=unconfined)')
  }
  if (missing.length === 0 && now.userNamespace !== true) {
    const integrity = now.lockdown === 'integrity' ? ' or lockdown in integrity mode' : ''
    causes.push(`a security module, host policy${integrity} refuses this kind of program, though the capabilities are`
      + ' there; look for a denial in the kernel log (dmesg, audit), and use another hook meanwhile')
  }
  return causes
}
