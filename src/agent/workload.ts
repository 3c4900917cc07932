/**
 * What a person calls a thing: a container, a systemd unit, another cgroup, or, for tasks that
 * no one placed in a cgroup, the executable.
 *
 * Paths as systemd, Docker, containerd, CRI-O, Podman, LXC and the kubelet make them
 * (systemd: "Control Group APIs and Delegation"; kubelet: pkg/kubelet/cm; runc: "cgroupsPath").
 */
export type WorkloadKind = 'unit' | 'container' | 'cgroup' | 'executable' | 'kernel'

export interface Workload {
  /** Stable while the agent runs, equal for all cgroups and tasks of one workload. */
  id: string
  name: string
  kind: WorkloadKind
  /** Path of the workload's own cgroup; null where the cgroup does not tell. */
  cgroup: string | null
}

/** The comm that the probes put in the key of a kernel thread. */
export const kernelComm = '[kernel]'

const kernel: Workload = Object.freeze({ id: 'kernel', name: 'kernel threads', kind: 'kernel', cgroup: null })

/** A workload of the root cgroup, by the comm of the thread group's leader. */
export function workloadOfExecutable(comm: string): Workload {
  if (comm === kernelComm) return kernel
  const name = comm === '' ? '?' : comm
  return { id: `executable:${name}`, name, kind: 'executable', cgroup: null }
}

/** A workload whose cgroup has an id and no path (it ended before anyone could look). */
export function workloadOfUnknownCgroup(id: number): Workload {
  return { id: `cgroup#${id}`, name: `cgroup ${id}`, kind: 'cgroup', cgroup: null }
}

/** The workload that a cgroup belongs to. The path starts with '/' and is not the root. */
export function workloadOfCgroup(path: string): Workload {
  const parts = path.split('/').filter((part) => part !== '')
  const end = (index: number) => `/${parts.slice(0, index + 1).join('/')}`
  for (let index = parts.length - 1; index >= 0; index--) {
    const name = containerName(parts, index)
    if (name !== null) return { id: `container:${end(index)}`, name, kind: 'container', cgroup: end(index) }
  }
  for (let index = parts.length - 1; index >= 0; index--) {
    const name = unescape(parts[index]!)
    if (!/\.(service|scope)$/.test(name)) continue
    // A manager's own init.scope inside its service is that service; only the machine's init.scope stands alone.
    if (name === 'init.scope' && index > 0) continue
    return { id: `unit:${end(index)}`, name, kind: 'unit', cgroup: end(index) }
  }
  return { id: `cgroup:${path}`, name: path, kind: 'cgroup', cgroup: path }
}

/** systemd puts '_' before a name that would clash with a file of the kernel's. */
function unescape(part: string): string {
  return part.startsWith('_') ? part.slice(1) : part
}

const runtimes: Record<string, string> = {
  docker: 'docker', 'cri-containerd': 'containerd', containerd: 'containerd', nerdctl: 'nerdctl',
  crio: 'crio', libpod: 'podman', 'libpod-payload': 'podman', buildkit: 'buildkit', ecs: 'ecs',
}
/** Parents under which a directory named by 64 hexadecimal digits is a container of that runtime. */
const parents: Record<string, string> = {
  docker: 'docker', libpod_parent: 'podman', 'k8s.io': 'containerd', moby: 'docker', buildkit: 'buildkit', crio: 'crio',
}

function containerName(parts: readonly string[], index: number): string | null {
  const part = parts[index]!
  const prefixed = /^([a-z][a-z0-9-]*)-([0-9a-f]{64})(?:\.scope)?$/.exec(part)
  if (prefixed !== null) {
    const [, prefix, id] = prefixed
    // conmon is Podman's and CRI-O's monitor of a container, not the container.
    if (prefix!.endsWith('conmon')) return null
    return `${runtimes[prefix!] ?? prefix}-${id!.slice(0, 12)}`
  }
  if (/^[0-9a-f]{64}$/.test(part)) {
    const parent = parts.slice(0, index).reverse().find((above) => above in parents)
    if (parent !== undefined) return `${parents[parent]}-${part.slice(0, 12)}`
    return `${parts.includes('ecs') ? 'ecs' : 'container'}-${part.slice(0, 12)}`
  }
  const fargate = parts.includes('ecs') ? /^([0-9a-f]{32})-(\d+)$/.exec(part) : null
  if (fargate !== null) return `ecs-${fargate[1]!.slice(0, 12)}-${fargate[2]}`
  const lxc = /^lxc\.payload\.(.+)$/.exec(part)
  if (lxc !== null) return `lxc-${lxc[1]}`
  if (index > 0 && (parts[index - 1] === 'lxc' || parts[index - 1] === 'lxc.payload')) return `lxc-${part}`
  return null
}
