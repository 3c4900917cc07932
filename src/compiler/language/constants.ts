/** Constants of the kernel's headers, which BTF does not hold since they are macros. */

/** A task that runs or may run: `task_struct.__state` is this (linux/sched.h). */
export const TASK_RUNNING = 0
