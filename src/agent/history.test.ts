import { expect, test } from 'vitest'
import { emptySnapshot } from './empty.ts'
import { HistoryRing } from './history.ts'
import { BoundedQueue } from './queue.ts'

test('the history keeps the newest ticks, oldest first', () => {
  const ring = new HistoryRing(3)
  for (let sequence = 1; sequence <= 5; sequence++) {
    const snapshot = emptySnapshot()
    snapshot.sequence = sequence
    snapshot.totals.cpu.busyCores = sequence / 2
    ring.add(snapshot)
  }
  expect(ring.list().map((tick) => [tick.sequence, tick.busyCores])).toEqual([[3, 1.5], [4, 2], [5, 2.5]])
  expect(() => new HistoryRing(0)).toThrow(/positive integer/)
})

test('the queue keeps the newest and counts the dropped', () => {
  const queue = new BoundedQueue<number>(3)
  for (let item = 1; item <= 5; item++) queue.push(item)
  expect([queue.size, queue.dropped, queue.take(), queue.size]).toEqual([3, 2, [3, 4, 5], 0])
  queue.push(6)
  expect([queue.take(), queue.dropped]).toEqual([[6], 2])
})
