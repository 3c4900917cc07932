import type { Btf } from '../btf/btf.ts'
import type { Code } from './code.ts'
import { VmFault } from './fault.ts'
import { answer, type HelperModel, type Machine } from './machine.ts'
import { Errno } from './maps/map-model.ts'
import { BASE, FIRST, hexadecimal } from './memory.ts'

/** Kernel functions (kfuncs) that have a model, by name. They are called by the BTF id of the kernel that is played. */
const models: readonly HelperModel[] = [
  { name: 'bpf_rcu_read_lock', args: 0, run: (m, R) => section(m, R, 'an RCU read section') },
  { name: 'bpf_rcu_read_unlock', args: 0, run: (m, R) => endSection(m, R, 'an RCU read section') },
  { name: 'bpf_preempt_disable', args: 0, run: (m, R) => section(m, R, 'a section without pre-emption') },
  { name: 'bpf_preempt_enable', args: 0, run: (m, R) => endSection(m, R, 'a section without pre-emption') },
  { name: 'bpf_task_acquire', args: 1, run: acquire },
  { name: 'bpf_task_release', args: 1, run: release },
  { name: 'bpf_cgroup_acquire', args: 1, run: acquire },
  { name: 'bpf_cgroup_release', args: 1, run: release },
  { name: 'bpf_rdonly_cast', args: 2, run: cast },
  { name: 'bpf_cast_to_kern_ctx', args: 1, run: cast },
  { name: 'bpf_iter_num_new', args: 3, run: newNumbers },
  { name: 'bpf_iter_num_next', args: 1, run: nextNumber },
  { name: 'bpf_iter_num_destroy', args: 1, run: endNumbers },
]

/** The model of a called function, by the extern that the call names or else by BTF id; or its name for the message. */
export function kernelFunctions(btf: Btf | null): (id: number, code: Code, slot: number) => HelperModel | string {
  const byName = new Map(models.map((model) => [model.name, model]))
  return (id, code, slot) => {
    const named = code.spec.externs?.find((one) => one.slot === slot)?.extern
    if (named !== undefined) return byName.get(named) ?? `the kernel function ${named}`
    if (btf === null) return `kernel function with the BTF id ${id} (give simulate() the btf that it was linked to)`
    const name = id > 0 && id < btf.typeCount && btf.kindOf(id) === 'func' ? btf.nameOf(id) : null
    return name === null ? `BTF id ${id}, which is no function,` : byName.get(name) ?? `the kernel function ${name}`
  }
}

/** Sections nest; each has its own mark among the references. */
function section(m: Machine, R: Int32Array, what: string): void {
  let depth = 0
  while (m.references.has(`${what} ${depth}`)) depth++
  m.references.set(`${what} ${depth}`, { what, slot: m.pc })
  answer(R, 0)
}

function endSection(m: Machine, R: Int32Array, what: string): void {
  let depth = 0
  while (m.references.has(`${what} ${depth}`)) depth++
  if (depth === 0) throw new VmFault('released', `${what} is ended that was not begun`)
  m.references.delete(`${what} ${depth - 1}`)
  answer(R, 0)
}

function acquire(m: Machine, R: Int32Array): void {
  const [low, high] = [R[2]!, R[3]!]
  const region = m.memory.region(high - FIRST)
  if (region === null || low !== BASE) throw new VmFault('bad-argument', `${hexadecimal(low, high)} is no kernel object`)
  m.acquire(low, high, `a reference to ${region.name}`)
  R[0] = low
  R[1] = high
}

function release(m: Machine, R: Int32Array): void {
  m.giveBack(R[2]!, R[3]!, 'a reference')
  answer(R, 0)
}

function cast(_m: Machine, R: Int32Array): void {
  R[0] = R[2]!
  R[1] = R[3]!
}

/* struct bpf_iter_num: current and end, and between them the place where the number is given from. */

function newNumbers(m: Machine, R: Int32Array): void {
  const at = m.memory.toStore(R[2]!, R[3]!, 0, 8)
  const [start, end] = [R[4]!, R[6]!]
  const status = start > end ? Errno.EINVAL : end - start > 8 * 1024 * 1024 ? Errno.E2BIG : 0
  m.memory.putWord(at, status === 0 ? start - 1 : 0)
  m.memory.putWord(at + 4, status === 0 ? end : 0)
  m.references.set(`iterator ${hexadecimal(R[2]!, R[3]!)}`, { what: 'an iterator of numbers', slot: m.pc })
  answer(R, status)
}

function nextNumber(m: Machine, R: Int32Array): void {
  if (!m.references.has(`iterator ${hexadecimal(R[2]!, R[3]!)}`)) {
    throw new VmFault('released', 'an iterator of numbers is used that was not begun')
  }
  const at = m.memory.toLoad(R[2]!, R[3]!, 0, 8)
  const next = m.memory.getWord(at) + 1
  if (next >= m.memory.getWord(at + 4)) {
    m.memory.putWord(at, 0)
    m.memory.putWord(at + 4, 0)
    return answer(R, 0)
  }
  m.memory.putWord(at, next)
  R[0] = R[2]!
  R[1] = R[3]!
}

function endNumbers(m: Machine, R: Int32Array): void {
  if (!m.references.delete(`iterator ${hexadecimal(R[2]!, R[3]!)}`)) {
    throw new VmFault('released', 'an iterator of numbers is ended that was not begun')
  }
  answer(R, 0)
}
