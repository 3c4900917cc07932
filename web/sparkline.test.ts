import { describe, expect, it } from 'vitest'
import { trace } from './sparkline.tsx'
import { tick } from './tick.test-support.ts'
import { pointOfHistory, type Point } from './timeline.ts'

const point = (sequence: number, busyCores: number, run = 1): Point =>
  pointOfHistory(run, tick(sequence, { busyCores }))
const busy = (one: Point) => one.busyCores

describe('trace', () => {
  it('draws from zero to the peak, the newest at the right', () => {
    expect(trace([point(1, 0), point(2, 4)], 1000, busy, 0))
      .toEqual({ line: 'M299 29.0L300 2.0', area: 'M299 30L299 29.0L300 2.0L300 30Z', peak: 4 })
    expect(trace([point(1, 1), point(2, 2)], 1000, busy, 4).line).toBe('M299 22.3L300 15.5')
  })

  it('breaks where ticks are missing, unknown, or of another run', () => {
    expect(trace([point(1, 1), point(3, 1), point(4, 1)], 1000, busy, 0).line).toBe('M297 2.0h0.01M299 2.0L300 2.0')
    expect(trace([point(1, 1), point(2, 1)], 1000, ({ sequence }) => sequence === 1 ? null : 5, 0))
      .toMatchObject({ line: 'M300 2.0h0.01', area: '', peak: 5 })
    expect(trace([point(1, 1), point(2, 1, 2)], 1000, busy, 0).line).toBe('M298 2.0h0.01M300 2.0h0.01')
  })

  it('has nothing to draw without points', () => {
    expect(trace([], 1000, busy, 0)).toEqual({ line: '', area: '', peak: null })
  })
})
