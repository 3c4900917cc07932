import { amount, duration } from './format.ts'
import { extent, lower } from './histogram.ts'

interface BarsProps {
  buckets: readonly number[]
  /** Shown always, so that bars stay in their place. */
  first: number
  last: number
  label: string
}

/** A small base-2 histogram of durations. Heights go by the square root, so that the rare long ones are seen. */
export function Bars({ buckets, first: usualFirst, last: usualLast, label }: BarsProps) {
  const range = extent([buckets])
  const first = Math.min(usualFirst, range?.first ?? usualFirst)
  const last = Math.max(usualLast, range?.last ?? usualLast)
  const most = buckets.reduce((top, one) => Math.max(top, one), 0)
  const bars = Array.from({ length: last - first + 1 }, (_, index) => ({
    bucket: first + index,
    count: buckets[first + index] ?? 0,
  }))
  const height = (count: number) => (count === 0 ? 0 : Math.max(4, Math.sqrt(count / most) * 100))
  return (
    <figure
      class="bars"
      role="img"
      aria-label={
        range === null
          ? `${label}: nothing yet`
          : `${label}: from ${duration(lower(range.first))} to ${duration(2 ** (range.last + 1))}`
      }>
      <svg viewBox={`0 0 ${bars.length * 10} 100`} preserveAspectRatio="none">
        {bars.map(({ bucket, count }, index) => (
          <rect
            key={bucket}
            class={count === 0 ? 'none' : undefined}
            x={index * 10 + 0.75}
            width={8.5}
            y={count === 0 ? 98 : 100 - height(count)}
            height={count === 0 ? 2 : height(count)}>
            <title>{`${amount(count)} × ${duration(lower(bucket))} to ${duration(2 ** (bucket + 1))}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption>
        <span>{duration(lower(first))}</span>
        <span>{label}</span>
        <span>{duration(2 ** (last + 1))}</span>
      </figcaption>
    </figure>
  )
}
