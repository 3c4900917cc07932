import { readFileSync } from 'node:fs'
import { isValidElement, type ComponentChildren } from 'preact'
import { expect, test } from 'vitest'
import { RecordingBanner } from './recording.tsx'

function words(node: ComponentChildren): string {
  if (Array.isArray(node)) return node.map(words).join('')
  if (isValidElement(node)) return words((node.props as { children?: ComponentChildren }).children)
  return typeof node === 'string' || typeof node === 'number' ? String(node) : ''
}

test('the page says plainly that it shows a recording, and nothing of the kind when it does not', () => {
  const said = words(RecordingBanner({ recording: { at: Date.UTC(2026, 10, 25), seconds: 21.9, round: 3, redacted: true } }))
  expect(said).toMatch(/^This is a recording, not this machine: 22 s of 2026-11-25, shown as if it happened now and repeated \(round 3\)\. Names/)
  expect(RecordingBanner({ recording: null })).toBe(null)
})

type Colour = readonly [number, number, number, number]

test.each([['light', 0], ['dark', 1]] as const)('its text has the contrast of WCAG AA in the %s scheme', (_scheme, index) => {
  const sheet = readFileSync(new URL('style.css', import.meta.url), 'utf8')
  const colour = (name: string): Colour => {
    const text = new RegExp(`--${name}: light-dark\\((#[0-9a-f]+), *(#[0-9a-f]+)\\)`).exec(sheet)![index + 1]!.slice(1)
    const part = (at: number) => parseInt(text.slice(at, at + 2), 16)
    return [part(0), part(2), part(4), text.length > 6 ? part(6) / 255 : 1]
  }
  const luminance = (one: readonly number[]) => {
    const [r, g, b] = one.slice(0, 3).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4)) as [number, number, number]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [wash, under] = [colour('honey-wash'), colour('ground')]
  const back = [0, 1, 2].map((at) => wash[at]! * wash[3] + under[at]! * (1 - wash[3]))
  const [a, b] = [luminance(colour('text')), luminance(back)]
  expect((Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)).toBeGreaterThan(4.5)
})
