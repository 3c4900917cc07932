import { spawn, type ChildProcess } from 'node:child_process'
import { setPriority } from 'node:os'
import type { ConnectionEvent, ProcessEvent, Snapshot, WorkloadRow } from '../src/agent/snapshot.ts'
import { skep } from './product.ts'
import { until } from './until.ts'

export interface Ended { status: number | null; signal: NodeJS.Signals | null }

/** A command as a child: what it wrote, and how it ended. */
export class Child {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  end: Ended | null = null

  constructor(process: ChildProcess) {
    this.process = process
    process.stdout?.setEncoding('utf8').on('data', (text: string) => this.wrote(text))
    process.stderr?.setEncoding('utf8').on('data', (text: string) => { this.stderr += text })
    this.ended = new Promise((resolve, reject) => {
      process.once('error', reject)
      process.once('close', (status, signal) => resolve(this.end = { status, signal }))
    })
  }

  get pid(): number { return this.process.pid! }

  protected wrote(text: string): void { this.stdout += text }

  /** Signals it if it still runs, and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (this.end === null) this.process.kill(signal)
    return this.ended
  }
}

type RunOptions = { env?: NodeJS.ProcessEnv; uid?: number; gid?: number; cwd?: string }

/** Runs a build of the command to its end. */
export async function runCommand(path: string, args: readonly string[], options: RunOptions = {}): Promise<Ended & { stdout: string; stderr: string }> {
  const child = new Child(spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options }))
  const ended = await child.ended
  return { ...ended, stdout: child.stdout, stderr: child.stderr }
}

export const runSkep = (args: readonly string[], options: RunOptions = {}) => runCommand(skep, args, options)

/** What one workload did, summed over ticks. */
export interface Sums { cpuSeconds: number; waitNs: number; waits: number; calls: number; errors: Map<string, number>; switches: number; starts: number }

/** On a busy machine a reference could only be read long after the snapshot that it is compared with. */
function hurry(...pids: number[]): void {
  for (const pid of pids) {
    try {
      setPriority(pid, -18)
    } catch {
      // Without the right to it, the tests need a machine that is less busy.
    }
  }
}
hurry(process.pid)

/** The built agent as a child with --json, and all snapshots that it told. */
export class AgentProcess extends Child {
  readonly snapshots: Snapshot[] = []
  private rest = ''

  static start(...args: string[]): Promise<AgentProcess> {
    return AgentProcess.startBuild(skep, ...args)
  }

  static async startBuild(path: string, ...args: string[]): Promise<AgentProcess> {
    const defaults = [...args.includes('--listen') ? [] : ['--no-page'], ...args.includes('--interval') ? [] : ['--interval', '250ms']]
    const agent = new AgentProcess(spawn(process.execPath, [path, '--json', ...defaults, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }))
    hurry(agent.pid)
    try {
      await agent.snapshot(() => true)
      return agent
    } catch (error) {
      await agent.stop('SIGKILL')
      throw error
    }
  }

  protected override wrote(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop()!
    for (const line of lines) this.snapshots.push(JSON.parse(line) as Snapshot)
  }

  get newest(): Snapshot { return this.snapshots.at(-1)! }

  /** The next snapshot, or one there already, that fulfils the condition. */
  async snapshot(condition: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    return until('such snapshot', () => {
      if (this.end !== null) throw new Error(`the agent ended (${JSON.stringify(this.end)}): ${this.stderr}`)
      return this.snapshots.findLast(condition)
    }, 60_000, 5)
  }

  /** Waits for the first snapshot that was made wholly after this call: everything that happened before it is told by then. */
  async settled(): Promise<Snapshot> {
    const now = Date.now()
    return this.snapshot(({ at, intervalSeconds }) => at - intervalSeconds * 1000 > now)
  }

  /** A settled snapshot that came within `ms` of its making, so that what is read now is of the same time. */
  async prompt(ms = 20): Promise<Snapshot> {
    for (let attempt = 0; attempt < 40; attempt++) {
      const { sequence } = this.newest
      const snapshot = await this.snapshot((one) => one.sequence > sequence)
      if (Date.now() - snapshot.at <= ms) return snapshot
    }
    throw new Error(`no snapshot came within ${ms} ms of its making: this machine is too busy to compare clocks`)
  }

  get processes(): ProcessEvent[] { return this.snapshots.flatMap(({ processes }) => processes) }
  get connections(): ConnectionEvent[] { return this.snapshots.flatMap(({ connections }) => connections) }

  /** What the workloads that `is` chooses did in all snapshots after the one with the sequence `after`. */
  sums(is: (row: WorkloadRow) => boolean, after = 0): Sums {
    const sums: Sums = { cpuSeconds: 0, waitNs: 0, waits: 0, calls: 0, errors: new Map(), switches: 0, starts: 0 }
    for (const { intervalSeconds, workloads, sequence } of this.snapshots) {
      if (sequence <= after) continue
      for (const row of workloads.filter(is)) {
        sums.cpuSeconds += row.cpuCores * intervalSeconds
        sums.waitNs += row.runQueueLatency.sum
        sums.waits += row.runQueueLatency.count
        sums.calls += Math.round(row.syscallsPerSecond * intervalSeconds)
        sums.switches += Math.round(row.contextSwitchesPerSecond * intervalSeconds)
        sums.starts += Math.round(row.startsPerSecond * intervalSeconds)
        for (const { name, perSecond } of row.errors) {
          if (perSecond > 0) sums.errors.set(name, (sums.errors.get(name) ?? 0) + Math.round(perSecond * intervalSeconds))
        }
      }
    }
    return sums
  }
}
