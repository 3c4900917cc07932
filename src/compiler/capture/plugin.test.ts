import { expect, test } from 'vitest'
import { recordOf } from './kernel-function.ts'

const step = 2

function add(a: number, b: number): number {
  'use bpf'
  return a + b * step
}

test('vitest itself captures kernel functions', () => {
  expect(add(1, 2)).toBe(5)
  const record = recordOf(add)!
  expect(record).toMatchObject({ v: 1, name: 'add', file: 'src/compiler/capture/plugin.test.ts', line: 6, column: 1 })
  expect(record.captures['step']!()).toBe(2)
  expect(record.ast.type).toBe('FunctionDeclaration')
})
