import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { cgroup2Mount } from '../src/agent/cgroups.ts'
import { processStatus } from '../src/sys/machine.ts'
import { Child } from './agent-process.ts'
import { until } from './until.ts'

/** The mount point of the v2 hierarchy; null when there is none or this user may not make cgroups in it. */
export const cgroupMount = processStatus().euid === 0 ? cgroup2Mount(readFileSync('/proc/self/mountinfo', 'utf8')) : null

/** A load made for a test: its lines are answers to the lines that it is told. */
export class Generator extends Child {
  private seen = 0

  /** Waits for the next line that it writes. */
  async line(): Promise<string> {
    const end = await until('line of the generator', () => {
      const next = this.stdout.indexOf('\n', this.seen)
      if (next < 0 && this.end !== null) throw new Error(`the generator ended (${JSON.stringify(this.end)}): ${this.stderr}`)
      return next < 0 ? null : next + 1
    }, 60_000, 5)
    const text = this.stdout.slice(this.seen, end - 1)
    this.seen = end
    return text
  }

  tell(text = 'go'): void { this.process.stdin!.write(`${text}\n`) }

  /** Tells it to go on, and waits for the line that it answers with. */
  ask(text = 'go'): Promise<string> {
    this.tell(text)
    return this.line()
  }
}

export function generate(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Generator {
  return new Generator(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...env } }))
}

/**
 * Perl runs the loads: every Debian has it, it makes exactly the system calls that it is told to, and starts no threads.
 * `step` waits for a line (one read), `say` answers one (one write), `pin` chooses a CPU, `burn` uses seconds of
 * CPU time, `hurry` keeps the wall time
 * of a load short on a busy machine, and `rush` (real time, round robin) that of one that has to wait for the CPU very often.
 */
export const prelude = `use strict; use warnings; my $skepIn = '';
sub step { my $n = sysread(STDIN, $skepIn, 4096); exit 0 unless $n; chomp $skepIn; return $skepIn }
sub say { syswrite(STDOUT, $_[0] . "\\n") }
sub pin { my $mask = pack('Q', 1 << $_[0]); syscall(${process.arch === 'arm64' ? 122 : 203}, 0, 8, $mask) == 0 or die "sched_setaffinity: $!" }
sub burn { my $t = $_[0] + (times)[0] + (times)[1]; while ((times)[0] + (times)[1] < $t) { for (1..20000) {} } }
sub rush { my $priority = pack('i', 1); syscall(${process.arch === 'arm64' ? 119 : 144}, 0, 2, $priority) }
sub hurry { setpriority(0, 0, -15) }
`

export const perl = (script: string, ...args: string[]): Generator => generate('perl', ['-e', prelude + script, ...args])

/** A cgroup of the v2 hierarchy for one test; its workload carries its name. */
export class Cgroup {
  readonly name: string
  readonly path: string

  constructor(what: string) {
    this.name = `/skep-${what}-${process.pid}-${Cgroup.made++}`
    this.path = `${cgroupMount}${this.name}`
    mkdirSync(this.path)
  }

  private static made = 0

  /** Whether a row, or an event's workload name, is this cgroup. */
  readonly is = (row: { name: string }): boolean => row.name === this.name

  run(command: string, ...args: string[]): Generator {
    return generate('sh', ['-c', 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.path, command, ...args])
  }

  perl(script: string, ...args: string[]): Generator {
    return this.run('perl', '-e', prelude + script, ...args)
  }

  /** Moves this generator's process here. */
  add(pid: number): void { writeFileSync(`${this.path}/cgroup.procs`, String(pid)) }

  /** CPU time of all that ever ran here, in seconds, as the kernel counts it. */
  get cpuSeconds(): number { return Number(/^usage_usec (\d+)/m.exec(readFileSync(`${this.path}/cpu.stat`, 'utf8'))![1]) / 1e6 }

  /** Its processes have ended by now. */
  async remove(): Promise<void> {
    await until('empty cgroup', () => readFileSync(`${this.path}/cgroup.events`, 'utf8').includes('populated 0'))
    rmdirSync(this.path)
  }
}
