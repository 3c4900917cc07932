import { describe, expect, test } from 'vitest'
import { kernelBtf } from '../../bpf/kernel-btf.ts'
import { features, has } from '../../bpf/features.ts'
import { bytes, chars, i64, struct, u32, u64 } from '../../spec/schema.ts'
import { compileModule } from '../compile.ts'
import { address, currentTask, local } from '../language/intrinsics.ts'
import { arrayMap } from '../language/maps.ts'
import { raw_tp, tp_btf } from '../language/programs.ts'
import { agreed, decode } from '../testing/agree.ts'
import { kernelRuns } from '../testing/engines.ts'
import { kernelObject, kernelText } from '../testing/kernel-object.ts'
import { runInKernel } from '../testing/running-kernel.ts'
import type { SimulatedKernel } from '../testing/simulated-kernel.ts'
import { smallKernel } from '../testing/small-kernel.ts'

const btf = smallKernel()
const out = arrayMap(i64, { name: 'out', maxEntries: 8 })
const values = (outcome: { maps: Record<string, [string, string][]> }) => outcome.maps['out']!.map(([, value]) => decode(i64, value))

function family(kernel: SimulatedKernel): { child: bigint; parent: bigint } {
  const cred = kernelObject(kernel, btf, 'cred', { 'uid.val': 1000 })
  const parent = kernelObject(kernel, btf, 'task_struct', { pid: 10, tgid: 10, comm: 'parent', cred, prio: -5 })
  const counts = new Uint8Array(new Uint32Array([1, 2, 3, 4, 5, 6, 7, 0xffff_ffff]).buffer)
  const child = kernelObject(kernel, btf, 'task_struct', { pid: 21, tgid: 20, comm: 'a name of 16 byt', real_parent: parent, group_leader: parent, cred, flags: 0x8000_0000, counts })
  return { child, parent }
}

describe('kernel objects in simulated memory', () => {
  for (const kind of ['tp_btf', 'raw_tp'] as const) {
    test(`${kind}: fields, pointers, nested structs, arrays with a constant index`, () => {
      const attach = { tp_btf, raw_tp }[kind]
      const program = attach('sched_wakeup', (task: any) => {
        'use bpf'
        out.set(0, task.pid)
        out.set(1, task.real_parent.prio)
        out.set(2, task.real_parent.cred.uid.val)
        out.set(3, task.flags)
        out.set(4, task.counts[6])
        out.set(5, task.counts[7])
        const { tgid } = task
        out.set(6, tgid)
        out.set(7, task.group_leader.pid === task.real_parent.pid ? 1 : 0)
      })
      const outcome = agreed({ out, program }, [], { contexts: (kernel) => [[family(kernel).child]] })
      expect(values(outcome)).toEqual([21, -5, 1000, 0x8000_0000, 7, 0xffff_ffff, 20, 1])
    })
  }

  test('pointers are compared, and are numbers by address()', () => {
    const program = tp_btf('sched_process_fork', (parent, child) => {
      'use bpf'
      out.set(0, child.real_parent === parent ? 1 : 2)
      out.set(1, child.group_leader !== child ? 1 : 2)
      out.set(2, address(parent) === address(child.real_parent) ? 1 : 2)
      out.set(3, parent.real_parent === null ? 1 : 2)
    })
    const outcome = agreed({ out, program }, [], {
      contexts: (kernel) => {
        const { child, parent } = family(kernel)
        return [[parent, child]]
      },
    })
    expect(values(outcome).slice(0, 4)).toEqual([1, 1, 1, 1])
  })

  test('a variable that walks along pointers', () => {
    const program = tp_btf('sched_process_fork', (_parent, child: any) => {
      'use bpf'
      let task = child
      if (task.tgid !== 10) task = task.real_parent
      out.set(0, task.pid)
      task = child
      out.set(1, task.pid)
    })
    const outcome = agreed({ out, program }, [], { contexts: (kernel) => [[0n, family(kernel).child]] })
    expect(values(outcome).slice(0, 2)).toEqual([10, 21])
  })

  test('a number that is an address becomes a pointer by a cast', () => {
    const program = tp_btf('sched_process_fork', (parent: any) => {
      'use bpf'
      const number = address(parent) + 0
      const task = number as unknown as task_struct
      out.set(0, task.tgid)
    })
    const outcome = agreed({ out, program }, [], { contexts: (kernel) => [[family(kernel).parent]] })
    expect(values(outcome)[0]).toBe(10)
  })

  test("'field' in object: what the kernel lacks is not compiled", () => {
    const program = tp_btf('sched_wakeup', (task: any) => {
      'use bpf'
      out.set(0, 'no_such_field' in task ? task.no_such_field : 3)
      if ('prio' in task) out.set(1, 4)
      if (!('policy' in task)) out.set(2, task.policies)
    })
    const outcome = agreed({ out, program }, [], { contexts: (kernel) => [[family(kernel).child]] })
    expect(values(outcome).slice(0, 3)).toEqual([3, 4, 0])
  })

  test('casts to another kernel type, anonymous members of structs and unions', () => {
    const program = tp_btf('inet_sock_set_state', (sk: any, _old, state) => {
      'use bpf'
      const tcp = sk as tcp_sock
      out.set(0, tcp.bytes_sent)
      out.set(1, sk.__sk_common.skc_num)
      out.set(2, sk.__sk_common.skc_daddr)
      out.set(3, sk.__sk_common.skc_v6_daddr.words[3])
      out.set(4, state)
    })
    const outcome = agreed({ out, program }, [], {
      contexts: (kernel) => {
        const socket = kernelObject(kernel, btf, 'tcp_sock', {
          bytes_sent: 12_345, 'inet_conn.__sk_common.skc_num': 80, 'inet_conn.__sk_common.skc_daddr': 0x7f00_0001,
          'inet_conn.__sk_common.skc_v6_daddr': new Uint8Array(16).fill(1, 12),
        })
        return [[socket, 0n, -1n]]
      },
    })
    expect(values(outcome).slice(0, 5)).toEqual([12_345, 80, 0x7f00_0001, 0x0101_0101, -1])
  })

  test('strings: char arrays, char pointers, constants; longer ones are cut off', () => {
    const names = struct({ name: chars(16), wide: chars(24), path: chars(8), constant: chars(12), raw: bytes(16) }, 'names')
    const texts = arrayMap(names, { name: 'texts' })
    const program = tp_btf('sched_process_exec', (task: any, _pid, program) => {
      'use bpf'
      texts.set(0, { name: task.comm, wide: task.comm, path: program.filename, constant: 'constant', raw: task.comm })
    })
    const outcome = agreed({ texts, program }, [], {
      contexts: (kernel) => {
        const filename = kernelText(kernel, '/usr/bin/true')
        return [[family(kernel).child, 0n, kernelObject(kernel, btf, 'linux_binprm', { filename })]]
      },
    })
    expect(decode(names, outcome.maps['texts']![0]![1])).toEqual({
      name: 'a name of 16 byt', wide: 'a name of 16 byt', path: '/usr/bi', constant: 'constant', raw: new TextEncoder().encode('a name of 16 byt'),
    })
  })
})

test('bitfields: unsigned, signed, at any place of their integer', () => {
  for (const attach of [tp_btf, raw_tp]) {
    const program = attach('sched_wakeup', (task: any) => {
      'use bpf'
      out.set(0, task.in_execve)
      out.set(1, task.sched_class)
      out.set(2, task.nice)
      if (task.nice < 0 && task.in_execve) out.set(3, 1)
    })
    const bits = 1 | (0b10110 << 1) | (0b111011 << 6) | (0b1111 << 12)
    const outcome = agreed({ out, program }, [], { contexts: (kernel) => [[kernelObject(kernel, btf, 'task_struct', { in_execve: bits })]] })
    expect(values(outcome).slice(0, 4)).toEqual([1, 0b10110, -5, 1])
  }
})

test('strings are compared with known ones: arrays, pointers, map values; NUL and full arrays', () => {
  const names = arrayMap(struct({ name: chars(12) }), { name: 'names' })
  for (const attach of [tp_btf, raw_tp]) {
    const program = attach('sched_process_exec', (task: any, _pid, program) => {
      'use bpf'
      out.set(0, task.comm === 'a name of 16 byt' ? 1 : 2)
      out.set(1, task.real_parent.comm === 'parent' ? 1 : 2)
      out.set(2, 'paren' !== task.real_parent.comm ? 1 : 2)
      out.set(3, task.real_parent.comm === 'parents' ? 2 : 1)
      out.set(4, program.filename === '/bin/true' ? 1 : 2)
      out.set(5, program.filename === '/bin/tru' ? 2 : 1)
      const entry = names.get(0)
      if (entry === undefined) return
      out.set(6, entry.name === `${'ba'}${'sh'}` ? 1 : 2)
      out.set(7, entry.name === 'a name that is too long' ? 2 : 1)
    })
    const outcome = agreed({ out, names, program }, [], {
      before: { names: [[0, { name: 'bash' }]] },
      contexts: (kernel) => [[family(kernel).child, 0n, kernelObject(kernel, btf, 'linux_binprm', { filename: kernelText(kernel, '/bin/true') })]],
    })
    expect(values(outcome)).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
  }
})

describe.runIf(kernelRuns && has(features.kernelBtf))('bitfields of the running kernel (features: raw tracepoints, BTF)', () => {
  test('the current task is what it is', () => {
    const program = raw_tp('sys_enter', () => {
      'use bpf'
      const task: any = currentTask()
      out.set(0, task.no_cgroup_migration)
      out.set(1, task.sched_migrated + 10)
    })
    const outcome = runInKernel(compileModule({ out, program }, { btf: kernelBtf(), name: 'bits', validate: true }), [[]], {}, { here: true })
    expect(values(outcome)[0]).toBe(0)
    expect([10, 11]).toContain(values(outcome)[1])
  })
})

interface task_struct { tgid: number }
interface tcp_sock { bytes_sent: number }

describe.runIf(kernelRuns && has(features.kernelBtf))('the current task (features: raw tracepoints, BTF)', () => {
  test('is this process, its fields where CO-RE finds them', () => {
    const task = struct({ tgid: u32, ppid: u32, uid: u32, pad: u32, start: u64, name: chars(16) }, 'task')
    const tasks = arrayMap(task, { name: 'tasks' })
    const program = raw_tp('sys_enter', () => {
      'use bpf'
      const current = currentTask()
      tasks.set(0, local(task, {
        tgid: current.tgid, ppid: current.real_parent.tgid, uid: current.cred.uid.val, start: current.start_time, name: current.group_leader.comm,
      }))
    })
    const outcome = runInKernel(compileModule({ tasks, program }, { btf: kernelBtf(), name: 'task' }), [[]], {}, { here: true })
    const found = decode(task, outcome.maps['tasks']![0]![1])
    expect(found).toMatchObject({ tgid: process.pid, ppid: process.ppid, uid: process.getuid!() })
    expect(found.start).toBeGreaterThan(0)
    expect(found.name).toMatch(/node|vitest/)
  })
})
