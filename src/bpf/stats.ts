import { command, commandError } from './command.ts'
import { Descriptor } from './descriptor.ts'

const BPF_STATS_RUN_TIME = 0

/**
 * Makes the kernel time every program's runs (tens of nanoseconds a run, machine-wide) until closed.
 * Kernel 5.8. @throws SysError: EINVAL on older kernels, EPERM without CAP_SYS_ADMIN
 */
export function enableStats(): Descriptor {
  const fd = command('BPF_ENABLE_STATS', 4, (attr) => attr.u32(0, BPF_STATS_RUN_TIME))
  if (fd < 0) throw commandError('BPF_ENABLE_STATS', fd, 'it needs kernel 5.8 and CAP_SYS_ADMIN')
  return new Descriptor('stats', 'run time', fd)
}
