import { afterEach, describe, expect, test } from 'vitest'
import type { AttachTarget, ProgramSpec } from '../spec/spec.ts'
import { Errno, SysError } from '../sys/errno.ts'
import { close, ioctl } from '../sys/syscall.ts'
import { closeKernelBtf, kernelBtf } from './kernel-btf.ts'
import { ClosedError } from './descriptor.ts'
import { explainFeature, features, has, resetFeatures } from './features.ts'
import { assemble, call, counters, countGetppid, countTracepoint, exit, load64, mapOf, mov } from './hand-assembled.ts'
import { openObjects } from './ledger.ts'
import { attach, attachToEvent, openTracepoint } from './link.ts'
import { PolicyError, VerifierError } from './load-error.ts'
import { BpfMap } from './map.ts'
import { linkIds, linkInfo, linkInfoById, mapIds, mapInfoById, programIds, programInfoById } from './objects.ts'
import { Program } from './program.ts'
import { TargetError } from './program-load.ts'
import type { LoadContext } from './program-load.ts'
import { enableStats } from './stats.ts'
import { readTracefs, tracepointId } from './tracefs.ts'

const context = (maps: BpfMap[] = []): LoadContext => ({
  license: 'GPL', btf: undefined, btfFd: undefined, kernelBtf,
  mapFd: (name) => maps.find((map) => map.spec.name === name)!.fd,
  relocate: (spec) => spec.code,
})

function callGetppid(times: number): void {
  for (let index = 0; index < times; index++) void process.ppid
}

const raw = process.platform === 'linux' && has(features.rawTracepoint)

describe.runIf(raw)('programs (feature: raw tracepoints)', () => {
  const closeables: { close(): void }[] = []
  const keep = <T extends { close(): void }>(object: T): T => {
    closeables.push(object)
    return object
  }
  const before = { programs: programIds(), maps: mapIds(), links: linkIds() }
  afterEach(() => {
    for (const object of closeables.splice(0).reverse()) object.close()
    closeKernelBtf()
    expect(openObjects()).toEqual([])
  })
  const sum = () => keep(BpfMap.create(counters))
  const counted = (map: BpfMap) => Buffer.from(map.getRaw(new Uint8Array(4))!).readUInt32LE(0)

  test('raw_tp: counts exactly while attached, and no more after close', () => {
    const map = sum()
    const program = keep(Program.load(countGetppid(process.pid), context([map])))
    callGetppid(10)
    expect(counted(map)).toBe(0)
    const link = attach(program)
    callGetppid(1000)
    expect(counted(map)).toBe(1000)
    link.close()
    callGetppid(10)
    expect(counted(map)).toBe(1000)
    expect(() => link.fd).toThrow(ClosedError)
  })

  test.runIf(raw && has(features.tpBtf))('tp_btf counts the same (feature: tp_btf)', () => {
    const map = sum()
    const program = keep(Program.load(countGetppid(process.pid, 'tp_btf'), context([map])))
    const link = keep(attach(program))
    callGetppid(321)
    expect(counted(map)).toBe(321)
    expect(linkInfo(link.fd)).toMatchObject({ programId: program.info().id })
  })

  const tracepoint = raw && has(features.tracepoint) && tracepointId('syscalls', 'sys_enter_getppid') !== undefined
  test.runIf(tracepoint && has(features.perfLink))('tracepoint by a link counts on every CPU (features: tracepoints, perf link)', () => {
    const map = sum()
    const link = keep(attach(keep(Program.load(countTracepoint(process.pid), context([map])))))
    expect(link.mechanism).toBe('link')
    callGetppid(500)
    expect(counted(map)).toBe(500)
    link.close()
    callGetppid(5)
    expect(counted(map)).toBe(500)
  })

  test.runIf(tracepoint)('tracepoint by a perf event, as before 5.15 (feature: tracepoints)', () => {
    const map = sum()
    const spec = countTracepoint(process.pid)
    const target = spec.attach as AttachTarget & { kind: 'tracepoint' }
    const link = keep(attachToEvent(keep(Program.load(spec, context([map]))), target, openTracepoint(target)))
    expect(link.mechanism).toBe('perf event')
    callGetppid(50)
    expect(counted(map)).toBe(50)
    link.close()
    callGetppid(5)
    expect(counted(map)).toBe(50)
  })

  test.runIf(tracepoint)('tracefs is readable, mounted or not (feature: tracepoints)', () => {
    expect(readTracefs('events/sched/sched_switch/format')).toMatch(/^name: sched_switch\nID: \d+\nformat:/)
    expect(readTracefs('events/sched/no_such_thing/id')).toBe(undefined)
  })

  test('two programs on one hook, closed in either order', () => {
    const [one, two] = [sum(), sum()]
    const first = keep(attach(keep(Program.load(countGetppid(process.pid), context([one])))))
    const second = keep(attach(keep(Program.load(countGetppid(process.pid), context([two])))))
    callGetppid(10)
    first.close()
    callGetppid(10)
    second.close()
    expect([counted(one), counted(two)]).toEqual([10, 20])
  })

  test('an attached program outlives its descriptor', () => {
    const map = sum()
    const program = Program.load(countGetppid(process.pid), context([map]))
    const link = keep(attach(program))
    program.close()
    callGetppid(7)
    expect(counted(map)).toBe(7)
    link.close()
  })

  test('info, and statistics once they are enabled', () => {
    const map = sum()
    const program = keep(Program.load(countGetppid(process.pid, 'raw_tp', 'count_getppid.long-name'), context([map])))
    const info = program.info()
    expect(info).toMatchObject({ name: 'count_getppid.l', type: 17, mapIds: [map.info.id] })
    expect(info.translatedBytes).toBeGreaterThan(15 * 8)
    expect(programInfoById(info.id)).toEqual(info)
    expect(mapInfoById(map.info.id)).toEqual(map.info)
    const link = keep(attach(program))
    callGetppid(10)
    const before = program.stats()
    const stats = has(features.stats) ? keep(enableStats()) : undefined
    callGetppid(200)
    stats?.close()
    const after = program.stats()
    const runs = after.runCount - before.runCount
    if (stats !== undefined) expect(runs).toBeGreaterThanOrEqual(200)
    expect(after.runTimeNs > before.runTimeNs).toBe(stats !== undefined)
    expect(after.recursionMisses).toBe(0)
    link.close()
  })

  test('ids of programs, maps and links appear, and are gone after close', async () => {
    const map = sum()
    const program = keep(Program.load(countGetppid(process.pid), context([map])))
    const link = attach(program)
    const ids = { program: program.info().id, map: map.info.id, link: linkInfo(link.fd).id }
    expect(programIds()).toContain(ids.program)
    expect(mapIds()).toContain(ids.map)
    expect(linkIds()).toContain(ids.link)
    expect(linkInfoById(ids.link)).toMatchObject({ programId: ids.program })
    link.close()
    program.close()
    map.close()
    // The kernel frees programs and maps after a grace period.
    const left = () => [linkInfoById(ids.link), programInfoById(ids.program), mapInfoById(ids.map)]
    await expect.poll(left, { timeout: 10_000 }).toEqual([undefined, undefined, undefined])
    expect(linkIds()).not.toContain(ids.link)
  })

  test('all tests together leave nothing behind', async () => {
    const left = () => [
      ...programIds().filter((id) => !before.programs.includes(id) && programInfoById(id)?.name.startsWith('count')),
      ...mapIds().filter((id) => !before.maps.includes(id) && mapInfoById(id)?.name === 'counters'),
    ]
    await expect.poll(left, { timeout: 10_000 }).toEqual([])
  })

  function rejected(spec: ProgramSpec): VerifierError {
    try {
      Program.load(spec, context()).close()
    } catch (error) {
      expect(error).toBeInstanceOf(VerifierError)
      return error as VerifierError
    }
    throw new Error('the kernel accepted it')
  }
  const rawTarget: AttachTarget = { kind: 'raw_tp', name: 'sys_enter' }

  test('a rejected program: useful line first, whole log, instruction', () => {
    const error = rejected(assemble('bad', 'raw_tracepoint', rawTarget, [mov(1, 0), load64(0, 1, 0), exit]))
    expect(error.message).toMatch(/^the kernel's verifier rejects 'bad': .*R1 invalid mem access '(scalar|inv)'/)
    expect(error).toMatchObject({ code: 'EACCES', errno: Errno.EACCES, program: 'bad', slot: 1, truncated: false })
    expect(error.log).toContain('processed')
  })

  test('an uninitialised register, an unknown helper, a missing exit', () => {
    expect(rejected(assemble('a', 'raw_tracepoint', rawTarget, [exit])).message).toMatch(/R0 (!read_ok|has never been)/)
    expect(rejected(assemble('b', 'raw_tracepoint', rawTarget, [call(60_000), mov(0, 0), exit])).message).toContain('60000')
    expect(rejected(assemble('c', 'raw_tracepoint', rawTarget, [mov(0, 0)])).message).toMatch(/last insn is not an exit or jmp/)
  })

  test('a source line is named when the program has lines', () => {
    const spec = assemble('lines', 'raw_tracepoint', rawTarget, [mov(1, 0), load64(0, 1, 0), exit])
    spec.lines.push({ slot: 0, file: 1, text: 2, line: 3, column: 5 }, { slot: 1, file: 1, text: 3, line: 4, column: 9 })
    const strings = ['', 'probe.ts', 'let task = 0', '  return task.pid']
    const btf = { string: (offset: number) => strings[offset]! } as LoadContext['btf']
    expect(() => Program.load(spec, { ...context(), btf })).toThrow(/ at probe\.ts:4:9: return task\.pid$/)
  })

  test('a huge log is read although it overflows the first buffers, and the verdict stays the first one', () => {
    // 4,000 states in a row make a log of several hundred kilobytes.
    const body = Array.from({ length: 4000 }, (_, index) => mov(1 + index % 5, index))
    const error = rejected(assemble('huge', 'raw_tracepoint', rawTarget, [...body, load64(0, 1, 0), exit]))
    expect(error.code).toBe('EACCES')
    expect(error.slot).toBe(4000)
    expect(error.log.length).toBeGreaterThan(65_536)
    expect(error.message).toContain('R1 invalid mem access')
  })

  test('hooks that do not exist', () => {
    const none = assemble('none', 'raw_tracepoint', { kind: 'raw_tp', name: 'no_such_hook' }, [mov(0, 0), exit])
    const program = keep(Program.load(none, context()))
    expect(() => attach(program)).toThrow(TargetError)
    expect(() => attach(program)).toThrow('raw_tp:no_such_hook: this kernel has no such tracepoint')
    const typed = assemble('none', 'tracing', { kind: 'tp_btf', name: 'no_such_hook' }, [mov(0, 0), exit])
    expect(() => Program.load(typed, context())).toThrow(/tp_btf:no_such_hook: .*btf_trace_no_such_hook/)
    const target: AttachTarget = { kind: 'tracepoint', category: 'sched', name: 'no_such_hook' }
    const event = keep(Program.load(assemble('none', 'tracepoint', target, [mov(0, 0), exit]), context()))
    expect(() => attach(event)).toThrow('tracepoint:sched:no_such_hook: this kernel has no such tracepoint')
  })

  test('a map that is missing from its slot is our error, not the kernel’s', () => {
    const spec = assemble('slot', 'raw_tracepoint', rawTarget, [mapOf(1, 'counters'), mov(0, 0), exit])
    expect(() => Program.load({ ...spec, maps: [{ slot: 2, map: 'counters' }] }, context([sum()]))).toThrow('is no lddw')
  })

  test('a descriptor closed behind the back is an error, not silence', () => {
    const map = BpfMap.create(counters)
    close(map.fd)
    expect(() => map.close()).toThrow(SysError)
    expect(ioctl(-1, 0, 0)).toBe(-Errno.EBADF)
  })
})

describe.runIf(process.platform === 'linux')('features', () => {
  test('every probe answers, twice the same, and leaves nothing', () => {
    resetFeatures()
    const before = openObjects().length
    for (const feature of Object.values(features)) {
      const verdict = feature.probe()
      expect(feature.probe()).toBe(verdict)
      expect(explainFeature(feature)).toMatch(verdict === 'yes' ? /^yes$/ : verdict === 'no' ? /^no \(Linux/ : /^cannot be told/)
      if (typeof verdict === 'object') expect(verdict.unknown).toBeInstanceOf(Error)
    }
    closeKernelBtf()
    expect(openObjects().length).toBe(before)
  })

  test.runIf(raw)('a kernel with ring buffers has what came before them', () => {
    if (features.ringBuffer.probe() !== 'yes') return
    for (const older of [features.bpf, features.btfLoad, features.rawTracepoint, features.batch, features.mmapableArray]) {
      expect([older.name, older.probe()]).toEqual([older.name, 'yes'])
    }
  })
})

test('a policy error names what may be missing, and the remedy', () => {
  const status = { capabilities: new Set<never>(), seccomp: true, euid: 1000 }
  const user = new PolicyError('bpf(BPF_PROG_LOAD)', 1, "loading 'x'", { status, lockdown: 'confidentiality', unprivilegedDisabled: '2' })
  expect(user.missing).toEqual(['CAP_BPF', 'CAP_PERFMON'])
  expect(user.message).toMatch(/EPERM: this machine does not permit loading 'x': user 1000 runs this process without CAP_BPF and CAP_PERFMON/)
  expect(user.causes.join('\n')).toMatch(/lockdown is in confidentiality[^]*seccomp filter/)
  const capable = { capabilities: new Set(['CAP_SYS_ADMIN'] as const), seccomp: false, euid: 0 }
  const root = new PolicyError('bpf(BPF_PROG_LOAD)', 1, "loading 'x'", { status: capable, lockdown: 'integrity', unprivilegedDisabled: '2' })
  expect(root.missing).toEqual([])
  expect(root.causes).toHaveLength(1)
  expect(root.message).toContain('lockdown in integrity mode')
})
