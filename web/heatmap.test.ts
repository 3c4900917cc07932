import { describe, expect, it } from 'vitest'
import { cellAt, grid, rows, timeMarks, valueMarks } from './heatmap-grid.ts'
import { extent, lower, merged, percentile } from './histogram.ts'
import { level, levels, ramp, scaleTop } from './palette.ts'
import { tick } from './tick.test-support.ts'
import { pointOfHistory } from './timeline.ts'

const point = (sequence: number, buckets: number[], at = sequence * 1000) =>
  pointOfHistory(1, tick(sequence, { at, buckets }))
const bucket = (index: number, count: number) => [...new Array<number>(index).fill(0), count]

describe('grid', () => {
  it('puts the newest tick at the right, and leaves out what is too old', () => {
    const shown = grid([1, 2, 3, 4].map((sequence) => point(sequence, bucket(12, sequence))), 1000, 3)
    expect(shown.columns.map(({ x, width, point: { sequence } }) => [x, width, sequence]))
      .toEqual([[0, 1, 2], [1, 1, 3], [2, 1, 4]])
    expect(shown.greatest).toBe(4)
  })

  it('gives a long tick its length, and a gap none', () => {
    const shown = grid([point(1, [1]), point(2, [1], 4000), point(5, [1], 7000)], 1000, 10)
    expect(shown.columns.map(({ x, width }) => [x, width])).toEqual([[3, 1], [4, 3], [9, 1]])
  })

  it('shows the usual buckets, and more when more is counted', () => {
    const few = grid([point(1, bucket(12, 1))], 1000, 10)
    expect([few.first, few.last, rows(few)]).toEqual([10, 25, 16])
    const more = grid([point(1, bucket(4, 1)), point(2, bucket(31, 1))], 1000, 10)
    expect([more.first, more.last]).toEqual([4, 31])
    const none = grid([], 1000, 10)
    expect([none.columns.length, none.greatest, none.first, none.last]).toEqual([0, 0, 10, 25])
  })

  it('finds the cell at a place', () => {
    const shown = grid([point(1, bucket(12, 5)), point(2, bucket(13, 6))], 1000, 4)
    expect(cellAt(shown, 3, 0)).toMatchObject({ bucket: 25, column: { point: { sequence: 2 } } })
    expect(cellAt(shown, 2.4, 15.9)).toMatchObject({ bucket: 10, column: { point: { sequence: 1 } } })
    expect([cellAt(shown, 1, 3), cellAt(shown, 3, 16), cellAt(shown, 3, -1)]).toEqual([null, null, null])
  })

  it('marks round values and times', () => {
    const shown = grid([point(58, [1]), point(59, [1]), point(60, [1])], 1000, 60)
    expect(valueMarks(shown).map(({ ns }) => ns)).toEqual([1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7])
    expect(valueMarks({ ...shown, first: 10 }).map(({ ns }) => ns)).toEqual([1e4, 1e5, 1e6, 1e7])
    expect(timeMarks(shown, 1000, 20)).toEqual([{ at: 0, x: 0 }, { at: 30_000, x: 30 }, { at: 60_000, x: 60 }])
    expect(timeMarks(grid([], 1000, 60), 1000, 20)).toEqual([])
  })
})

describe('histogram', () => {
  it('interpolates percentiles inside a bucket, as the agent does', () => {
    expect(percentile([], 0.5)).toBeNull()
    expect(percentile([0, 0, 0], 0.5)).toBeNull()
    expect(percentile(bucket(10, 4), 0.5)).toBe(1536)
    expect(percentile([1, 0, 0, 1], 0.99)).toBeCloseTo(8 + 8 * 0.98)
    expect(percentile([4], 0.5)).toBe(1)
  })

  it('adds up, and knows its bounds', () => {
    expect(merged([[1, 2], [], [0, 0, 3]])).toEqual([1, 2, 3])
    expect([lower(0), lower(1), lower(10)]).toEqual([0, 2, 1024])
    expect(extent([[0, 0, 1], [0, 0, 0, 0, 2, 0]])).toEqual({ first: 2, last: 4 })
    expect(extent([[], [0]])).toBeNull()
  })
})

describe('palette', () => {
  it('goes up in even steps of lightness', () => {
    for (const scheme of ['light', 'dark'] as const) {
      const lightness = ramp(scheme).map((colour) => Number(/oklch\(([\d.]+)/.exec(colour)![1]))
      expect(lightness.length).toBe(levels)
      const steps = lightness.slice(1).map((here, index) => here - lightness[index]!)
      const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length
      for (const step of steps) expect(Math.abs(step - mean)).toBeLessThan(0.002)
    }
  })

  it('is logarithmic and ends at a round count', () => {
    expect([0, 1, 7, 10, 11, 20, 21, 99, 101, 4999, 5001].map(scaleTop))
      .toEqual([10, 10, 10, 10, 20, 20, 50, 100, 200, 5000, 10_000])
    expect([level(1, 100), level(10, 100), level(100, 100), level(1, 1)]).toEqual([0, 24, levels - 1, levels - 1])
  })
})
