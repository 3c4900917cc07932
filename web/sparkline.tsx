import { useMemo } from 'preact/hooks'
import { columns, type Point } from './timeline.ts'

const width = 300
const height = 30

interface SparklineProps {
  points: readonly Point[]
  intervalMs: number
  value: (point: Point) => number | null
  text: (value: number) => string
  /** What the line shows, for those who do not see it. */
  label: string
  /** The top of the scale never falls below this. */
  least?: number
}

/** The last five minutes of one value as a line from zero, with its peak in figures. */
export function Sparkline({ points, intervalMs, value, text, label, least = 0 }: SparklineProps) {
  const { line, area, peak } = useMemo(() => trace(points, intervalMs, value, least), [points, intervalMs, least])
  return (
    <div class="sparkline">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}, last minutes${peak === null ? ': nothing yet' : `: peak ${text(peak)}`}`}>
        <path class="area" d={area} />
        <path class="line" d={line} />
      </svg>
      <span class="peak">{peak === null ? '' : `peak ${text(peak)}`}</span>
    </div>
  )
}

/** The paths of line and area; broken where values are missing. */
export function trace(points: readonly Point[], intervalMs: number, value: (point: Point) => number | null, least: number) {
  const offsets = columns(points, intervalMs)
  const pieces: { x: number; value: number }[][] = []
  let peak: number | null = null
  let open: { x: number; value: number }[] | null = null
  for (const [index, point] of points.entries()) {
    const x = width + offsets[index]!
    const here = value(point)
    const before = points[index - 1]
    if (here === null || x < 0 || before?.run !== point.run || before.sequence + 1 !== point.sequence) open = null
    if (here === null || x < 0) continue
    if (open === null) pieces.push((open = []))
    open.push({ x, value: here })
    peak = Math.max(peak ?? 0, here)
  }
  const top = Math.max(peak ?? 0, least) || 1
  const y = (one: number) => (height - 1 - (one / top) * (height - 3)).toFixed(1)
  const line = pieces
    .map((piece) => `M${piece.map((one) => `${one.x} ${y(one.value)}`).join('L')}${piece.length === 1 ? 'h0.01' : ''}`)
    .join('')
  const area = pieces
    .filter((piece) => piece.length > 1)
    .map(
      (piece) =>
        `M${piece[0]!.x} ${height}L${piece.map((one) => `${one.x} ${y(one.value)}`).join('L')}L${piece.at(-1)!.x} ${height}Z`,
    )
    .join('')
  return { line, area, peak }
}
