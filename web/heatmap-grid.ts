import { extent } from './histogram.ts'
import { columns, type Point } from './timeline.ts'

/** Always shown, so that the axis stays: 1 µs to 67 ms. More when more is counted. */
const usual = { first: 10, last: 25 }
/** No wider than this, however long a tick took. */
const widest = 20

export interface GridColumn {
  /** First of the columns that the tick takes, from 0 at the left, and how many. */
  x: number
  width: number
  point: Point
}

/** The heat map as counts on a grid, before it has a size in pixels. */
export interface Grid {
  columns: GridColumn[]
  /** Columns in all, those without a tick included. */
  width: number
  /** Buckets shown, the first at the bottom. */
  first: number
  last: number
  greatest: number
}

/** The newest `width` intervals of the points, the newest at the right. */
export function grid(points: readonly Point[], intervalMs: number, width: number): Grid {
  const offsets = columns(points, intervalMs)
  const shown: GridColumn[] = []
  for (const [index, point] of points.entries()) {
    const end = width + offsets[index]!
    if (end <= 0) continue
    const before = points[index - 1]
    const follows = before !== undefined && before.run === point.run && before.sequence + 1 === point.sequence
    const span = follows ? Math.min(offsets[index]! - offsets[index - 1]!, widest) : 1
    const x = Math.max(0, end - span)
    shown.push({ x, width: end - x, point })
  }
  const range = extent(shown.map(({ point }) => point.buckets))
  let greatest = 0
  for (const { point } of shown) for (const count of point.buckets) greatest = Math.max(greatest, count)
  return {
    columns: shown, width, greatest,
    first: Math.min(usual.first, range?.first ?? usual.first), last: Math.max(usual.last, range?.last ?? usual.last),
  }
}

export const rows = ({ first, last }: Grid) => last - first + 1

/** The tick and bucket at a place, in columns from the left and rows from the top; null where there is no tick. */
export function cellAt(shown: Grid, x: number, y: number): { column: GridColumn; bucket: number } | null {
  const bucket = shown.last - Math.floor(y)
  if (bucket < shown.first || bucket > shown.last) return null
  const column = shown.columns.find((one) => x >= one.x && x < one.x + one.width)
  return column === undefined ? null : { column, bucket }
}

/** Round values on the axis (1 µs, 10 µs, …), with their height in rows from the bottom. */
export function valueMarks({ first, last }: Grid): { ns: number; row: number }[] {
  const marks: { ns: number; row: number }[] = []
  for (let ns = 1; Math.log2(ns) <= last + 1; ns *= 10) {
    const row = Math.log2(ns) - first
    if (row >= 0) marks.push({ ns, row })
  }
  return marks
}

/** Round times on the axis, as columns; `least` is the room that a label takes. */
export function timeMarks({ columns: shown, width }: Grid, intervalMs: number, least: number): { at: number; x: number }[] {
  const newest = shown.at(-1)
  if (newest === undefined) return []
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600].map((seconds) => seconds * 1000)
    .find((ms) => ms / intervalMs >= least) ?? 86_400_000
  const end = newest.point.at
  const marks: { at: number; x: number }[] = []
  for (let at = Math.floor(end / step) * step; ; at -= step) {
    const x = width - (end - at) / intervalMs
    if (x < 0) return marks.toReversed()
    marks.push({ at, x })
  }
}
