import { mkdirSync, mkdtempSync, rmSync, rmdirSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Cgroups, cgroup2Mount, rootCgroup } from './cgroups.ts'

describe('cgroup2Mount', () => {
  test('finds the v2 hierarchy where it is alone, in hybrid mode and under an escaped name', () => {
    expect(cgroup2Mount('30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n')).toBe('/sys/fs/cgroup')
    expect(cgroup2Mount([
      '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
      '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu',
      '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw', ''].join('\n'))).toBe('/sys/fs/cgroup/unified')
    expect(cgroup2Mount('41 31 0:38 / /mnt/my\\040groups rw - cgroup2 none rw')).toBe('/mnt/my groups')
  })
  test('is null with v1 only', () => {
    expect(cgroup2Mount('32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu')).toBe(null)
  })
})

/** Any tree of directories does: the rules are inode numbers and names. */
describe('Cgroups', () => {
  let root: string
  let clock = 0
  const now = () => clock
  beforeEach(() => {
    clock = 0
    root = mkdtempSync(join(tmpdir(), 'skep-cgroups-'))
    mkdirSync(join(root, 'system.slice/nginx.service'), { recursive: true })
  })
  afterEach(() => rmSync(root, { recursive: true }))
  const id = (path: string) => statSync(join(root, path)).ino

  test('a walk names what lives', () => {
    const cgroups = new Cgroups({ mount: root, now })
    expect(cgroups.workload(id('system.slice/nginx.service'), '')).toMatchObject({ name: 'nginx.service', kind: 'unit' })
  })

  test('the root cgroup is named by comm', () => {
    const cgroups = new Cgroups({ mount: root, now })
    expect(cgroups.workload(rootCgroup, 'bash')).toMatchObject({ name: 'bash', kind: 'executable' })
    expect(cgroups.workload(rootCgroup, 'bash')).toBe(cgroups.workload(rootCgroup, 'bash'))
  })

  test('unknown ids cause walks at a limited rate', () => {
    const cgroups = new Cgroups({ mount: root, now })
    expect(cgroups.workload(rootCgroup, 'x').kind).toBe('executable')
    cgroups.workload(id('system.slice'), '')
    mkdirSync(join(root, 'late.service'))
    const late = id('late.service')
    expect(cgroups.workload(late, '').name).toBe(`cgroup ${late}`)
    clock += 60_000
    expect(cgroups.workload(late, '').name).toBe('late.service')
  })

  test('events name what is too short for a walk; the name outlives the cgroup for minutes', () => {
    const cgroups = new Cgroups({ mount: root, now })
    cgroups.created(4242, '/job.scope')
    expect(cgroups.workload(4242, '').name).toBe('job.scope')
    expect(cgroups.isGone(4242)).toBe(false)
    cgroups.removed(4242)
    expect(cgroups.isGone(4242)).toBe(true)
    clock += 60_000
    cgroups.forget()
    expect(cgroups.workload(4242, '').name).toBe('job.scope')
    clock += 600_000
    cgroups.forget()
    expect(cgroups.workload(4242, '').name).toBe('cgroup 4242')
  })

  test('a walk notices what went without an event', () => {
    const cgroups = new Cgroups({ mount: root, now })
    const gone = id('system.slice/nginx.service')
    cgroups.workload(gone, '')
    rmdirSync(join(root, 'system.slice/nginx.service'))
    clock += 60_000
    cgroups.workload(99_999_999_999, '')
    expect(cgroups.isGone(gone)).toBe(true)
    expect(cgroups.workload(gone, '').name).toBe('nginx.service')
  })

  test('works without a hierarchy', () => {
    const cgroups = new Cgroups({ mount: null, now })
    expect(cgroups.workload(55, '').name).toBe('cgroup 55')
  })
})
