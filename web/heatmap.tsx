import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { ProbeState } from '../src/agent/snapshot.ts'
import { amount, clock, count, duration } from './format.ts'
import { cellAt, grid, type Grid, type GridColumn } from './heatmap-grid.ts'
import { paint, plotOf, type Plot } from './heatmap-paint.ts'
import { lower } from './histogram.ts'
import { ramp, scaleTop } from './palette.ts'
import { Panel } from './panel.tsx'
import type { Scheme } from './theme.ts'
import type { Point } from './timeline.ts'

/** Intervals shown at least: what the agent's history holds, five minutes of seconds. */
const least = 300

interface Spot {
  column: number
  bucket: number
}

/** Run-queue latency over time: when, how long, how many. */
export function HeatMap({
  points,
  intervalMs,
  scheme,
  probe,
}: {
  points: readonly Point[]
  intervalMs: number
  scheme: Scheme
  probe: ProbeState | null
}) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const { width, height } = useSize(canvas)
  const { plot, columns } = plotOf(width, height, least)
  const shown = useMemo(() => grid(points, intervalMs, columns), [points, intervalMs, columns])
  const [spot, setSpot] = useState<Spot | null>(null)
  const found = spot === null ? null : cellAt(shown, spot.column, shown.last - spot.bucket)

  useLayoutEffect(() => {
    const cell = found === null ? null : { x: found.column.x, width: found.column.width, bucket: found.bucket }
    if (canvas.current !== null && width > 0) paint(canvas.current, shown, plot, intervalMs, scheme, cell)
  })

  const point = (event: PointerEvent) => {
    const rowHeight = plot.height / (shown.last - shown.first + 1)
    const column = Math.floor((event.offsetX - plot.left) / plot.columnWidth)
    const row = Math.floor((event.offsetY - plot.top) / rowHeight)
    setSpot(cellAt(shown, column, row) === null ? null : { column, bucket: shown.last - row })
  }
  const step = (event: KeyboardEvent) => {
    const next = moved(shown, spot, event.key)
    if (next === undefined) return
    event.preventDefault()
    setSpot(next)
  }
  const isEmpty = shown.columns.every(({ point: { buckets } }) => buckets.length === 0)
  return (
    <Panel
      title="Run-queue latency"
      hint="How long tasks that could run waited for a CPU; colour: how many"
      probe={probe}
      class="heatmap-panel"
      aside={isEmpty ? null : <Legend scheme={scheme} greatest={shown.greatest} />}>
      <div class="heatmap">
        <canvas
          ref={canvas}
          tabIndex={0}
          role="img"
          aria-label={summary(shown)}
          onPointerMove={point}
          onPointerDown={point}
          onPointerLeave={() => setSpot(null)}
          onKeyDown={step}
          onBlur={() => setSpot(null)}
        />
        {isEmpty && (
          <p class="empty over">
            {points.length === 0 ? 'Waiting for the first tick.' : 'Waiting for the first task that waits for a CPU.'}
          </p>
        )}
        {found !== null && <Tip found={found} grid={shown} plot={plot} width={width} intervalMs={intervalMs} />}
      </div>
    </Panel>
  )
}

function Tip({
  found,
  grid: shown,
  plot,
  width,
  intervalMs,
}: {
  found: { column: GridColumn; bucket: number }
  grid: Grid
  plot: Plot
  width: number
  intervalMs: number
}) {
  const { column, bucket } = found
  const x = plot.left + (column.x + column.width) * plot.columnWidth
  const y = plot.top + ((shown.last - bucket + 0.5) * plot.height) / (shown.last - shown.first + 1)
  const isLeft = x > width / 2
  const tasks = column.point.buckets[bucket] ?? 0
  return (
    <div
      class={`tip${isLeft ? ' left' : ''}`}
      role="status"
      style={{
        transform: `translate(${Math.round(isLeft ? x - column.width * plot.columnWidth - 10 : x + 10)}px, ${Math.round(y)}px)`,
      }}>
      <span>
        <b>{count(tasks)}</b> {tasks === 1 ? 'wait' : 'waits'} of <b>{duration(lower(bucket))}</b> to{' '}
        <b>{duration(2 ** (bucket + 1))}</b>
        <br />
        <i>
          {clock(column.point.at - intervalMs * column.width)} to {clock(column.point.at)}
        </i>
      </span>
    </div>
  )
}

function Legend({ scheme, greatest }: { scheme: Scheme; greatest: number }) {
  return (
    <div class="legend">
      <span>1</span>
      <span class="ramp" style={{ background: `linear-gradient(to right, ${ramp(scheme).join(', ')})` }} />
      <span>{amount(scaleTop(greatest))} waits</span>
    </div>
  )
}

function summary({ columns: shown }: Grid): string {
  const [first, last] = [shown[0], shown.at(-1)]
  if (first === undefined || last === undefined) return 'Heat map of run-queue latency, empty so far'
  return `Heat map of run-queue latency from ${clock(first.point.at)} to ${clock(last.point.at)}. Arrow keys read single cells.`
}

/** The cell that an arrow key leads to; undefined for other keys. */
function moved(shown: Grid, spot: Spot | null, key: string): Spot | null | undefined {
  const steps: Record<string, readonly [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, 1],
    ArrowDown: [0, -1],
  }
  if (key === 'Escape') return null
  const step = steps[key]
  const newest = shown.columns.at(-1)
  if (step === undefined || newest === undefined) return undefined
  if (spot === null) return { column: newest.x, bucket: Math.max(shown.first, newest.point.buckets.length - 1) }
  return {
    column: Math.min(Math.max(spot.column + step[0], shown.columns[0]!.x), newest.x),
    bucket: Math.min(Math.max(spot.bucket + step[1], shown.first), shown.last),
  }
}

function useSize(element: { current: HTMLElement | null }): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 })
  useEffect(() => {
    const target = element.current
    if (target === null) return
    const observer = new ResizeObserver(() => setSize({ width: target.clientWidth, height: target.clientHeight }))
    observer.observe(target)
    return () => observer.disconnect()
  }, [element])
  return size
}
