/** Names that are types wherever they stand. */
const names = new Set([
  'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64', 'bool', 'string', 'buffer', 'inet', 'void',
  'macaddr_t', 'timestamp', 'timestamp_t', 'ksym_t', 'usym_t', 'kstack_t', 'ustack_t', 'cgroup_path_t', 'username_t',
  'count_t', 'sum_t', 'min_t', 'max_t', 'avg_t', 'stats_t', 'usum_t', 'umin_t', 'umax_t', 'uavg_t', 'ustats_t', 'hist_t', 'lhist_t', 'tseries_t',
])

export function isBuiltinType(name: string): boolean {
  return names.has(name)
}
