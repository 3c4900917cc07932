import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { errnoName } from './errno.ts'

test('agrees with the errno values of this machine', () => {
  const aliases: Record<string, string> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP', EDEADLOCK: 'EDEADLK' }
  const all = Object.entries(constants.errno)
  expect(all.length).toBeGreaterThan(70)
  for (const [name, value] of all) expect(errnoName(value)).toBe(aliases[name] ?? name)
})

test('ends at EHWPOISON (133), knows what only tracers see, numbers the rest', () => {
  expect(errnoName(133)).toBe('EHWPOISON')
  expect(errnoName(117)).toBe('EUCLEAN')
  expect(errnoName(512)).toBe('ERESTARTSYS')
  expect(errnoName(41)).toBe('errno 41')
  expect(errnoName(4000)).toBe('errno 4000')
})
