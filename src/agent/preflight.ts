import { existsSync } from 'node:fs'
import { missingCapabilities } from '../bpf/load-error.ts'
import { processStatus, type CapabilityName } from '../sys/machine.ts'

/** Why nothing at all can be observed on this machine, and what helps. */
export interface Refusal { reason: string; remedy: string }

export interface Surroundings {
  platform: NodeJS.Platform
  capabilities: ReadonlySet<CapabilityName>
  euid: number
  /** The kernel describes its types at /sys/kernel/btf/vmlinux. */
  hasBtf: boolean
}

const btfPath = '/sys/kernel/btf/vmlinux'

export function surroundings(): Surroundings {
  const { platform } = process
  if (platform !== 'linux') return { platform, capabilities: new Set(), euid: -1, hasBtf: false }
  const { capabilities, euid } = processStatus()
  return { platform, capabilities, euid, hasBtf: existsSync(btfPath) }
}

/**
 * What can be known before anything is loaded; null when it is worth trying. Lockdown, security modules and
 * single hooks show only when a program is loaded: those cost one probe each and are told there.
 */
export function preflight({ platform, capabilities, euid, hasBtf }: Surroundings = surroundings()): Refusal | null {
  if (platform !== 'linux') {
    return {
      reason: `skep observes the Linux kernel, and this is ${platform}.`,
      remedy: 'Run it on a Linux host or in a Linux virtual machine; compiling probes, `skep types --btf FILE` and `skep list` work here.',
    }
  }
  const missing = missingCapabilities(capabilities)
  if (missing.length > 0) {
    const who = euid === 0 ? 'this process is root without' : `user ${euid} runs it without`
    return {
      reason: `Loading eBPF programs needs ${missing.join(' and ')}, and ${who} ${missing.length > 1 ? 'them' : 'it'}.`,
      remedy: euid === 0
        ? 'Grant them: --cap-add BPF --cap-add PERFMON for a container, CapabilityBoundingSet= for a service.'
        : 'Run it as root (sudo skep), or as a service with AmbientCapabilities=CAP_BPF CAP_PERFMON.',
    }
  }
  if (!hasBtf) {
    return {
      reason: `The kernel does not describe its types: ${btfPath} is missing.`,
      remedy: 'Use a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 11, Ubuntu 20.10, Fedora 31, RHEL 8.2 or later have it); in a container, mount /sys.',
    }
  }
  return null
}
