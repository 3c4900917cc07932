import { VmFault } from './fault.ts'
import { hasReturnWord } from './hook-arguments.ts'
import { answer, setRegister, type HelperModel, type Machine } from './machine.ts'
import { Errno } from './maps/map-model.ts'
import { BASE } from './memory.ts'
import type { CurrentTask } from './world.ts'

/** Helpers that ask for the time, the CPU, the current task and random numbers: all from the World. */

function current(m: Machine, helper: string): CurrentTask {
  const task = m.world.current
  if (task === null) {
    throw new VmFault('no-fixture', `${helper} asks for the current task: give the simulation current: { pid, comm, … }`)
  }
  return task
}

function field<T>(helper: string, name: string, value: T | undefined): T {
  if (value === undefined) {
    throw new VmFault('no-fixture', `${helper} asks for the current task's ${name}: give current: { ${name}: … }`)
  }
  return value
}

function giveNumber(R: Int32Array, value: number): void {
  R[0] = value | 0
  R[1] = Math.floor(value / 0x1_0000_0000) | 0
}

function pidTgid(m: Machine, R: Int32Array): void {
  const task = current(m, 'bpf_get_current_pid_tgid')
  const pid = field('bpf_get_current_pid_tgid', 'pid', task.pid ?? asNumber(task.task?.get('tgid')))
  R[0] = task.tid ?? asNumber(task.task?.get('pid')) ?? pid
  R[1] = pid
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined
}

function uidGid(m: Machine, R: Int32Array): void {
  const task = current(m, 'bpf_get_current_uid_gid')
  R[0] = field('bpf_get_current_uid_gid', 'uid', task.uid)
  R[1] = field('bpf_get_current_uid_gid', 'gid', task.gid)
}

const COMM_BYTES = 16

function comm(m: Machine, R: Int32Array): void {
  const size = R[4]! >>> 0
  const at = m.memory.toStore(R[2]!, R[3]!, 0, size)
  m.spend(size)
  const task = current(m, 'bpf_get_current_comm')
  const own = task.task?.get('comm')
  const text = field('bpf_get_current_comm', 'comm', task.comm ?? (typeof own === 'string' ? own : undefined))
  const bytes = new TextEncoder().encode(text).subarray(0, Math.min(size, COMM_BYTES) - 1)
  m.memory.u8.fill(0, at, at + size)
  m.memory.u8.set(bytes, at)
  answer(R, 0)
}

function currentTask(m: Machine, R: Int32Array): void {
  const task = field('bpf_get_current_task', 'task', current(m, 'bpf_get_current_task').task)
  setRegister(R, 0, m.world.addressOf(task))
}

function cgroup(m: Machine, R: Int32Array): void {
  setRegister(R, 0, BigInt(field('bpf_get_current_cgroup_id', 'cgroup', current(m, 'bpf_get_current_cgroup_id').cgroup)))
}

function sendSignal(m: Machine, R: Int32Array): void {
  if (R[2]! < 1 || R[2]! > 64) return answer(R, Errno.EINVAL)
  m.world.signals.push(R[2]!)
  answer(R, 0)
}

/** Ticks of 4 ms, as kernels with HZ=250 count. */
const JIFFY = 4_000_000

export const worldCalls: readonly HelperModel[] = [
  { name: 'ktime_get_ns', args: 0, run: (m, R) => giveNumber(R, m.world.now) },
  { name: 'ktime_get_boot_ns', args: 0, run: (m, R) => giveNumber(R, m.world.now) },
  { name: 'ktime_get_coarse_ns', args: 0, run: (m, R) => giveNumber(R, m.world.now - m.world.now % JIFFY) },
  { name: 'ktime_get_tai_ns', args: 0, run: (m, R) => setRegister(R, 0, m.world.bootedAt + BigInt(m.world.now)) },
  { name: 'jiffies64', args: 0, run: (m, R) => giveNumber(R, Math.floor(m.world.now / JIFFY)) },
  { name: 'get_prandom_u32', args: 0, run: (m, R) => { R[0] = m.world.random(); R[1] = 0 } },
  { name: 'get_smp_processor_id', args: 0, run: (m, R) => answer(R, m.world.cpu) },
  { name: 'get_current_pid_tgid', args: 0, run: pidTgid },
  { name: 'get_current_uid_gid', args: 0, run: uidGid },
  { name: 'get_current_comm', args: 2, run: comm },
  { name: 'get_current_task', args: 0, run: currentTask },
  { name: 'get_current_task_btf', args: 0, run: currentTask },
  { name: 'get_current_cgroup_id', args: 0, run: cgroup },
  { name: 'send_signal', args: 1, run: sendSignal },
  { name: 'send_signal_thread', args: 1, run: sendSignal },
  { name: 'get_func_arg', args: 3, run: hookArgument },
  { name: 'get_func_arg_cnt', args: 1, run: (m, R) => answer(R, argumentCount(m)) },
  { name: 'get_func_ret', args: 2, run: hookReturn },
]

/** Arguments of the hook's function, without what it returned. */
function argumentCount(m: Machine): number {
  if (m.hookArguments === null) return 0
  return m.memory.size(m.hookArguments) / 8 - (hasReturnWord(m.code!.spec.attach) ? 1 : 0)
}

function hookReturn(m: Machine, R: Int32Array): void {
  const at = m.memory.toStore(R[4]!, R[5]!, 0, 8)
  const region = m.hookArguments
  if (region === null || !hasReturnWord(m.code!.spec.attach)) return answer(R, Errno.EOPNOTSUPP)
  const from = m.memory.toLoad(BASE + m.memory.size(region) - 8, m.memory.upper(region), 0, 8)
  m.memory.u8.copyWithin(at, from, from + 8)
  answer(R, 0)
}

function hookArgument(m: Machine, R: Int32Array): void {
  const at = m.memory.toStore(R[6]!, R[7]!, 0, 8)
  const region = m.hookArguments
  const index = R[4]! >>> 0
  if (region === null || R[5] !== 0 || index >= argumentCount(m)) return answer(R, Errno.EINVAL)
  const from = m.memory.toLoad(BASE + index * 8, m.memory.upper(region), 0, 8)
  m.memory.u8.copyWithin(at, from, from + 8)
  answer(R, 0)
}
