import type { Btf } from '../btf/btf.ts'

/**
 * Helpers of the kernel that the compiler calls: id (`enum bpf_func_id` of linux/bpf.h) and first kernel.
 */
export const helpers = {
  map_lookup_elem: { id: 1, since: '3.19' },
  map_update_elem: { id: 2, since: '3.19' },
  map_delete_elem: { id: 3, since: '3.19' },
  ktime_get_ns: { id: 5, since: '4.1' },
  get_smp_processor_id: { id: 8, since: '4.1' },
  get_current_pid_tgid: { id: 14, since: '4.2' },
  get_current_cgroup_id: { id: 80, since: '4.18' },
  probe_read_user: { id: 112, since: '5.5' },
  probe_read_user_str: { id: 114, since: '5.5' },
  probe_read_kernel: { id: 113, since: '5.5' },
  probe_read_kernel_str: { id: 115, since: '5.5' },
  ringbuf_reserve: { id: 131, since: '5.8' },
  ringbuf_submit: { id: 132, since: '5.8' },
  ringbuf_discard: { id: 133, since: '5.8' },
  ringbuf_query: { id: 134, since: '5.8' },
  get_current_task: { id: 35, since: '4.8' },
  get_current_task_btf: { id: 158, since: '5.11' },
} as const

export type HelperName = keyof typeof helpers

const known = new WeakMap<Btf, Set<string> | null>()

/**
 * Whether the kernel that the types are of has a helper: its `enum bpf_func_id` lists all of them.
 * Types without that enum (those of a test) count as those of a new kernel.
 */
export function hasHelper(btf: Btf, name: HelperName): boolean {
  let names = known.get(btf)
  if (names === undefined) known.set(btf, names = helperNames(btf))
  return names === null || names.has(name)
}

function helperNames(btf: Btf): Set<string> | null {
  const id = btf.find('bpf_func_id', 'enum', 'enum64')
  const type = id === 0 ? null : btf.type(id)
  if (type === null || (type.kind !== 'enum' && type.kind !== 'enum64')) return null
  return new Set(type.values.map(({ name }) => name.replace(/^BPF_FUNC_/, '')))
}

/** Name of a helper by its id, as the kernel prints it. */
export function helperName(id: number): string | undefined {
  for (const [name, helper] of Object.entries(helpers)) if (helper.id === id) return `bpf_${name}`
  return undefined
}
