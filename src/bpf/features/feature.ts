import { Errno } from '../../sys/errno.ts'
import { close } from '../../sys/syscall.ts'
import { commandError } from '../command.ts'
import type { CommandName } from '../command.ts'
import { PolicyError } from '../load-error.ts'

/** 'no': this kernel does not have it. `unknown`: something else stood in the way, such as a missing permission. */
export type Verdict = 'yes' | 'no' | { unknown: Error }

/** Something kernels may lack. Asked by trying it with tiny valid programs and maps, never by comparing versions. */
export interface Feature {
  readonly name: string
  /** The mainline release it came with: for messages only. */
  readonly firstKernel: string
  /** Tries once and remembers. Nothing is left behind. */
  probe(): Verdict
}

const verdicts = new Map<string, Verdict>()

export function feature(name: string, firstKernel: string, ask: () => Verdict): Feature {
  return {
    name, firstKernel,
    probe() {
      let verdict = verdicts.get(name)
      if (verdict === undefined) {
        verdict = attempt(ask)
        verdicts.set(name, verdict)
      }
      return verdict
    },
  }
}

function attempt(ask: () => Verdict): Verdict {
  try {
    return ask()
  } catch (error) {
    return { unknown: error instanceof Error ? error : new Error(String(error)) }
  }
}

/** Forgets the verdicts, so that the next probe asks again. */
export function resetFeatures(): void {
  verdicts.clear()
}

/** Whether the kernel grants the feature; what is unknown counts as not granted. */
export function has(wanted: Feature): boolean {
  return wanted.probe() === 'yes'
}

/** What to tell a person: 'yes', 'no (kernel 5.8 or later has it)', or the error in the way. */
export function explainFeature(wanted: Feature): string {
  const verdict = wanted.probe()
  if (verdict === 'yes') return 'yes'
  return verdict === 'no' ? `no (Linux ${wanted.firstKernel} and later have it)` : `cannot be told: ${verdict.unknown.message}`
}

const absent = new Set<number>([Errno.EINVAL, Errno.ENOTSUPP, Errno.EOPNOTSUPP, Errno.ENOSYS])

/** Closes what a probing call opened and says what its result means. */
export function verdictOf(name: CommandName, result: number, what: string): Verdict {
  if (result >= 0) {
    close(result)
    return 'yes'
  }
  if (absent.has(-result)) return 'no'
  const denied = result === -Errno.EPERM || result === -Errno.EACCES
  return { unknown: denied ? new PolicyError(`bpf(${name})`, -result, what) : commandError(name, result, what) }
}
