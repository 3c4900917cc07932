import { Errno } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import { close, prlimit64 } from '../sys/syscall.ts'
import { loadBytes, Op } from './tiny-program.ts'

const RLIMIT_MEMLOCK = 8
const GET_COARSE_NS = 160

const GET_ATTACH_COOKIE = 174

let cookie: boolean | undefined
/** Whether programs can ask for the number that was given when they were attached (5.15). */
export function hasAttachCookie(): boolean {
  if (cookie === undefined) {
    const fd = loadBytes('tracepoint', [Op.call(GET_ATTACH_COOKIE), Op.mov(0, 0), Op.exit])
    if (fd >= 0) close(fd)
    cookie = fd >= 0
  }
  return cookie
}

let memcg: boolean | undefined
let raised = false

/**
 * Whether maps and programs are charged to the memory cgroup (5.11) instead of RLIMIT_MEMLOCK. As libbpf asks:
 * does the kernel know the helper bpf_ktime_get_coarse_ns, which arrived with it?
 */
export function hasMemcgAccounting(): boolean {
  if (memcg === undefined) {
    const fd = loadBytes('socket_filter', [Op.call(GET_COARSE_NS), Op.mov(0, 0), Op.exit])
    // Without the right to load anything the answer is unknown, and raising a limit would not help.
    if (fd >= 0) close(fd)
    memcg = fd >= 0 || fd === -Errno.EPERM || fd === -Errno.ENOSYS
  }
  return memcg
}

/**
 * Runs a bpf call; when it fails with EPERM on a kernel that counts locked memory, raises that limit once and tries again.
 */
export function withMemlock(call: () => number): number {
  const result = call()
  if (result !== -Errno.EPERM || raised || hasMemcgAccounting()) return result
  raised = true
  const limit = allocate(16)
  try {
    limit.u32.fill(0xffff_ffff, 0, 4)
    return prlimit64(0, RLIMIT_MEMLOCK, limit.address, 0) < 0 ? result : call()
  } finally {
    release(limit)
  }
}
