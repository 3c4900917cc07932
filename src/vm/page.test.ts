import { chars, compileModule, hash, histogram, ktime, tp_btf, u32, u64 } from 'skep'
import { kernelObject, simulate } from 'skep/vm'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { kernels, smallKernel } from './small-kernel.test-support.ts'

const btf = smallKernel()
const otherKernel = kernels().at(-1)![1]

const queuedAt = hash(u32, u64, { maxEntries: 1024 })
const latency = histogram('wait', { unit: 'ns', description: 'From wake-up to the CPU', by: { name: chars(16) } })

const probe = {
  queuedAt,
  latency,
  woken: tp_btf('sched_wakeup', (task) => {
    'use bpf'
    queuedAt.set(task.pid, ktime())
  }),
  switched: tp_btf('sched_switch', (_preempt, _previous, next) => {
    'use bpf'
    const since = queuedAt.get(next.pid)
    if (since === undefined) return
    latency.record(ktime() - since, { name: next.comm })
    queuedAt.delete(next.pid)
  }),
}

test('a woken task waits until it is switched to', () => {
  const m = simulate(compileModule(probe, { btf, name: 'wait' }), { btf })
  const nginx = kernelObject(btf, 'task_struct', { pid: 7, comm: 'nginx' })

  m.fire('woken', [nginx])
  expect(m.map(queuedAt).entries()).toEqual([[7, m.now]])

  m.advance(5_000)
  m.fire('switched', [false, null, nginx])
  expect(m.map(latency.map).sums()).toMatchObject([[{ name: 'nginx' }, { sum: 5_000 }]])
  expect(m.map(queuedAt).size).toBe(0)
})

test('a field that the fixture lacks is named', () => {
  const m = simulate(compileModule(probe, { btf, name: 'wait' }), { btf })
  m.fire('woken', [{ pid: 7 }])
  expect(() => m.fire('switched', [false, null, { pid: 7 }])).toThrow('task_struct.comm is read but the fixture does not set it')
})

test('the fault on the page is what one sees', () => {
  const m = simulate(compileModule(probe, { btf, name: 'wait' }), { btf })
  m.fire('woken', [{ pid: 7 }])
  const page = readFileSync(new URL('../../docs/vm.md', import.meta.url), 'utf8')
  const shown = /```\n(src\/vm\/page\.test\.ts:.*?)\n {2}program/s.exec(page)![1]!
  expect(() => m.fire('switched', [false, null, { pid: 7 }])).toThrow(shown)
})

test('what a run does and costs', () => {
  const m = simulate(compileModule(probe, { btf, name: 'wait' }), { btf, coverage: true })
  const steps = m.trace(() => m.fire('woken', [{ pid: 7 }]))
  expect(steps.at(-1)).toMatchObject({ program: 'woken', instruction: 'exit' })
  expect(m.cost().get('woken')).toEqual({ runs: 1, instructions: steps.length, most: steps.length })
  expect(m.lcov()).toContain('SF:src/vm/page.test.ts')
})

test('the same build on another kernel', () => {
  const built = compileModule(probe, { btf, name: 'wait' })
  const m = simulate(built, { btf: otherKernel })
  m.fire('woken', [{ pid: 7 }])
  expect(m.map(queuedAt).entries()).toEqual([[7, m.now]])
})

test('docs/vm.md shows this file', () => {
  const [own, page] = ['page.test.ts', '../../docs/vm.md'].map((path) => readFileSync(new URL(path, import.meta.url), 'utf8'))
  const examples = [...page!.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!)
  expect(examples.length).toBe(5)
  const shown = examples.flatMap((code) => code.split('\n\n')).map((part) => part.trim())
  expect(shown.filter((part) => !own!.includes(part))).toEqual([])
})
