import { i32 } from '../../spec/schema.ts'
import type { Schema } from '../../spec/schema.ts'
import type { MapSpec } from '../../spec/spec.ts'
import { MapFlags } from '../map-layout.ts'

/** Whose lives the values share, with the first kernel: sockets 5.2, inodes 5.10, tasks 5.11, cgroups 6.2. */
export type StorageOwner = 'sk' | 'inode' | 'task' | 'cgrp'

/**
 * A map whose values live and die with their owners. The key is a descriptor of the owner: a socket's, an open file's, a pidfd
 * (see openProcess) or an open cgroup directory's (see openCgroup). The kernel makes it from types, so a schema is needed.
 */
export function storageSpec(name: string, owner: StorageOwner, value: Schema): MapSpec {
  return {
    name, type: `${owner}Storage`, key: i32, keySize: 4, value, valueSize: value.size, maxEntries: 0, flags: MapFlags.noPrealloc,
  }
}
