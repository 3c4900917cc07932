import { describe, expect, it } from 'vitest'
import { tick } from './tick.test-support.ts'
import { append, columns, fill, limit, missingBefore, pointOfHistory, type Point } from './timeline.ts'

const live = (sequence: number, run = 1): Point => ({ ...pointOfHistory(run, tick(sequence)), starts: 7 })
const sequences = (points: readonly Point[]) => points.map(({ sequence }) => sequence)

describe('append', () => {
  it('adds what is newer, leaves out what is there, and stays bounded', () => {
    const points = append(append([], live(1)), live(2))
    expect(sequences(points)).toEqual([1, 2])
    expect(append(points, live(2))).toBe(points)
    expect(append(points, live(1))).toBe(points)
    let many: readonly Point[] = []
    for (let sequence = 1; sequence <= limit + 5; sequence++) many = append(many, live(sequence))
    expect(many.length).toBe(limit)
    expect(many.at(-1)!.sequence).toBe(limit + 5)
  })

  it('takes the first tick of an agent that was started again', () => {
    expect(append([live(90)], live(1, 2)).map(({ run, sequence }) => [run, sequence])).toEqual([[1, 90], [2, 1]])
  })
})

describe('fill', () => {
  it('puts the history before what came live', () => {
    const points = fill([live(4)], 1, [1, 2, 3, 4].map((sequence) => tick(sequence)))
    expect(sequences(points)).toEqual([1, 2, 3, 4])
    expect(points.map(({ starts }) => starts)).toEqual([0, 0, 0, 7])
  })

  it('fills a gap, and keeps the fuller points', () => {
    const points = fill([live(1), live(2), live(6)], 1, [2, 3, 4, 5, 6].map((sequence) => tick(sequence)))
    expect(sequences(points)).toEqual([1, 2, 3, 4, 5, 6])
    expect(points.map(({ starts }) => starts)).toEqual([7, 7, 0, 0, 0, 7])
    expect(fill(points, 1, [tick(5), tick(6)])).toBe(points)
  })

  it('keeps the points of the run before', () => {
    const points = fill([live(50), live(3, 2)], 2, [tick(1), tick(2), tick(3)])
    expect(points.map(({ run, sequence }) => `${run}:${sequence}`)).toEqual(['1:50', '2:1', '2:2', '2:3'])
  })

  it('stays bounded', () => {
    const points = fill([live(limit + 100)], 1, Array.from({ length: limit + 99 }, (_, index) => tick(index + 1)))
    expect(points.length).toBe(limit)
    expect(points.at(-1)!.starts).toBe(7)
  })
})

describe('missingBefore', () => {
  it('counts ticks of the same run only', () => {
    const before = [[], [live(4)], [live(2)]].map((points) => missingBefore(points, live(5)))
    expect([...before, missingBefore([live(2)], live(5, 2))]).toEqual([0, 0, 2, 0])
  })
})

describe('columns', () => {
  it('gives each tick one column, and missing ones their room', () => {
    expect(columns([live(1), live(2), live(5)], 1000)).toEqual([-4, -3, 0])
  })

  it('goes by time where a tick took long or the agent was away', () => {
    const slow = [live(1), { ...live(2), at: 4100 }, { ...live(3), at: 5080 }]
    expect(columns(slow, 1000)).toEqual([-4, -1, 0])
    const again = [live(9), { ...live(1, 2), at: 29_000 }]
    expect(columns(again, 1000)).toEqual([-20, 0])
    expect(columns([live(9), { ...live(1, 2), at: 9100 }], 1000)).toEqual([-2, 0])
  })

  it('never goes back when the clock does', () => {
    expect(columns([live(1), { ...live(2), at: -60_000 }], 1000)).toEqual([-1, 0])
    expect(columns([], 1000)).toEqual([])
  })
})
