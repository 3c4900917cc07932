import type { KernelFunction } from './capture/kernel-function.ts'

/** A place in the user's source: a range of a kernel function's text. */
export interface Span {
  readonly fn: KernelFunction
  readonly start: number
  readonly end: number
}

export interface Position { file: string; /** 1-based. */ line: number; /** 1-based. */ column: number; /** The whole source line, untrimmed. */ text: string }

const lineStarts = new WeakMap<KernelFunction, number[]>()

function startsOf(fn: KernelFunction): number[] {
  let starts = lineStarts.get(fn)
  if (starts === undefined) {
    starts = [0]
    for (let at = fn.source.indexOf('\n'); at >= 0; at = fn.source.indexOf('\n', at + 1)) starts.push(at + 1)
    lineStarts.set(fn, starts)
  }
  return starts
}

/** Line and column of a span's start in the user's file. */
export function positionOf(span: Span): Position {
  const starts = startsOf(span.fn)
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= span.start) low = middle
    else high = middle - 1
  }
  const from = starts[low]!
  const to = starts[low + 1] ?? span.fn.source.length + 1
  return {
    file: span.fn.file,
    line: span.fn.line + low,
    column: low === 0 ? span.fn.column + span.start : span.start - from + 1,
    text: span.fn.source.slice(from, to - 1),
  }
}
