import { ProgramType } from '../spec/spec.ts'
import type { ProgramTypeName } from '../spec/spec.ts'
import { allocate, readU64, release, writeU64 } from '../sys/memory.ts'
import { objectInfo, readName } from './command.ts'

/** What the kernel says of a program. */
export interface ProgramInfo {
  id: number
  name: string
  /** `enum bpf_prog_type`; `typeName` is its name in a Spec, or undefined for types younger than skep. */
  type: number
  typeName: ProgramTypeName | undefined
  /** The kernel's hash of the instructions, 16 hexadecimal digits. */
  tag: string
  /** Bytes of machine code; 0 if the JIT is off. */
  jitedBytes: number
  /** Bytes of instructions after the kernel's rewriting. */
  translatedBytes: number
  /** Instructions the verifier walked, all paths counted (5.16; before 0). */
  verifiedInstructions: number
  mapIds: number[]
  /** Nanoseconds since boot. */
  loadedAt: number
  /** Who loaded it. */
  userId: number
  gplCompatible: boolean
  /** Its types; 0: none. */
  btfId: number
  /** What it was loaded for, in the kernel's types or in those of the BTF object `attachBtfObjectId`; 0: nothing (5.17). */
  attachBtfId: number
  attachBtfObjectId: number
}

/** Run statistics. Time and count advance only while statistics are enabled (enableStats, 5.8). */
export interface ProgramStats {
  runTimeNs: number
  runCount: number
  /** Runs skipped because the program was already running on that CPU (5.12): events not seen. */
  recursionMisses: number
}

/** `struct bpf_prog_info` up to attach_btf_id; older kernels fill what they know. */
export const programInfoSize = 232

const typeNames = new Map<number, ProgramTypeName>(Object.entries(ProgramType).map(([name, number]) => [number, name as ProgramTypeName]))

/** `enum bpf_prog_type` as a Spec names it. */
export const programTypeName = (type: number): ProgramTypeName | undefined => typeNames.get(type)

/** `struct bpf_prog_info` of a descriptor (4.13). */
export function programInfo(fd: number): ProgramInfo {
  const mapCount = objectInfo(fd, programInfoSize, ({ u32 }) => u32[13]!)
  const ids = allocate(Math.max(4, mapCount * 4))
  try {
    return objectInfo(fd, programInfoSize, ({ u32, u8 }) => ({
      type: u32[0]!, typeName: programTypeName(u32[0]!), id: u32[1]!, tag: Buffer.from(u8.subarray(8, 16)).toString('hex'),
      jitedBytes: u32[4]!, translatedBytes: u32[5]!, loadedAt: readU64(u32, 40), userId: u32[12]!, name: readName(u8, 64),
      gplCompatible: (u32[21]! & 1) !== 0, btfId: u32[32]!, verifiedInstructions: u32[54]!, attachBtfObjectId: u32[55]!,
      attachBtfId: u32[56]!, mapIds: [...ids.u32.subarray(0, Math.min(mapCount, u32[13]!))],
    }), (info) => {
      info.u32[13] = mapCount
      writeU64(info.u32, 56, ids.address)
    })
  } finally {
    release(ids)
  }
}

/** Run statistics of a descriptor: one system call, cheap enough for every second. */
export function programStats(fd: number): ProgramStats {
  return objectInfo(fd, programInfoSize, ({ u32 }) => ({
    runTimeNs: readU64(u32, 192), runCount: readU64(u32, 200), recursionMisses: readU64(u32, 208),
  }))
}
