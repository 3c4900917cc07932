import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { command, commandError } from '../../bpf/command.ts'
import { Descriptor } from '../../bpf/descriptor.ts'
import { attachToEvent } from '../../bpf/link.ts'
import type { Link } from '../../bpf/link.ts'
import type { Program } from '../../bpf/program.ts'
import { hardwareEvents, softwareEvents } from '../../bpftrace/check/targets.ts'
import type { Target } from '../../bpftrace/environment.ts'
import { allocate, release, writeU64 } from '../../sys/memory.ts'
import { check, perfEventOpen } from '../../sys/syscall.ts'
import { elfSymbols } from './elf-symbols.ts'
import { usdtProbes } from './usdt.ts'

const attrSize = 112
const closeOnExec = 8
const frequencyBit = 1 << 10
/** Threads that begin later are counted too. */
const inheritBit = 1 << 1
const Type = { hardware: 0, software: 1, breakpoint: 5 } as const

/** Attaches a program to what Links do not know yet: timers, counters, user functions, breakpoints. */
export function attachTarget(program: Program, target: Target, pid: number | null): Link[] {
  switch (target.kind) {
    case 'interval': return [onEvent(program, { type: Type.software, config: 0n, ...rate(target) }, -1, 0)]
    case 'profile': return onlineCpus().map(
      (cpu) => onEvent(program, { type: Type.software, config: 0n, ...rate(target) }, pid ?? -1, cpu),
    )
    case 'software': {
      const config = BigInt(softwareEvents[target.event]!)
      return onlineCpus().map(
        (cpu) => onEvent(
          program, {
            type: Type.software, config, period: target.count ?? defaultCount(target.event), frequency: false,
          }, pid ?? -1, cpu,
        ),
      )
    }
    case 'hardware': {
      const config = BigInt(hardwareEvents[target.event]!)
      return onlineCpus().map(
        (cpu) => onEvent(
          program, { type: Type.hardware, config, period: target.count ?? 1_000_000n, frequency: false }, pid ?? -1, cpu,
        ),
      )
    }
    case 'watchpoint': {
      const mode = (target.mode.includes('r') ? 1 : 0) | (target.mode.includes('w') ? 2 : 0) | (target.mode.includes('x') ? 4 : 0)
      const event = {
        type: Type.breakpoint, config: 0n, period: 1n, frequency: false, breakpoint: {
          type: mode, address: target.address, length: BigInt(target.length),
        },
      }
      return pid !== null ? threads(pid).map(
        (thread) => onEvent(program, event, thread, -1),
      ) : onlineCpus().map((cpu) => onEvent(program, event, -1, cpu))
    }
    case 'kprobe': case 'kretprobe': return [onKernel(program, target)]
    case 'uprobe': case 'uretprobe': return [
      onUser(program, target.path, userOffset(target), target.kind === 'uretprobe', pid, 0),
    ]
    case 'usdt': {
      const elf = elfSymbols(target.path)!
      const sites = usdtProbes(target.path).filter((one) => one.provider === target.provider && one.name === target.name)
      return sites.map(
        (site) => onUser(
          program, target.path, elf.fileOffset(site.address), false, pid, site.semaphore === 0 ? 0 : elf.fileOffset(site.semaphore),
        ),
      )
    }
    default: throw new Error(`${target.display}: there is no way to attach it yet`)
  }
}

interface EventAttr {
  type: number
  config: bigint
  period: bigint
  frequency: boolean
  path?: string
  offset?: number
  breakpoint?: { type: number; address: bigint; length: bigint }
}

function rate({ periodNs, hz }: { periodNs: bigint | null; hz: bigint | null }): { period: bigint; frequency: boolean } {
  return hz === null ? { period: periodNs!, frequency: false } : { period: hz, frequency: true }
}

function defaultCount(event: string): bigint {
  return event.includes('clock') || event === 'cpu' ? 1_000_000n : event === 'faults' || event === 'page-faults' ? 100n : event === 'cs' || event === 'context-switches' ? 1000n : 1n
}

function onEvent(program: Program, event: EventAttr, pid: number, cpu: number): Link {
  const attr = allocate(attrSize)
  const path = event.path === undefined ? null : allocate(Buffer.byteLength(event.path) + 1)
  try {
    attr.u32[0] = event.type
    attr.u32[1] = attrSize
    const u64 = (offset: number, value: bigint) => {
      attr.u32[offset / 4] = Number(value & 0xffff_ffffn)
      attr.u32[offset / 4 + 1] = Number(value >> 32n)
    }
    u64(8, event.config)
    u64(16, event.period)
    attr.u32[10] = (event.frequency ? frequencyBit : 0) | (event.breakpoint !== undefined && pid > 0 ? inheritBit : 0)
    if (event.breakpoint !== undefined) {
      attr.u32[13] = event.breakpoint.type
      u64(56, event.breakpoint.address)
      u64(64, event.breakpoint.length)
    }
    if (path !== null) {
      path.u8.set(Buffer.from(event.path!))
      writeU64(attr.u32, 56, path.address)
      u64(64, BigInt(event.offset!))
    }
    const fd = perfEventOpen(attr.address, pid, cpu, -1, closeOnExec)
    const descriptor = new Descriptor('perf event', program.name, check(fd, 'perf_event_open', program.name))
    try {
      return linkEvent(program, descriptor)
    } catch (error) {
      descriptor.close()
      throw error
    }
  } finally {
    if (path !== null) release(path)
    release(attr)
  }
}

function linkEvent(program: Program, descriptor: Descriptor): Link {
  return attachToEvent(program, program.spec.attach, descriptor)
}

function onUser(program: Program, path: string, offset: number, returns: boolean, pid: number | null, semaphore: number): Link {
  const type = Number(readFileSync('/sys/bus/event_source/devices/uprobe/type', 'latin1'))
  const bit = BigInt(
    /config:(\d+)/.exec(readFileSync('/sys/bus/event_source/devices/uprobe/format/retprobe', 'latin1'))?.[1] ?? 0,
  )
  const config = (returns ? 1n << bit : 0n) | (BigInt(semaphore) << 32n)
  return onEvent(program, { type, config, period: 0n, frequency: false, path, offset }, pid ?? -1, pid === null ? 0 : -1)
}

const kprobeFolder = '/sys/bus/event_source/devices/kprobe'

/** Tracepoints that tell much the same as a function of the kernel, for kernels without kprobes. */
const instead: Readonly<Record<string, string>> = {
  blk_account_io_start: 'tracepoint:block:block_rq_issue', blk_account_io_done: 'tracepoint:block:block_rq_complete', cap_capable: 'tracepoint:capability:cap_capable',
  vfs_read: 'tracepoint:syscalls:sys_exit_read', vfs_write: 'tracepoint:syscalls:sys_exit_write', vfs_open: 'tracepoint:syscalls:sys_enter_openat', do_nanosleep: 'tracepoint:syscalls:sys_enter_nanosleep',
  oom_kill_process: 'tracepoint:oom:mark_victim', tcp_drop: 'tracepoint:skb:kfree_skb', tcp_retransmit_skb: 'tracepoint:tcp:tcp_retransmit_skb',
  tcp_set_state: 'tracepoint:sock:inet_sock_set_state', tcp_connect: 'tracepoint:sock:inet_sock_set_state', inet_csk_accept: 'tracepoint:sock:inet_sock_set_state',
  swap_readpage: 'tracepoint:vmscan:mm_vmscan_direct_reclaim_begin', finish_task_switch: 'rawtracepoint:sched_switch',
}

function onKernel(program: Program, target: Target & { kind: 'kprobe' | 'kretprobe' }): Link {
  if (!existsSync(kprobeFolder)) {
    const other = instead[target.name]
    throw new Error(
      `${target.display}: this kernel has no kprobes (CONFIG_KPROBES)${other === undefined ? '' : `; ${other} could serve instead`}`,
    )
  }
  const type = Number(readFileSync(`${kprobeFolder}/type`, 'latin1'))
  const bit = BigInt(/config:(\d+)/.exec(readFileSync(`${kprobeFolder}/format/retprobe`, 'latin1'))?.[1] ?? 0)
  const config = target.kind === 'kretprobe' ? 1n << bit : 0n
  return onEvent(program, { type, config, period: 0n, frequency: false, path: target.name, offset: target.offset }, -1, 0)
}

function userOffset(target: Target & { kind: 'uprobe' | 'uretprobe' }): number {
  const elf = elfSymbols(target.path)
  if (target.address !== null) return elf === null ? Number(target.address) : elf.fileOffset(Number(target.address))
  const symbol = elf?.functions.find(({ name }) => name === target.name)
  if (elf === null || symbol === undefined) throw new Error(`Could not resolve symbol: ${target.path}:${target.name}`)
  return elf.fileOffset(symbol.address) + target.offset
}

function threads(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number)
}

function onlineCpus(): number[] {
  const text = readFileSync('/sys/devices/system/cpu/online', 'latin1').trim()
  return text.split(',').flatMap((part) => {
    const [from, to] = part.split('-').map(Number) as [number, number | undefined]
    return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index)
  })
}

export interface TestRun { returned: number; durationNs: number }

/** Runs a program once (or `repeat` times over a packet) by BPF_PROG_TEST_RUN. */
export function testRun(program: Program, repeat = 0): TestRun {
  const packet = repeat === 0 ? null : allocate(64)
  let run: TestRun = { returned: 0, durationNs: 0 }
  try {
    const result = command('BPF_PROG_TEST_RUN', 80, (attr) => {
      attr.u32(0, program.fd)
      if (packet !== null) {
        attr.u32(8, 64)
        attr.u64(16, packet.address)
        attr.u32(32, repeat)
      }
    }, (attr) => { run = { returned: attr.read(4), durationNs: attr.read(36) } })
    if (result < 0) throw commandError('BPF_PROG_TEST_RUN', result, program.name)
    return run
  } finally {
    if (packet !== null) release(packet)
  }
}
