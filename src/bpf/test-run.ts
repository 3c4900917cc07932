import type { ProgramSpec, ProgramTypeName } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import { allocate, release } from '../sys/memory.ts'
import { command, commandError } from './command.ts'

export interface TestRunOptions {
  /** The packet, link-layer header included: 14 bytes at least. */
  data?: Uint8Array
  /**
   * The context: `struct __sk_buff`, `struct xdp_md`, `struct bpf_sk_lookup`, arguments of a raw tracepoint, or of a syscall
   * program.
   */
  context?: Uint8Array
  /** Runs, 1 by default; the kernel times them together. */
  repeat?: number
  /** The CPU to run on (raw tracepoints, 5.10). */
  cpu?: number
  /** XDP: really transmits what the program returns (5.18). Nothing comes back. */
  liveFrames?: boolean
  /** XDP with live frames: packets a time, 64 by default. */
  batchSize?: number
}

export interface TestRunResult {
  returnValue: number
  /** Average of one run. */
  durationNs: number
  /** The packet as the program left it. */
  data: Uint8Array
  /** The context as the program left it. */
  context: Uint8Array
}

const BPF_F_TEST_RUN_ON_CPU = 1
const BPF_F_TEST_XDP_LIVE_FRAMES = 2

/** Types that run on packets; the kernel refuses data for the others, and a repeat for those without `repeats`. */
const onPackets = new Set<ProgramTypeName>([
  'socket_filter', 'sched_cls', 'sched_act', 'xdp', 'cgroup_skb', 'lwt_in', 'lwt_out', 'lwt_xmit', 'flow_dissector', 'netfilter',
])
/** Types whose context comes back in a buffer of its own. */
const contextOut = new Set<ProgramTypeName>([
  'socket_filter', 'sched_cls', 'sched_act', 'xdp', 'cgroup_skb', 'lwt_in', 'lwt_out', 'lwt_xmit', 'sk_lookup',
])

/** The smallest packet the kernel takes. */
const emptyPacket = new Uint8Array(14)
/** Room for programs that make the packet longer. */
const headroom = 4096

/** Runs a loaded program on given data. @throws SysError */
export function testRun(fd: number, spec: Pick<ProgramSpec, 'name' | 'type'>, options: TestRunOptions): TestRunResult {
  const packets = onPackets.has(spec.type)
  const data = options.data ?? (packets ? emptyPacket : new Uint8Array())
  const context = options.context ?? new Uint8Array()
  const dataOut = packets && options.liveFrames !== true ? data.length + headroom : 0
  const contextAt = Math.ceil(data.length / 8) * 8
  const dataOutAt = contextAt + Math.ceil(context.length / 8) * 8
  const contextOutAt = dataOutAt + Math.ceil(dataOut / 8) * 8
  const separate = contextOut.has(spec.type) && options.liveFrames !== true && context.length > 0
  const memory = allocate(contextOutAt + context.length)
  try {
    memory.u8.set(data)
    memory.u8.set(context, contextAt)
    let result: TestRunResult | undefined
    const code = command('BPF_PROG_TEST_RUN', 80, (attr) => {
      attr.u32(0, fd)
      if (data.length > 0) {
        attr.u32(8, data.length)
        attr.u64(16, memory.address)
      }
      if (dataOut > 0) {
        attr.u32(12, dataOut)
        attr.u64(24, memory.address + dataOutAt)
      }
      attr.u32(32, options.repeat ?? 0)
      if (context.length > 0) {
        attr.u32(40, context.length)
        attr.u64(48, memory.address + contextAt)
      }
      if (separate) {
        attr.u32(44, context.length)
        attr.u64(56, memory.address + contextOutAt)
      }
      const onCpu = options.cpu === undefined ? 0 : BPF_F_TEST_RUN_ON_CPU
      attr.u32(64, onCpu | (options.liveFrames === true ? BPF_F_TEST_XDP_LIVE_FRAMES : 0))
      attr.u32(68, options.cpu ?? 0)
      attr.u32(72, options.batchSize ?? 0)
    }, (attr) => {
      const left = separate ? contextOutAt : contextAt
      result = {
        returnValue: attr.read(4), durationNs: attr.read(36),
        data: memory.u8.slice(dataOutAt, dataOutAt + Math.min(dataOut, attr.read(12))),
        context: memory.u8.slice(left, left + context.length),
      }
    })
    if (code < 0) throw commandError('BPF_PROG_TEST_RUN', code, `'${spec.name}' (${spec.type})${meaning(code)}`)
    return result!
  } finally {
    release(memory)
  }
}

function meaning(code: number): string {
  if (code === -Errno.ENOTSUPP) return ': programs of this type cannot be run on data, only attached'
  return code === -Errno.EINVAL ? ': this kernel does not take this data, context or option for this type' : ''
}
