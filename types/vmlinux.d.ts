// Kernel types that probes use most, for editors and tsc; made by `npm run vmlinux`. `skep types` writes all of your kernel's.
export type u8 = number
export type u16 = number
export type u32 = number
export type u64 = number
export type i8 = number
export type i16 = number
export type i32 = number
export type i64 = number
/** A char array or a pointer to characters. */
export type chars = string
/** An address without a type: void, functions. */
export type pointer = number

export interface bio {
  bi_next: bio
  bi_bdev: block_device
  bi_opf: u32
  bi_flags: u16
  bi_ioprio: u16
  bi_write_hint: u8
  bi_write_stream: u8
  bi_status: u8
  __bi_remaining: { counter: i32 }
  bi_iter: bvec_iter
  bi_cookie: u32
  __bi_nr_segments: u32
  bi_end_io: pointer
  bi_private: pointer
  bi_blkg: blkcg_gq
  issue_time_ns: u64
  bi_iocost_cost: u64
  bi_vcnt: u16
  bi_max_vecs: u16
  __bi_cnt: { counter: i32 }
  bi_io_vec: bio_vec
  bi_pool: bio_set
}
export interface request_queue {
  queuedata: pointer
  elevator: elevator_queue
  mq_ops: blk_mq_ops
  queue_ctx: blk_mq_ctx
  queue_flags: u64
  rq_timeout: u32
  queue_depth: u32
  refs: refcount_struct
  nr_hw_queues: u32
  hctx_table: xarray
  q_usage_counter: percpu_ref
  io_lock_cls_key: lock_class_key
  io_lockdep_map: lockdep_map
  q_lock_cls_key: lock_class_key
  q_lockdep_map: lockdep_map
  last_merge: request
  queue_lock: spinlock
  quiesce_depth: i32
  disk: gendisk
  mq_kobj: kobject
  limits: queue_limits
  dev: device
  rpm_status: i32
  pm_only: { counter: i32 }
  stats: blk_queue_stats
  rq_qos: rq_qos
  rq_qos_mutex: mutex
  id: i32
  nr_requests: u64
  timeout: timer_list
  timeout_work: work_struct
  nr_active_requests_shared_tags: { counter: i32 }
  sched_shared_tags: blk_mq_tags
  icq_list: list_head
  blkcg_pols: u64[]
  root_blkg: blkcg_gq
  blkg_list: list_head
  blkcg_mutex: mutex
  node: i32
  requeue_lock: spinlock
  requeue_list: list_head
  requeue_work: delayed_work
  blk_trace: blk_trace
  fq: blk_flush_queue
  flush_list: list_head
  elevator_lock: mutex
  sysfs_lock: mutex
  limits_lock: mutex
  unused_hctx_list: list_head
  unused_hctx_lock: spinlock
  mq_freeze_depth: i32
  td: throtl_data
  callback_head: callback_head
  mq_freeze_wq: wait_queue_head
  mq_freeze_lock: mutex
  tag_set: blk_mq_tag_set
  tag_set_list: list_head
  debugfs_dir: dentry
  sched_debugfs_dir: dentry
  rqos_debugfs_dir: dentry
  debugfs_mutex: mutex
}
export interface buffer_head { readonly __opaque: 'buffer_head' }
export interface request {
  q: request_queue
  mq_ctx: blk_mq_ctx
  mq_hctx: blk_mq_hw_ctx
  cmd_flags: u32
  rq_flags: u32
  tag: i32
  internal_tag: i32
  timeout: u32
  __data_len: u32
  __sector: u64
  bio: bio
  biotail: bio
  queuelist: list_head
  rq_next: request
  part: block_device
  alloc_time_ns: u64
  start_time_ns: u64
  io_start_time_ns: u64
  wbt_flags: u16
  stats_sectors: u16
  nr_phys_segments: u16
  nr_integrity_segments: u16
  state: u32
  ref: { counter: i32 }
  deadline: u64
  hash: hlist_node
  ipi_list: llist_node
  rb_node: rb_node
  special_vec: bio_vec
  elv: { icq: io_cq; priv: pointer[] }
  flush: { seq: u32; saved_end_io: pointer }
  fifo_time: u64
  end_io: pointer
  end_io_data: pointer
}
export interface cgroup {
  self: cgroup_subsys_state
  flags: u64
  level: i32
  max_depth: i32
  nr_descendants: i32
  nr_dying_descendants: i32
  max_descendants: i32
  nr_populated_csets: i32
  nr_populated_domain_children: i32
  nr_populated_threaded_children: i32
  nr_threaded_children: i32
  kill_seq: u32
  kn: kernfs_node
  procs_file: cgroup_file
  events_file: cgroup_file
  psi_files: cgroup_file[]
  subtree_control: u16
  subtree_ss_mask: u16
  old_subtree_control: u16
  old_subtree_ss_mask: u16
  subsys: cgroup_subsys_state[]
  nr_dying_subsys: i32[]
  root: cgroup_root
  cset_links: list_head
  e_csets: list_head[]
  dom_cgrp: cgroup
  old_dom_cgrp: cgroup
  rstat_base_cpu: cgroup_rstat_base_cpu
  _pad_: cacheline_padding
  last_bstat: cgroup_base_stat
  bstat: cgroup_base_stat
  prev_cputime: prev_cputime
  pidlists: list_head
  pidlist_mutex: mutex
  offline_waitq: wait_queue_head
  release_agent_work: work_struct
  psi: psi_group
  bpf: cgroup_bpf
  freezer: cgroup_freezer_state
  bpf_cgrp_storage: bpf_local_storage
  ancestors: cgroup[]
}
export interface task_struct {
  thread_info: thread_info
  __state: u32
  saved_state: u32
  stack: pointer
  usage: refcount_struct
  flags: u32
  ptrace: u32
  on_cpu: i32
  wake_entry: __call_single_node
  wakee_flips: u32
  wakee_flip_decay_ts: u64
  last_wakee: task_struct
  recent_used_cpu: i32
  wake_cpu: i32
  on_rq: i32
  prio: i32
  static_prio: i32
  normal_prio: i32
  rt_priority: u32
  se: sched_entity
  rt: sched_rt_entity
  dl: sched_dl_entity
  dl_server: sched_dl_entity
  sched_class: sched_class
  sched_task_group: task_group
  sched_throttle_work: callback_head
  throttle_node: list_head
  throttled: boolean
  stats: sched_statistics
  preempt_notifiers: hlist_head
  btrace_seq: u32
  policy: u32
  max_allowed_capacity: u64
  nr_cpus_allowed: i32
  cpus_ptr: cpumask
  user_cpus_ptr: cpumask
  cpus_mask: cpumask
  migration_pending: pointer
  migration_disabled: u16
  migration_flags: u16
  rcu_read_lock_nesting: i32
  rcu_read_unlock_special: rcu_special
  rcu_node_entry: list_head
  rcu_blocked_node: rcu_node
  rcu_tasks_nvcsw: u64
  rcu_tasks_holdout: u8
  rcu_tasks_idx: u8
  rcu_tasks_idle_cpu: i32
  rcu_tasks_holdout_list: list_head
  rcu_tasks_exit_cpu: i32
  rcu_tasks_exit_list: list_head
  trc_reader_nesting: i32
  trc_ipi_to_cpu: i32
  trc_reader_special: rcu_special
  trc_holdout_list: list_head
  trc_blkd_node: list_head
  trc_blkd_cpu: i32
  sched_info: sched_info
  tasks: list_head
  pushable_tasks: plist_node
  pushable_dl_tasks: rb_node
  mm: mm_struct
  active_mm: mm_struct
  faults_disabled_mapping: address_space
  exit_state: i32
  exit_code: i32
  exit_signal: i32
  pdeath_signal: i32
  jobctl: u64
  personality: u32
  sched_reset_on_fork: u32
  sched_contributes_to_load: u32
  sched_migrated: u32
  sched_task_hot: u32
  sched_remote_wakeup: u32
  sched_rt_mutex: u32
  user_dumpable: u32
  in_execve: u32
  init_private_fork_class: u32
  in_iowait: u32
  restore_sigmask: u32
  in_user_fault: u32
  no_cgroup_migration: u32
  frozen: u32
  use_memdelay: u32
  in_memstall: u32
  in_eventfd: u32
  reported_split_lock: u32
  in_thrashing: u32
  in_nf_duplicate: u32
  atomic_flags: u64
  restart_block: restart_block
  pid: i32
  tgid: i32
  stack_canary: u64
  real_parent: task_struct
  parent: task_struct
  children: list_head
  sibling: list_head
  group_leader: task_struct
  ptraced: list_head
  ptrace_entry: list_head
  thread_pid: pid
  pid_links: hlist_node[]
  thread_node: list_head
  vfork_done: completion
  set_child_tid: pointer
  clear_child_tid: pointer
  worker_private: pointer
  utime: u64
  stime: u64
  gtime: u64
  prev_cputime: prev_cputime
  nvcsw: u64
  nivcsw: u64
  start_time: u64
  start_boottime: u64
  min_flt: u64
  maj_flt: u64
  posix_cputimers: posix_cputimers
  posix_cputimers_work: posix_cputimers_work
  ptracer_cred: cred
  real_cred: cred
  cred: cred
  cached_requested_key: key
  comm: chars
  nameidata: nameidata
  sysvsem: sysv_sem
  sysvshm: sysv_shm
  last_switch_count: u64
  last_switch_time: u64
  fs: fs_struct
  files: files_struct
  io_uring: io_uring_task
  nsproxy: nsproxy
  signal: signal_struct
  sighand: sighand_struct
  blocked: { sig: u64[] }
  real_blocked: { sig: u64[] }
  saved_sigmask: { sig: u64[] }
  pending: sigpending
  sas_ss_sp: u64
  sas_ss_size: u64
  sas_ss_flags: u32
  task_works: callback_head
  audit_context: audit_context
  loginuid: { val: u32 }
  sessionid: u32
  seccomp: seccomp
  syscall_dispatch: syscall_user_dispatch
  parent_exec_id: u64
  self_exec_id: u64
  alloc_lock: spinlock
  pi_lock: raw_spinlock
  wake_q: wake_q_node
  pi_waiters: rb_root_cached
  pi_top_task: task_struct
  pi_blocked_on: rt_mutex_waiter
  blocked_on: mutex
  blocker: u64
  journal_info: pointer
  bio_list: bio_list
  plug: blk_plug
  reclaim_state: reclaim_state
  io_context: io_context
  capture_control: capture_control
  ptrace_message: u64
  last_siginfo: kernel_siginfo
  ioac: task_io_accounting
  psi_flags: u32
  acct_rss_mem1: u64
  acct_vm_mem1: u64
  acct_timexpd: u64
  mems_allowed: { bits: u64[] }
  mems_allowed_seq: seqcount_spinlock
  cpuset_mem_spread_rotor: i32
  cgroups: css_set
  cg_list: list_head
  robust_list: robust_list_head
  compat_robust_list: compat_robust_list_head
  pi_state_list: list_head
  pi_state_cache: futex_pi_state
  futex_exit_mutex: mutex
  futex_state: u32
  perf_recursion: u8[]
  perf_event_ctxp: perf_event_context
  perf_event_mutex: mutex
  perf_event_list: list_head
  perf_ctx_data: perf_ctx_data
  mempolicy: mempolicy
  il_prev: i16
  il_weight: u8
  pref_node_fork: i16
  numa_scan_seq: i32
  numa_scan_period: u32
  numa_scan_period_max: u32
  numa_preferred_nid: i32
  numa_migrate_retry: u64
  node_stamp: u64
  last_task_numa_placement: u64
  last_sum_exec_runtime: u64
  numa_work: callback_head
  numa_group: numa_group
  numa_faults: pointer
  total_numa_faults: u64
  numa_faults_locality: u64[]
  numa_pages_migrated: u64
  rseq: rseq
  rseq_len: u32
  rseq_sig: u32
  rseq_event_mask: u64
  mm_cid: i32
  last_mm_cid: i32
  migrate_from_cpu: i32
  mm_cid_active: i32
  cid_work: callback_head
  tlb_ubc: tlbflush_unmap_batch
  splice_pipe: pipe_inode_info
  task_frag: page_frag
  delays: task_delay_info
  nr_dirtied: i32
  nr_dirtied_pause: i32
  dirty_paused_when: u64
  timer_slack_ns: u64
  default_timer_slack_ns: u64
  trace_recursion: u64
  memcg_in_oom: mem_cgroup
  memcg_nr_pages_over_high: u32
  active_memcg: mem_cgroup
  objcg: obj_cgroup
  throttle_disk: gendisk
  utask: uprobe_task
  kmap_ctrl: kmap_ctrl
  rcu: callback_head
  rcu_users: refcount_struct
  pagefault_disabled: i32
  oom_reaper_list: task_struct
  oom_reaper_timer: timer_list
  stack_vm_area: vm_struct
  stack_refcount: refcount_struct
  security: pointer
  bpf_storage: bpf_local_storage
  bpf_ctx: bpf_run_ctx
  bpf_net_context: bpf_net_context
  kstack_offset: u32
  l1d_flush_kill: callback_head
  unwind_info: unwind_task_info
  thread: thread_struct
}
export interface cgroup_root {
  kf_root: kernfs_root
  subsys_mask: u32
  hierarchy_id: i32
  root_list: list_head
  rcu: callback_head
  cgrp: cgroup
  cgrp_ancestor_storage: cgroup
  nr_cgrps: { counter: i32 }
  flags: u32
  release_agent_path: chars
  name: chars
}
export interface hrtimer { readonly __opaque: 'hrtimer' }
export interface sock {
  __sk_common: sock_common
  __cacheline_group_begin__sock_write_rx: u8[]
  sk_drops: { counter: i32 }
  sk_peek_off: i32
  sk_error_queue: sk_buff_head
  sk_receive_queue: sk_buff_head
  sk_backlog: { rmem_alloc: { counter: i32 }; len: i32; head: sk_buff; tail: sk_buff }
  __cacheline_group_end__sock_write_rx: u8[]
  __cacheline_group_begin__sock_read_rx: u8[]
  sk_rx_dst: dst_entry
  sk_rx_dst_ifindex: i32
  sk_rx_dst_cookie: u32
  sk_ll_usec: u32
  sk_napi_id: u32
  sk_busy_poll_budget: u16
  sk_prefer_busy_poll: u8
  sk_userlocks: u8
  sk_rcvbuf: i32
  sk_filter: sk_filter
  sk_wq: socket_wq
  sk_wq_raw: socket_wq
  sk_data_ready: pointer
  sk_rcvtimeo: i64
  sk_rcvlowat: i32
  __cacheline_group_end__sock_read_rx: u8[]
  __cacheline_group_begin__sock_read_rxtx: u8[]
  sk_err: i32
  sk_socket: socket
  sk_memcg: mem_cgroup
  sk_policy: xfrm_policy[]
  __cacheline_group_end__sock_read_rxtx: u8[]
  __cacheline_group_begin__sock_write_rxtx: u8[]
  sk_lock: { slock: spinlock; owned: i32; wq: wait_queue_head }
  sk_reserved_mem: u32
  sk_forward_alloc: i32
  sk_tsflags: u32
  __cacheline_group_end__sock_write_rxtx: u8[]
  __cacheline_group_begin__sock_write_tx: u8[]
  sk_write_pending: i32
  sk_omem_alloc: { counter: i32 }
  sk_err_soft: i32
  sk_wmem_queued: i32
  sk_wmem_alloc: refcount_struct
  sk_tsq_flags: u64
  sk_send_head: sk_buff
  tcp_rtx_queue: rb_root
  sk_write_queue: sk_buff_head
  sk_dst_pending_confirm: u32
  sk_pacing_status: u32
  sk_frag: page_frag
  sk_timer: timer_list
  sk_pacing_rate: u64
  sk_zckey: { counter: i32 }
  sk_tskey: { counter: i32 }
  __cacheline_group_end__sock_write_tx: u8[]
  __cacheline_group_begin__sock_read_tx: u8[]
  sk_max_pacing_rate: u64
  sk_sndtimeo: i64
  sk_priority: u32
  sk_mark: u32
  sk_uid: { val: u32 }
  sk_protocol: u16
  sk_type: u16
  sk_dst_cache: dst_entry
  sk_route_caps: u64
  sk_gso_type: u16
  sk_gso_max_segs: u16
  sk_gso_max_size: u32
  sk_allocation: u32
  sk_txhash: u32
  sk_sndbuf: i32
  sk_pacing_shift: u8
  sk_use_task_frag: boolean
  __cacheline_group_end__sock_read_tx: u8[]
  sk_gso_disabled: u8
  sk_kern_sock: u8
  sk_no_check_tx: u8
  sk_no_check_rx: u8
  sk_shutdown: u8
  sk_lingertime: u64
  sk_prot_creator: proto
  sk_callback_lock: { raw_lock: qrwlock }
  sk_ack_backlog: u32
  sk_max_ack_backlog: u32
  sk_ino: u64
  sk_peer_lock: spinlock
  sk_bind_phc: i32
  sk_peer_pid: pid
  sk_peer_cred: cred
  sk_stamp: i64
  sk_disconnects: i32
  sk_txrehash: u8
  sk_scm_recv_flags: u8
  sk_scm_credentials: u8
  sk_scm_security: u8
  sk_scm_pidfd: u8
  sk_scm_rights: u8
  sk_scm_unused: u8
  sk_clockid: u8
  sk_txtime_deadline_mode: u8
  sk_txtime_report_errors: u8
  sk_txtime_unused: u8
  sk_bpf_cb_flags: u8
  sk_user_data: pointer
  sk_security: pointer
  sk_cgrp_data: sock_cgroup_data
  sk_state_change: pointer
  sk_write_space: pointer
  sk_error_report: pointer
  sk_backlog_rcv: pointer
  sk_destruct: pointer
  sk_reuseport_cb: sock_reuseport
  sk_bpf_storage: bpf_local_storage
  sk_drop_counters: numa_drop_counters
  sk_rcu: callback_head
  ns_tracker: {  }
  sk_user_frags: xarray
}
export interface irqaction { readonly __opaque: 'irqaction' }
export interface sk_buff {
  next: sk_buff
  prev: sk_buff
  dev: net_device
  dev_scratch: u64
  rbnode: rb_node
  list: list_head
  ll_node: llist_node
  sk: sock
  tstamp: i64
  skb_mstamp_ns: u64
  cb: chars
  _skb_refdst: u64
  destructor: pointer
  tcp_tsorted_anchor: list_head
  _sk_redir: u64
  _nfct: u64
  len: u32
  data_len: u32
  mac_len: u16
  hdr_len: u16
  queue_mapping: u16
  __cloned_offset: u8[]
  cloned: u8
  nohdr: u8
  fclone: u8
  peeked: u8
  head_frag: u8
  pfmemalloc: u8
  pp_recycle: u8
  active_extensions: u8
  __pkt_type_offset: u8[]
  pkt_type: u8
  ignore_df: u8
  dst_pending_confirm: u8
  ip_summed: u8
  ooo_okay: u8
  __mono_tc_offset: u8[]
  tstamp_type: u8
  tc_at_ingress: u8
  tc_skip_classify: u8
  remcsum_offload: u8
  csum_complete_sw: u8
  csum_level: u8
  inner_protocol_type: u8
  l4_hash: u8
  sw_hash: u8
  no_fcs: u8
  encapsulation: u8
  encap_hdr_csum: u8
  csum_valid: u8
  nf_trace: u8
  redirected: u8
  from_ingress: u8
  nf_skip_egress: u8
  slow_gro: u8
  unreadable: u8
  tc_index: u16
  alloc_cpu: u16
  csum: u32
  csum_start: u16
  csum_offset: u16
  priority: u32
  skb_iif: i32
  hash: u32
  vlan_all: u32
  vlan_proto: u16
  vlan_tci: u16
  napi_id: u32
  sender_cpu: u32
  secmark: u32
  mark: u32
  reserved_tailroom: u32
  inner_protocol: u16
  inner_ipproto: u8
  inner_transport_header: u16
  inner_network_header: u16
  inner_mac_header: u16
  protocol: u16
  transport_header: u16
  network_header: u16
  mac_header: u16
  headers: { __pkt_type_offset: u8[]; pkt_type: u8; ignore_df: u8; dst_pending_confirm: u8; ip_summed: u8; ooo_okay: u8; __mono_tc_offset: u8[]; tstamp_type: u8; tc_at_ingress: u8; tc_skip_classify: u8; remcsum_offload: u8; csum_complete_sw: u8; csum_level: u8; inner_protocol_type: u8; l4_hash: u8; sw_hash: u8; no_fcs: u8; encapsulation: u8; encap_hdr_csum: u8; csum_valid: u8; nf_trace: u8; redirected: u8; from_ingress: u8; nf_skip_egress: u8; slow_gro: u8; unreadable: u8; tc_index: u16; alloc_cpu: u16; csum: u32; csum_start: u16; csum_offset: u16; priority: u32; skb_iif: i32; hash: u32; vlan_all: u32; vlan_proto: u16; vlan_tci: u16; napi_id: u32; sender_cpu: u32; secmark: u32; mark: u32; reserved_tailroom: u32; inner_protocol: u16; inner_ipproto: u8; inner_transport_header: u16; inner_network_header: u16; inner_mac_header: u16; protocol: u16; transport_header: u16; network_header: u16; mac_header: u16 }
  tail: u32
  end: u32
  head: pointer
  data: pointer
  truesize: u32
  users: refcount_struct
  extensions: skb_ext
}
export interface reclaim_stat { readonly __opaque: 'reclaim_stat' }
export interface folio { readonly __opaque: 'folio' }
export interface napi_struct { readonly __opaque: 'napi_struct' }
export interface net_device {
  __cacheline_group_begin__net_device_read_tx: u8[]
  priv_flags: u64
  lltx: u64
  netmem_tx: u64
  priv_flags_fast: { priv_flags: u64; lltx: u64; netmem_tx: u64 }
  netdev_ops: net_device_ops
  header_ops: header_ops
  _tx: netdev_queue
  gso_partial_features: u64
  real_num_tx_queues: u32
  gso_max_size: u32
  gso_ipv4_max_size: u32
  gso_max_segs: u16
  num_tc: i16
  mtu: u32
  needed_headroom: u16
  tc_to_txq: netdev_tc_txq[]
  xps_maps: xps_dev_maps[]
  nf_hooks_egress: nf_hook_entries
  tcx_egress: bpf_mprog_entry
  __cacheline_group_end__net_device_read_tx: u8[]
  __cacheline_group_begin__net_device_read_txrx: u8[]
  lstats: pcpu_lstats
  tstats: pcpu_sw_netstats
  dstats: pcpu_dstats
  state: u64
  flags: u32
  hard_header_len: u16
  features: u64
  ip6_ptr: inet6_dev
  __cacheline_group_end__net_device_read_txrx: u8[]
  __cacheline_group_begin__net_device_read_rx: u8[]
  xdp_prog: bpf_prog
  ptype_specific: list_head
  ifindex: i32
  real_num_rx_queues: u32
  _rx: netdev_rx_queue
  gro_max_size: u32
  gro_ipv4_max_size: u32
  rx_handler: pointer
  rx_handler_data: pointer
  nd_net: { net: net }
  tcx_ingress: bpf_mprog_entry
  __cacheline_group_end__net_device_read_rx: u8[]
  name: chars
  name_node: netdev_name_node
  ifalias: dev_ifalias
  mem_end: u64
  mem_start: u64
  base_addr: u64
  dev_list: list_head
  napi_list: list_head
  unreg_list: list_head
  close_list: list_head
  ptype_all: list_head
  adj_list: { upper: list_head; lower: list_head }
  xdp_features: u32
  xdp_metadata_ops: xdp_metadata_ops
  xsk_tx_metadata_ops: xsk_tx_metadata_ops
  gflags: u16
  needed_tailroom: u16
  hw_features: u64
  wanted_features: u64
  vlan_features: u64
  hw_enc_features: u64
  mpls_features: u64
  mangleid_features: u64
  min_mtu: u32
  max_mtu: u32
  type: u16
  min_header_len: u8
  name_assign_type: u8
  group: i32
  stats: net_device_stats
  core_stats: net_device_core_stats
  carrier_up_count: { counter: i32 }
  carrier_down_count: { counter: i32 }
  ethtool_ops: ethtool_ops
  l3mdev_ops: l3mdev_ops
  ndisc_ops: ndisc_ops
  operstate: u32
  link_mode: u8
  if_port: u8
  dma: u8
  perm_addr: u8[]
  addr_assign_type: u8
  addr_len: u8
  upper_level: u8
  lower_level: u8
  threaded: u8
  neigh_priv_len: u16
  dev_id: u16
  dev_port: u16
  irq: i32
  priv_len: u32
  addr_list_lock: spinlock
  uc: netdev_hw_addr_list
  mc: netdev_hw_addr_list
  dev_addrs: netdev_hw_addr_list
  queues_kset: kset
  promiscuity: u32
  allmulti: u32
  uc_promisc: boolean
  ip_ptr: in_device
  fib_nh_head: hlist_head
  dev_addr: pointer
  num_rx_queues: u32
  xdp_zc_max_segs: u32
  ingress_queue: netdev_queue
  nf_hooks_ingress: nf_hook_entries
  broadcast: u8[]
  rx_cpu_rmap: cpu_rmap
  index_hlist: hlist_node
  num_tx_queues: u32
  qdisc: Qdisc
  tx_queue_len: u32
  tx_global_lock: spinlock
  xdp_bulkq: xdp_dev_bulk_queue
  qdisc_hash: hlist_head[]
  watchdog_timer: timer_list
  watchdog_timeo: i32
  watchdog_lock: spinlock
  watchdog_ref_held: boolean
  proto_down_reason: u32
  todo_list: list_head
  pcpu_refcnt: pointer
  refcnt_tracker: ref_tracker_dir
  link_watch_list: list_head
  reg_state: u8
  dismantle: boolean
  moving_ns: boolean
  rtnl_link_initializing: boolean
  needs_free_netdev: boolean
  priv_destructor: pointer
  ml_priv: pointer
  ml_priv_type: u32
  pcpu_stat_type: u32
  dev: device
  sysfs_groups: attribute_group[]
  sysfs_rx_queue_group: attribute_group
  rtnl_link_ops: rtnl_link_ops
  stat_ops: netdev_stat_ops
  queue_mgmt_ops: netdev_queue_mgmt_ops
  tso_max_size: u32
  tso_max_segs: u16
  dcbnl_ops: dcbnl_rtnl_ops
  prio_tc_map: u8[]
  priomap: netprio_map
  link_topo: phy_link_topology
  phydev: phy_device
  sfp_bus: pointer
  qdisc_tx_busylock: lock_class_key
  proto_down: boolean
  irq_affinity_auto: boolean
  rx_cpu_rmap_auto: boolean
  see_all_hwtstamp_requests: u64
  change_proto_down: u64
  netns_immutable: u64
  fcoe_mtu: u64
  net_notifier_list: list_head
  udp_tunnel_nic_info: udp_tunnel_nic_info
  udp_tunnel_nic: udp_tunnel_nic
  cfg: netdev_config
  cfg_pending: netdev_config
  ethtool: ethtool_netdev_state
  xdp_state: bpf_xdp_entity[]
  dev_addr_shadow: u8[]
  linkwatch_dev_tracker: {  }
  watchdog_dev_tracker: {  }
  dev_registered_tracker: {  }
  offload_xstats_l3: rtnl_hw_stats64
  devlink_port: devlink_port
  page_pools: hlist_head
  irq_moder: dim_irq_moder
  max_pacing_offload_horizon: u64
  napi_config: napi_config
  num_napi_configs: u32
  napi_defer_hard_irqs: u32
  gro_flush_timeout: u64
  up: boolean
  request_ops_lock: boolean
  lock: mutex
  neighbours: hlist_head[]
  hwprov: hwtstamp_provider
  priv: u8[]
}
export interface pt_regs {
  r15: u64
  r14: u64
  r13: u64
  r12: u64
  bp: u64
  bx: u64
  r11: u64
  r10: u64
  r9: u64
  r8: u64
  ax: u64
  cx: u64
  dx: u64
  si: u64
  di: u64
  orig_ax: u64
  ip: u64
  cs: u16
  csx: u64
  fred_cs: fred_cs
  flags: u64
  sp: u64
  ss: u16
  ssx: u64
  fred_ss: fred_ss
}
export interface rq { readonly __opaque: 'rq' }
export interface kthread_work { readonly __opaque: 'kthread_work' }
export interface kthread_worker { readonly __opaque: 'kthread_worker' }
export interface root_domain { readonly __opaque: 'root_domain' }
export interface linux_binprm {
  vma: vm_area_struct
  vma_pages: u64
  argmin: u64
  mm: mm_struct
  p: u64
  have_execfd: u32
  execfd_creds: u32
  secureexec: u32
  point_of_no_return: u32
  comm_from_dentry: u32
  is_check: u32
  executable: file
  interpreter: file
  file: file
  cred: cred
  unsafe: i32
  per_clear: u32
  argc: i32
  envc: i32
  filename: chars
  interp: chars
  fdpath: chars
  interp_flags: u32
  execfd: i32
  exec: u64
  rlim_stack: rlimit
  buf: chars
}
export interface pid {
  count: refcount_struct
  level: u32
  lock: spinlock
  ino: u64
  pidfs_node: rb_node
  stashed: dentry
  attr: pidfs_attr
  tasks: hlist_head[]
  inodes: hlist_head
  wait_pidfd: wait_queue_head
  rcu: callback_head
  numbers: upid[]
}
export interface mm_struct {
  mm_count: { counter: i32 }
  mm_mt: maple_tree
  mmap_base: u64
  mmap_legacy_base: u64
  mmap_compat_base: u64
  mmap_compat_legacy_base: u64
  task_size: u64
  pgd: pointer
  membarrier_state: { counter: i32 }
  mm_users: { counter: i32 }
  pcpu_cid: mm_cid
  mm_cid_next_scan: u64
  nr_cpus_allowed: u32
  max_nr_cid: { counter: i32 }
  cpus_allowed_lock: raw_spinlock
  pgtables_bytes: { counter: i64 }
  map_count: i32
  page_table_lock: spinlock
  mmap_lock: rw_semaphore
  mmlist: list_head
  vma_writer_wait: rcuwait
  mm_lock_seq: seqcount
  futex_hash_lock: mutex
  futex_phash: futex_private_hash
  futex_phash_new: futex_private_hash
  futex_batches: u64
  futex_rcu: callback_head
  futex_atomic: { counter: i64 }
  futex_ref: pointer
  hiwater_rss: u64
  hiwater_vm: u64
  total_vm: u64
  locked_vm: u64
  pinned_vm: { counter: i64 }
  data_vm: u64
  exec_vm: u64
  stack_vm: u64
  def_flags: u64
  write_protect_seq: seqcount
  arg_lock: spinlock
  start_code: u64
  end_code: u64
  start_data: u64
  end_data: u64
  start_brk: u64
  brk: u64
  start_stack: u64
  arg_start: u64
  arg_end: u64
  env_start: u64
  env_end: u64
  saved_auxv: u64[]
  rss_stat: percpu_counter[]
  binfmt: linux_binfmt
  context: { ctx_id: u64; tlb_gen: { counter: i64 }; next_trim_cpumask: u64; ldt_usr_sem: rw_semaphore; ldt: ldt_struct; flags: u64; lock: mutex; vdso: pointer; vdso_image: vdso_image; perf_rdpmc_allowed: { counter: i32 }; pkey_allocation_map: u16; execute_only_pkey: i16; global_asid: u16; asid_transition: boolean }
  flags: { __mm_flags: u64[] }
  ioctx_lock: spinlock
  ioctx_table: kioctx_table
  owner: task_struct
  user_ns: user_namespace
  exe_file: file
  notifier_subscriptions: mmu_notifier_subscriptions
  numa_next_scan: u64
  numa_scan_offset: u64
  numa_scan_seq: i32
  tlb_flush_pending: { counter: i32 }
  tlb_flush_batched: { counter: i32 }
  uprobes_state: uprobes_state
  hugetlb_usage: { counter: i64 }
  async_put_work: work_struct
  ksm_merging_pages: u64
  ksm_rmap_items: u64
  ksm_zero_pages: { counter: i64 }
  mm_id: u32
  cpu_bitmap: u64[]
}
export interface vm_area_struct { readonly __opaque: 'vm_area_struct' }
export interface cfs_rq { readonly __opaque: 'cfs_rq' }
export interface sched_entity { readonly __opaque: 'sched_entity' }
export interface kernel_siginfo { readonly __opaque: 'kernel_siginfo' }
export interface k_sigaction { readonly __opaque: 'k_sigaction' }
export interface proto { readonly __opaque: 'proto' }
export interface request_sock { readonly __opaque: 'request_sock' }
export interface msghdr { readonly __opaque: 'msghdr' }
export interface timer_list { readonly __opaque: 'timer_list' }
export interface signal_struct {
  sigcnt: refcount_struct
  live: { counter: i32 }
  nr_threads: i32
  quick_threads: i32
  thread_head: list_head
  wait_chldexit: wait_queue_head
  curr_target: task_struct
  shared_pending: sigpending
  multiprocess: hlist_head
  group_exit_code: i32
  notify_count: i32
  group_exec_task: task_struct
  group_stop_count: i32
  flags: u32
  core_state: core_state
  is_child_subreaper: u32
  has_child_subreaper: u32
  timer_create_restore_ids: u32
  next_posix_timer_id: { counter: i32 }
  posix_timers: hlist_head
  ignored_posix_timers: hlist_head
  real_timer: hrtimer
  it_real_incr: i64
  it: cpu_itimer[]
  cputimer: thread_group_cputimer
  posix_cputimers: posix_cputimers
  pids: pid[]
  tty_old_pgrp: pid
  leader: i32
  tty: tty_struct
  autogroup: autogroup
  stats_lock: { seqcount: seqcount_spinlock; lock: spinlock }
  utime: u64
  stime: u64
  cutime: u64
  cstime: u64
  gtime: u64
  cgtime: u64
  prev_cputime: prev_cputime
  nvcsw: u64
  nivcsw: u64
  cnvcsw: u64
  cnivcsw: u64
  min_flt: u64
  maj_flt: u64
  cmin_flt: u64
  cmaj_flt: u64
  inblock: u64
  oublock: u64
  cinblock: u64
  coublock: u64
  maxrss: u64
  cmaxrss: u64
  ioac: task_io_accounting
  sum_sched_runtime: u64
  rlim: rlimit[]
  pacct: pacct_struct
  stats: taskstats
  audit_tty: u32
  tty_audit_buf: tty_audit_buf
  cgroup_threadgroup_rwsem: rw_semaphore
  oom_flag_origin: boolean
  oom_score_adj: i16
  oom_score_adj_min: i16
  oom_mm: mm_struct
  cred_guard_mutex: mutex
  exec_update_lock: rw_semaphore
}
export interface cred {
  usage: { counter: i64 }
  uid: { val: u32 }
  gid: { val: u32 }
  suid: { val: u32 }
  sgid: { val: u32 }
  euid: { val: u32 }
  egid: { val: u32 }
  fsuid: { val: u32 }
  fsgid: { val: u32 }
  securebits: u32
  cap_inheritable: { val: u64 }
  cap_permitted: { val: u64 }
  cap_effective: { val: u64 }
  cap_bset: { val: u64 }
  cap_ambient: { val: u64 }
  jit_keyring: u8
  session_keyring: key
  process_keyring: key
  thread_keyring: key
  request_key_auth: key
  security: pointer
  user: user_struct
  user_ns: user_namespace
  ucounts: ucounts
  group_info: group_info
  non_rcu: i32
  rcu: callback_head
}
export interface files_struct {
  count: { counter: i32 }
  resize_in_progress: boolean
  resize_wait: wait_queue_head
  fdt: fdtable
  fdtab: fdtable
  file_lock: spinlock
  next_fd: u32
  close_on_exec_init: u64[]
  open_fds_init: u64[]
  full_fds_bits_init: u64[]
  fd_array: file[]
}
export interface fs_struct {
  users: i32
  seq: { seqcount: seqcount_spinlock; lock: spinlock }
  umask: i32
  in_exec: i32
  root: path
  pwd: path
}
export interface nsproxy {
  count: refcount_struct
  uts_ns: uts_namespace
  ipc_ns: ipc_namespace
  mnt_ns: mnt_namespace
  pid_ns_for_children: pid_namespace
  net_ns: net
  time_ns: time_namespace
  time_ns_for_children: time_namespace
  cgroup_ns: cgroup_namespace
}
export interface css_set {
  subsys: cgroup_subsys_state[]
  refcount: refcount_struct
  dom_cset: css_set
  dfl_cgrp: cgroup
  nr_tasks: i32
  tasks: list_head
  mg_tasks: list_head
  dying_tasks: list_head
  task_iters: list_head
  e_cset_node: list_head[]
  threaded_csets: list_head
  threaded_csets_node: list_head
  hlist: hlist_node
  cgrp_links: list_head
  mg_src_preload_node: list_head
  mg_dst_preload_node: list_head
  mg_node: list_head
  mg_src_cgrp: cgroup
  mg_dst_cgrp: cgroup
  mg_dst_cset: css_set
  dead: boolean
  callback_head: callback_head
}
export interface kernfs_node {
  count: { counter: i32 }
  active: { counter: i32 }
  __parent: kernfs_node
  name: chars
  rb: rb_node
  ns: pointer
  hash: u32
  flags: u16
  mode: u16
  dir: kernfs_elem_dir
  symlink: kernfs_elem_symlink
  attr: kernfs_elem_attr
  id: u64
  priv: pointer
  iattr: kernfs_iattrs
  rcu: callback_head
}
export interface file {
  f_lock: spinlock
  f_mode: u32
  f_op: file_operations
  f_mapping: address_space
  private_data: pointer
  f_inode: inode
  f_flags: u32
  f_iocb_flags: u32
  f_cred: cred
  f_owner: fown_struct
  f_path: path
  __f_path: path
  f_pos_lock: mutex
  f_pipe: u64
  f_pos: i64
  f_security: pointer
  f_wb_err: u32
  f_sb_err: u32
  f_ep: hlist_head
  f_task_work: callback_head
  f_llist: llist_node
  f_ra: file_ra_state
  f_freeptr: { v: u64 }
  f_ref: { refcnt: { counter: i64 } }
}
export interface path {
  mnt: vfsmount
  dentry: dentry
}
export interface dentry {
  d_flags: u32
  d_seq: seqcount_spinlock
  d_hash: hlist_bl_node
  d_parent: dentry
  __d_name: qstr
  d_name: qstr
  d_inode: inode
  d_shortname: shortname_store
  d_op: dentry_operations
  d_sb: super_block
  d_time: u64
  d_fsdata: pointer
  d_lockref: lockref
  d_lru: list_head
  d_wait: wait_queue_head
  d_sib: hlist_node
  d_children: hlist_head
  d_u: { d_alias: hlist_node; d_in_lookup_hash: hlist_bl_node; d_rcu: callback_head }
}
export interface inode {
  i_mode: u16
  i_opflags: u16
  i_uid: { val: u32 }
  i_gid: { val: u32 }
  i_flags: u32
  i_acl: posix_acl
  i_default_acl: posix_acl
  i_op: inode_operations
  i_sb: super_block
  i_mapping: address_space
  i_security: pointer
  i_ino: u64
  i_nlink: u32
  __i_nlink: u32
  i_rdev: u32
  i_size: i64
  i_atime_sec: i64
  i_mtime_sec: i64
  i_ctime_sec: i64
  i_atime_nsec: u32
  i_mtime_nsec: u32
  i_ctime_nsec: u32
  i_generation: u32
  i_lock: spinlock
  i_bytes: u16
  i_blkbits: u8
  i_write_hint: u8
  i_blocks: u64
  i_state: u32
  i_rwsem: rw_semaphore
  dirtied_when: u64
  dirtied_time_when: u64
  i_hash: hlist_node
  i_io_list: list_head
  i_wb: bdi_writeback
  i_wb_frn_winner: i32
  i_wb_frn_avg_time: u16
  i_wb_frn_history: u16
  i_lru: list_head
  i_kept: llist_node
  i_sb_list: list_head
  i_wb_list: list_head
  i_dentry: hlist_head
  i_rcu: callback_head
  i_version: { counter: i64 }
  i_sequence: { counter: i64 }
  i_count: { counter: i32 }
  i_dio_count: { counter: i32 }
  i_writecount: { counter: i32 }
  i_readcount: { counter: i32 }
  i_fop: file_operations
  free_inode: pointer
  i_flctx: file_lock_context
  i_data: address_space
  i_devices: list_head
  i_linklen: i32
  i_pipe: pipe_inode_info
  i_cdev: cdev
  i_link: chars
  i_dir_seq: u32
  i_fsnotify_mask: u32
  i_fsnotify_marks: fsnotify_mark_connector
  i_private: pointer
}
export interface super_block {
  s_list: list_head
  s_dev: u32
  s_blocksize_bits: u8
  s_blocksize: u64
  s_maxbytes: i64
  s_type: file_system_type
  s_op: super_operations
  dq_op: dquot_operations
  s_qcop: quotactl_ops
  s_export_op: export_operations
  s_flags: u64
  s_iflags: u64
  s_magic: u64
  s_root: dentry
  s_umount: rw_semaphore
  s_count: i32
  s_active: { counter: i32 }
  s_security: pointer
  s_xattr: pointer
  s_cop: fscrypt_operations
  s_master_keys: fscrypt_keyring
  s_roots: hlist_bl_head
  s_mounts: mount
  s_bdev: block_device
  s_bdev_file: file
  s_bdi: backing_dev_info
  s_mtd: pointer
  s_instances: hlist_node
  s_quota_types: u32
  s_dquot: quota_info
  s_writers: sb_writers
  s_fs_info: pointer
  s_time_gran: u32
  s_time_min: i64
  s_time_max: i64
  s_fsnotify_mask: u32
  s_fsnotify_info: fsnotify_sb_info
  s_id: chars
  s_uuid: { b: u8[] }
  s_uuid_len: u8
  s_sysfs_name: chars
  s_max_links: u32
  s_d_flags: u32
  s_vfs_rename_mutex: mutex
  s_subtype: chars
  __s_d_op: dentry_operations
  s_shrink: shrinker
  s_remove_count: { counter: i64 }
  s_readonly_remount: i32
  s_wb_err: u32
  s_dio_done_wq: workqueue_struct
  s_pins: hlist_head
  s_user_ns: user_namespace
  s_dentry_lru: list_lru
  s_inode_lru: list_lru
  rcu: callback_head
  destroy_work: work_struct
  s_sync_lock: mutex
  s_stack_depth: i32
  s_inode_list_lock: spinlock
  s_inodes: list_head
  s_inode_wblist_lock: spinlock
  s_inodes_wb: list_head
  s_kept_inodes: llist_head
  s_kept_work: work_struct
}
export interface qstr {
  hash: u32
  len: u32
  hash_len: u64
  name: pointer
}
export interface sock_common {
  skc_addrpair: u64
  skc_daddr: u32
  skc_rcv_saddr: u32
  skc_hash: u32
  skc_u16hashes: u16[]
  skc_portpair: u32
  skc_dport: u16
  skc_num: u16
  skc_family: u16
  skc_state: u8
  skc_reuse: u8
  skc_reuseport: u8
  skc_ipv6only: u8
  skc_net_refcnt: u8
  skc_bound_dev_if: i32
  skc_bind_node: hlist_node
  skc_portaddr_node: hlist_node
  skc_prot: proto
  skc_net: { net: net }
  skc_v6_daddr: in6_addr
  skc_v6_rcv_saddr: in6_addr
  skc_cookie: { counter: i64 }
  skc_flags: u64
  skc_listener: sock
  skc_tw_dr: inet_timewait_death_row
  skc_dontcopy_begin: i32[]
  skc_node: hlist_node
  skc_nulls_node: hlist_nulls_node
  skc_tx_queue_mapping: u16
  skc_rx_queue_mapping: u16
  skc_incoming_cpu: i32
  skc_rcv_wnd: u32
  skc_tw_rcv_nxt: u32
  skc_refcnt: refcount_struct
  skc_dontcopy_end: i32[]
  skc_rxhash: u32
  skc_window_clamp: u32
  skc_tw_snd_nxt: u32
}
export interface tcp_sock {
  inet_conn: inet_connection_sock
  __cacheline_group_begin__tcp_sock_read_tx: u8[]
  max_window: u32
  rcv_ssthresh: u32
  reordering: u32
  notsent_lowat: u32
  gso_segs: u16
  retransmit_skb_hint: sk_buff
  __cacheline_group_end__tcp_sock_read_tx: u8[]
  __cacheline_group_begin__tcp_sock_read_txrx: u8[]
  tsoffset: u32
  snd_wnd: u32
  mss_cache: u32
  snd_cwnd: u32
  prr_out: u32
  lost_out: u32
  sacked_out: u32
  tcp_header_len: u16
  scaling_ratio: u8
  repair: u8
  tcp_usec_ts: u8
  is_sack_reneg: u8
  is_cwnd_limited: u8
  recvmsg_inq: u8
  __cacheline_group_end__tcp_sock_read_txrx: u8[]
  __cacheline_group_begin__tcp_sock_read_rx: u8[]
  copied_seq: u32
  snd_wl1: u32
  tlp_high_seq: u32
  rttvar_us: u32
  retrans_out: u32
  advmss: u16
  urg_data: u16
  lost: u32
  snd_ssthresh: u32
  rtt_min: minmax
  out_of_order_queue: rb_root
  __cacheline_group_end__tcp_sock_read_rx: u8[]
  __cacheline_group_begin__tcp_sock_write_tx: u8[]
  segs_out: u32
  data_segs_out: u32
  bytes_sent: u64
  snd_sml: u32
  chrono_type: u8
  chrono_start: u32
  chrono_stat: u32[]
  write_seq: u32
  pushed_seq: u32
  lsndtime: u32
  mdev_us: u32
  rtt_seq: u32
  tcp_wstamp_ns: u64
  accecn_opt_tstamp: u64
  tsorted_sent_queue: list_head
  highest_sack: sk_buff
  ecn_flags: u8
  __cacheline_group_end__tcp_sock_write_tx: u8[]
  __cacheline_group_begin__tcp_sock_write_txrx: u8[]
  nonagle: u8
  rate_app_limited: u8
  received_ce_pending: u8
  unused2: u8
  accecn_minlen: u8
  est_ecnfield: u8
  accecn_opt_demand: u8
  prev_ecnfield: u8
  pred_flags: u32
  tcp_clock_cache: u64
  tcp_mstamp: u64
  rcv_nxt: u32
  snd_nxt: u32
  snd_una: u32
  window_clamp: u32
  srtt_us: u32
  packets_out: u32
  snd_up: u32
  delivered: u32
  delivered_ce: u32
  received_ce: u32
  received_ecn_bytes: u32[]
  app_limited: u32
  rcv_wnd: u32
  rcv_tstamp: u32
  rx_opt: tcp_options_received
  __cacheline_group_end__tcp_sock_write_txrx: u8[]
  __cacheline_group_begin__tcp_sock_write_rx: u8[]
  bytes_received: u64
  segs_in: u32
  data_segs_in: u32
  rcv_wup: u32
  max_packets_out: u32
  cwnd_usage_seq: u32
  rate_delivered: u32
  rate_interval_us: u32
  rcv_rtt_last_tsecr: u32
  delivered_ecn_bytes: u32[]
  first_tx_mstamp: u64
  delivered_mstamp: u64
  bytes_acked: u64
  rcv_rtt_est: { rtt_us: u32; seq: u32; time: u64 }
  rcvq_space: { space: i32; seq: u32; time: u64 }
  __cacheline_group_end__tcp_sock_write_rx: u8[]
  dsack_dups: u32
  compressed_ack_rcv_nxt: u32
  tsq_node: list_head
  rack: tcp_rack
  compressed_ack: u8
  dup_ack_counter: u8
  tlp_retrans: u8
  syn_ect_snt: u8
  syn_ect_rcv: u8
  thin_lto: u8
  fastopen_connect: u8
  fastopen_no_cookie: u8
  fastopen_client_fail: u8
  frto: u8
  repair_queue: u8
  save_syn: u8
  syn_data: u8
  syn_fastopen: u8
  syn_fastopen_exp: u8
  syn_fastopen_ch: u8
  syn_data_acked: u8
  syn_fastopen_child: u8
  keepalive_probes: u8
  accecn_fail_mode: u8
  saw_accecn_opt: u8
  tcp_tx_delay: u32
  mdev_max_us: u32
  reord_seen: u32
  snd_cwnd_cnt: u32
  snd_cwnd_clamp: u32
  snd_cwnd_used: u32
  snd_cwnd_stamp: u32
  prior_cwnd: u32
  prr_delivered: u32
  last_oow_ack_time: u32
  pacing_timer: hrtimer
  compressed_ack_timer: hrtimer
  ooo_last_skb: sk_buff
  duplicate_sack: tcp_sack_block[]
  selective_acks: tcp_sack_block[]
  recv_sack_cache: tcp_sack_block[]
  prior_ssthresh: u32
  high_seq: u32
  retrans_stamp: u32
  undo_marker: u32
  undo_retrans: i32
  mtu_info: u32
  bytes_retrans: u64
  total_retrans: u32
  rto_stamp: u32
  total_rto: u16
  total_rto_recoveries: u16
  total_rto_time: u32
  urg_seq: u32
  keepalive_time: u32
  keepalive_intvl: u32
  linger2: i32
  bpf_sock_ops_cb_flags: u8
  bpf_chg_cc_inprogress: u8
  timeout_rehash: u16
  rcv_ooopack: u32
  mtu_probe: { probe_seq_start: u32; probe_seq_end: u32 }
  plb_rehash: u32
  is_mptcp: boolean
  af_specific: tcp_sock_af_ops
  md5sig_info: tcp_md5sig_info
  fastopen_req: tcp_fastopen_request
  fastopen_rsk: request_sock
  saved_syn: saved_syn
}
export interface inet_sock {
  sk: sock
  pinet6: ipv6_pinfo
  ipv6_fl_list: ipv6_fl_socklist
  inet_flags: u64
  inet_saddr: u32
  uc_ttl: i16
  inet_sport: u16
  inet_opt: ip_options_rcu
  inet_id: { counter: i32 }
  tos: u8
  min_ttl: u8
  mc_ttl: u8
  pmtudisc: u8
  rcv_tos: u8
  convert_csum: u8
  uc_index: i32
  mc_index: i32
  mc_addr: u32
  local_port_range: u32
  mc_list: ip_mc_socklist
  cork: inet_cork_full
}
export interface inet_connection_sock {
  icsk_inet: inet_sock
  icsk_accept_queue: request_sock_queue
  icsk_bind_hash: inet_bind_bucket
  icsk_bind2_hash: inet_bind2_bucket
  icsk_retransmit_timer: timer_list
  icsk_delack_timer: timer_list
  icsk_rto: u32
  icsk_rto_min: u32
  icsk_rto_max: u32
  icsk_delack_max: u32
  icsk_pmtu_cookie: u32
  icsk_ca_ops: tcp_congestion_ops
  icsk_af_ops: inet_connection_sock_af_ops
  icsk_ulp_ops: tcp_ulp_ops
  icsk_ulp_data: pointer
  icsk_sync_mss: pointer
  icsk_ca_state: u8
  icsk_ca_initialized: u8
  icsk_ca_setsockopt: u8
  icsk_ca_dst_locked: u8
  icsk_retransmits: u8
  icsk_pending: u8
  icsk_backoff: u8
  icsk_syn_retries: u8
  icsk_probes_out: u8
  icsk_ext_hdr_len: u16
  icsk_ack: { pending: u8; quick: u8; pingpong: u8; retry: u8; ato: u32; lrcv_flowlabel: u32; dst_quick_ack: u32; unused: u32; lrcvtime: u32; last_seg_size: u16; rcv_mss: u16 }
  icsk_mtup: { search_high: i32; search_low: i32; probe_size: u32; enabled: u32; probe_timestamp: u32 }
  icsk_probes_tstamp: u32
  icsk_user_timeout: u32
  icsk_ca_priv: u64[]
}
export interface socket {
  state: u32
  type: i16
  flags: u64
  file: file
  sk: sock
  ops: proto_ops
  wq: socket_wq
}
export interface net {
  passive: refcount_struct
  rules_mod_lock: spinlock
  dev_base_seq: u32
  ifindex: u32
  nsid_lock: spinlock
  fnhe_genid: { counter: i32 }
  list: list_head
  exit_list: list_head
  defer_free_list: llist_node
  cleanup_list: llist_node
  ptype_all: list_head
  ptype_specific: list_head
  key_domain: key_tag
  user_ns: user_namespace
  ucounts: ucounts
  netns_ids: idr
  ns: ns_common
  refcnt_tracker: ref_tracker_dir
  notrefcnt_tracker: ref_tracker_dir
  dev_base_head: list_head
  proc_net: proc_dir_entry
  proc_net_stat: proc_dir_entry
  sysctls: ctl_table_set
  rtnl: sock
  genl_sock: sock
  uevent_sock: uevent_sock
  dev_name_head: hlist_head
  dev_index_head: hlist_head
  dev_by_index: xarray
  netdev_chain: raw_notifier_head
  hash_mix: u32
  loopback_dev: net_device
  rules_ops: list_head
  core: netns_core
  mib: netns_mib
  packet: netns_packet
  unx: netns_unix
  nexthop: netns_nexthop
  ipv4: netns_ipv4
  ipv6: netns_ipv6
  nf: netns_nf
  ct: netns_ct
  nft: netns_nftables
  gen: net_generic
  bpf: netns_bpf
  xfrm: netns_xfrm
  net_cookie: u64
  mpls: netns_mpls
  xdp: netns_xdp
  diag_nlsk: sock
}
export interface ns_common {
  ns_type: u32
  stashed: dentry
  ops: proc_ns_operations
  inum: u32
  __ns_ref: refcount_struct
  ns_id: u64
  ns_tree_node: rb_node
  ns_list_node: list_head
  ns_rcu: callback_head
}
export interface gendisk {
  major: i32
  first_minor: i32
  minors: i32
  disk_name: chars
  events: u16
  event_flags: u16
  part_tbl: xarray
  part0: block_device
  fops: block_device_operations
  queue: request_queue
  private_data: pointer
  bio_split: bio_set
  flags: i32
  state: u64
  open_mutex: mutex
  open_partitions: u32
  bdi: backing_dev_info
  queue_kobj: kobject
  slave_dir: kobject
  random: timer_rand_state
  ev: disk_events
  node_id: i32
  bb: badblocks
  lockdep_map: lockdep_map
  diskseq: u64
  open_mode: u32
  ia_ranges: blk_independent_access_ranges
  rqos_state_mutex: mutex
}
export interface block_device {
  bd_start_sect: u64
  bd_nr_sectors: u64
  bd_disk: gendisk
  bd_queue: request_queue
  bd_stats: disk_stats
  bd_stamp: u64
  __bd_flags: { counter: i32 }
  bd_dev: u32
  bd_mapping: address_space
  bd_openers: { counter: i32 }
  bd_size_lock: spinlock
  bd_claiming: pointer
  bd_holder: pointer
  bd_holder_ops: blk_holder_ops
  bd_holder_lock: mutex
  bd_holders: i32
  bd_holder_dir: kobject
  bd_fsfreeze_count: { counter: i32 }
  bd_fsfreeze_mutex: mutex
  bd_meta_info: partition_meta_info
  bd_writers: i32
  bd_security: pointer
  bd_device: device
}
export interface pid_namespace {
  idr: idr
  rcu: callback_head
  pid_allocated: u32
  child_reaper: task_struct
  pid_cachep: kmem_cache
  level: u32
  pid_max: i32
  parent: pid_namespace
  bacct: fs_pin
  user_ns: user_namespace
  ucounts: ucounts
  reboot: i32
  ns: ns_common
  work: work_struct
  set: ctl_table_set
  sysctls: ctl_table_header
  memfd_noexec_scope: i32
}
export interface uts_namespace {
  name: new_utsname
  user_ns: user_namespace
  ucounts: ucounts
  ns: ns_common
}
export interface bvec_iter { readonly __opaque: 'bvec_iter' }
export interface blkcg_gq { readonly __opaque: 'blkcg_gq' }
export interface bio_vec { readonly __opaque: 'bio_vec' }
export interface bio_set { readonly __opaque: 'bio_set' }
export interface elevator_queue { readonly __opaque: 'elevator_queue' }
export interface blk_mq_ops { readonly __opaque: 'blk_mq_ops' }
export interface blk_mq_ctx { readonly __opaque: 'blk_mq_ctx' }
export interface refcount_struct { readonly __opaque: 'refcount_struct' }
export interface xarray { readonly __opaque: 'xarray' }
export interface percpu_ref { readonly __opaque: 'percpu_ref' }
export interface lock_class_key { readonly __opaque: 'lock_class_key' }
export interface lockdep_map { readonly __opaque: 'lockdep_map' }
export interface spinlock { readonly __opaque: 'spinlock' }
export interface kobject { readonly __opaque: 'kobject' }
export interface queue_limits { readonly __opaque: 'queue_limits' }
export interface device { readonly __opaque: 'device' }
export interface blk_queue_stats { readonly __opaque: 'blk_queue_stats' }
export interface rq_qos { readonly __opaque: 'rq_qos' }
export interface mutex { readonly __opaque: 'mutex' }
export interface work_struct { readonly __opaque: 'work_struct' }
export interface blk_mq_tags { readonly __opaque: 'blk_mq_tags' }
export interface list_head { readonly __opaque: 'list_head' }
export interface delayed_work { readonly __opaque: 'delayed_work' }
export interface blk_trace { readonly __opaque: 'blk_trace' }
export interface blk_flush_queue { readonly __opaque: 'blk_flush_queue' }
export interface throtl_data { readonly __opaque: 'throtl_data' }
export interface callback_head { readonly __opaque: 'callback_head' }
export interface wait_queue_head { readonly __opaque: 'wait_queue_head' }
export interface blk_mq_tag_set { readonly __opaque: 'blk_mq_tag_set' }
export interface blk_mq_hw_ctx { readonly __opaque: 'blk_mq_hw_ctx' }
export interface hlist_node { readonly __opaque: 'hlist_node' }
export interface llist_node { readonly __opaque: 'llist_node' }
export interface rb_node { readonly __opaque: 'rb_node' }
export interface io_cq { readonly __opaque: 'io_cq' }
export interface cgroup_subsys_state { readonly __opaque: 'cgroup_subsys_state' }
export interface cgroup_file { readonly __opaque: 'cgroup_file' }
export interface cgroup_rstat_base_cpu { readonly __opaque: 'cgroup_rstat_base_cpu' }
export interface cacheline_padding { readonly __opaque: 'cacheline_padding' }
export interface cgroup_base_stat { readonly __opaque: 'cgroup_base_stat' }
export interface prev_cputime { readonly __opaque: 'prev_cputime' }
export interface psi_group { readonly __opaque: 'psi_group' }
export interface cgroup_bpf { readonly __opaque: 'cgroup_bpf' }
export interface cgroup_freezer_state { readonly __opaque: 'cgroup_freezer_state' }
export interface bpf_local_storage { readonly __opaque: 'bpf_local_storage' }
export interface thread_info { readonly __opaque: 'thread_info' }
export interface __call_single_node { readonly __opaque: '__call_single_node' }
export interface sched_rt_entity { readonly __opaque: 'sched_rt_entity' }
export interface sched_dl_entity { readonly __opaque: 'sched_dl_entity' }
export interface sched_class { readonly __opaque: 'sched_class' }
export interface task_group { readonly __opaque: 'task_group' }
export interface sched_statistics { readonly __opaque: 'sched_statistics' }
export interface hlist_head { readonly __opaque: 'hlist_head' }
export interface cpumask { readonly __opaque: 'cpumask' }
export interface rcu_special { readonly __opaque: 'rcu_special' }
export interface rcu_node { readonly __opaque: 'rcu_node' }
export interface sched_info { readonly __opaque: 'sched_info' }
export interface plist_node { readonly __opaque: 'plist_node' }
export interface address_space { readonly __opaque: 'address_space' }
export interface restart_block { readonly __opaque: 'restart_block' }
export interface completion { readonly __opaque: 'completion' }
export interface posix_cputimers { readonly __opaque: 'posix_cputimers' }
export interface posix_cputimers_work { readonly __opaque: 'posix_cputimers_work' }
export interface key { readonly __opaque: 'key' }
export interface nameidata { readonly __opaque: 'nameidata' }
export interface sysv_sem { readonly __opaque: 'sysv_sem' }
export interface sysv_shm { readonly __opaque: 'sysv_shm' }
export interface io_uring_task { readonly __opaque: 'io_uring_task' }
export interface sighand_struct { readonly __opaque: 'sighand_struct' }
export interface sigpending { readonly __opaque: 'sigpending' }
export interface audit_context { readonly __opaque: 'audit_context' }
export interface seccomp { readonly __opaque: 'seccomp' }
export interface syscall_user_dispatch { readonly __opaque: 'syscall_user_dispatch' }
export interface raw_spinlock { readonly __opaque: 'raw_spinlock' }
export interface wake_q_node { readonly __opaque: 'wake_q_node' }
export interface rb_root_cached { readonly __opaque: 'rb_root_cached' }
export interface rt_mutex_waiter { readonly __opaque: 'rt_mutex_waiter' }
export interface bio_list { readonly __opaque: 'bio_list' }
export interface blk_plug { readonly __opaque: 'blk_plug' }
export interface reclaim_state { readonly __opaque: 'reclaim_state' }
export interface io_context { readonly __opaque: 'io_context' }
export interface capture_control { readonly __opaque: 'capture_control' }
export interface task_io_accounting { readonly __opaque: 'task_io_accounting' }
export interface seqcount_spinlock { readonly __opaque: 'seqcount_spinlock' }
export interface robust_list_head { readonly __opaque: 'robust_list_head' }
export interface compat_robust_list_head { readonly __opaque: 'compat_robust_list_head' }
export interface futex_pi_state { readonly __opaque: 'futex_pi_state' }
export interface perf_event_context { readonly __opaque: 'perf_event_context' }
export interface perf_ctx_data { readonly __opaque: 'perf_ctx_data' }
export interface mempolicy { readonly __opaque: 'mempolicy' }
export interface numa_group { readonly __opaque: 'numa_group' }
export interface rseq { readonly __opaque: 'rseq' }
export interface tlbflush_unmap_batch { readonly __opaque: 'tlbflush_unmap_batch' }
export interface pipe_inode_info { readonly __opaque: 'pipe_inode_info' }
export interface page_frag { readonly __opaque: 'page_frag' }
export interface task_delay_info { readonly __opaque: 'task_delay_info' }
export interface mem_cgroup { readonly __opaque: 'mem_cgroup' }
export interface obj_cgroup { readonly __opaque: 'obj_cgroup' }
export interface uprobe_task { readonly __opaque: 'uprobe_task' }
export interface kmap_ctrl { readonly __opaque: 'kmap_ctrl' }
export interface vm_struct { readonly __opaque: 'vm_struct' }
export interface bpf_run_ctx { readonly __opaque: 'bpf_run_ctx' }
export interface bpf_net_context { readonly __opaque: 'bpf_net_context' }
export interface unwind_task_info { readonly __opaque: 'unwind_task_info' }
export interface thread_struct { readonly __opaque: 'thread_struct' }
export interface kernfs_root { readonly __opaque: 'kernfs_root' }
export interface sk_buff_head { readonly __opaque: 'sk_buff_head' }
export interface dst_entry { readonly __opaque: 'dst_entry' }
export interface sk_filter { readonly __opaque: 'sk_filter' }
export interface socket_wq { readonly __opaque: 'socket_wq' }
export interface xfrm_policy { readonly __opaque: 'xfrm_policy' }
export interface rb_root { readonly __opaque: 'rb_root' }
export interface qrwlock { readonly __opaque: 'qrwlock' }
export interface sock_cgroup_data { readonly __opaque: 'sock_cgroup_data' }
export interface sock_reuseport { readonly __opaque: 'sock_reuseport' }
export interface numa_drop_counters { readonly __opaque: 'numa_drop_counters' }
export interface skb_ext { readonly __opaque: 'skb_ext' }
export interface net_device_ops { readonly __opaque: 'net_device_ops' }
export interface header_ops { readonly __opaque: 'header_ops' }
export interface netdev_queue { readonly __opaque: 'netdev_queue' }
export interface netdev_tc_txq { readonly __opaque: 'netdev_tc_txq' }
export interface xps_dev_maps { readonly __opaque: 'xps_dev_maps' }
export interface nf_hook_entries { readonly __opaque: 'nf_hook_entries' }
export interface bpf_mprog_entry { readonly __opaque: 'bpf_mprog_entry' }
export interface pcpu_lstats { readonly __opaque: 'pcpu_lstats' }
export interface pcpu_sw_netstats { readonly __opaque: 'pcpu_sw_netstats' }
export interface pcpu_dstats { readonly __opaque: 'pcpu_dstats' }
export interface inet6_dev { readonly __opaque: 'inet6_dev' }
export interface bpf_prog { readonly __opaque: 'bpf_prog' }
export interface netdev_rx_queue { readonly __opaque: 'netdev_rx_queue' }
export interface netdev_name_node { readonly __opaque: 'netdev_name_node' }
export interface dev_ifalias { readonly __opaque: 'dev_ifalias' }
export interface xdp_metadata_ops { readonly __opaque: 'xdp_metadata_ops' }
export interface xsk_tx_metadata_ops { readonly __opaque: 'xsk_tx_metadata_ops' }
export interface net_device_stats { readonly __opaque: 'net_device_stats' }
export interface net_device_core_stats { readonly __opaque: 'net_device_core_stats' }
export interface ethtool_ops { readonly __opaque: 'ethtool_ops' }
export interface l3mdev_ops { readonly __opaque: 'l3mdev_ops' }
export interface ndisc_ops { readonly __opaque: 'ndisc_ops' }
export interface netdev_hw_addr_list { readonly __opaque: 'netdev_hw_addr_list' }
export interface kset { readonly __opaque: 'kset' }
export interface in_device { readonly __opaque: 'in_device' }
export interface cpu_rmap { readonly __opaque: 'cpu_rmap' }
export interface Qdisc { readonly __opaque: 'Qdisc' }
export interface xdp_dev_bulk_queue { readonly __opaque: 'xdp_dev_bulk_queue' }
export interface ref_tracker_dir { readonly __opaque: 'ref_tracker_dir' }
export interface attribute_group { readonly __opaque: 'attribute_group' }
export interface rtnl_link_ops { readonly __opaque: 'rtnl_link_ops' }
export interface netdev_stat_ops { readonly __opaque: 'netdev_stat_ops' }
export interface netdev_queue_mgmt_ops { readonly __opaque: 'netdev_queue_mgmt_ops' }
export interface dcbnl_rtnl_ops { readonly __opaque: 'dcbnl_rtnl_ops' }
export interface netprio_map { readonly __opaque: 'netprio_map' }
export interface phy_link_topology { readonly __opaque: 'phy_link_topology' }
export interface phy_device { readonly __opaque: 'phy_device' }
export interface udp_tunnel_nic_info { readonly __opaque: 'udp_tunnel_nic_info' }
export interface udp_tunnel_nic { readonly __opaque: 'udp_tunnel_nic' }
export interface netdev_config { readonly __opaque: 'netdev_config' }
export interface ethtool_netdev_state { readonly __opaque: 'ethtool_netdev_state' }
export interface bpf_xdp_entity { readonly __opaque: 'bpf_xdp_entity' }
export interface rtnl_hw_stats64 { readonly __opaque: 'rtnl_hw_stats64' }
export interface devlink_port { readonly __opaque: 'devlink_port' }
export interface dim_irq_moder { readonly __opaque: 'dim_irq_moder' }
export interface napi_config { readonly __opaque: 'napi_config' }
export interface hwtstamp_provider { readonly __opaque: 'hwtstamp_provider' }
export interface fred_cs { readonly __opaque: 'fred_cs' }
export interface fred_ss { readonly __opaque: 'fred_ss' }
export interface rlimit { readonly __opaque: 'rlimit' }
export interface pidfs_attr { readonly __opaque: 'pidfs_attr' }
export interface upid { readonly __opaque: 'upid' }
export interface maple_tree { readonly __opaque: 'maple_tree' }
export interface mm_cid { readonly __opaque: 'mm_cid' }
export interface rw_semaphore { readonly __opaque: 'rw_semaphore' }
export interface rcuwait { readonly __opaque: 'rcuwait' }
export interface seqcount { readonly __opaque: 'seqcount' }
export interface futex_private_hash { readonly __opaque: 'futex_private_hash' }
export interface percpu_counter { readonly __opaque: 'percpu_counter' }
export interface linux_binfmt { readonly __opaque: 'linux_binfmt' }
export interface ldt_struct { readonly __opaque: 'ldt_struct' }
export interface vdso_image { readonly __opaque: 'vdso_image' }
export interface kioctx_table { readonly __opaque: 'kioctx_table' }
export interface user_namespace { readonly __opaque: 'user_namespace' }
export interface mmu_notifier_subscriptions { readonly __opaque: 'mmu_notifier_subscriptions' }
export interface uprobes_state { readonly __opaque: 'uprobes_state' }
export interface core_state { readonly __opaque: 'core_state' }
export interface cpu_itimer { readonly __opaque: 'cpu_itimer' }
export interface thread_group_cputimer { readonly __opaque: 'thread_group_cputimer' }
export interface tty_struct { readonly __opaque: 'tty_struct' }
export interface autogroup { readonly __opaque: 'autogroup' }
export interface pacct_struct { readonly __opaque: 'pacct_struct' }
export interface taskstats { readonly __opaque: 'taskstats' }
export interface tty_audit_buf { readonly __opaque: 'tty_audit_buf' }
export interface user_struct { readonly __opaque: 'user_struct' }
export interface ucounts { readonly __opaque: 'ucounts' }
export interface group_info { readonly __opaque: 'group_info' }
export interface fdtable { readonly __opaque: 'fdtable' }
export interface ipc_namespace { readonly __opaque: 'ipc_namespace' }
export interface mnt_namespace { readonly __opaque: 'mnt_namespace' }
export interface time_namespace { readonly __opaque: 'time_namespace' }
export interface cgroup_namespace { readonly __opaque: 'cgroup_namespace' }
export interface kernfs_elem_dir { readonly __opaque: 'kernfs_elem_dir' }
export interface kernfs_elem_symlink { readonly __opaque: 'kernfs_elem_symlink' }
export interface kernfs_elem_attr { readonly __opaque: 'kernfs_elem_attr' }
export interface kernfs_iattrs { readonly __opaque: 'kernfs_iattrs' }
export interface file_operations { readonly __opaque: 'file_operations' }
export interface fown_struct { readonly __opaque: 'fown_struct' }
export interface file_ra_state { readonly __opaque: 'file_ra_state' }
export interface vfsmount { readonly __opaque: 'vfsmount' }
export interface hlist_bl_node { readonly __opaque: 'hlist_bl_node' }
export interface shortname_store { readonly __opaque: 'shortname_store' }
export interface dentry_operations { readonly __opaque: 'dentry_operations' }
export interface lockref { readonly __opaque: 'lockref' }
export interface posix_acl { readonly __opaque: 'posix_acl' }
export interface inode_operations { readonly __opaque: 'inode_operations' }
export interface bdi_writeback { readonly __opaque: 'bdi_writeback' }
export interface file_lock_context { readonly __opaque: 'file_lock_context' }
export interface cdev { readonly __opaque: 'cdev' }
export interface fsnotify_mark_connector { readonly __opaque: 'fsnotify_mark_connector' }
export interface file_system_type { readonly __opaque: 'file_system_type' }
export interface super_operations { readonly __opaque: 'super_operations' }
export interface dquot_operations { readonly __opaque: 'dquot_operations' }
export interface quotactl_ops { readonly __opaque: 'quotactl_ops' }
export interface export_operations { readonly __opaque: 'export_operations' }
export interface fscrypt_operations { readonly __opaque: 'fscrypt_operations' }
export interface fscrypt_keyring { readonly __opaque: 'fscrypt_keyring' }
export interface hlist_bl_head { readonly __opaque: 'hlist_bl_head' }
export interface mount { readonly __opaque: 'mount' }
export interface backing_dev_info { readonly __opaque: 'backing_dev_info' }
export interface quota_info { readonly __opaque: 'quota_info' }
export interface sb_writers { readonly __opaque: 'sb_writers' }
export interface fsnotify_sb_info { readonly __opaque: 'fsnotify_sb_info' }
export interface shrinker { readonly __opaque: 'shrinker' }
export interface workqueue_struct { readonly __opaque: 'workqueue_struct' }
export interface list_lru { readonly __opaque: 'list_lru' }
export interface llist_head { readonly __opaque: 'llist_head' }
export interface in6_addr { readonly __opaque: 'in6_addr' }
export interface inet_timewait_death_row { readonly __opaque: 'inet_timewait_death_row' }
export interface hlist_nulls_node { readonly __opaque: 'hlist_nulls_node' }
export interface minmax { readonly __opaque: 'minmax' }
export interface tcp_options_received { readonly __opaque: 'tcp_options_received' }
export interface tcp_rack { readonly __opaque: 'tcp_rack' }
export interface tcp_sack_block { readonly __opaque: 'tcp_sack_block' }
export interface tcp_sock_af_ops { readonly __opaque: 'tcp_sock_af_ops' }
export interface tcp_md5sig_info { readonly __opaque: 'tcp_md5sig_info' }
export interface tcp_fastopen_request { readonly __opaque: 'tcp_fastopen_request' }
export interface saved_syn { readonly __opaque: 'saved_syn' }
export interface ipv6_pinfo { readonly __opaque: 'ipv6_pinfo' }
export interface ipv6_fl_socklist { readonly __opaque: 'ipv6_fl_socklist' }
export interface ip_options_rcu { readonly __opaque: 'ip_options_rcu' }
export interface ip_mc_socklist { readonly __opaque: 'ip_mc_socklist' }
export interface inet_cork_full { readonly __opaque: 'inet_cork_full' }
export interface request_sock_queue { readonly __opaque: 'request_sock_queue' }
export interface inet_bind_bucket { readonly __opaque: 'inet_bind_bucket' }
export interface inet_bind2_bucket { readonly __opaque: 'inet_bind2_bucket' }
export interface tcp_congestion_ops { readonly __opaque: 'tcp_congestion_ops' }
export interface inet_connection_sock_af_ops { readonly __opaque: 'inet_connection_sock_af_ops' }
export interface tcp_ulp_ops { readonly __opaque: 'tcp_ulp_ops' }
export interface proto_ops { readonly __opaque: 'proto_ops' }
export interface key_tag { readonly __opaque: 'key_tag' }
export interface idr { readonly __opaque: 'idr' }
export interface proc_dir_entry { readonly __opaque: 'proc_dir_entry' }
export interface ctl_table_set { readonly __opaque: 'ctl_table_set' }
export interface uevent_sock { readonly __opaque: 'uevent_sock' }
export interface raw_notifier_head { readonly __opaque: 'raw_notifier_head' }
export interface netns_core { readonly __opaque: 'netns_core' }
export interface netns_mib { readonly __opaque: 'netns_mib' }
export interface netns_packet { readonly __opaque: 'netns_packet' }
export interface netns_unix { readonly __opaque: 'netns_unix' }
export interface netns_nexthop { readonly __opaque: 'netns_nexthop' }
export interface netns_ipv4 { readonly __opaque: 'netns_ipv4' }
export interface netns_ipv6 { readonly __opaque: 'netns_ipv6' }
export interface netns_nf { readonly __opaque: 'netns_nf' }
export interface netns_ct { readonly __opaque: 'netns_ct' }
export interface netns_nftables { readonly __opaque: 'netns_nftables' }
export interface net_generic { readonly __opaque: 'net_generic' }
export interface netns_bpf { readonly __opaque: 'netns_bpf' }
export interface netns_xfrm { readonly __opaque: 'netns_xfrm' }
export interface netns_mpls { readonly __opaque: 'netns_mpls' }
export interface netns_xdp { readonly __opaque: 'netns_xdp' }
export interface proc_ns_operations { readonly __opaque: 'proc_ns_operations' }
export interface block_device_operations { readonly __opaque: 'block_device_operations' }
export interface timer_rand_state { readonly __opaque: 'timer_rand_state' }
export interface disk_events { readonly __opaque: 'disk_events' }
export interface badblocks { readonly __opaque: 'badblocks' }
export interface blk_independent_access_ranges { readonly __opaque: 'blk_independent_access_ranges' }
export interface disk_stats { readonly __opaque: 'disk_stats' }
export interface blk_holder_ops { readonly __opaque: 'blk_holder_ops' }
export interface partition_meta_info { readonly __opaque: 'partition_meta_info' }
export interface kmem_cache { readonly __opaque: 'kmem_cache' }
export interface fs_pin { readonly __opaque: 'fs_pin' }
export interface ctl_table_header { readonly __opaque: 'ctl_table_header' }
export interface new_utsname { readonly __opaque: 'new_utsname' }
declare module 'skep' {
  interface KnownTracepoints {
    block_bio_backmerge: [bio: bio]
    block_bio_complete: [q: request_queue, bio: bio]
    block_bio_frontmerge: [bio: bio]
    block_bio_queue: [bio: bio]
    block_bio_remap: [bio: bio, dev: u32, from: u64]
    block_dirty_buffer: [bh: buffer_head]
    block_getrq: [bio: bio]
    block_io_done: [rq: request]
    block_io_start: [rq: request]
    block_plug: [q: request_queue]
    block_rq_complete: [rq: request, error: u8, nr_bytes: u32]
    block_rq_error: [rq: request, error: u8, nr_bytes: u32]
    block_rq_insert: [rq: request]
    block_rq_issue: [rq: request]
    block_rq_merge: [rq: request]
    block_rq_remap: [rq: request, dev: u32, from: u64]
    block_rq_requeue: [rq: request]
    block_split: [bio: bio, new_sector: u32]
    block_touch_buffer: [bh: buffer_head]
    block_unplug: [q: request_queue, depth: u32, explicit: boolean]
    cgroup_attach_task: [dst_cgrp: cgroup, path: chars, task: task_struct, threadgroup: boolean]
    cgroup_destroy_root: [root: cgroup_root]
    cgroup_freeze: [cgrp: cgroup, path: chars]
    cgroup_mkdir: [cgrp: cgroup, path: chars]
    cgroup_notify_frozen: [cgrp: cgroup, path: chars, val: i32]
    cgroup_notify_populated: [cgrp: cgroup, path: chars, val: i32]
    cgroup_release: [cgrp: cgroup, path: chars]
    cgroup_remount: [root: cgroup_root]
    cgroup_rename: [cgrp: cgroup, path: chars]
    cgroup_rmdir: [cgrp: cgroup, path: chars]
    cgroup_rstat_lock_contended: [cgrp: cgroup, cpu: i32, contended: boolean]
    cgroup_rstat_locked: [cgrp: cgroup, cpu: i32, contended: boolean]
    cgroup_rstat_unlock: [cgrp: cgroup, cpu: i32, contended: boolean]
    cgroup_setup_root: [root: cgroup_root]
    cgroup_transfer_tasks: [dst_cgrp: cgroup, path: chars, task: task_struct, threadgroup: boolean]
    cgroup_unfreeze: [cgrp: cgroup, path: chars]
    hrtimer_cancel: [hrtimer: hrtimer]
    hrtimer_expire_entry: [hrtimer: hrtimer, now: pointer]
    hrtimer_expire_exit: [hrtimer: hrtimer]
    hrtimer_setup: [hrtimer: hrtimer, clockid: i32, mode: u32]
    hrtimer_start: [hrtimer: hrtimer, mode: u32, was_armed: boolean]
    inet_sock_set_state: [sk: sock, oldstate: i32, newstate: i32]
    irq_handler_entry: [irq: i32, action: irqaction]
    irq_handler_exit: [irq: i32, action: irqaction, ret: i32]
    kfree_skb: [skb: sk_buff, location: pointer, reason: u32, rx_sk: sock]
    mm_vmscan_direct_reclaim_begin: [order: i32, gfp_flags: u32]
    mm_vmscan_direct_reclaim_end: [nr_reclaimed: u64]
    mm_vmscan_kswapd_sleep: [nid: i32]
    mm_vmscan_kswapd_wake: [nid: i32, zid: i32, order: i32]
    mm_vmscan_lru_isolate: [highest_zoneidx: i32, order: i32, nr_requested: u64, nr_scanned: u64, nr_skipped: u64, nr_taken: u64, lru: i32]
    mm_vmscan_lru_shrink_active: [nid: i32, nr_taken: u64, nr_active: u64, nr_deactivated: u64, nr_referenced: u64, priority: i32, file: i32]
    mm_vmscan_lru_shrink_inactive: [nid: i32, nr_scanned: u64, nr_reclaimed: u64, stat: reclaim_stat, priority: i32, file: i32]
    mm_vmscan_memcg_reclaim_begin: [order: i32, gfp_flags: u32]
    mm_vmscan_memcg_reclaim_end: [nr_reclaimed: u64]
    mm_vmscan_memcg_softlimit_reclaim_begin: [order: i32, gfp_flags: u32]
    mm_vmscan_memcg_softlimit_reclaim_end: [nr_reclaimed: u64]
    mm_vmscan_node_reclaim_begin: [nid: i32, order: i32, gfp_flags: u32]
    mm_vmscan_node_reclaim_end: [nr_reclaimed: u64]
    mm_vmscan_reclaim_pages: [nid: i32, nr_scanned: u64, nr_reclaimed: u64, stat: reclaim_stat]
    mm_vmscan_throttled: [nid: i32, usec_timeout: i32, usec_delayed: i32, reason: i32]
    mm_vmscan_wakeup_kswapd: [nid: i32, zid: i32, order: i32, gfp_flags: u32]
    mm_vmscan_write_folio: [folio: folio]
    napi_gro_frags_entry: [skb: sk_buff]
    napi_gro_frags_exit: [ret: i32]
    napi_gro_receive_entry: [skb: sk_buff]
    napi_gro_receive_exit: [ret: i32]
    napi_poll: [napi: napi_struct, work: i32, budget: i32]
    net_dev_queue: [skb: sk_buff]
    net_dev_start_xmit: [skb: sk_buff, dev: net_device]
    net_dev_xmit: [skb: sk_buff, rc: i32, dev: net_device, skb_len: u32]
    net_dev_xmit_timeout: [dev: net_device, queue_index: i32]
    oom_score_adj_update: [task: task_struct]
    page_fault_kernel: [address: u64, regs: pt_regs, error_code: u64]
    page_fault_user: [address: u64, regs: pt_regs, error_code: u64]
    sched_compute_energy_tp: [p: task_struct, dst_cpu: i32, energy: u64, max_util: u64, busy_time: u64]
    sched_cpu_capacity_tp: [rq: rq]
    sched_entry_tp: [preempt: boolean]
    sched_exit_tp: [is_switch: boolean]
    sched_kthread_stop: [t: task_struct]
    sched_kthread_stop_ret: [ret: i32]
    sched_kthread_work_execute_end: [work: kthread_work, function_: pointer]
    sched_kthread_work_execute_start: [work: kthread_work]
    sched_kthread_work_queue_work: [worker: kthread_worker, work: kthread_work]
    sched_migrate_task: [p: task_struct, dest_cpu: i32]
    sched_move_numa: [tsk: task_struct, src_cpu: i32, dst_cpu: i32]
    sched_overutilized_tp: [rd: root_domain, overutilized: boolean]
    sched_pi_setprio: [tsk: task_struct, pi_task: task_struct]
    sched_prepare_exec: [task: task_struct, bprm: linux_binprm]
    sched_process_exec: [p: task_struct, old_pid: i32, bprm: linux_binprm]
    sched_process_exit: [p: task_struct, group_dead: boolean]
    sched_process_fork: [parent: task_struct, child: task_struct]
    sched_process_free: [p: task_struct]
    sched_process_hang: [tsk: task_struct]
    sched_process_wait: [pid: pid]
    sched_set_need_resched_tp: [tsk: task_struct, cpu: i32, tif: i32]
    sched_skip_cpuset_numa: [tsk: task_struct, mem_allowed_ptr: pointer]
    sched_skip_vma_numa: [mm: mm_struct, vma: vm_area_struct, reason: u32]
    sched_stat_runtime: [tsk: task_struct, runtime: u64]
    sched_stick_numa: [src_tsk: task_struct, src_cpu: i32, dst_tsk: task_struct, dst_cpu: i32]
    sched_swap_numa: [src_tsk: task_struct, src_cpu: i32, dst_tsk: task_struct, dst_cpu: i32]
    sched_switch: [preempt: boolean, prev: task_struct, next: task_struct, prev_state: u32]
    sched_update_nr_running_tp: [rq: rq, change: i32]
    sched_util_est_cfs_tp: [cfs_rq: cfs_rq]
    sched_util_est_se_tp: [se: sched_entity]
    sched_wait_task: [p: task_struct]
    sched_wake_idle_without_ipi: [cpu: i32]
    sched_wakeup: [p: task_struct]
    sched_wakeup_new: [p: task_struct]
    sched_waking: [p: task_struct]
    signal_deliver: [sig: i32, info: kernel_siginfo, ka: k_sigaction]
    signal_generate: [sig: i32, info: kernel_siginfo, task: task_struct, group: i32, result: i32]
    sock_exceed_buf_limit: [sk: sock, prot: proto, allocated: i64, kind: i32]
    sock_rcvqueue_full: [sk: sock, skb: sk_buff]
    sock_recv_length: [sk: sock, ret: i32, flags: i32]
    sock_send_length: [sk: sock, ret: i32, flags: i32]
    softirq_entry: [vec_nr: u32]
    softirq_exit: [vec_nr: u32]
    softirq_raise: [vec_nr: u32]
    sys_enter: [regs: pt_regs, id: i64]
    sys_exit: [regs: pt_regs, ret: i64]
    task_newtask: [task: task_struct, clone_flags: u64]
    task_prctl_unknown: [option: i32, arg2: u64, arg3: u64, arg4: u64, arg5: u64]
    task_rename: [task: task_struct, comm: chars]
    tcp_ao_handshake_failure: [sk: sock, skb: sk_buff, keyid: u8, rnext: u8, maclen: u8]
    tcp_bad_csum: [skb: sk_buff]
    tcp_cong_state_set: [sk: sock, ca_state: u8]
    tcp_cwnd_reduction_tp: [sk: sock, newly_acked_sacked: i32, newly_lost: i32, flag: i32]
    tcp_destroy_sock: [sk: sock]
    tcp_hash_ao_required: [sk: sock, skb: sk_buff]
    tcp_hash_bad_header: [sk: sock, skb: sk_buff]
    tcp_hash_md5_mismatch: [sk: sock, skb: sk_buff]
    tcp_hash_md5_required: [sk: sock, skb: sk_buff]
    tcp_hash_md5_unexpected: [sk: sock, skb: sk_buff]
    tcp_probe: [sk: sock, skb: sk_buff]
    tcp_rcv_space_adjust: [sk: sock]
    tcp_rcvbuf_grow: [sk: sock, time: i32]
    tcp_receive_reset: [sk: sock]
    tcp_retransmit_skb: [sk: sock, skb: sk_buff, err: i32]
    tcp_retransmit_synack: [sk: sock, req: request_sock]
    tcp_send_reset: [sk: sock, skb__nullable: sk_buff, reason: u32]
    tcp_sendmsg_locked: [sk: sock, msg: msghdr, skb: sk_buff, size_goal: i32]
    timer_base_idle: [is_idle: boolean, cpu: u32]
    timer_cancel: [timer: timer_list]
    timer_expire_entry: [timer: timer_list, baseclk: u64]
    timer_expire_exit: [timer: timer_list]
    timer_init: [timer: timer_list]
    timer_start: [timer: timer_list, bucket_expiry: u64]
  }
}
