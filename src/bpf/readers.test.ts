import { describe, expect, test } from 'vitest'
import { struct, u32, u64 } from '../spec/schema.ts'
import { Collection } from './collection.ts'
import { features, has } from './features.ts'
import { PerfReader } from './perf-reader.ts'
import { RingReader } from './ring.ts'
import { compiler, fromC } from './testing/c-object.ts'
import { keeper } from './testing/keeper.ts'

const ready = process.platform === 'linux' && compiler && has(features.rawTracepoint)
const record = struct({ index: u64, kind: u32, pad: u32 })

describe.runIf(ready)('perf buffers (features: clang, raw tracepoints)', () => {
  const keep = keeper()
  const load = () => keep(Collection.load(fromC(`
    struct record { unsigned long long index; unsigned kind, pad; };
    struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } events SEC(".maps");
    long sent, failed;
    SEC("raw_tp/sys_enter") int send(void *ctx) {
      struct record record = { .index = sent++, .kind = 7 };
      if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &record, sizeof(record))) failed++;
      return 0;
    }`)).requireAll())
  const context = new Uint8Array(16)

  test('every record comes once and in order, over many turns of a small buffer', () => {
    const object = load()
    const reader = keep(PerfReader.open(object.map('events'), { pages: 1 }))
    const program = object.programs.get('send')!
    const seen: number[] = []
    for (let round = 0; round < 60; round++) {
      for (let index = 0; index < 20; index++) program.testRun({ context, cpu: 0 })
      reader.drain((view, offset, length, cpu) => {
        seen.push(view.u32[offset >> 2]!)
        expect(length).toBeGreaterThanOrEqual(16)
        expect([view.u32[(offset >> 2) + 2], cpu]).toEqual([7, 0])
      })
    }
    expect(seen).toEqual(Array.from({ length: 1200 }, (_, index) => index))
    expect([reader.lost, object.variable('failed').get()]).toEqual([0, 0])
  })

  test('what found no room is counted', () => {
    const object = load()
    const reader = keep(PerfReader.open(object.map('events'), { pages: 1 }))
    const program = object.programs.get('send')!
    for (let index = 0; index < 500; index++) program.testRun({ context, cpu: 0 })
    let got = reader.drain(() => {})
    expect(got).toBeLessThan(500)
    program.testRun({ context, cpu: 0 })
    got += reader.drain(() => {})
    expect(got + reader.lost).toBe(501)
    expect(object.variable('failed').get()).toBe(reader.lost)
  })

  test('as an async iterable, and by a handler that is woken', async () => {
    const object = load()
    const program = object.programs.get('send')!
    const reader = keep(PerfReader.open(object.map('events'), { flushMs: 1 }))
    const run = (count: number) => { for (let index = 0; index < count; index++) program.testRun({ context, cpu: 0 }) }
    run(10)
    const seen: number[] = []
    for await (const { value } of reader.records(record)) {
      seen.push(value.index)
      if (seen.length === 5) run(5)
      if (seen.length === 15) break
    }
    expect(seen).toEqual(Array.from({ length: 15 }, (_, index) => index))
    let count = 0
    await new Promise<void>((resolve) => {
      reader.start(() => { if (++count === 100) resolve() })
      expect(() => reader.start(() => {})).toThrow('already being read')
      run(100)
    })
    reader.stop()
    reader.close()
    expect(() => reader.drain(() => {})).toThrow('is closed')
  })

  test.runIf(has(features.ringBuffer))('several rings as one stream of decoded records, read no faster than the loop asks (feature: ring buffers)', async () => {
    const object = keep(Collection.load(fromC(`
      struct record { unsigned long long index; unsigned kind, pad; };
      struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } one SEC(".maps"), two SEC(".maps");
      long sent, lost;
      SEC("raw_tp/sys_enter") int send(void *ctx) {
        struct record record = { .index = sent, .kind = sent & 1 };
        if (bpf_ringbuf_output(sent & 1 ? (void *)&two : (void *)&one, &record, sizeof(record), 0)) lost++;
        sent++;
        return 0;
      }`)).requireAll())
    const program = object.programs.get('send')!
    const reader = keep(RingReader.open([object.map('one'), object.map('two')], { flushMs: 1 }))
    for (let index = 0; index < 400; index++) program.testRun({ context })
    const lost = object.variable('lost').get()
    expect(lost).toBeGreaterThan(0)
    const seen = [[], []] as number[][]
    for await (const { value, ring } of reader.records(record)) {
      expect(value.kind).toBe(ring)
      seen[ring]!.push(value.index)
      if (seen[0]!.length + seen[1]!.length === 400 - lost) break
    }
    for (const one of seen) expect(one).toEqual(one.toSorted((a, b) => a - b))
  })
})
