import { describe, expect, it } from 'vitest'
import { add, empty, limit, newest } from './journal.ts'

const all = () => true

describe('journal', () => {
  it('lists the newest first, with ids that last', () => {
    const one = add(empty<string>(), ['a', 'b'])
    const two = add(one, ['c'])
    expect(newest(two, all, 10).map(({ id, event }) => [id, event])).toEqual([[3, 'c'], [2, 'b'], [1, 'a']])
    expect(newest(one, all, 10).map(({ event }) => event)).toEqual(['b', 'a'])
    expect(newest(two, all, 2).length).toBe(2)
    expect(add(two, [])).toBe(two)
  })

  it('is bounded, and counts what it forgot', () => {
    let journal = empty<number>()
    for (let tick = 0; tick < 5; tick++) {
      journal = add(journal, Array.from({ length: limit - 1 }, (_, index) => tick * limit + index))
    }
    expect(journal.entries.length).toBe(limit)
    expect(journal.received).toBe(5 * (limit - 1))
    expect(add(empty<number>(), new Array<number>(3 * limit).fill(1)).entries.length).toBe(limit)
  })

  it('marks where events are missing, between others only', () => {
    expect(add(empty<string>(), ['a'], '3 ticks').entries.length).toBe(1)
    const journal = add(add(empty<string>(), ['a', 'x']), ['b'], '3 ticks')
    expect(newest(journal, all, 10).map(({ event, gap }) => event ?? gap)).toEqual(['b', '3 ticks', 'x', 'a'])
    expect(newest(journal, (event) => event === 'a', 10).map(({ event, gap }) => event ?? gap)).toEqual(['a'])
    expect(newest(journal, (event) => event !== 'x', 10).map(({ event, gap }) => event ?? gap)).toEqual(['b', '3 ticks', 'a'])
  })
})
