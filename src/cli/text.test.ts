import { expect, test } from 'vitest'
import { cut, left, plain, right, width } from './text.ts'

test('escape sequences, overrides and line breaks do not reach the terminal', () => {
  expect(plain('a\x1b[2Jb\nc\u202ed\u2028\x9b')).toBe('a?[2Jb?c?d??')
  expect(plain('nginx.service – ünï 日本')).toBe('nginx.service – ünï 日本')
})
test('width counts columns', () => {
  expect([width('abc'), width('日本'), width('e\u0301'), width('ü…')]).toEqual([3, 4, 1, 2])
})
test('cut never exceeds the columns, also not in the middle of a wide character', () => {
  expect([cut('abcdef', 4), cut('abc', 3), cut('日本語', 4), cut('日本', 4), cut('abc', 0)]).toEqual(['abc…', 'abc', '日…', '日本', ''])
})
test('left and right pad to exact widths', () => {
  expect([left('ab', 4), right('ab', 4), left('日', 3), right('abcdef', 3)]).toEqual(['ab  ', '  ab', '日 ', 'ab…'])
})
