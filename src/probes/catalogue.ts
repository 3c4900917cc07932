import * as block from './block.ts'
import * as cgroup from './cgroup.ts'
import * as process from './process.ts'
import * as scheduler from './scheduler.ts'
import * as syscalls from './syscalls.ts'
import * as tcp from './tcp.ts'

/** The built-in probes, in the order in which they are loaded. */
export const catalogue = { cgroup, process, scheduler, syscalls, tcp, block } as const
