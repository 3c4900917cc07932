import type { AttachTarget, ProgramSpec, ProgramTypeName } from '../spec/spec.ts'

/**
 * The smallest program of a type: it returns a number, and so passes, drops, allows or denies everything (XDP_PASS is 2, a
 * cgroup's
 * yes is 1).
 */
export function constantProgram(
  name: string, type: ProgramTypeName, value: number, attach: AttachTarget = { kind: 'given', name: '' }
): ProgramSpec {
  const code = new Uint8Array(16)
  // r0 = value; exit
  code[0] = 0xb7
  new DataView(code.buffer).setInt32(4, value, true)
  code[8] = 0x95
  return { name, type, attach, code, maps: [], relocations: [], functions: [], lines: [] }
}
