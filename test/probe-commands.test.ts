import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { vmlinuxBtfPath } from '../src/bpf/kernel-btf.ts'
import { Btf } from '../src/btf/btf.ts'
import { BtfBuilder } from '../src/btf/builder.ts'
import { readObject } from '../src/spec/elf/read.ts'
import { processStatus } from '../src/sys/machine.ts'
import { runSkep } from './agent-process.ts'
import { buildProduct } from './product.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const root = processStatus().euid === 0
const directory = mkdtempSync(join(tmpdir(), 'skep-probe-'))
const write = (name: string, content: string | Uint8Array) => {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}
const probe = write('wakes.ts', `import { hash, ktime, tp_btf, u32, u64 } from 'skep'

export const wokenAt = hash(u32, u64, { maxEntries: 100 })

export const woken = tp_btf('sched_wakeup', (task) => {
  'use bpf'
  wokenAt.set(task.pid, ktime())
})
`)

/** A kernel with the tracepoint, whose tasks have no pid. */
function otherKernel(): Uint8Array {
  const b = new BtfBuilder()
  const task = b.declareStruct('task_struct', 64)
  b.completeStruct(task, [{ name: 'tgid', type: b.int('int', 4, { signed: true }), bitOffset: 0 }])
  b.typedef('btf_trace_sched_wakeup', b.ptr(b.funcProto(0, [{ name: '', type: b.ptr(0) }, { name: '', type: b.ptr(task) }])))
  return b.build()
}

beforeAll(() => buildProduct())
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.skipIf(!root)('the commands for a probe of one\'s own (needs root)', () => {
  test('check tells the verdict, the cost and the kernel that it needs', async () => {
    const { status, stdout } = await runSkep(['check', '--json', probe])
    expect(status).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.programs).toMatchObject([{ name: 'woken', hook: 'tp_btf/sched_wakeup', accepted: true, stackBytes: 16 }])
    expect(report.programs[0].verified).toBeGreaterThan(0)
    expect(report.maps).toMatchObject([{ name: 'wokenAt', type: 'hash', entries: 100, keyBytes: 4, valueBytes: 8 }])
    expect(report.firstKernel).toBe('5.5')
  })

  test('check --print=asm shows instructions under their lines', async () => {
    const { status, stdout } = await runSkep(['check', '--print=asm', probe])
    expect(status).toBe(0)
    expect(stdout).toMatch(/; .*wakes\.ts:7: wokenAt\.set\(task\.pid, ktime\(\)\)\n/)
    expect(stdout).toContain('call bpf_map_update_elem#2')
  })

  test('check --against other kernels names what they lack, at its line', async () => {
    const other = write('other.btf', otherKernel())
    const { status, stdout } = await runSkep(['check', probe, '--against', `${vmlinuxBtfPath},${other}`])
    expect(status).toBe(1)
    expect(stdout).toMatch(/^vmlinux +ok/m)
    expect(stdout).toMatch(/^other\.btf +1 obstacle/m)
    expect(stdout).toMatch(/other\.btf: woken at .*wakes\.ts:7: struct task_struct\.pid .* has no such field/)
  })

  test('what holds no types of a kernel is refused by its name', async () => {
    const { status, stderr } = await runSkep(['check', probe, '--against', write('nothing.btf', 'nothing')])
    expect(status).toBe(2)
    expect(stderr).toMatch(/nothing\.btf holds no types of a kernel/)
  })

  test('build writes an object, and check takes it', async () => {
    const output = join(directory, 'wakes.bpf.o')
    const built = await runSkep(['build', probe, '-o', output])
    expect([built.status, built.stderr]).toEqual([0, `skep: wrote ${output}: 1 programs, 1 maps; needs Linux 5.5\n`])
    const spec = readObject(new Uint8Array(readFileSync(output)))
    expect(spec.programs.map(({ name, attach }) => [name, attach])).toEqual([['woken', { kind: 'tp_btf', name: 'sched_wakeup' }]])
    expect(Btf.parse(spec.btf!).find('task_struct', 'struct')).toBeGreaterThan(0)
    const checked = await runSkep(['check', '--json', output])
    expect(JSON.parse(checked.stdout).programs).toMatchObject([{ name: 'woken', accepted: true }])
  })

  test('doctor finds that everything works where the agent does', async () => {
    const { status, stdout } = await runSkep(['doctor', '--json'])
    const { probes, status: told } = JSON.parse(stdout)
    expect(told).toBe(status)
    expect(probes.map(({ name }: { name: string }) => name)).toEqual(['cgroup', 'process', 'scheduler', 'syscalls', 'tcp', 'block'])
  })
})

test('build says what is wrong with a probe, status 2', async () => {
  const { status, stderr } = await runSkep(['build', write('none.ts', 'export const nothing = 1\n')])
  expect(status).toBe(2)
  expect(stderr).toMatch(/no program is exported/)
})
