import type { task_struct } from 'skep/vmlinux'
import { local } from '../compiler/language/intrinsics.ts'
import { chars, struct, u64 } from '../spec/schema.ts'

/**
 * The kernel-side key of a workload: its cgroup of the v2 hierarchy or, in the root cgroup,
 * which says nothing, the name of the process (comm of the thread group's leader).
 */
export const workload = struct({ cgroup: u64, comm: chars(16) }, 'workload')

/** The root of the v2 hierarchy always has id 1 (kernfs gives its root inode number 1). */
const ROOT_CGROUP = 1
/** linux/sched.h */
const PF_KTHREAD = 0x0020_0000

export function workloadOf(task: task_struct) {
  'use bpf'
  const key = local(workload, { cgroup: task.cgroups.dfl_cgrp.kn.id, comm: '' })
  if (key.cgroup === ROOT_CGROUP) {
    if ((task.flags & PF_KTHREAD) !== 0) key.comm = '[kernel]'
    else key.comm = task.group_leader.comm
  }
  return key
}
