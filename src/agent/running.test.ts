import { describe, expect, test } from 'vitest'
import { RunningTime, runningTimes } from './running.ts'

const m = (entries: Record<string, number>) => new Map(Object.entries(entries))

describe('RunningTime', () => {
  test('a task that never leaves its CPU is seen in every tick', () => {
    const time = new RunningTime()
    expect(time.settle(m({}), m({ a: 900 }))).toEqual(m({ a: 900 }))
    expect(time.settle(m({}), m({ a: 1900 }))).toEqual(m({ a: 1000 }))
    // It leaves after 2500 in all, and another begins.
    expect(time.settle(m({ a: 2500 }), m({ b: 400 }))).toEqual(m({ a: 600, b: 400 }))
    expect(time.settle(m({ b: 500 }), m({}))).toEqual(m({ b: 100 }))
  })

  test('never negative: a counter read late is made good in the next tick', () => {
    const time = new RunningTime()
    // The task ran 500 and left between the two readings: neither shows it.
    expect(time.settle(m({ a: 100 }), m({ a: 700 }))).toEqual(m({ a: 800 }))
    expect(time.settle(m({}), m({}))).toEqual(m({}))
    expect(time.settle(m({ a: 1000 }), m({}))).toEqual(m({ a: 300 }))
  })

  test('whatever the interleaving, the sum is the CPU time (300 random runs)', () => {
    let seed = 1
    const next = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32
    for (let run = 0; run < 300; run++) {
      const time = new RunningTime()
      let clock = 0
      let since = 0
      let counter = 0
      let readCounter = 0
      let reported = 0
      for (let step = 0; step < 50; step++) {
        clock += Math.floor(next() * 1000)
        if (next() < 0.5) { counter += clock - since; since = clock }
        const gained = counter - readCounter
        readCounter = counter
        if (next() < 0.3) { clock += 5; counter += clock - since; since = clock }
        const ns = time.settle(m({ a: gained }), m({ a: clock - since })).get('a') ?? 0
        expect(ns).toBeGreaterThanOrEqual(0)
        reported += ns
      }
      counter += clock - since
      reported += time.settle(m({ a: counter - readCounter }), m({})).get('a') ?? 0
      expect(reported).toBe(clock)
    }
  })
})

test('what came to its CPU after the clock was asked has not run yet, and the idle task never does', () => {
  const entries = [
    { since: 400, pid: 7, workload: 'a' }, { since: 900, pid: 8, workload: 'a' }, { since: 300, pid: 0, workload: 'idle' },
    { since: 0, pid: 9, workload: 'never switched' }, { since: 1050, pid: 10, workload: 'came meanwhile' },
  ]
  expect(runningTimes(1000, entries, (key) => key)).toEqual(new Map([['a', { key: 'a', ns: 700 }]]))
})
