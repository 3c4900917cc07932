/**
 * Functions that the compiler knows by name: helpers of the kernel and operations of the language.
 * Each has a JavaScript twin, so that a kernel function stays callable in plain Node.
 */
const names = new WeakMap<object, string>()

/** Makes a function known to the compiler by a name; the function itself is what runs in plain Node. */
export function intrinsic<F extends (...args: any[]) => any>(name: string, twin: F): F {
  names.set(twin, name)
  return twin
}

/** The intrinsic's name, or undefined for any other function. */
export function intrinsicName(fn: unknown): string | undefined {
  return typeof fn === 'function' ? names.get(fn) : undefined
}

export function kernelOnly(name: string): never {
  throw new Error(`${name}() has a meaning only inside the kernel`)
}

/** Nanoseconds since boot without suspend: bpf_ktime_get_ns (4.1). */
export const ktime = intrinsic('ktime', (): number => Math.floor(performance.now() * 1e6))
/** Process id (tgid) of the current task: bpf_get_current_pid_tgid (4.2) >> 32. */
export const currentPid = intrinsic('currentPid', (): number => kernelOnly('currentPid'))
/** Thread id of the current task: the low half of bpf_get_current_pid_tgid (4.2). */
export const currentTid = intrinsic('currentTid', (): number => kernelOnly('currentTid'))
/** The current task: bpf_get_current_task_btf (5.11). */
export const currentTask = intrinsic('currentTask', (): any => kernelOnly('currentTask'))
/** Id of the current task's cgroup in the v2 hierarchy: bpf_get_current_cgroup_id (4.18). */
export const currentCgroup = intrinsic('currentCgroup', (): number => kernelOnly('currentCgroup'))
/** Number of the CPU that runs the program: bpf_get_smp_processor_id (4.1). */
export const currentCpu = intrinsic('currentCpu', (): number => kernelOnly('currentCpu'))
/** The address of a kernel object as a number, as a map key. */
export const address = intrinsic('address', (_object: unknown): number => kernelOnly('address'))
/** Floor of the base-2 logarithm; 0 for 0. */
export const log2 = intrinsic('log2', (value: number): number => (value < 2 ? 0 : Math.floor(Math.log2(value))))
/** The smaller of two integers. */
export const min = intrinsic('min', (a: number, b: number): number => Math.min(a, b))
/** The larger of two integers. */
export const max = intrinsic('max', (a: number, b: number): number => Math.max(a, b))
/** The numbers from 0 or `from` up to, but not including, `to`: for (const i of range(10)). */
export const range = intrinsic('range', function* (from: number, to?: number): Generator<number> {
  const [first, end] = to === undefined ? [0, from] : [from, to]
  for (let at = first; at < end; at++) yield at
})
/** A struct on the kernel stack with C layout, zeroed, then filled from `init`; edited in place. */
export const local = intrinsic('local', <S>(_schema: S, init: any): any => structuredClone(init))
/** Copies fields into a struct in place. */
export const assign = intrinsic('assign', (target: any, fields: any): void => { Object.assign(target, fields) })
/** A 16-bit integer from network to host byte order, or back. */
export const networkOrder16 = intrinsic('networkOrder16', (value: number): number => ((value & 0xff) << 8) | ((value >> 8) & 0xff))
