import { clock, roundDuration } from './format.ts'
import { rows, timeMarks, valueMarks, type Grid } from './heatmap-grid.ts'
import { level, ramp, scaleTop } from './palette.ts'
import type { Scheme } from './theme.ts'

/** Room for the labels, in CSS pixels. */
export const margin = { left: 54, right: 2, top: 6, bottom: 22 }

/** Where the cells are, in CSS pixels. */
export interface Plot { left: number; top: number; columnWidth: number; width: number; height: number }

/** Columns of whole pixels, as wide as they can be when `least` of them are wanted; more of them when there is room left. */
export function plotOf(width: number, height: number, least: number): { plot: Plot; columns: number } {
  const room = Math.max(0, width - margin.left - margin.right)
  const columnWidth = Math.max(2, Math.floor(room / least))
  const columns = Math.max(1, Math.floor(room / columnWidth))
  const taken = columns * columnWidth
  const plot = {
    left: width - margin.right - taken, top: margin.top, columnWidth, width: taken, height: height - margin.top - margin.bottom,
  }
  return { plot, columns }
}

export interface Cell { x: number; width: number; bucket: number }

/** Draws all of it. The canvas's own `color` is that of labels and lines. */
export function paint(
  canvas: HTMLCanvasElement, grid: Grid, plot: Plot, intervalMs: number, scheme: Scheme, marked: Cell | null,
): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const { clientWidth, clientHeight } = canvas
  const ratio = window.devicePixelRatio || 1
  const [width, height] = [Math.round(clientWidth * ratio), Math.round(clientHeight * ratio)]
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height })
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, clientWidth, clientHeight)
  const { color, fontFamily } = getComputedStyle(canvas)
  context.fillStyle = color
  context.strokeStyle = color
  context.font = `11px ${fontFamily}`
  paintAxes(context, grid, plot, intervalMs, color)
  paintCells(context, grid, plot, ramp(scheme))
  if (marked !== null) {
    const { x, y, w, h } = box(grid, plot, marked)
    // Seen on every colour of the scale.
    for (const [line, strokeStyle] of [[4, '#fff'], [2, '#000']] as const) {
      Object.assign(context, { lineWidth: line, strokeStyle })
      context.strokeRect(x - 1, y - 1, w + 2, h + 2)
    }
  }
}

function box(grid: Grid, plot: Plot, { x, width, bucket }: Cell): { x: number; y: number; w: number; h: number } {
  const rowHeight = plot.height / rows(grid)
  const top = plot.top + Math.round((grid.last - bucket) * rowHeight)
  const bottom = plot.top + Math.round((grid.last - bucket + 1) * rowHeight)
  return { x: plot.left + x * plot.columnWidth, y: top, w: width * plot.columnWidth, h: bottom - top }
}

function paintCells(context: CanvasRenderingContext2D, grid: Grid, plot: Plot, colours: readonly string[]): void {
  const top = scaleTop(grid.greatest)
  // A hair of the ground between cells, where there is room for it.
  const seam = plot.columnWidth >= 6 ? 1 : 0
  const rowSeam = plot.height / rows(grid) >= 10 ? 1 : 0
  for (const { x, width, point } of grid.columns) {
    for (const [bucket, count] of point.buckets.entries()) {
      if (count <= 0) continue
      const cell = box(grid, plot, { x, width, bucket })
      context.fillStyle = colours[level(count, top)]!
      context.fillRect(cell.x, cell.y, cell.w - seam, cell.h - rowSeam)
    }
  }
}

function paintAxes(context: CanvasRenderingContext2D, grid: Grid, plot: Plot, intervalMs: number, color: string): void {
  const bottom = plot.top + plot.height
  const line = (x1: number, y1: number, x2: number, y2: number, strength: number) => {
    context.globalAlpha = strength
    context.beginPath()
    context.moveTo(x1, y1)
    context.lineTo(x2, y2)
    context.lineWidth = 1
    context.stroke()
    context.globalAlpha = 1
  }
  context.fillStyle = color
  context.textAlign = 'right'
  context.textBaseline = 'middle'
  for (const { ns, row } of valueMarks(grid)) {
    const y = Math.round(bottom - row / rows(grid) * plot.height) + 0.5
    context.fillText(roundDuration(ns), plot.left - 8, Math.min(Math.max(y, plot.top + 5), bottom - 4))
    line(plot.left, y, plot.left + plot.width, y, 0.16)
  }
  line(plot.left, bottom + 0.5, plot.left + plot.width, bottom + 0.5, 0.4)
  context.textBaseline = 'top'
  context.textAlign = 'center'
  const half = context.measureText('00:00:00').width / 2
  for (const { at, x } of timeMarks(grid, intervalMs, 110 / plot.columnWidth)) {
    const place = plot.left + x * plot.columnWidth
    line(Math.round(place) + 0.5, bottom, Math.round(place) + 0.5, bottom + 4, 0.5)
    if (place - half >= plot.left - 10 && place + half <= plot.left + plot.width) context.fillText(clock(at), place, bottom + 7)
  }
}
