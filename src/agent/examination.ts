import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import { features, type Feature } from '../bpf/features.ts'
import { vmlinuxBtfPath } from '../bpf/kernel-btf.ts'
import { Capability, processStatus } from '../sys/machine.ts'
import { loadBuiltIn } from './built-in.ts'
import { cgroup2Mount } from './cgroups.ts'
import { preflight } from './preflight.ts'
import type { ProbeState } from './snapshot.ts'

/** One thing that was looked at. `remedy` tells what to change where it is not as it should be. */
export interface Finding {
  name: string
  /** 'good': as it should be. 'lost': something cannot be done. 'note': worth knowing, nothing is lost. */
  verdict: 'good' | 'lost' | 'note'
  value: string
  remedy: string | null
}

/** All that bears on what skep can do here, as plain data. */
export interface Examination {
  kernel: string
  distribution: string
  architecture: string
  machine: Finding[]
  features: Finding[]
  probes: ProbeState[]
  /** What keeps everything from working; null when something works. */
  refusal: string | null
}

/** Looks at the machine, asks every feature and loads and attaches every built-in probe for a moment. Leaves nothing behind. */
export async function examine(): Promise<Examination> {
  const refusal = preflight()
  const onLinux = process.platform === 'linux'
  return {
    kernel: release(), distribution: distribution(), architecture: process.arch,
    machine: onLinux ? machine() : [],
    // Without the right to load anything, every answer would be the same.
    features: refusal === null ? Object.values<Feature>(features).map(featureFinding) : [],
    probes: refusal === null ? await probeStates() : [],
    refusal: refusal === null ? null : `${refusal.reason} ${refusal.remedy}`,
  }
}

async function probeStates(): Promise<ProbeState[]> {
  const states: ProbeState[] = []
  for await (const probe of loadBuiltIn()) {
    try {
      probe.attach()
      states.push(probe.state)
    } finally {
      probe.close()
    }
  }
  return states
}

function featureFinding(feature: Feature): Finding {
  const verdict = feature.probe()
  const name = feature.name
  if (verdict === 'yes') return { name, verdict: 'good', value: 'yes', remedy: null }
  if (verdict === 'no') return { name, verdict: 'note', value: 'no', remedy: `Linux ${feature.firstKernel} and later have it` }
  return { name, verdict: 'lost', value: 'cannot be told', remedy: verdict.unknown.message }
}

function machine(): Finding[] {
  return [...rights(), ...policy(), ...memory(), ...filesystems(), ...types()]
}

function rights(): Finding[] {
  const { capabilities, euid, seccomp } = processStatus()
  const held = [...capabilities].join(' ')
  const enough = capabilities.has('CAP_SYS_ADMIN') || (capabilities.has('CAP_BPF') && capabilities.has('CAP_PERFMON'))
  const found: Finding[] = [{
    name: 'capabilities', verdict: enough ? 'good' : 'lost', value: capabilities.size === Object.keys(Capability).length ? 'all that eBPF asks for' : held || 'none',
    remedy: enough ? null : 'run it as root, or with CAP_BPF and CAP_PERFMON (AmbientCapabilities= of a service, --cap-add of a container)',
  }, { name: 'user', verdict: 'good', value: euid === 0 ? 'root' : `uid ${euid}`, remedy: null }]
  if (!capabilities.has('CAP_SYS_ADMIN')) {
    found.push({ name: 'run time statistics', verdict: 'note', value: 'not without CAP_SYS_ADMIN', remedy: 'without it the cost of the kernel programs stays unknown' })
  }
  if (!capabilities.has('CAP_SYS_PTRACE')) {
    found.push({ name: 'listeners of other users', verdict: 'note', value: 'not without CAP_SYS_PTRACE', remedy: 'connections accepted by processes older than skep have no owner' })
  }
  found.push({ name: 'seccomp filter', verdict: seccomp ? 'note' : 'good', value: seccomp ? 'yes' : 'none', remedy: seccomp ? 'if probes are refused with EPERM, allow bpf and perf_event_open in its profile' : null })
  return found
}

function policy(): Finding[] {
  const lockdown = /\[(\w+)\]/.exec(read('/sys/kernel/security/lockdown'))?.[1]
  const modules = read('/sys/kernel/security/lsm').trim()
  const unprivileged = read('/proc/sys/kernel/unprivileged_bpf_disabled').trim()
  return [
    {
      name: 'lockdown', verdict: lockdown === 'confidentiality' ? 'lost' : 'good', value: lockdown ?? 'not in this kernel, or not shown',
      remedy: lockdown === 'confidentiality' ? 'it forbids reading kernel memory: boot with lockdown=integrity' : null,
    },
    { name: 'security modules', verdict: 'good', value: modules === '' ? 'not shown (securityfs is not mounted)' : modules, remedy: null },
    {
      name: 'eBPF without privileges', verdict: unprivileged === '0' ? 'note' : 'good', value: { 0: 'permitted', 1: 'forbidden', 2: 'forbidden until changed' }[unprivileged] ?? 'not shown',
      remedy: unprivileged === '0' ? 'skep does not need it; kernel.unprivileged_bpf_disabled=2 closes a common way of attack' : null,
    },
  ]
}

function memory(): Finding[] {
  const jit = read('/proc/sys/net/core/bpf_jit_enable').trim()
  const counted = features.memcgAccounting.probe() === 'yes'
  const limit = /^Max locked memory\s+(\S+)/m.exec(read('/proc/self/limits'))?.[1] ?? '?'
  return [
    {
      name: 'JIT compiler', verdict: jit === '0' ? 'note' : 'good', value: { 0: 'off', 1: 'on', 2: 'on, with debug output' }[jit] ?? 'always on, or not shown',
      remedy: jit === '0' ? 'probes are interpreted, several times slower: sysctl net.core.bpf_jit_enable=1' : null,
    },
    {
      name: 'memory of maps', verdict: 'good', value: counted ? "counted by cgroup (memory.max)" : `counted against RLIMIT_MEMLOCK (${limit}), which skep raises`, remedy: null,
    },
  ]
}

function filesystems(): Finding[] {
  const mounts = read('/proc/self/mountinfo')
  const cgroups = cgroup2Mount(mounts)
  const mountOf = (type: string) => mounts.split('\n').find((line) => line.includes(` - ${type} `))?.split(' ')[4]
  const tracefs = mountOf('tracefs')
  return [
    {
      name: 'cgroup hierarchy', verdict: cgroups === null ? 'lost' : 'good', value: cgroups === null ? 'no version 2' : `version 2 at ${cgroups}`,
      remedy: cgroups === null ? 'workloads cannot be named by cgroup: mount -t cgroup2 cgroup2 /sys/fs/cgroup (in a container: mount /sys)' : null,
    },
    {
      name: 'tracefs', verdict: tracefs === undefined ? 'note' : 'good', value: tracefs ?? 'not mounted',
      remedy: tracefs === undefined ? 'classic tracepoints are read from a mount that nobody else sees; the built-in probes need none' : null,
    },
    { name: 'bpffs', verdict: 'good', value: mountOf('bpf') ?? 'not mounted (nothing is pinned)', remedy: null },
  ]
}

function types(): Finding[] {
  const there = existsSync(vmlinuxBtfPath)
  const folder = '/sys/kernel/btf'
  const modules = there ? readdirSync(folder).filter((name) => name !== 'vmlinux').length : 0
  return [{
    name: 'kernel types (BTF)', verdict: there ? 'good' : 'lost',
    value: there ? `${(statSync(vmlinuxBtfPath).size / 2 ** 20).toFixed(1)} MiB, and of ${modules} modules` : 'none',
    remedy: there ? null : 'a kernel built with CONFIG_DEBUG_INFO_BTF=y is needed (Debian 11, Ubuntu 20.10, Fedora 31, RHEL 8.2 or later); in a container, mount /sys',
  }]
}

function distribution(): string {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(read('/etc/os-release'))?.[1] ?? process.platform
}

/** What is absent or closed to this process says no more than that. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR') return ''
    throw error
  }
}
