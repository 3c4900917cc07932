import { expect, test } from 'vitest'
import { errnoName } from './errno.ts'

test('knows what user space sees and what only tracers see', () => {
  expect([2, 11, 110, 512, 516, 4000].map(errnoName)).toEqual(['ENOENT', 'EAGAIN', 'ETIMEDOUT', 'ERESTARTSYS', 'ERESTART_RESTARTBLOCK', 'E4000'])
})
