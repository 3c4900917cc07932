/** Helpers of the kernel that generated programs call: `enum bpf_func_id` of linux/bpf.h. */
export const helperIds = {
  map_lookup_elem: 1, map_update_elem: 2, map_delete_elem: 3, probe_read: 4, ktime_get_ns: 5, trace_printk: 6, get_prandom_u32: 7,
  get_smp_processor_id: 8, get_current_pid_tgid: 14, get_current_uid_gid: 15, get_current_comm: 16, get_stackid: 27,
  probe_read_str: 45, get_socket_cookie: 46, get_numa_node_id: 42, get_current_task: 35, override_return: 58, get_stack: 67, get_current_cgroup_id: 80,
  send_signal: 109, probe_read_user: 112, probe_read_kernel: 113, probe_read_user_str: 114, probe_read_kernel_str: 115, jiffies64: 118,
  send_signal_thread: 117, get_ns_current_pid_tgid: 120, ktime_get_boot_ns: 125, ringbuf_output: 130, ringbuf_reserve: 131, ringbuf_submit: 132,
  ringbuf_discard: 133, ringbuf_query: 134, get_current_task_btf: 158, for_each_map_elem: 164, get_func_ip: 173, trace_vprintk: 177,
  loop: 181, probe_write_user: 36, d_path: 147, map_lookup_percpu_elem: 195, ktime_get_tai_ns: 208, per_cpu_ptr: 153,
} as const
export type Helper = keyof typeof helperIds
