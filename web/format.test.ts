import { describe, expect, it } from 'vitest'
import {
  age, amount, bytes, clock, cores, count, duration, durationParts, endpoint, percent, roundDuration, signalName,
} from './format.ts'

const plain = (text: string) => text.replaceAll('\u202f', ' ')

describe('format', () => {
  it('shows durations with three significant digits', () => {
    const cases: [number | null, string][] = [
      [null, '–'], [0, '0 ns'], [1, '1 ns'], [850.4, '850 ns'], [999.4, '999 ns'], [999.5, '1.00 µs'], [12_345, '12.3 µs'],
      [999_499, '999 µs'], [999_500, '1.00 ms'], [4_560_000, '4.56 ms'], [123_456_789, '123 ms'], [7.89e9, '7.89 s'],
      [59.9e9, '59.9 s'], [60e9, '1m00s'], [125e9, '2m05s'], [8040e9, '2h14m'],
    ]
    for (const [value, text] of cases) expect(plain(duration(value))).toBe(text)
  })

  it('shows round durations as on an axis', () => {
    expect([1, 10, 1e3, 1e4, 1e6, 1e9, 1.5e6].map((ns) => plain(roundDuration(ns))))
      .toEqual(['1 ns', '10 ns', '1 µs', '10 µs', '1 ms', '1 s', '1.50 ms'])
  })

  it('shows bytes in powers of 1024', () => {
    const cases: [number | null, string][] = [
      [null, '–'], [0, '0 B'], [512, '512 B'], [1023.4, '1023 B'], [1024, '1.00 KiB'], [1536, '1.50 KiB'],
      [3 * 2 ** 20, '3.00 MiB'], [1023.9 * 1024, '1.00 MiB'], [12.34 * 2 ** 30, '12.3 GiB'], [5 * 2 ** 40, '5.00 TiB'],
    ]
    for (const [value, text] of cases) expect(plain(bytes(value))).toBe(text)
  })

  it('shows amounts, and something never as nothing', () => {
    const cases: [number | null, string][] = [
      [null, '–'], [0, '0'], [0.01, '<0.1'], [0.5, '0.5'], [1, '1'], [9.94, '9.9'], [9.96, '10'], [12, '12'], [999.4, '999'],
      [999.5, '1.00 k'], [1234, '1.23 k'], [4.56e6, '4.56 M'], [7e9, '7.00 G'],
    ]
    for (const [value, text] of cases) expect(plain(amount(value))).toBe(text)
  })

  it('shows cores, and per cent of one', () => {
    expect([null, 0, 0.0000001, 0.0004, 0.003, 0.094, 0.12, 1.87].map((value) => plain(percent(value))))
      .toEqual(['–', '0 %', '<0.01 %', '0.04 %', '0.3 %', '9.4 %', '12 %', '187 %'])
    expect([null, 0, 0.042, 1.834, 12.51].map(cores)).toEqual(['–', '0', '0.04', '1.83', '12.5'])
  })

  it('shows exact counts, ages and times of day', () => {
    expect([0, 999, 1000, 1_234_567].map((value) => plain(count(value)))).toEqual(['0', '999', '1 000', '1 234 567'])
    expect([-1, 12, 185, 8040, 442_800].map(age)).toEqual(['0s', '12s', '3m05s', '2h14m', '5d03h'])
    expect(clock(new Date(2026, 0, 2, 3, 4, 5).getTime())).toBe('03:04:05')
  })

  it('keeps figure and unit apart, names signals and writes addresses', () => {
    expect(durationParts(12_345)).toEqual({ figure: '12.3', unit: 'µs' })
    expect([signalName(9), signalName(35)]).toEqual(['SIGKILL', 'signal 35'])
    expect([endpoint(4, '10.0.0.1', 443), endpoint(6, '2001:db8::1', 443)]).toEqual(['10.0.0.1:443', '[2001:db8::1]:443'])
  })
})
