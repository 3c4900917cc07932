/** Metric → value. */
export type Sample = Record<string, number>
export interface Case { name: string; run: () => Promise<Sample> | Sample }
/** Case → its samples, one a round. */
export type Series = Map<string, Sample[]>

/** Runs every case once a round and lets another begin each time, so that drifts of the machine meet all alike. */
export async function interleave(cases: readonly Case[], rounds: number, warmUp = 1): Promise<Series> {
  const series: Series = new Map(cases.map(({ name }) => [name, []]))
  for (let round = -warmUp; round < rounds; round++) {
    const first = ((round % cases.length) + cases.length) % cases.length
    for (let index = 0; index < cases.length; index++) {
      const { name, run } = cases[(first + index) % cases.length]!
      const sample = await run()
      if (round >= 0) series.get(name)!.push(sample)
    }
  }
  return series
}

export interface Summary { min: number; median: number; max: number; /** Half of the values lie in a range this wide, relative to the median. */ spread: number }

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const below = sorted[Math.floor(place)]!
    return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place))
  }
  return { min: sorted[0]!, median: at(0.5), max: sorted.at(-1)!, spread: (at(0.75) - at(0.25)) / at(0.5) }
}

/** value / peer in each round: what other work does to the machine meets both. */
export function ratios(values: readonly number[], peer: readonly number[]): Summary {
  return summarise(values.map((value, round) => value / peer[round]!))
}
