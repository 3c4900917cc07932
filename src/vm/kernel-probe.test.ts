import { existsSync, readFileSync } from 'node:fs'
import { expect, describe, test } from 'vitest'
import { Collection } from '../bpf/collection.ts'
import { command } from '../bpf/command.ts'
import { features, has } from '../bpf/features.ts'
import { RingReader } from '../bpf/ring.ts'
import { Btf } from '../btf/btf.ts'
import { compileModule } from '../compiler/compile.ts'
import { arrayMap, hash, ringbuf } from '../compiler/language/maps.ts'
import { raw_tp } from '../compiler/language/programs.ts'
import { counter } from '../signals/counter.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { event } from '../signals/event.ts'
import { histogram } from '../signals/histogram.ts'
import { decoder } from '../spec/codec.ts'
import { chars, struct, u32, u64 } from '../spec/schema.ts'
import { allocate, release } from '../sys/memory.ts'
import { simulate } from './simulate.ts'

const vmlinux = '/sys/kernel/btf/vmlinux'
const testRun = process.platform === 'linux' && existsSync(vmlinux) && has(features.rawTracepoint)

const last = hash(u32, struct({ id: u64, previous: u64, times: u32 }), { maxEntries: 8 })
const slots = arrayMap(u64, { maxEntries: 4, name: 'slots' })
const ring = ringbuf({ name: 'records', bytes: 4096 })
const calls = counter('calls', { unit: '{call}', description: 'x', by: { kind: u32 }, maxKeys: 4 })
const sizes = histogram('sizes', { unit: 'By', description: 'x', by: { name: chars(8) } })
const totals = counterGroup('totals', { description: 'x', counters: { odd: '{call}', even: '{call}' } })
const large = event('large', { description: 'x', ring, fields: { id: u64, name: chars(16) } })

/** Looks at a number only, so that the kernel's test run, which has no kernel objects to give, can run it too. */
const probe = {
  last, slots, ring, calls, sizes, totals, large,
  entered: raw_tp('sys_enter', (_registers: unknown, id: number) => {
    'use bpf'
    const kind = id & 7
    calls.add(id >> 4, { kind })
    if (id < 100) sizes.record(id, { name: 'small' })
    else sizes.record(id, { name: 'large' })
    const total = totals.at()
    if (total !== undefined) {
      if ((id & 1) === 0) total.even += 1
      else total.odd += 1
    }
    slots.add(kind, id)
    const known = last.get(kind)
    if (known === undefined) last.set(kind, { id, previous: 0, times: 1 })
    else {
      known.previous = known.id
      known.id = id
      known.times += 1
      if (known.times > 5) last.delete(kind)
    }
    if (id > 1000) large.emit({ id, name: 'large one' })
  }),
}

/** Numbers that a system call may have, small and large. */
function numbers(): number[] {
  let state = 12_345
  return Array.from({ length: 300 }, () => {
    state = Math.imul(state, 1_103_515_245) + 12_345 | 0
    return (state >>> 8) % (state % 3 === 0 ? 5000 : 90)
  })
}

describe.runIf(testRun)('the same runs in the vm and in the kernel (feature: raw tracepoints)', () => {
  test('maps and rings hold the same afterwards', () => {
    const btf = Btf.parse(readFileSync(vmlinux))
    const compiled = compileModule(probe, { btf, name: 'both' })
    const collection = Collection.load(compiled.spec).requireAll()
    const reader = RingReader.open(collection.map('records'))
    const context = allocate(16)
    try {
      const inKernel: unknown[] = []
      const kernel = (id: number) => {
        context.u32[2] = id
        const status = command('BPF_PROG_TEST_RUN', 80, (attr) => {
          attr.u32(0, collection.programs.get('entered')!.fd)
          attr.u32(40, 16)
          attr.u64(48, context.address)
        })
        expect(status).toBeGreaterThanOrEqual(0)
        reader.drain((view, offset) => { inKernel.push(decoder(large.record)(view, offset)) })
      }
      const machines = [false, true].map((mode) => simulate(compiled, { btf, compiled: mode, cpus: 1 }))
      const inVm = machines.map((): unknown[] => [])
      for (const id of numbers()) {
        kernel(id)
        machines.forEach((m, index) => {
          m.fire('entered', [null, id])
          inVm[index]!.push(...m.ring(ring).records(large.record))
        })
      }
      expect(inKernel.length).toBeGreaterThan(20)
      for (const [index, m] of machines.entries()) {
        expect(inVm[index]).toEqual(inKernel)
        for (const { name, type } of compiled.spec.maps) {
          if (type === 'ringbuf') continue
          const wanted = collection.map(name).readAll().map(
            ([key, value]) => [key, type.startsWith('percpu') ? summed(value) : value],
          )
          const got = type.startsWith('percpu') ? m.map(name).sums() : m.map(name).entries()
          expect({ [name]: sorted(got) }).toEqual({ [name]: sorted(wanted as [unknown, unknown][]) })
        }
      }
    } finally {
      release(context)
      reader.close()
      collection.close()
    }
  })
})

/** The kernel ran on whichever CPU it liked. */
function summed(values: unknown): unknown {
  return (values as unknown[]).reduce(add)
}

function add(left: any, right: any): any {
  if (typeof left === 'number') return left + right
  if (Array.isArray(left)) return left.map((one, index) => add(one, right[index]))
  return Object.fromEntries(Object.entries(left).map(([name, value]) => [name, add(value, right[name])]))
}

function sorted(entries: readonly (readonly [unknown, unknown])[]): unknown[] {
  return [...entries].map((entry) => JSON.stringify(entry)).sort()
}
