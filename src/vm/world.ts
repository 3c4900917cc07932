import type { KernelObject } from './kernel-object.ts'

/** The task that runs a program. What a helper asks for and is not here is a fault `no-fixture`. */
export interface CurrentTask {
  /** Process id (tgid). */
  pid?: number
  /** Thread id; the process id if not given. */
  tid?: number
  uid?: number
  gid?: number
  comm?: string
  /** Id of its cgroup in the v2 hierarchy. */
  cgroup?: number | bigint
  /** Its task_struct; pid, tgid and comm come from there if they are not given. */
  task?: KernelObject
}

/** One record of a perf event array. */
export interface PerfRecord { cpu: number; bytes: Uint8Array }

interface Timer { due: number; run: () => void; order: number }

/** What surrounds a program: clock, CPU, current task, random numbers. All of it is chosen, so that runs repeat. */
export class World {
  /** Nanoseconds since boot; moves only by advance(). */
  now = 1_000_000_000
  /** Nanoseconds from the epoch to boot, for wall-clock helpers. */
  bootedAt = 1_700_000_000_000_000_000n
  cpu = 0
  cpus = 2
  current: CurrentTask | null = null
  /** What bpf_trace_printk and bpf_trace_vprintk wrote. */
  readonly printed: string[] = []
  /** Signals that programs sent (bpf_send_signal). */
  readonly signals: number[] = []
  /** Address of a kernel object of a fixture; set by the simulation. */
  addressOf: (object: KernelObject) => bigint = () => { throw new Error('the machine has no kernel objects') }
  readonly #timers = new Map<string, Timer>()
  #random = 0x9e37_79b9
  #order = 0

  /** Starts the random numbers anew. */
  seed(seed: number): void {
    this.#random = Math.imul(seed + 1, 0x9e37_79b1) | 1
  }

  /** xorshift32, unsigned. */
  random(): number {
    let x = this.#random
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#random = x
    return x >>> 0
  }

  /** Sets or moves a timer. */
  arm(key: string, due: number, run: () => void): void {
    this.#timers.set(key, { due, run, order: this.#order++ })
  }

  /** Whether there was one. */
  disarm(key: string): boolean {
    return this.#timers.delete(key)
  }

  /** Moves the clock; timers that become due run at their own times, in order. */
  advance(nanoseconds: number): void {
    if (!(nanoseconds >= 0)) throw new RangeError(`the clock moves forward, not by ${nanoseconds} ns`)
    const end = this.now + nanoseconds
    for (;;) {
      let next: [string, Timer] | null = null
      for (const entry of this.#timers) {
        const earlier = next === null || entry[1].due < next[1].due || (entry[1].due === next[1].due
          && entry[1].order < next[1].order)
        if (entry[1].due <= end && earlier) next = entry
      }
      if (next === null) break
      this.#timers.delete(next[0])
      this.now = Math.max(this.now, next[1].due)
      next[1].run()
    }
    this.now = end
  }
}
