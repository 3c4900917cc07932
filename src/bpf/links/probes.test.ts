import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AttachTarget } from '../../spec/spec.ts'
import { attach } from '../attach.ts'
import { Collection } from '../collection.ts'
import { Executable, ExecutableError, findExecutable } from '../executable.ts'
import { features, has } from '../features.ts'
import { Link } from '../link.ts'
import { PolicyError } from '../load-error.ts'
import { TargetError } from '../target-error.ts'
import { compiler, fromC } from '../testing/c-object.ts'
import { keeper } from '../testing/keeper.ts'
import { RunningSubject, subject } from '../testing/subject.ts'
import { parseArguments, registerOffset, usdtProbes } from '../usdt.ts'
import { attachKprobes } from './kprobe-multi.ts'
import { pmuType } from './perf-open.ts'
import { attachUprobesAt } from './uprobe-multi.ts'
import { attachUsdt } from './usdt.ts'

const file = process.platform === 'linux' ? subject() : undefined
afterAll(() => file?.close())
const ready = compiler && file !== undefined && has(features.bpf) && pmuType('uprobe') !== undefined

const program = `
#include <asm/ptrace.h>
long calls, sum, result, cookies;
SEC("uprobe") int BPF_KPROBE(enter, long a, long b) { calls++; sum += a * 1000 + b; cookies += bpf_get_attach_cookie(ctx); return 0; }
SEC("uretprobe") int BPF_KRETPROBE(leave, long value) { result += value; return 0; }
`

describe.runIf(ready)('uprobes (features: cc, clang, uprobes)', () => {
  const keep = keeper()
  let running: RunningSubject
  let other: RunningSubject
  beforeAll(() => { [running, other] = [new RunningSubject(file!.path), new RunningSubject(file!.path)] })
  afterAll(async () => {
    await Promise.all([running.end(), other.end()])
  })
  const at = (kind: 'uprobe' | 'uretprobe', name: string, offset = 0): AttachTarget => ({ kind, path: file!.path, name, offset })
  const load = (text: string) => keep(Collection.load(fromC(text)).requireAll())
  const values = (object: Collection) => ['calls', 'sum', 'result', 'cookies'].map((name) => object.variable(name).get())

  test('a function by its symbol, in one process, entered and left, with a cookie', async () => {
    const object = load(program)
    const enter = keep(attach(object.programs.get('enter')!, at('uprobe', 'work_one'), { pid: running.pid, cookie: 100n }))
    const leave = keep(attach(object.programs.get('leave')!, at('uretprobe', 'work_two'), { pid: running.pid }))
    await other.calls(5)
    expect(values(object)).toEqual([0, 0, 0, 0])
    await running.calls(10)
    expect(values(object)).toEqual([10, 55 * 1000 + 30, 65, 1000])
    enter.close()
    leave.close()
    await running.calls(10)
    expect(values(object)[0]).toBe(10)
  })

  test('in all processes, by an offset in a stripped file', async () => {
    const object = load(program)
    const { offset } = Executable.open(file!.path).function('work_one')
    const link = keep(attach(object.programs.get('enter')!, at('uprobe', '', offset)))
    await other.calls(3)
    await running.calls(4)
    expect(values(object)[0]).toBe(7)
    const info = link.info()
    expect(info).toMatchObject({ kind: 'perf_event', event: { kind: 'uprobe', path: file!.path, offset } })
    expect(keep(Link.byId(info.id)!).info()).toEqual(info)
  })

  test.runIf(has(features.uprobeMulti))('uprobe.multi: all functions of a pattern by one link (feature: uprobe.multi)', async () => {
    const object = load(`${program}
      SEC("uprobe.multi") int each(struct pt_regs *ctx) { calls++; cookies += bpf_get_attach_cookie(ctx); return 0; }`)
    const each = object.programs.get('each')!
    const link = keep(attach(each, { kind: 'uprobe.multi', path: file!.path, name: 'work_*' }, { pid: running.pid }))
    await running.calls(6)
    await other.calls(6)
    expect(values(object)[0]).toBe(12)
    expect(link.info()).toMatchObject({ kind: 'uprobe_multi', path: file!.path, count: 2, return: false, pid: running.pid })
    link.close()
    const places = ['work_one', 'work_two'].map((name, index) => ({ offset: Executable.open(file!.path).function(name).offset, cookie: BigInt(index + 1) }))
    keep(attachUprobesAt(each, { kind: 'uretprobe.multi', path: file!.path, name: '' }, file!.path, places))
    await other.calls(10)
    expect(values(object)[3]).toBe(30)
    expect(() => attach(each, { kind: 'uprobe.multi', path: file!.path, name: 'nothing*' })).toThrow("has no function that matches 'nothing*'")
  })

  test.runIf(has(features.uprobeSession))('uprobe.session: one program at both ends (feature: uprobe.session)', async () => {
    const object = load(`${program}
      extern bool bpf_session_is_return(void) __ksym __weak;
      SEC("uprobe.session") int both(struct pt_regs *ctx) { if (bpf_session_is_return()) result++; else calls++; return 0; }`)
    keep(attach(object.programs.get('both')!, { kind: 'uprobe.session', path: file!.path, name: 'work_one' }))
    await running.calls(8)
    expect(values(object)).toEqual([8, 0, 8, 0])
  })

  test('static probes: arguments in registers, memory and constants; semaphores are held up', async () => {
    const probes = usdtProbes(Executable.open(file!.path))
    expect(probes.map(({ name }) => name).sort()).toEqual(['loud', 'quiet'])
    expect(probes.find(({ name }) => name === 'quiet')!.semaphore).toBeGreaterThan(0)
    const object = load(`
      #include <asm/ptrace.h>
      #include <bpf/usdt.bpf.h>
      long first, second, third, fourth, count, cookie, quiet;
      SEC("usdt") int BPF_USDT(loud, int a, long b, char c, long d) { first += a; second = b; third = c; fourth = d; count = bpf_usdt_arg_cnt(ctx); cookie = bpf_usdt_cookie(ctx); return 0; }
      SEC("usdt") int BPF_USDT(quiet_probe, int a) { quiet += a; return 0; }
    `)
    const target = (name: string) => ({ kind: 'usdt' as const, path: file!.path, provider: 'skep', name })
    keep(object.attach('loud', target('loud'), { pid: running.pid, cookie: 77n }))
    expect((await running.calls(1)).semaphore).toBe(0)
    const quiet = keep(object.attach('quiet_probe', target('quiet'), { pid: running.pid }))
    expect((await running.calls(3)).semaphore).toBe(1)
    expect((await other.calls(3)).semaphore).toBe(0)
    const read = (name: string) => object.variable(name).get()
    expect(['first', 'second', 'third', 'count', 'cookie', 'quiet'].map(read)).toEqual([-7, 1234567890123, 7, 4, 77, 6])
    expect(read('fourth')).toBe(3 * 2 ** 40)
    quiet.close()
    expect((await running.calls(1)).semaphore).toBe(0)
    expect(() => attachUsdt(object.programs.get('loud')!, target('none'))).toThrow('has no static probe skep:none')
  })

  test('what is not in a file is said, with the reason', () => {
    const whole = Executable.open(file!.path)
    expect(() => whole.function('no_such')).toThrow(/has no function 'no_such'$/)
    expect(() => Executable.open(file!.stripped).function('work_one')).toThrow('it is stripped')
    const debugdata = `${file!.stripped}.debugdata`
    execFileSync('objcopy', ['--add-section', `.gnu_debugdata=${file!.stripped}`, file!.stripped, debugdata])
    expect(() => Executable.open(debugdata).function('work_one')).toThrow(/more names are in \.gnu_debugdata, which is compressed by xz: that is not read/)
    expect(() => Executable.open('/etc/passwd')).toThrow(ExecutableError)
    expect(whole.matching('work_?n?').map(({ name }) => name)).toEqual(['work_one'])
    expect(Executable.open(findExecutable('libc.so.6')).function('malloc').size).toBeGreaterThan(0)
    expect(findExecutable('c')).toContain('libc.so')
    expect(findExecutable('sh')).toMatch(/\/sh$/)
    expect(findExecutable('libc', running.pid)).toContain(`/proc/${running.pid}/root/`)
    expect(() => findExecutable('no-such-thing')).toThrow('neither a library nor a command')
  })
})

test.runIf(file !== undefined)('a damaged file is an error of its own kind, or read as far as it goes (feature: cc)', () => {
  const whole = readFileSync(file!.path)
  const damaged = `${file!.path}.damaged`
  let state = 1
  const below = (limit: number) => {
    state = Math.imul(state, 1_103_515_245) + 12_345 >>> 0
    return Math.floor(state / 2 ** 32 * limit)
  }
  let errors = 0
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from(whole)
    // Headers, section headers and tables are hit more often than code.
    const start = [0, bytes.length - 4096, 0][round % 3]!
    const length = [64, 4096, bytes.length][round % 3]!
    for (let times = 1 + below(8); times > 0; times--) bytes[start + below(length)] = [0, 0xff, below(256)][below(3)]!
    writeFileSync(damaged, round % 10 === 9 ? bytes.subarray(0, below(bytes.length)) : bytes)
    try {
      const read = Executable.open(damaged)
      read.functions()
      usdtProbes(read)
    } catch (error) {
      errors++
      expect(error).toBeInstanceOf(ExecutableError)
    }
  }
  expect(errors).toBeGreaterThan(20)
})

describe.runIf(compiler && process.platform === 'linux' && has(features.bpf))('functions of the kernel (feature: clang)', () => {
  const keep = keeper()

  test('kprobes: attached, or the kernel’s lack of them is named', () => {
    const object = keep(Collection.load(fromC(`
      SEC("kprobe/do_exit") int at_entry(void *ctx) { return 0; }
      SEC("kretprobe/do_exit") int at_return(void *ctx) { return 0; }
      SEC("ksyscall/getppid") int in_call(void *ctx) { return 0; }
    `)).requireAll())
    for (const program of object.programs.values()) {
      if (pmuType('kprobe') === undefined) {
        expect(() => attach(program)).toThrow(TargetError)
        expect(() => attach(program)).toThrow('this kernel was built without kprobes')
      } else {
        expect(keep(attach(program)).info()).toMatchObject({ kind: 'perf_event' })
      }
    }
  })

  test('kprobe.multi: attached, or the kernel’s lack of it is named', () => {
    const object = keep(Collection.load(fromC(`SEC("kprobe.multi/tcp_v?_connect") int each(void *ctx) { return 0; }`)).requireAll())
    const each = object.programs.get('each')!
    if (has(features.kprobeMulti)) {
      expect(keep(attach(each)).info()).toMatchObject({ kind: 'kprobe_multi', return: false })
    } else {
      expect(() => attachKprobes(each, each.spec.attach as never, [{ name: 'tcp_v4_connect', cookie: 1n }])).toThrow(/built without what kprobe\.multi needs|does not know this kind/)
    }
    expect(() => attachKprobes(each, { kind: 'kprobe.multi', name: 'no_such_function_*' })).toThrow('no function of that name')
  })

  test.each([
    ['fentry', `SEC("fentry/do_exit") int run(void *ctx) { return 0; }`],
    ['fexit', `SEC("fexit/do_exit") int run(void *ctx) { return 0; }`],
    ['fmod_ret', `SEC("fmod_ret/security_file_open") int run(void *ctx) { return 0; }`],
    ['lsm', `SEC("lsm/file_open") int run(void *ctx) { return 0; }`],
    ['lsm.s', `SEC("lsm.s/file_open") int run(void *ctx) { return 0; }`],
  ])('%s: attached with a cookie, or refused by a policy that is named', (kind, text) => {
    const object = keep(Collection.load(fromC(text)))
    const failure = object.failures.get('run')
    if (failure !== undefined) {
      expect(failure).toBeInstanceOf(PolicyError)
      expect(failure.message).toMatch(new RegExp(`EPERM: this machine does not permit loading 'run' \\(${kind.replace('.s', '')}\\)`))
      return
    }
    const link = keep(attach(object.programs.get('run')!, undefined, kind.startsWith('lsm') ? {} : { cookie: 3n }))
    expect(link.info()).toMatchObject({ kind: 'tracing' })
  })

  test('a function or hook that is not there is named', () => {
    const object = keep(Collection.load(fromC(`
      SEC("fentry/no_such_function") int a(void *ctx) { return 0; }
      SEC("lsm/no_such_hook") int b(void *ctx) { return 0; }
      SEC("iter/no_such_thing") int c(void *ctx) { return 0; }
    `)))
    expect(['a', 'b', 'c'].map((name) => object.failures.get(name)!.message)).toEqual([
      'fentry:no_such_function: this kernel has no such function (its BTF has no no_such_function)',
      'lsm:no_such_hook: this kernel has no such LSM hook (its BTF has no bpf_lsm_no_such_hook)',
      'iter:no_such_thing: this kernel has no such iterator (its BTF has no bpf_iter_no_such_thing)',
    ])
  })

  test('cookies of tracepoints, and what the kernel says of their links', () => {
    const object = keep(Collection.load(fromC(`
      long plain, raw, typed;
      SEC("tp/syscalls/sys_enter_getppid") int a(void *ctx) { plain = bpf_get_attach_cookie(ctx); return 0; }
      SEC("raw_tp/sys_enter") int b(void *ctx) { raw = bpf_get_attach_cookie(ctx); return 0; }
      SEC("tp_btf/sys_enter") int c(void *ctx) { typed = bpf_get_attach_cookie(ctx); return 0; }
    `)).requireAll())
    const links = ['a', 'b', 'c'].map((name, index) => keep(attach(object.programs.get(name)!, undefined, { cookie: BigInt(index + 5) })))
    void process.ppid
    expect(['plain', 'raw', 'typed'].map((name) => object.variable(name).get())).toEqual([5, 6, 7])
    expect(links.map((link) => link.info())).toMatchObject([
      { kind: 'perf_event', event: { kind: 'tracepoint', name: 'sys_enter_getppid', cookie: 5n } },
      { kind: 'raw_tracepoint', name: 'sys_enter' }, { kind: 'raw_tracepoint', name: 'sys_enter' },
    ])
  })

  test('what only the caller knows is asked for', () => {
    const object = keep(Collection.load(fromC(`
      SEC("xdp") int a(void *ctx) { return 2; }
      SEC("cgroup/skb") int b(void *ctx) { return 1; }
      SEC("syscall") int c(void *ctx) { return 0; }
    `)).requireAll())
    const messages = ['a', 'b', 'c'].map((name) => {
      try {
        attach(object.programs.get(name)!)
        return ''
      } catch (error) {
        return (error as Error).message
      }
    })
    expect(messages).toEqual([
      'xdp: say which interface: attachXdp', 'cgroup/skb: say which cgroup: attachCgroup', 'syscall: it is run by testRun, not attached',
    ])
    object.attachAll()
    expect(object.failures.size).toBe(0)
  })
})

describe('static probes of any machine', () => {
  test('arguments as compilers write them', () => {
    expect(parseArguments('-4@%edi 8@-8(%rbp) 4@$5 8@(%rax,%rcx,8) 1@$-1 2@%ax 8@16(%rip)')).toEqual([
      { size: 4, signed: true, kind: 'register', register: 'edi' },
      { size: 8, signed: false, kind: 'memory', register: 'rbp', offset: -8 },
      { size: 4, signed: false, kind: 'constant', value: 5n },
      { size: 8, signed: false, kind: 'indexed', register: 'rax', index: 'rcx', scale: 8, offset: 0 },
      { size: 1, signed: false, kind: 'constant', value: -1n },
      { size: 2, signed: false, kind: 'register', register: 'ax' },
      { size: 8, signed: false, kind: 'memory', register: 'rip', offset: 16 },
    ])
    expect(parseArguments('8@[sp, 16] -4@x1 8@8(a0) 4@12')).toEqual([
      { size: 8, signed: false, kind: 'memory', register: 'sp', offset: 16 }, { size: 4, signed: true, kind: 'register', register: 'x1' },
      { size: 8, signed: false, kind: 'memory', register: 'a0', offset: 8 }, { size: 4, signed: false, kind: 'constant', value: 12n },
    ])
    expect(parseArguments('')).toEqual([])
    expect(() => parseArguments('3@%eax')).toThrow(RangeError)
  })

  test('registers are where the kernel saves them', () => {
    expect([registerOffset('rdi', 'x64'), registerOffset('cl', 'x64'), registerOffset('rsp', 'x64')]).toEqual([112, 88, 152])
    expect([registerOffset('x3', 'arm64'), registerOffset('w30', 'arm64'), registerOffset('sp', 'arm64')]).toEqual([24, 240, 248])
    expect([registerOffset('a0', 'riscv64'), registerOffset('zz', 'riscv64'), registerOffset('x31', 'arm64')]).toEqual([80, undefined, undefined])
  })
})
