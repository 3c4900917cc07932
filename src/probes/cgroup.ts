import type { cgroup } from 'skep/vmlinux'
import { ringbuf } from '../compiler/language/maps.ts'
import { tp_btf } from '../compiler/language/programs.ts'
import { event } from '../signals/event.ts'
import { defineProbe } from '../signals/probe.ts'
import { chars, u64 } from '../spec/schema.ts'

export const probe = defineProbe({
  name: 'cgroup',
  title: 'Cgroups that come and go, so that short-lived workloads have a name',
})

export const ring = ringbuf({ name: 'cgroup_events', bytes: 128 * 1024 })

export const made = event('cgroup.made', {
  description: 'A cgroup of the v2 hierarchy was made',
  ring,
  fields: { id: u64, path: chars(256) },
})

export const removed = event('cgroup.removed', {
  description: 'A cgroup of the v2 hierarchy was removed',
  ring,
  fields: { id: u64, path: chars(256) },
})

/** The v2 hierarchy is the first one that the kernel sets up: its id is 0. */
function isDefaultHierarchy(group: cgroup) {
  'use bpf'
  return group.root.hierarchy_id === 0
}

export const mkdir = tp_btf('cgroup_mkdir', (group, path) => {
  'use bpf'
  if (isDefaultHierarchy(group)) made.emit({ id: group.kn.id, path })
})

export const rmdir = tp_btf('cgroup_rmdir', (group, path) => {
  'use bpf'
  if (isDefaultHierarchy(group)) removed.emit({ id: group.kn.id, path })
})
