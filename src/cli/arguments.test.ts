import { describe, expect, test } from 'vitest'
import { nearest, parseArguments, parseCount, parseDuration, type CommandSpec } from './arguments.ts'

const command: CommandSpec = {
  name: 'x', summary: '', positional: '<file.ts>', arity: [0, 1],
  options: [{ name: 'listen', value: 'ADDR', help: '' }, { name: 'json', help: '' }, { name: 'output', short: 'o', value: 'FILE', help: '' }],
}
const parse = (...args: string[]) => parseArguments(command, args)

describe('parseArguments', () => {
  test('flags, values in both forms, short options, positionals', () => {
    const { flags, values, positional } = parse('--json', '--listen=:80', '-o', 'out', 'a.ts')
    expect([...flags]).toEqual(['json'])
    expect([...values]).toEqual([['listen', ':80'], ['output', 'out']])
    expect(positional).toEqual(['a.ts'])
  })
  test('after -- nothing is an option, and - alone is none', () => {
    expect(parse('--', '--json').positional).toEqual(['--json'])
    expect(parse('-').positional).toEqual(['-'])
  })
  test.each<[string[], string]>([
    [['--lisen', '1'], 'unknown option --lisen; did you mean --listen?'],
    [['--verbose'], 'unknown option --verbose'],
    [['-x'], 'unknown option -x'],
    [['--json=yes'], '--json takes no value'],
    [['--listen'], '--listen needs a value: --listen ADDR'],
    [['--listen='], '--listen needs a value: --listen ADDR'],
    [['--listen', '1', '--listen', '2'], '--listen is given twice'],
    [['a', 'b'], "unexpected argument 'b'"],
  ])('%j is refused', (args, message) => expect(() => parse(...args)).toThrow(message))
  test('a missing argument is named', () => {
    expect(() => parseArguments({ ...command, arity: [1, 1] }, [])).toThrow('<file.ts> is missing')
  })
})

test('nearest suggests slips only', () => {
  expect(nearest('lsit', ['list', 'run', 'types'])).toBe('list')
  expect(nearest('frobnicate', ['list', 'run', 'types'])).toBe(null)
})

test('durations', () => {
  expect(['1', '0.5', '250ms', '2m', '1h', '3s'].map((text) => parseDuration('--interval', text, 100))).toEqual([1000, 500, 250, 120_000, 3_600_000, 3000])
  for (const wrong of ['', '0', '-1', '1d', 'x', '99ms', '1e3']) expect(() => parseDuration('--interval', wrong, 100)).toThrow(/--interval: '.*' is no duration/)
})

test('counts', () => {
  expect(parseCount('--count', '12')).toBe(12)
  for (const wrong of ['0', '-1', '1.5', 'x', '99999999999999999999']) expect(() => parseCount('--count', wrong)).toThrow('--count')
})
