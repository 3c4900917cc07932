import type { Scheme } from './theme.ts'

/** Steps of the scale of counts. */
export const levels = 48

type Stop = readonly [lightness: number, chroma: number, hue: number]

/**
 * Honey: from near the page's own ground to what stands out most from it. Even steps of lightness in OKLCH, which the eye
 * takes for even steps, so the scale reads without colour, too.
 */
const ends: Record<Scheme, readonly [Stop, Stop, Stop]> = {
  light: [[0.93, 0.055, 92], [0.7, 0.155, 65], [0.33, 0.1, 35]],
  dark: [[0.31, 0.05, 55], [0.64, 0.15, 62], [0.95, 0.11, 98]],
}

/** CSS colours from the least to the most. */
export function ramp(scheme: Scheme): string[] {
  const [from, middle, to] = ends[scheme]
  return Array.from({ length: levels }, (_, index) => {
    const part = index / (levels - 1)
    // Lightness runs straight from end to end; hue and chroma bend at the middle.
    const [a, b, share] = part < 0.5 ? [from, middle, part * 2] : [middle, to, part * 2 - 1]
    const lightness = from[0] + (to[0] - from[0]) * part
    const mix = (which: 1 | 2) => a[which] + (b[which] - a[which]) * share
    return `oklch(${lightness.toFixed(3)} ${mix(1).toFixed(3)} ${mix(2).toFixed(1)})`
  })
}

/** The step of a count on a logarithmic scale that ends at `top`. */
export function level(count: number, top: number): number {
  if (top <= 1) return levels - 1
  const share = Math.log(Math.max(1, count)) / Math.log(top)
  return Math.min(levels - 1, Math.round(share * (levels - 1)))
}

/** The end of the scale for a greatest count: 10, 20, 50, 100 …, so that colours seldom change their meaning. */
export function scaleTop(greatest: number): number {
  let step = 10
  while (step < greatest) {
    for (const factor of [2, 5, 10]) if (step * factor >= greatest) return step * factor
    step *= 10
  }
  return step
}
