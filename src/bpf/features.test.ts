import { readdirSync, readlinkSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { features, explainFeature, has, resetFeatures } from './features.ts'
import { btfFeatures } from './features/btf-features.ts'
import { helperFeature, kfuncFeature } from './features/helper-features.ts'
import { mapFeatures } from './features/map-features.ts'
import { attachFeatures, codeFeatures, programFeature, programFeatures } from './features/program-features.ts'
import type { Feature } from './features/feature.ts'
import { keeper } from './testing/keeper.ts'

const permitted = process.platform === 'linux' && has(features.bpf)

/** Those that this kernel has not although it is young enough: built without, or refused. */
const version = (text: string) => {
  const [major, minor] = text.split('.').map(Number)
  return major! * 1000 + minor!
}

describe.runIf(permitted)('every feature (feature: bpf system call)', () => {
  keeper()
  const all = (): Feature[] => [
    ...Object.values(features), ...mapFeatures(), ...programFeatures(), ...attachFeatures(), helperFeature('ringbuf_output', 'xdp'),
    kfuncFeature('bpf_rcu_read_lock', '6.2'),
  ]

  test('every one answers, names are unique, and releases are numbers', () => {
    resetFeatures()
    for (const feature of all()) {
      expect(version(feature.firstKernel)).toBeGreaterThanOrEqual(3019)
      const verdict = feature.probe()
      expect(feature.probe()).toBe(verdict)
      expect(explainFeature(feature)).toMatch(/^(yes|no \(Linux|cannot be told)/)
    }
    const names = [...Object.values(features), ...programFeatures(), ...attachFeatures()].map(({ name }) => name)
    expect(names.length).toBe(new Set(names).size)
  })

  test('a kernel with arenas (6.9) has what came before, as far as it was not left out of its build', () => {
    if (!has(features.arena)) return
    const told = Object.fromEntries([...Object.values(codeFeatures), ...Object.values(btfFeatures)].map((feature) => [feature.name, feature.probe()]))
    for (const [name, verdict] of Object.entries(told)) if (!name.startsWith('load-acquire')) expect([name, verdict]).toEqual([name, 'yes'])
    for (const feature of mapFeatures()) {
      if (version(feature.firstKernel) <= 6009 && feature.probe() === 'no') expect.fail(`${feature.name}: no`)
    }
    for (const type of ['socket_filter', 'xdp', 'sched_cls', 'cgroup_skb', 'raw_tracepoint', 'tracing', 'syscall', 'sk_lookup', 'cgroup_sockopt'] as const) {
      expect([type, programFeature(type).probe()]).toEqual([type, 'yes'])
    }
  })

  test.runIf(has(features.tpBtf))('helpers by type of program (feature: typed tracepoints)', () => {
    const told = (helper: string, type: Parameters<typeof helperFeature>[1]) => helperFeature(helper, type).probe()
    expect(told('bpf_get_current_pid_tgid', 'raw_tracepoint')).toBe('yes')
    expect(told('map_lookup_elem', 'xdp')).toBe('yes')
    expect(told('xdp_adjust_head', 'xdp')).toBe('yes')
    expect(told('xdp_adjust_head', 'kprobe')).toBe('no')
    expect(told('skb_store_bytes', 'tracing')).toBe('no')
    expect(told('probe_read_kernel', 'tracing')).toBe('yes')
    expect(() => helperFeature('no_such_helper', 'xdp')).toThrow(RangeError)
    expect(helperFeature('bpf_loop', 'xdp')).toMatchObject({ name: 'bpf_loop in xdp programs', firstKernel: '5.17' })
  })

  test('functions of the kernel', () => {
    expect(kfuncFeature('no_such_function', '9.9').probe()).toBe('no')
  })

  test('nothing is left open', () => {
    const open = () => readdirSync('/proc/self/fd').map((fd) => linkOf(fd)).filter((name) => /bpf|btf|perf/.test(name)).sort()
    const before = open()
    resetFeatures()
    for (const feature of all()) feature.probe()
    expect(open()).toEqual(before)
  })
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // The directory's own descriptor.
    return ''
  }
}
