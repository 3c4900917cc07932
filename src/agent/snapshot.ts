/**
 * What the agent tells the outside once a tick: the one contract between the pipeline and
 * the terminal, `--json`, the HTTP API and the pages. Plain JSON.
 *
 * Rates are per second over the last tick. Times: `At` fields are milliseconds since the epoch,
 * `Seconds` seconds, `Ns` nanoseconds. Totals count since the agent's start.
 */
export interface Snapshot {
  v: 1
  /** Counts ticks from 1. */
  sequence: number
  /** The moment that the figures are of. */
  at: number
  /** Length of the tick in seconds, as measured. */
  intervalSeconds: number
  host: HostFacts
  /** The recording that is played instead of observing this machine; null when it is observed. */
  recording: RecordingFacts | null
  agent: AgentCost
  /** Every built-in probe, granted or not. */
  probes: ProbeState[]
  /** The whole machine over the last tick. */
  totals: Totals
  /** Workloads seen in the last minutes, busiest first; at most 500. */
  workloads: WorkloadRow[]
  /** Idle or nearly idle ones that found no room among them. */
  workloadsLeftOut: number
  /** Newest last; bounded; only what came during this tick. */
  processes: ProcessEvent[]
  /** Newest last; bounded; only what came during this tick. */
  connections: ConnectionEvent[]
  disks: DiskRow[]
}

export interface RecordingFacts {
  /** When it was made; all other times are moved to the present. */
  at: number
  seconds: number
  /** Counts its repetitions from 1; totals begin anew with each. */
  round: number
  /** Whether names, text and addresses in it were replaced. */
  redacted: boolean
}

export interface HostFacts { name: string; kernel: string; architecture: string; cpus: number; bootAt: number; startedAt: number }

export interface AgentCost {
  /** CPU of the agent's process, in cores (1 = one CPU fully used). */
  userCores: number
  /** CPU of its kernel programs by BPF statistics, in cores; null until first measured. */
  kernelCores: number | null
  /** When kernelCores was last measured; statistics run on a duty cycle since they cost too. */
  kernelMeasuredAt: number | null
  /** Why kernelCores stays null; null when it does not. */
  kernelFailure: string | null
  residentBytes: number
  /** Kernel memory of the maps. */
  mapBytes: number
  /** Records and map updates that were lost, since the start. */
  lost: number
  programs: ProgramCost[]
}
export interface ProgramCost {
  probe: string
  name: string
  /** The hook that was granted, such as "tp_btf/sched_switch". */
  hook: string
  /** null until first measured. */
  runsPerSecond: number | null
  nsPerRun: number | null
  instructions: number
  jitedBytes: number
}

export interface ProbeState {
  name: string
  /** One line: what it observes. */
  title: string
  state: 'on' | 'partial' | 'off'
  /** Hooks in use. */
  hooks: string[]
  /** Why something is missing, and what helps; null when all is granted. */
  reason: string | null
  remedy: string | null
}

/** Counts a base-2 histogram: bucket i holds values in [2^i, 2^(i+1)), bucket 0 also 0. */
export interface Histogram {
  /** Counts of the tick, trailing zeros cut. */
  buckets: number[]
  count: number
  sum: number
  /** Interpolated inside the bucket; null when nothing was counted. */
  p50: number | null
  p90: number | null
  p99: number | null
}

export interface Totals {
  cpu: { /** Cores busy, idle task left out. */ busyCores: number; contextSwitchesPerSecond: number }
  /** Nanoseconds. */
  runQueueLatency: Histogram
  processes: { startsPerSecond: number; endsPerSecond: number; starts: number; ends: number; /** Processes and threads, comparable with "processes" of /proc/stat. */ forks: number }
  syscalls: { perSecond: number; errorsPerSecond: number; total: number; errors: ErrnoRate[] }
  tcp: { openedPerSecond: number; acceptedPerSecond: number; closedPerSecond: number; failedPerSecond: number; opened: number; accepted: number; closed: number; failed: number }
}
export interface ErrnoRate { errno: number; name: string; perSecond: number; total: number }

export interface WorkloadRow {
  /** Stable while the agent runs. */
  id: string
  /** What a person calls it: "nginx.service", "docker-3f2a…", "node". */
  name: string
  kind: 'unit' | 'container' | 'cgroup' | 'executable' | 'kernel'
  /** cgroup path when known. */
  cgroup: string | null
  cpuCores: number
  runQueueLatency: Histogram
  contextSwitchesPerSecond: number
  syscallsPerSecond: number
  syscallErrorsPerSecond: number
  errors: ErrnoRate[]
  /** Processes that tasks of this workload began (forks): a shell's commands are the shell's. */
  startsPerSecond: number
  tcpPerSecond: number
}

export interface ProcessEvent {
  at: number
  type: 'start' | 'exec' | 'end'
  pid: number
  ppid: number
  /** comm of the task. */
  name: string
  /** Path given to exec; never arguments or environment. Empty for a fork. */
  executable: string
  uid: number
  workload: string
  /** For 'end'. Exit status 0–255, or null when killed by `signal`. */
  status: number | null
  signal: number | null
  durationNs: number | null
}

export interface ConnectionEvent {
  at: number
  type: 'opened' | 'accepted' | 'closed' | 'failed'
  family: 4 | 6
  local: string
  localPort: number
  peer: string
  peerPort: number
  /** Which side began it, when known. */
  direction: 'out' | 'in' | 'unknown'
  pid: number
  name: string
  workload: string
  /** For 'closed', 'failed' and 'opened' (time to connect). null when the beginning was not seen. */
  durationNs: number | null
  bytesSent: number | null
  bytesReceived: number | null
}

export interface DiskRow {
  /** Such as "vda". */
  name: string
  major: number
  minor: number
  readsPerSecond: number
  writesPerSecond: number
  readBytesPerSecond: number
  writtenBytesPerSecond: number
  /** Since the agent's start. */
  reads: number
  writes: number
  readBytes: number
  writtenBytes: number
  /** Nanoseconds from issue to completion. */
  latency: Histogram
}
