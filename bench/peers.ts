import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Snapshot } from '../src/agent/snapshot.ts'
import { Running } from './running.ts'

/** skep of a checkout: its JSON output without the page. */
export function skep(checkout: string, node: string = process.execPath, env?: NodeJS.ProcessEnv): Running {
  return new Running(node, [join(checkout, 'bin/skep.js'), '--json', '--no-page'], { env })
}

/** The next snapshot that `wanted` takes. */
export async function snapshot(agent: Running, wanted: (snapshot: Snapshot) => boolean = () => true): Promise<Snapshot> {
  for (;;) {
    const next = JSON.parse(await agent.line()) as Snapshot
    if (wanted(next)) return next
  }
}

/** bpftrace needs tracefs: mounted in a namespace of its own where the machine has none. The first line tells when it begins. */
const wrapper = `[ -e /sys/kernel/tracing/events ] || mount -t tracefs tracefs /sys/kernel/tracing
echo begin
exec bpftrace "$@"`

export function hasBpftrace(): boolean {
  return spawnSync('bpftrace', ['--version'], { stdio: 'ignore' }).status === 0
}

/** bpftrace with a program, and the moment at which it itself was started. */
export async function bpftrace(program: string): Promise<{ running: Running; begunAt: number }> {
  const running = new Running('unshare', ['-m', 'sh', '-c', wrapper, 'bpftrace', '-B', 'line', '-e', program])
  await running.line()
  return { running, begunAt: performance.now() }
}

/** What the scheduler and system call probes of skep tell, by command instead of by workload. */
export const equivalentScript = `
BEGIN { printf("ready\\n"); }
tracepoint:sched:sched_wakeup, tracepoint:sched:sched_wakeup_new { @queued[args->pid] = nsecs; }
tracepoint:sched:sched_switch {
  if (args->prev_pid != 0) {
    if (@since[cpu] != 0) { @time[comm] = sum(nsecs - @since[cpu]); @switches[comm] = count(); }
    if (args->prev_state == 0) { @queued[args->prev_pid] = nsecs; }
  }
  @since[cpu] = nsecs;
  if (args->next_pid != 0) {
    $queued = @queued[args->next_pid];
    if ($queued != 0) { @latency[args->next_comm] = hist(nsecs - $queued); delete(@queued[args->next_pid]); }
  }
}
tracepoint:raw_syscalls:sys_exit { @calls[comm] = count(); if (args->ret < 0) { @errors[comm, args->ret] = count(); } }
END { clear(@queued); clear(@since); clear(@time); clear(@switches); clear(@latency); clear(@calls); clear(@errors); }
`
