import { ratios, summarise, type Series } from './rounds.ts'

export interface Metric {
  /** Key of the samples. */
  key: string
  title: string
  digits?: number
  /** Cases that each row is divided by. */
  peers: string[]
}

export interface Result {
  name: string
  title: string
  rounds: number
  metrics: Metric[]
  /** Case → samples. */
  samples: Record<string, Record<string, number>[]>
  notes: string[]
}

export function resultOf(name: string, title: string, series: Series, metrics: Metric[], notes: string[] = []): Result {
  const rounds = Math.max(...[...series.values()].map(({ length }) => length))
  return { name, title, rounds, metrics, samples: Object.fromEntries(series), notes }
}

/** One block a metric: a row a case, with its ratio to each peer. */
export function render(result: Result): string {
  const blocks = result.metrics.map((metric) => block(result, metric))
  return [`## ${result.name}: ${result.title} (${result.rounds} rounds)`, ...blocks, ...result.notes.map((note) => `  ${note}`)].join('\n')
}

function block({ samples }: Result, { key, title, digits = 1, peers }: Metric): string {
  const rows = Object.entries(samples).filter(([, list]) => list.some((sample) => key in sample))
  const known = peers.filter((peer) => rows.some(([name]) => name === peer))
  const valuesOf = (list: Record<string, number>[]) => list.map((sample) => sample[key]!)
  const head = [title, 'min', 'median', 'max', 'spread', ...known.map((peer) => `× ${peer}`)]
  const lines = rows.map(([name, list]) => {
    const { min, median, max, spread } = summarise(valuesOf(list))
    const beside = known.map((peer) => {
      const { median: ratio } = ratios(valuesOf(list), valuesOf(samples[peer]!))
      return name === peer ? '1' : ratio.toFixed(ratio < 0.1 ? 3 : 2)
    })
    return [name, ...[min, median, max].map((value) => value.toFixed(digits)), Number.isFinite(spread) ? `${Math.round(spread * 100)} %` : '–', ...beside]
  })
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((row) => row[column]!.length)))
  const line = (row: string[]) => `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join(' | ')} |`
  return [line(head), `|${widths.map((width, column) => (column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`, ...lines.map(line)].join('\n')
}
