import { errnoName as systemErrnoName } from '../sys/errno.ts'

/** Errors that never reach user space but that a tracer of system calls sees (linux/errno.h): the call is repeated or cut short. */
const internal: Record<number, string> = {
  512: 'ERESTARTSYS', 513: 'ERESTARTNOINTR', 514: 'ERESTARTNOHAND', 515: 'ENOIOCTLCMD', 516: 'ERESTART_RESTARTBLOCK', 517: 'EPROBE_DEFER',
}

/** The name of a positive errno as the sys_exit tracepoint shows it. */
export function errnoName(errno: number): string {
  return internal[errno] ?? systemErrnoName(errno)
}
