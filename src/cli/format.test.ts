import { expect, test } from 'vitest'
import { age, amount, byteCount, nanoseconds, percentOfCpu } from './format.ts'

test('nanoseconds', () => {
  expect([0, 850, 999, 999.6, 12_345, 999_800, 4_560_000, 7.89e9, 125e9, null].map(nanoseconds))
    .toEqual(['0ns', '850ns', '999ns', '1.00µs', '12.3µs', '1.00ms', '4.56ms', '7.89s', '2m5s', '-'])
})
test('bytes', () => {
  expect([0, 512, 1023, 1536, 3 * 2 ** 20, 2 ** 30, 5 * 2 ** 40, null].map(byteCount)).toEqual(['0B', '512B', '1023B', '1.50K', '3.00M', '1.00G', '5.00T', '-'])
})
test('amounts', () => {
  expect([0, 0.5, 3, 9.4, 12.3, 999, 999.7, 1234, 4.56e6, 1e9, null].map(amount)).toEqual(['0', '0.5', '3', '9.4', '12', '999', '1.00k', '1.23k', '4.56M', '1.00G', '-'])
})
test('cores', () => {
  expect([0, 0.0004, 0.003, 0.12, 1.874, null].map(percentOfCpu)).toEqual(['0%', '0.04%', '0.3%', '12%', '187%', '-'])
})
test('ages', () => expect([0, 59.9, 185, 8040, 442_800].map(age)).toEqual(['0s', '59s', '3m05s', '2h14m', '5d03h']))
