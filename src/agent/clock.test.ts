import { expect, test } from 'vitest'
import { promptly } from './clock.ts'

/** A reader that takes so long each time, and its clock. */
function reader(...took: number[]) {
  let clock = 100
  let reads = 0
  return { read: () => { clock += took[reads]!; return ++reads }, now: () => clock }
}

test('what was read promptly is taken, with the time before it', () => {
  const { read, now } = reader(1)
  expect(promptly(read, 2, now)).toEqual({ value: 1, at: 100 })
})
test('whoever lost the CPU meanwhile reads again', () => {
  const { read, now } = reader(90, 30, 2)
  expect(promptly(read, 2, now)).toEqual({ value: 3, at: 220 })
})
test('three times at most', () => {
  const { read, now } = reader(90, 30, 40, 0)
  expect(promptly(read, 2, now)).toEqual({ value: 3, at: 220 })
})
