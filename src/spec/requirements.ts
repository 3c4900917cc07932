import { decode } from '../asm/decode.ts'
import { slotsOf } from '../asm/encode.ts'
import { helperNameOf } from '../asm/helper-names.ts'
import { helperSince } from '../asm/helper-since.ts'
import type { Instruction } from '../asm/instruction.ts'
import type { AttachTarget, MapSpec, MapTypeName, ProgramSpec, Spec } from './spec.ts'

/** Something that a kernel must have, with the mainline release it came with. */
export interface Requirement {
  kind: 'hook' | 'map' | 'helper' | 'instruction'
  /** 'tp_btf', 'ringbuf', 'bpf_ringbuf_reserve', 'jmp32'. */
  name: string
  /** '5.8'. Distributions may have brought it to older kernels. */
  since: string
  /** Program that needs it; null for maps. */
  program: string | null
  /** Slot of the first instruction that needs it; null for hooks and maps. */
  slot: number | null
}

/** Releases by map type: the comments of `enum bpf_map_type` have none, the history of linux/bpf.h has. */
const mapSince: Record<MapTypeName, string> = {
  hash: '3.19', array: '3.19', percpuHash: '4.6', percpuArray: '4.6', lruHash: '4.10', lruPercpuHash: '4.10', ringbuf: '5.8',
}
const hookSince: Record<AttachTarget['kind'], string> = { tp_btf: '5.5', raw_tp: '4.17', tracepoint: '4.7' }

/** What a Spec needs of the kernel, each thing once a program, newest first. */
export function requirementsOf(spec: Spec): Requirement[] {
  const all = [...spec.maps.map(ofMap), ...spec.programs.flatMap(ofProgram)]
  return all.sort((a, b) => compareReleases(b.since, a.since))
}

/** The first mainline release that has all of it. */
export function firstKernel(requirements: readonly Requirement[]): string {
  return requirements.reduce((newest, { since }) => (compareReleases(since, newest) > 0 ? since : newest), '3.19')
}

/** Negative when `a` is older than `b`. */
export function compareReleases(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}

function ofMap({ type }: MapSpec): Requirement {
  return { kind: 'map', name: type, since: mapSince[type], program: null, slot: null }
}

function ofProgram({ name, attach, code }: ProgramSpec): Requirement[] {
  const found = new Map<string, Requirement>()
  found.set('hook', { kind: 'hook', name: attach.kind, since: hookSince[attach.kind], program: name, slot: null })
  let slot = 0
  for (const instruction of decode(code)) {
    for (const [kind, what, since] of ofInstruction(instruction)) {
      if (!found.has(what)) found.set(what, { kind, name: what, since, program: name, slot })
    }
    slot += slotsOf(instruction)
  }
  return [...found.values()]
}

const JMP32 = 0x06
const MODE_SIGN_EXTENDED = 0x80
const MODE_ATOMIC = 0xc0

/** Base instructions and the older comparisons are everywhere; what came later is named here. */
function ofInstruction({ code, src, off, imm }: Instruction): ['helper' | 'instruction', string, string][] {
  const operation = code & 0xf0
  switch (code & 7) {
    case 0x05:
      if (code === 0x85 && src === 0) return [['helper', `bpf_${helperNameOf(imm) ?? `helper ${imm}`}`, helperSince(imm) ?? '3.19']]
      if (code === 0x85 && src === 1) return [['instruction', 'calls between BPF functions', '4.16']]
      if (code === 0x85 && src === 2) return [['instruction', 'kfunc calls', '5.13']]
      if (operation === 0xe0) return [['instruction', 'may_goto', '6.9']]
      return operation >= 0xa0 && operation <= 0xd0 ? [['instruction', 'jlt, jle, jslt, jsle', '4.14']] : []
    case JMP32: return code === 0x06 ? [['instruction', 'gotol', '6.6']] : [['instruction', 'jmp32', '5.1']]
    case 0x04: case 0x07:
      if (operation === 0xd0 && (code & 7) === 7) return [['instruction', 'bswap', '6.6']]
      if (off !== 0 && operation === 0xb0) return [['instruction', 'movsx', '6.6']]
      return off !== 0 && (operation === 0x30 || operation === 0x90) ? [['instruction', 'sdiv, smod', '6.6']] : []
    case 0x01: return (code & 0xe0) === MODE_SIGN_EXTENDED ? [['instruction', 'sign-extending loads', '6.6']] : []
    case 0x03:
      if ((code & 0xe0) !== MODE_ATOMIC) return []
      if (imm === 0x100 || imm === 0x110) return [['instruction', 'load-acquire, store-release', '6.15']]
      return imm === 0 ? [] : [['instruction', 'atomic operations other than add', '5.12']]
    default: return []
  }
}
