import { describe, expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import { helperNumberOf } from '../asm/helper-names.ts'
import type { Instruction } from '../asm/instruction.ts'
import { compileModule } from '../compiler/compile.ts'
import { ktime } from '../compiler/language/intrinsics.ts'
import { hash, ringbuf } from '../compiler/language/maps.ts'
import { raw_tp, tp_btf } from '../compiler/language/programs.ts'
import * as scheduler from '../probes/scheduler.ts'
import { chars, struct, u32, u64 } from '../spec/schema.ts'
import type { AttachTarget, ProgramTypeName, Spec } from '../spec/spec.ts'
import { packet } from './context.ts'
import { VmFault } from './fault.ts'
import { exit, ins, lddw } from './instruction-cases.test-support.ts'
import { FixtureError, kernelObject, nameOfByte } from './kernel-object.ts'
import { simulate, traceText } from './simulate.ts'
import { kernels, smallKernel } from './small-kernel.test-support.ts'

const btf = smallKernel()

const seen = hash(u32, u64, { maxEntries: 16 })
const ring = ringbuf({ name: 'records', bytes: 4096 })
const record = struct({ pid: u32, name: chars(16) })

const module = {
  seen,
  ring,
  woken: tp_btf('sched_wakeup', (task) => {
    'use bpf'
    if (task.pid === 0) return
    seen.set(task.pid, ktime())
  }),
  named: raw_tp('sched_wakeup_new', (task) => {
    'use bpf'
    const slot = ring.reserve(record)
    if (slot === undefined) return
    slot.pid = task.pid
    slot.name = task.comm
    ring.submit(slot, 0)
  }),
}
const compiled = () => compileModule(module, { btf, name: 'test' })

/** The 1-based line of this file that contains a text. */
function lineOf(m: ReturnType<typeof simulate>, text: string): number {
  const line = m.trace(() => m.fire('woken', [{ pid: 1 }])).find(({ source }) => source?.text.includes(text) === true)
  return line!.source!.line
}

describe('firing', () => {
  test('plain fields make an object of the hook\'s own type', () => {
    const m = simulate(compiled(), { btf })
    expect(m.fire('woken', [{ pid: 7 }])).toEqual({ result: 0n, instructions: expect.any(Number) })
    m.advance(5)
    expect(m.hit('sched_wakeup', [{ pid: 8 }])).toHaveLength(1)
    expect(m.map(seen).entries()).toEqual([[7, m.now - 5], [8, m.now]])
  })

  test('raw tracepoints read by probe_read, with the same fixtures', () => {
    const m = simulate(compiled(), { btf })
    m.fire('named', [{ pid: 7, comm: 'nginx' }])
    expect(m.ring(ring).records(record)).toEqual([{ pid: 7, name: 'nginx' }])
  })

  test('a field that the fixture does not set is named, at the line that reads it', () => {
    const m = simulate(compiled(), { btf })
    const fault = thrown(() => m.fire('woken', [{ comm: 'x' }]))
    expect(fault.kind).toBe('unset-field')
    expect(fault.problem).toBe('task_struct.pid is read but the fixture does not set it')
    expect(fault.place!.source).toMatchObject({ file: 'src/vm/simulate.test.ts', text: 'if (task.pid === 0) return' })
    expect(fault.message).toMatch(/^src\/vm\/simulate\.test\.ts:\d+:\d+: unset-field: task_struct\.pid is read.*\n {2}\d+ \| if \(task\.pid === 0\) return\n {5}\| {5}\^{8}\n {2}program 'woken', slot \d+: r\d = \*\(u32 \*\)\(r\d \+\d+\)\n {2}r0=/)
    const relaxed = kernelObject(btf, 'task_struct', { comm: 'x' }, { unset: 'zero' })
    expect(m.fire('woken', [relaxed]).result).toBe(0n)
    expect(thrown(() => m.fire('named', [{ pid: 7 }])).problem).toBe('task_struct.comm is read but the fixture does not set it')
  })

  test('null pointers: a fault that says so, or zeros as the kernel gives for pointers typed by BTF', () => {
    expect(thrown(() => simulate(compiled(), { btf }).fire('woken', [null])).kind).toBe('null-dereference')
    expect(simulate(compiled(), { btf, nullReads: 'zero' }).fire('woken', [null]).result).toBe(0n)
    expect(simulate(compiled(), { btf, nullReads: 'zero', compiled: true }).fire('woken', [null]).result).toBe(0n)
  })

  test('contexts that do not fit', () => {
    const m = simulate(compiled(), { btf })
    expect(() => m.fire('nothing')).toThrow("there is no program 'nothing'; there are woken, named")
    expect(() => m.hit('nothing')).toThrow("no program is attached to 'nothing'")
    expect(() => m.fire('woken', [1, 2])).toThrow("tp_btf 'sched_wakeup' has 1 arguments (p), not 2")
    expect(() => m.fire('woken', [{ nope: 1 }])).toThrow("task_struct has no field 'nope'")
    expect(() => m.fire('woken', [{ pid: 'seven' }])).toThrow('task_struct.pid is a number')
    expect(() => m.fire('woken', [{ comm: 'a name of sixteen' }])).toThrow('task_struct.comm has 16 bytes, one of them for the NUL; 17 are given')
    expect(() => m.fire('woken', { pid: 1 })).toThrow('fields need the format of a tracepoint')
    expect(thrown(() => m.fire('woken', [])).problem).toBe('argument 0 (p) is read but the fixture does not set it')
    expect(() => { m.cpu = 9 }).toThrow(FixtureError)
  })
})

function thrown(act: () => unknown): VmFault {
  try {
    act()
  } catch (error) {
    if (error instanceof VmFault) return error
    throw error
  }
  throw new Error('it ran')
}

describe('kernel objects', () => {
  test('pointers, embedded structs, cycles, changes', () => {
    const leader = kernelObject(btf, 'task_struct', { pid: 1, tgid: 1, comm: 'leader' })
    leader.set({ group_leader: leader, real_parent: null, cred: { uid: { val: 5 } } })
    expect(leader.get('pid')).toBe(1)
    const m = simulate(compiled(), { btf })
    m.fire('woken', [leader])
    leader.set({ pid: 2 })
    m.fire('woken', [leader])
    expect(m.map(seen).entries().map(([pid]) => pid)).toEqual([1, 2])
    expect(() => kernelObject(btf, 'nothing', {})).toThrow("the BTF has no struct 'nothing'")
    expect(() => leader.set({ cred: 'root' }).set({ pid: [1] })).not.toThrow()
    expect(() => simulate(compiled(), { btf }).fire('woken', [leader])).toThrow('task_struct.pid is a number')
  })

  test('a change of an object that another one points to is seen', () => {
    const css = kernelObject(btf, 'css_set', { dfl_cgrp: { kn: { id: 1 } } })
    const group = kernelObject(btf, 'kernfs_node', { id: 5 })
    css.set({ dfl_cgrp: { kn: group } })
    const task = (pid: number) => kernelObject(btf, 'task_struct', { pid, tgid: pid, flags: 0, comm: 'x', __state: 1, cgroups: css })
    const m = simulate(compileModule(scheduler, { btf, name: 'scheduler' }), { btf })
    const [a, b] = [task(1), task(2)]
    m.fire('switched', [false, a, b])
    group.set({ id: 6 })
    m.fire('switched', [false, b, a])
    expect(m.map('cpu').entries().map(([key]) => key.cgroup)).toEqual([6])
  })

  test('bytes have names', () => {
    const id = btf.find('tcp_sock', 'struct')
    const offset = kernelObject(btf, 'tcp_sock', {}).at('inet_conn', 'icsk_inet', 'sk', '__sk_common', 'skc_dport').offset
    expect(nameOfByte(btf, id, offset)).toBe('tcp_sock.inet_conn.icsk_inet.sk.__sk_common.skc_dport')
  })
})

test('what was compiled for one kernel runs on the types of another: CO-RE', () => {
  for (const [, from] of kernels()) {
    for (const [, to] of kernels()) {
      const m = simulate(compileModule(scheduler, { btf: from, name: 'scheduler' }), { btf: to })
      const cgroups = { dfl_cgrp: { kn: { id: 77 } } }
      const task = (pid: number) => kernelObject(to, 'task_struct', { pid, tgid: pid, comm: 'x', flags: 0, __state: 0, cgroups })
      m.fire('wakeup', [task(7)])
      m.advance(3)
      m.fire('switched', [false, task(0), task(7)])
      expect(m.map(scheduler.latency.map).sums()).toMatchObject([[{ cgroup: 77 }, { sum: 3 }]])
    }
  }
})

describe('looking into a run', () => {
  test('a trace: line, instruction, registers', () => {
    const m = simulate(compiled(), { btf })
    const steps = m.trace(() => m.fire('woken', [{ pid: 7 }]))
    expect(steps.length).toBe(m.cost().get('woken')!.instructions)
    expect(steps.at(-1)).toMatchObject({ program: 'woken', instruction: 'exit', depth: 0 })
    expect(traceText(steps)).toMatch(/simulate\.test\.ts:\d+ {2}if \(task\.pid === 0\) return\n {2}\d+: r\d = \*\(u32 \*\)\(r\d \+\d+\) {4}r0=/)
    expect(m.trace(() => {})).toEqual([])
  })

  test('coverage by line, as lcov', () => {
    const m = simulate(compiled(), { btf, coverage: true })
    const returned = lineOf(m, 'if (task.pid === 0) return')
    m.fire('woken', [{ pid: 0 }])
    m.fire('woken', [{ pid: 7 }])
    const lines = m.coverage().get('src/vm/simulate.test.ts')!
    expect(lines.get(returned)).toBe(3)
    expect(lines.get(returned + 1)).toBe(2)
    const never = [...lines].filter(([, count]) => count === 0).map(([line]) => line)
    expect(never.length).toBeGreaterThan(3)
    const text = m.lcov('wakeups')
    expect(text).toMatch(new RegExp(`^TN:wakeups\nSF:src/vm/simulate\\.test\\.ts\n(DA:\\d+,\\d+\n)*DA:${returned},3\nDA:${returned + 1},2\n`))
    expect(text).toMatch(new RegExp(`LF:${lines.size}\nLH:${lines.size - never.length}\nend_of_record\n$`))
    expect(() => simulate(compiled(), { btf }).coverage()).toThrow('simulate(spec, { coverage: true })')
  })

  test('cost: runs, instructions, the most of one run', () => {
    const m = simulate(compiled(), { btf })
    const [short, long] = [m.fire('woken', [{ pid: 0 }]).instructions, m.fire('woken', [{ pid: 7 }]).instructions]
    expect(m.cost().get('woken')).toEqual({ runs: 2, instructions: short + long, most: long })
  })

  test('a budget of one\'s own', () => {
    expect(thrown(() => simulate(compiled(), { btf, budget: 3 }).fire('woken', [{ pid: 7 }])).problem).toBe('the run took more than 3 instructions')
  })
})

function hand(type: ProgramTypeName, attach: AttachTarget, instructions: Instruction[]): Spec {
  return {
    name: 'hand', license: 'GPL', maps: [], btf: null,
    programs: [{ name: 'p', type, attach, code: encode(instructions), maps: [], relocations: [], functions: [], lines: [] }],
  }
}
/** Of task_struct.pid. */
const pidOffset = kernelObject(btf, 'task_struct', {}).at('pid').offset
const movReg = (dst: number, src: number) => ins(0xbf, dst, src)

describe('other contexts', () => {
  test('packets: data and data_end are pointers, and bounds are the packet\'s', () => {
    // r0 = the byte at 12, or -1 when the packet is shorter than 14.
    const program = [ins(0x61, 2, 1, 0), ins(0x61, 3, 1, 4), movReg(4, 2), ins(0x07, 4, 0, 0, 14), ins(0xb7, 0, 0, 0, -1), ins(0x2d, 4, 3, 1), ins(0x71, 0, 2, 12), exit]
    for (const compiledToo of [false, true]) {
      const m = simulate(hand('xdp', { kind: 'given', name: '' }, program), { compiled: compiledToo })
      expect(m.fire('p', packet(Uint8Array.from({ length: 20 }, (_, at) => at), 'xdp')).result).toBe(12n)
      expect(m.fire('p', packet(new Uint8Array(13), 'xdp')).result).toBe(0xffff_ffff_ffff_ffffn)
      const unchecked = simulate(hand('xdp', { kind: 'given', name: '' }, [ins(0x61, 2, 1, 0), ins(0x71, 0, 2, 12), exit]), { compiled: compiledToo })
      expect(thrown(() => unchecked.fire('p', packet(new Uint8Array(12), 'xdp'))).problem).toBe('1 bytes are read at offset 12 of the packet, which has 12 bytes')
    }
    const length = simulate(hand('sched_cls', { kind: 'given', name: '' }, [ins(0x61, 0, 1, 0), ins(0x61, 2, 1, 40), ins(0x67, 2, 0, 0, 8), ins(0x0f, 0, 2), exit]))
    expect(length.fire('p', packet(new Uint8Array(60), 'skb', { ifindex: 3 })).result).toBe(60n + 3n * 256n)
    expect(() => packet(new Uint8Array(1), 'xdp', { mark: 1 })).toThrow("xdp: there is no field 'mark'")
  })

  const format = `name: sys_enter_openat
ID: 1
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;
\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;
\tfield:char comm[16];\toffset:32;\tsize:16;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:48;\tsize:4;\tsigned:0;

print fmt: "x"`

  test('tracepoints by their format: numbers, strings in place, user strings, strings of variable length', () => {
    const attach: AttachTarget = { kind: 'tracepoint', category: 'syscalls', name: 'sys_enter_openat' }
    const options = { formats: { 'syscalls/sys_enter_openat': format } }
    const read = (...body: Instruction[]) => simulate(hand('tracepoint', attach, [...body, exit]), options)
    expect(read(ins(0x61, 0, 1, 8)).fire('p', { __syscall_nr: 257 }).result).toBe(257n)
    expect(read(ins(0x69, 0, 1, 32)).fire('p', { comm: 'ab' }).result).toBe(0x6261n)
    const dynamic = read(ins(0x69, 2, 1, 48), movReg(3, 1), ins(0x0f, 3, 2), ins(0x71, 0, 3, 1))
    expect(dynamic.fire('p', { name: 'xyz' }).result).toBe(0x79n)
    const user = read(
      ins(0x79, 3, 1, 24), movReg(1, 10), ins(0x07, 1, 0, 0, -8), ins(0xb7, 2, 0, 0, 8), ins(0x85, 0, 0, 0, helperNumberOf('probe_read_user_str')), ins(0x71, 0, 10, -8),
    )
    expect(user.fire('p', { filename: '/etc' }).result).toBe(0x2fn)
    expect(thrown(() => read(ins(0x79, 2, 1, 24), ins(0x71, 0, 2)).fire('p', { filename: '/etc' })).problem).toBe('"/etc" lies in user space: read it by probe_read_user')
    expect(thrown(() => read(ins(0x61, 0, 1, 8)).fire('p', { comm: 'x' })).problem).toBe('the field __syscall_nr is read but the fixture does not set it')
    expect(() => user.fire('p', { nope: 1 })).toThrow("the tracepoint has no field 'nope'")
    expect(() => user.fire('p', { comm: 'a name of sixteen' })).toThrow('comm has 16 bytes')
    expect(() => simulate(hand('tracepoint', attach, [exit]), { formats: { x: 'nonsense' } })).toThrow(FixtureError)
  })

  test('fexit: arguments by the function\'s prototype, then what it returned', () => {
    // int task_changed(struct task_struct *task, int flags)
    const attach: AttachTarget = { kind: 'fexit', name: 'task_changed' }
    const run = (...body: Instruction[]) => simulate(hand('tracing', attach, [...body, exit]), { btf })
    expect(run(ins(0x79, 2, 1, 0), ins(0x79, 0, 1, 16), ins(0x61, 2, 2, pidOffset), ins(0x0f, 0, 2)).fire('p', [{ pid: 7 }, 3, -2]).result).toBe(5n)
    expect(run(ins(0x85, 0, 0, 0, helperNumberOf('get_func_arg_cnt'))).fire('p', [{ pid: 7 }, 3, -2]).result).toBe(2n)
    const helper = (name: string, index: number) => [ins(0xbf, 2, 10), ins(0x07, 2, 0, 0, -8), ...(index < 0 ? [] : [ins(0xbf, 3, 2), ins(0xb7, 2, 0, 0, index)]),
      ins(0x85, 0, 0, 0, helperNumberOf(name)), ins(0x15, 0, 0, 1), exit, ins(0x79, 0, 10, -8)]
    expect(run(...helper('get_func_ret', -1)).fire('p', [null, 3, 9]).result).toBe(9n)
    expect(run(...helper('get_func_arg', 1)).fire('p', [null, 3, 9]).result).toBe(3n)
    expect(run(...helper('get_func_arg', 2)).fire('p', [null, 3, 9]).result).toBe(0xffff_ffff_ffff_ffean)
    expect(() => run(ins(0xb7, 0)).fire('p', [null, 1, 2, 3])).toThrow("fexit 'task_changed' has 3 arguments (task, flags, return), not 4")
  })

  test('kprobes find arguments and results in registers', () => {
    const probe = (kind: 'kprobe' | 'kretprobe', off: number) => simulate(hand('kprobe', { kind, name: 'task_changed', offset: 0 }, [ins(0x79, 0, 1, off), exit]), { btf })
    expect(probe('kprobe', 104).fire('p', [null, 42]).result).toBe(42n)
    expect(probe('kretprobe', 80).fire('p', [-1]).result).toBe(0xffff_ffff_ffff_ffffn)
    expect(thrown(() => probe('kprobe', 80).fire('p', [null, 42])).problem).toBe('the register ax of the context is read but the fixture does not set it')
  })

  test('kernel functions by BTF id: sections must end, what has no model is named', () => {
    const id = btf.find('bpf_rcu_read_lock', 'func')
    const attach: AttachTarget = { kind: 'tp_btf', name: 'sched_wakeup' }
    const run = (...body: Instruction[]) => simulate(hand('tracing', attach, [...body, ins(0xb7, 0), exit]), { btf }).fire('p', [null])
    expect(thrown(() => run(ins(0x85, 0, 2, 0, id))).problem).toBe('the program ends but an RCU read section, acquired at slot 0, was not given back')
    expect(thrown(() => run(ins(0x85, 0, 2, 0, 3))).problem).toBe('BTF id 3, which is no function, is not modelled')
  })

  test('kernel functions by the extern that a call names: numbers from an iterator', () => {
    const spec = hand('tracing', { kind: 'tp_btf', name: 'sched_wakeup' }, [
      ins(0xb7, 6, 0, 0, 0), movReg(1, 10), ins(0x07, 1, 0, 0, -8), ins(0xb7, 2, 0, 0, 3), ins(0xb7, 3, 0, 0, 6), ins(0x85, 0, 2, 0, 1),
      movReg(1, 10), ins(0x07, 1, 0, 0, -8), ins(0x85, 0, 2, 0, 2), ins(0x15, 0, 0, 3), ins(0x61, 1, 0), ins(0x0f, 6, 1), ins(0x05, 0, 0, -7),
      movReg(1, 10), ins(0x07, 1, 0, 0, -8), ins(0x85, 0, 2, 0, 3), movReg(0, 6), exit,
    ])
    spec.programs[0]!.externs = [{ slot: 5, extern: 'bpf_iter_num_new' }, { slot: 8, extern: 'bpf_iter_num_next' }, { slot: 15, extern: 'bpf_iter_num_destroy' }]
    for (const compiledToo of [false, true]) expect(simulate(spec, { btf, compiled: compiledToo }).fire('p', [null]).result).toBe(12n)
    spec.programs[0]!.externs = [{ slot: 5, extern: 'bpf_obj_new_impl' }]
    expect(thrown(() => simulate(spec, { btf }).fire('p', [null])).problem).toBe('the kernel function bpf_obj_new_impl is not modelled')
  })

  test('the kernel\'s configuration is given by the test', () => {
    const spec = hand('raw_tracepoint', { kind: 'raw_tp', name: 'x' }, [lddw(1, 0n), ins(0x61, 0, 1), exit])
    spec.maps = [{ name: '.kconfig', type: 'array', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0, data: { section: '.kconfig', contents: null, frozen: true, variables: [] } }]
    spec.programs[0]!.maps = [{ slot: 0, map: '.kconfig', offset: 0 }]
    spec.externs = [{ kind: 'kconfig', name: 'LINUX_KERNEL_VERSION', weak: false, type: 0, value: 'int', signed: false, offset: 0, size: 4 }]
    expect(simulate(spec, { kconfig: { LINUX_KERNEL_VERSION: 0x6_0c_00 } }).fire('p', new Uint8Array(8)).result).toBe(0x6_0c_00n)
    expect(() => simulate(spec)).toThrow('the Spec asks for LINUX_KERNEL_VERSION of the kernel\'s configuration')
  })
})
