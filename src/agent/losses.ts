import type { ObservedProbe } from './observed-probe.ts'
import type { ReadableMap } from './readable-map.ts'
import type { ProbeState } from './snapshot.ts'

/** For so long after a loss, the probe's state tells of it. */
const tellMs = 60_000

interface Loss { probe: string; what: string; map: ReadableMap; total: number; lastAt: number; gained: number }

/**
 * Counts what the kernel side could not record: each signal has a map `…_lost` with a number for each CPU.
 * Also counts events that the kernel skipped since a program was already running on that CPU.
 */
export class Losses {
  private readonly probes: readonly ObservedProbe[]
  private readonly losses: Loss[] = []
  private skipped = 0
  /** Dropped in user space, for want of room between two ticks. */
  dropped = 0

  constructor(probes: readonly ObservedProbe[]) {
    this.probes = probes
    for (const probe of probes) {
      for (const map of probe.maps) {
        if (!map.spec.name.endsWith('_lost')) continue
        this.losses.push({ probe: probe.name, what: map.spec.name.slice(0, -5), map, total: 0, lastAt: -Infinity, gained: 0 })
      }
    }
  }

  /** Since the start. */
  get total(): number {
    return this.losses.reduce((sum, { total }) => sum + total, 0) + this.skipped + this.dropped
  }

  /** Reads the counters. `now` in milliseconds of any clock. */
  read(now: number): void {
    for (const loss of this.losses) {
      const total = sumOf(loss.map)
      if (total <= loss.total) continue
      loss.gained = total - loss.total
      loss.total = total
      loss.lastAt = now
    }
    this.skipped = 0
    for (const probe of this.probes) for (const { program } of probe.programs) this.skipped += program.stats().recursionMisses
  }

  /** The state of a probe, which recent losses make a partial one. */
  stateOf(probe: ObservedProbe, now: number): ProbeState {
    const state = probe.state
    const recent = this.losses.find((loss) => loss.probe === probe.name && now - loss.lastAt < tellMs)
    if (recent === undefined || state.state !== 'on') return state
    return {
      ...state, state: 'partial',
      reason: `${recent.total} records of '${recent.what}' were lost, since its map or ring was full.`,
      remedy: 'What was lost is missing in the figures; it comes with bursts of new workloads or events.',
    }
  }
}

function sumOf(map: ReadableMap): number {
  const { values, count } = map.readRaw()
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  let sum = 0
  if (count === 0) return 0
  for (let offset = 0; offset < values.byteLength; offset += 8) sum += Number(view.getBigUint64(offset, true))
  return sum
}
