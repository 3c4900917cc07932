import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { nextDue, Ticker } from './ticker.ts'

test('nextDue keeps the grid, skips what is missed', () => {
  expect(nextDue(1000, 1000, 1000)).toBe(2000)
  expect(nextDue(1000, 1000, 1015)).toBe(2000)
  expect(nextDue(1000, 1000, 3400)).toBe(4000)
  expect(nextDue(1000, 1000, 990)).toBe(2000)
})

describe('Ticker', () => {
  beforeEach(() => { vi.useFakeTimers() })
  afterEach(() => { vi.useRealTimers() })

  test('ticks soon, then on the grid, though each tick takes its time', () => {
    const times: number[] = []
    const ticker = new Ticker(1000, () => {
      times.push(Date.now())
      vi.setSystemTime(Date.now() + 30)
    }, () => Date.now())
    const start = Date.now()
    ticker.start(250)
    for (let step = 0; step < 400; step++) vi.advanceTimersByTime(10)
    ticker.stop()
    const offsets = times.map((time) => time - start)
    expect(offsets.length).toBeGreaterThanOrEqual(4)
    for (const [index, offset] of offsets.entries()) {
      expect(offset).toBeGreaterThanOrEqual(250 + index * 1000)
      expect(offset).toBeLessThan(250 + index * 1000 + 60)
    }
    const before = times.length
    vi.advanceTimersByTime(5000)
    expect(times.length).toBe(before)
  })
})
