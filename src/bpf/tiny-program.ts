import { ProgramType } from '../spec/spec.ts'
import type { ProgramTypeName } from '../spec/spec.ts'
import { allocate, release } from '../sys/memory.ts'
import { command } from './command.ts'
import type { Attr } from './command.ts'

/** The few instructions that feature probes need, encoded by hand so that probing depends on no compiler. */
export const Op = {
  /** rDst = imm */
  mov: (dst: number, imm: number): number[] => [0xb7, dst, 0, 0, ...bytes32(imm)],
  movReg: (dst: number, src: number): number[] => [0xbf, dst | src << 4, 0, 0, 0, 0, 0, 0],
  addImm: (dst: number, imm: number): number[] => [0x07, dst, 0, 0, ...bytes32(imm)],
  call: (helper: number): number[] => [0x85, 0, 0, 0, ...bytes32(helper)],
  /** rDst = map; two slots */
  mapFd: (dst: number, fd: number): number[] => [0x18, dst | 1 << 4, 0, 0, ...bytes32(fd), 0, 0, 0, 0, 0, 0, 0, 0],
  exit: [0x95, 0, 0, 0, 0, 0, 0, 0],
} as const

function bytes32(value: number): number[] {
  return [value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24 & 255]
}

/** Loads a tiny program without BTF, name or log: a descriptor, or the negated errno. The caller closes it. */
export function loadBytes(
  type: ProgramTypeName, instructions: readonly (readonly number[])[], more?: (attr: Attr) => void,
): number {
  const code = instructions.flat()
  const block = allocate(code.length + 8)
  try {
    block.u8.set(code)
    block.u8.set([0x47, 0x50, 0x4c, 0], code.length)
    return command('BPF_PROG_LOAD', 128, (attr) => {
      attr.u32(0, ProgramType[type])
      attr.u32(4, code.length / 8)
      attr.u64(8, block.address)
      attr.u64(16, block.address + code.length)
      more?.(attr)
    })
  } finally {
    release(block)
  }
}
