import { AttachType } from '../spec/spec.ts'
import type { AttachTypeName } from '../spec/spec.ts'
import { Errno, SysError } from '../sys/errno.ts'
import { allocate, readU64, release, writeU64 } from '../sys/memory.ts'
import type { Block } from '../sys/memory.ts'
import { objectInfo } from './command.ts'

/** What every link has. `type` is `enum bpf_link_type`. */
interface Common { id: number; type: number; programId: number }

/** What the kernel says of a link, by its kind. Attach types younger than skep are numbers. Fields of later kernels are 0 before. */
export type LinkInfo = Common & (
  | { kind: 'raw_tracepoint'; name: string }
  | { kind: 'tracing'; attachType: AttachTypeName | number; targetObjectId: number; targetBtfId: number }
  | { kind: 'cgroup'; cgroupId: number; attachType: AttachTypeName | number }
  | { kind: 'iter'; name: string; mapId: number; cgroupId: number; taskId: number; processId: number }
  | { kind: 'netns'; namespace: number; attachType: AttachTypeName | number }
  | { kind: 'xdp'; interface: number }
  | { kind: 'perf_event'; event: PerfEventInfo }
  | { kind: 'kprobe_multi'; count: number; return: boolean; missed: number; addresses: bigint[] }
  | { kind: 'struct_ops'; mapId: number }
  | { kind: 'netfilter'; family: number; hook: number; priority: number; flags: number }
  | { kind: 'tcx' | 'netkit'; interface: number; attachType: AttachTypeName | number }
  | { kind: 'uprobe_multi'; path: string; count: number; return: boolean; pid: number; offsets: number[] }
  | { kind: 'sockmap'; mapId: number; attachType: AttachTypeName | number }
  | { kind: 'unknown' }
)

/** What a perf event link is on (6.6; 'unknown' before). Offsets are bytes; hidden addresses are 0n. */
export type PerfEventInfo =
  | { kind: 'uprobe' | 'uretprobe'; path: string; offset: number; cookie: bigint }
  | { kind: 'kprobe' | 'kretprobe'; function: string; offset: number; address: bigint; missed: number; cookie: bigint }
  | { kind: 'tracepoint'; name: string; cookie: bigint }
  | { kind: 'event'; type: number; config: number; cookie: bigint }
  | { kind: 'unknown' }

const infoSize = 64
const textSize = 4096
const listSize = 1024

const attachTypes = new Map<number, AttachTypeName>(Object.entries(AttachType).map(([name, number]) => [number, name as AttachTypeName]))
const attachType = (number: number) => attachTypes.get(number) ?? number

/** `struct bpf_link_info` of a descriptor (5.8). */
export function linkInfo(fd: number): LinkInfo {
  const memory = allocate(textSize + listSize * 8)
  try {
    const type = objectInfo(fd, infoSize, ({ u32 }) => u32[0]!)
    try {
      return objectInfo(fd, infoSize, (info) => read(info, memory), ({ u32 }) => askForLists(u32, type, memory))
    } catch (error) {
      // A kernel that does not know these fields yet wants them to be zero.
      if (!(error instanceof SysError) || (error.errno !== Errno.E2BIG && error.errno !== Errno.EINVAL)) throw error
      return objectInfo(fd, infoSize, (info) => read(info, memory))
    }
  } finally {
    release(memory)
  }
}

/** The kernel wants to be told where names and lists go, at places that depend on the type. */
function askForLists(u32: Uint32Array, type: number, memory: Block): void {
  const text = (at: number, length: number) => {
    writeU64(u32, at, memory.address)
    u32[length / 4] = textSize
  }
  const list = (at: number, length: number) => {
    writeU64(u32, at, memory.address + textSize)
    u32[length / 4] = listSize
  }
  if (type === 1 || type === 4) text(16, 24)
  else if (type === 7) text(24, 32)
  else if (type === 8) list(16, 24)
  else if (type === 12) {
    text(16, 48)
    list(24, 52)
  }
}

function read({ u32, i32 }: Block, memory: Block): LinkInfo {
  const common = { type: u32[0]!, id: u32[1]!, programId: u32[2]! }
  const list = (count: number) => Array.from(new BigUint64Array(memory.u8.buffer, memory.u8.byteOffset + textSize, Math.min(count, listSize)))
  switch (common.type) {
    case 1: return { ...common, kind: 'raw_tracepoint', name: textOf(memory) }
    case 2: return { ...common, kind: 'tracing', attachType: attachType(u32[4]!), targetObjectId: u32[5]!, targetBtfId: u32[6]! }
    case 3: return { ...common, kind: 'cgroup', cgroupId: readU64(u32, 16), attachType: attachType(u32[6]!) }
    case 4: return { ...common, kind: 'iter', ...iterator(textOf(memory), u32) }
    case 5: return { ...common, kind: 'netns', namespace: u32[4]!, attachType: attachType(u32[5]!) }
    case 6: return { ...common, kind: 'xdp', interface: u32[4]! }
    case 7: return { ...common, kind: 'perf_event', event: perfEvent(u32, textOf(memory)) }
    case 8: return {
      ...common, kind: 'kprobe_multi', count: u32[6]!, return: (u32[7]! & 1) !== 0, missed: readU64(u32, 32), addresses: list(u32[6]!),
    }
    case 9: return { ...common, kind: 'struct_ops', mapId: u32[4]! }
    case 10: return { ...common, kind: 'netfilter', family: u32[4]!, hook: u32[5]!, priority: i32[6]!, flags: u32[7]! }
    case 11: return { ...common, kind: 'tcx', interface: u32[4]!, attachType: attachType(u32[5]!) }
    case 12: return {
      ...common, kind: 'uprobe_multi', path: textOf(memory), count: u32[13]!, return: (u32[14]! & 1) !== 0, pid: u32[15]!,
      offsets: list(u32[13]!).map(Number),
    }
    case 13: return { ...common, kind: 'netkit', interface: u32[4]!, attachType: attachType(u32[5]!) }
    case 14: return { ...common, kind: 'sockmap', mapId: u32[4]!, attachType: attachType(u32[5]!) }
    default: return { ...common, kind: 'unknown' }
  }
}

/** What is iterated decides what the fields mean. */
function iterator(name: string, u32: Uint32Array) {
  const base = { name, mapId: 0, cgroupId: 0, taskId: 0, processId: 0 }
  if (name.startsWith('bpf_map_elem') || name.startsWith('bpf_sk_storage_map')) return { ...base, mapId: u32[7]! }
  if (name === 'cgroup') return { ...base, cgroupId: readU64(u32, 32) }
  return name.startsWith('task') ? { ...base, taskId: u32[8]!, processId: u32[9]! } : base
}

function perfEvent(u32: Uint32Array, name: string): PerfEventInfo {
  const u64 = (at: number) => BigInt(u32[at / 4]!) | BigInt(u32[at / 4 + 1]!) << 32n
  switch (u32[4]) {
    case 1: case 2: return { kind: u32[4] === 1 ? 'uprobe' : 'uretprobe', path: name, offset: u32[9]!, cookie: u64(40) }
    case 3: case 4: return {
      kind: u32[4] === 3 ? 'kprobe' : 'kretprobe', function: name, offset: u32[9]!, address: u64(40), missed: Number(u64(48)), cookie: u64(56),
    }
    case 5: return { kind: 'tracepoint', name, cookie: u64(40) }
    case 6: return { kind: 'event', config: Number(u64(24)), type: u32[8]!, cookie: u64(40) }
    default: return { kind: 'unknown' }
  }
}

function textOf(memory: Block): string {
  return new TextDecoder().decode(memory.u8.slice(0, Math.max(0, memory.u8.indexOf(0))))
}
