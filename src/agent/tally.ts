/** The kernel-side key of a workload. */
export interface WorkloadKey { cgroup: number; comm: string }

export function keyText({ cgroup, comm }: WorkloadKey): string {
  return `${cgroup}/${comm}`
}

/** Counts events by workload key until the next tick, when cgroups that are new have a name. */
export class Tally {
  private counts = new Map<string, { key: WorkloadKey; count: number }>()

  add(key: WorkloadKey): void {
    const text = keyText(key)
    const found = this.counts.get(text)
    if (found === undefined) this.counts.set(text, { key, count: 1 })
    else found.count++
  }

  take(): Iterable<{ key: WorkloadKey; count: number }> {
    const counts = this.counts
    this.counts = new Map()
    return counts.values()
  }
}
