import type { Program, ProgramStats } from '../bpf/program.ts'
import type { AgentCost, ProgramCost } from './snapshot.ts'

/** A program of a probe with the hook that it holds. */
export interface MeasuredProgram {
  probe: string
  hook: string
  program: Program
}

/** Statistics take about 20 ns or more of each run, so they are on for one second in ten. */
const measureMs = 1000
const pauseMs = 9000

interface Figures { runsPerSecond: number | null; nsPerRun: number | null }

/** What skep itself costs: its process always, its kernel programs on a duty cycle. */
export class Cost {
  private readonly programs: readonly MeasuredProgram[]
  private readonly enableStats: () => { close(): void }
  private readonly figures = new Map<Program, Figures>()
  private kernelCores: number | null = null
  private kernelMeasuredAt: number | null = null
  private measuring: { switch: { close(): void }; before: Map<Program, ProgramStats>; since: number } | null = null
  private timer: NodeJS.Timeout | null = null
  private usage = process.cpuUsage()
  private usageAt = performance.now()
  private failure: Error | null = null

  /** `enableStats` turns BPF statistics on until the answer is closed. */
  constructor(programs: readonly MeasuredProgram[], enableStats: () => { close(): void }) {
    this.programs = programs
    this.enableStats = enableStats
  }

  start(): void {
    if (this.programs.length > 0) this.beginMeasure()
  }

  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
    this.measuring?.switch.close()
    this.measuring = null
  }

  /** CPU is that since the last sample. */
  sample(mapBytes: number, lost: number): AgentCost {
    const now = performance.now()
    const { user, system } = process.cpuUsage(this.usage)
    const seconds = (now - this.usageAt) / 1000
    this.usage = process.cpuUsage()
    this.usageAt = now
    return {
      userCores: seconds > 0 ? (user + system) / 1e6 / seconds : 0,
      kernelCores: this.kernelCores,
      kernelMeasuredAt: this.kernelMeasuredAt,
      kernelFailure: this.failure?.message ?? null,
      residentBytes: process.memoryUsage.rss(),
      mapBytes, lost,
      programs: this.programs.map((program) => this.programCost(program)),
    }
  }

  private programCost({ probe, hook, program }: MeasuredProgram): ProgramCost {
    const { jitedBytes, translatedBytes } = program.info()
    const figures = this.figures.get(program) ?? { runsPerSecond: null, nsPerRun: null }
    return { probe, name: program.name, hook, ...figures, instructions: translatedBytes / 8, jitedBytes }
  }

  private beginMeasure(): void {
    try {
      const before = new Map<Program, ProgramStats>()
      const on = this.enableStats()
      for (const { program } of this.programs) before.set(program, program.stats())
      this.measuring = { switch: on, before, since: performance.now() }
    } catch (error) {
      // Kernels before 5.8 and some policies have no statistics: the cost then stays unknown and is shown so.
      this.failure = error instanceof Error ? error : new Error(String(error))
      return
    }
    this.timer = setTimeout(() => this.endMeasure(), measureMs).unref()
  }

  private endMeasure(): void {
    const { measuring } = this
    if (measuring === null) return
    const seconds = (performance.now() - measuring.since) / 1000
    let totalNs = 0
    for (const { program } of this.programs) {
      const before = measuring.before.get(program)!
      const now = program.stats()
      const runs = now.runCount - before.runCount
      const ns = now.runTimeNs - before.runTimeNs
      totalNs += ns
      this.figures.set(program, { runsPerSecond: runs / seconds, nsPerRun: runs > 0 ? ns / runs : null })
    }
    measuring.switch.close()
    this.measuring = null
    this.kernelCores = totalNs / 1e9 / seconds
    this.kernelMeasuredAt = Date.now()
    this.timer = setTimeout(() => this.beginMeasure(), pauseMs).unref()
  }
}
