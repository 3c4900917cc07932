import { expect, test } from 'vitest'
import { preflight, type Surroundings } from './preflight.ts'

const fine: Surroundings = { platform: 'linux', capabilities: new Set(['CAP_BPF', 'CAP_PERFMON']), euid: 1000, hasBtf: true }

test('capabilities suffice, without root', () => expect(preflight(fine)).toBe(null))
test('CAP_SYS_ADMIN suffices, as on kernels before 5.8', () => {
  expect(preflight({ ...fine, capabilities: new Set(['CAP_SYS_ADMIN']) })).toBe(null)
})
test.each<[string, Partial<Surroundings>, RegExp, RegExp]>([
  ['another system', { platform: 'darwin' }, /this is darwin/, /Linux host/],
  ['a user', { capabilities: new Set() }, /CAP_BPF and CAP_PERFMON, and user 1000 runs it without them/, /sudo skep/],
  ['half of it', { capabilities: new Set(['CAP_BPF']) }, /needs CAP_PERFMON, and user 1000 runs it without it/, /AmbientCapabilities/],
  ['root in a container', { capabilities: new Set(), euid: 0 }, /root without them/, /--cap-add BPF/],
  ['no BTF', { hasBtf: false }, /vmlinux is missing/, /CONFIG_DEBUG_INFO_BTF/],
])('%s is refused with cause and remedy', (_name, change, reason, remedy) => {
  const refusal = preflight({ ...fine, ...change })!
  expect(refusal.reason).toMatch(reason)
  expect(refusal.remedy).toMatch(remedy)
})
