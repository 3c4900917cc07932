import { expect, test } from 'vitest'
import { formatAddress, isHostAllowed, parseListen } from './address.ts'

test.each([
  ['7070', '127.0.0.1', 7070], [':80', '127.0.0.1', 80], ['0.0.0.0:1', '0.0.0.0', 1], ['[::1]:7071', '::1', 7071],
  ['localhost:0', 'localhost', 0], ['web-1.example.org:65535', 'web-1.example.org', 65535],
])('parseListen %s', (text, host, port) => expect(parseListen(text)).toEqual({ host, port }))

test.each(['', 'x', '65536', '127.0.0.1', '::1:80', '[::1]', '[127.0.0.1]:80', 'a b:80', '-1', '80x', 'http://a:80'])(
  'parseListen refuses %j', (text) => expect(parseListen(text)).toBe(null))

test('formatAddress', () => {
  expect(formatAddress({ host: '::1', port: 80 })).toBe('[::1]:80')
  expect(formatAddress({ host: '127.0.0.1', port: 80 })).toBe('127.0.0.1:80')
})

test.each<[string | undefined, string, boolean]>([
  ['127.0.0.1:7070', '127.0.0.1', true], ['localhost:8080', '127.0.0.1', true], ['LOCALHOST', '127.0.0.1', true],
  ['[::1]:7070', '127.0.0.1', true], ['127.9.9.9', '127.0.0.1', true],
  ['10.0.0.5:7070', '10.0.0.5', true], ['10.0.0.6:7070', '10.0.0.5', false], ['10.0.0.6:7070', '0.0.0.0', true],
  ['[fd00::1]', '::', true], ['box:7070', '0.0.0.0', true], ['evil.example:7070', '0.0.0.0', false],
  ['evil.example:7070', '127.0.0.1', false], ['127.0.0.1.evil.example', '127.0.0.1', false], ['localhost.evil.example', '127.0.0.1', false],
  [undefined, '127.0.0.1', false], ['', '127.0.0.1', false], ['user@127.0.0.1', '127.0.0.1', false], ['127.0.0.1:7070/x', '127.0.0.1', false],
])('Host %s while listening on %s: %s', (header, listen, allowed) => expect(isHostAllowed(header, listen, 'box')).toBe(allowed))
