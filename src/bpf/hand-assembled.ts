/**
 * Programs for the tests of this folder, encoded by hand: these tests judge the loader, so they must not depend on
 * the assembler or the compiler. All of them look only at system calls of the one process whose id they are given.
 */
import type { AttachTarget, MapSpec, ProgramSpec, ProgramTypeName } from '../spec/spec.ts'

type Item = number[] | { jump: number[]; to: string } | { label: string } | { map: string; dst: number }

const imm32 = (value: number) => [value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24 & 255]
const off16 = (value: number) => [value & 255, value >> 8 & 255]
const slot = (code: number, dst: number, src: number, off: number, imm: number) =>
  [code, dst | src << 4, ...off16(off), ...imm32(imm)]

export const mov = (dst: number, imm: number) => slot(0xb7, dst, 0, 0, imm)
export const movReg = (dst: number, src: number) => slot(0xbf, dst, src, 0, 0)
export const add = (dst: number, imm: number) => slot(0x07, dst, 0, 0, imm)
export const and = (dst: number, imm: number) => slot(0x57, dst, 0, 0, imm)
export const shiftRight = (dst: number, imm: number) => slot(0x77, dst, 0, 0, imm)
export const load64 = (dst: number, src: number, off: number) => slot(0x79, dst, src, off, 0)
export const store64 = (dst: number, off: number, src: number) => slot(0x7b, dst, src, off, 0)
export const storeImm32 = (dst: number, off: number, imm: number) => slot(0x62, dst, 0, off, imm)
export const atomicAdd64 = (dst: number, off: number, src: number) => slot(0xdb, dst, src, off, 0)
export const atomicFetchAdd64 = (dst: number, off: number, src: number) => slot(0xdb, dst, src, off, 1)
export const call = (helper: number) => slot(0x85, 0, 0, 0, helper)
export const exit = slot(0x95, 0, 0, 0, 0)
export const ifNotEqual = (dst: number, imm: number, to: string): Item => ({ jump: slot(0x55, dst, 0, 0, imm), to })
export const ifEqual = (dst: number, imm: number, to: string): Item => ({ jump: slot(0x15, dst, 0, 0, imm), to })
export const goto = (to: string): Item => ({ jump: slot(0x05, 0, 0, 0, 0), to })
export const label = (name: string): Item => ({ label: name })
export const mapOf = (dst: number, map: string): Item => ({ map, dst })

export const Helper = {
  mapLookup: 1, mapUpdate: 2, ktime: 5, currentPidTgid: 14, currentComm: 16, ringReserve: 131, ringSubmit: 132, ringDiscard: 133,
} as const

/** Resolves labels and notes where maps are loaded. */
export function assemble(name: string, type: ProgramTypeName, attach: AttachTarget, items: Item[]): ProgramSpec {
  const labels = new Map<string, number>()
  let at = 0
  for (const item of items) {
    // Arrays have a method called map, so they are told apart first.
    if (Array.isArray(item) || 'jump' in item) at += 1
    else if ('map' in item) at += 2
    else labels.set(item.label, at)
  }
  const code: number[] = []
  const maps: { slot: number; map: string }[] = []
  for (const item of items) {
    if (Array.isArray(item)) {
      code.push(...item)
    } else if ('jump' in item) {
      const distance = labels.get(item.to)! - code.length / 8 - 1
      code.push(item.jump[0]!, item.jump[1]!, ...off16(distance), ...item.jump.slice(4))
    } else if ('map' in item) {
      maps.push({ slot: code.length / 8, map: item.map })
      code.push(...slot(0x18, item.dst, 0, 0, 0), ...slot(0, 0, 0, 0, 0))
    }
  }
  return { name, type, attach, code: Uint8Array.from(code), maps, relocations: [], functions: [], lines: [] }
}

/** The number of getppid(2), a call that Node makes once for every read of process.ppid and never otherwise. */
export const getppid = process.arch === 'x64' ? 110 : 173

const sysEnter: AttachTarget = { kind: 'raw_tp', name: 'sys_enter' }

/** r6 = context; leaves to 'out' unless process `pid` calls getppid. For raw_tp and tp_btf sys_enter. */
const onlyGetppidOf = (pid: number): Item[] => [
  movReg(6, 1),
  call(Helper.currentPidTgid), shiftRight(0, 32), ifNotEqual(0, pid, 'out'),
  load64(1, 6, 8), ifNotEqual(1, getppid, 'out'),
]

const leave: Item[] = [label('out'), mov(0, 0), exit]

/** r0 = address of element `index` of array `map`, or leaves. */
const element = (map: string, index: number): Item[] => [
  storeImm32(10, -4, index), movReg(2, 10), add(2, -4), mapOf(1, map), call(Helper.mapLookup), ifEqual(0, 0, 'out'),
]

export const counters: MapSpec = {
  name: 'counters', type: 'array', keySize: 4, valueSize: 8, maxEntries: 2, flags: 0,
}

/** counters[0]++ for every getppid of `pid`. */
export function countGetppid(pid: number, kind: 'raw_tp' | 'tp_btf' = 'raw_tp', name = 'count'): ProgramSpec {
  return assemble(name, kind === 'raw_tp' ? 'raw_tracepoint' : 'tracing', { kind, name: 'sys_enter' }, [
    ...onlyGetppidOf(pid), ...element('counters', 0), mov(1, 1), atomicAdd64(0, 0, 1), ...leave,
  ])
}

/** The same on a tracepoint: no context needed, the tracepoint is getppid's own. */
export function countTracepoint(pid: number): ProgramSpec {
  const target: AttachTarget = { kind: 'tracepoint', category: 'syscalls', name: 'sys_enter_getppid' }
  return assemble('count_tp', 'tracepoint', target, [
    call(Helper.currentPidTgid), shiftRight(0, 32), ifNotEqual(0, pid, 'out'),
    ...element('counters', 0), mov(1, 1), atomicAdd64(0, 0, 1), ...leave,
  ])
}

export const Wake = { adaptive: 0, never: 1, always: 2 } as const

/**
 * A 32-byte record for every getppid of `pid`: sequence number, time, process name. counters[0] counts the calls,
 * counters[1] the records that found no room. Every eighth record is discarded if asked for.
 */
export function produceRecords(pid: number, ring: string, wake: number = Wake.adaptive, discardEighth = false): ProgramSpec {
  const discard: Item[] = discardEighth
    ? [movReg(1, 8), and(1, 7), ifNotEqual(1, 7, 'submit'), movReg(1, 7), mov(2, wake), call(Helper.ringDiscard), goto('out'), label('submit')]
    : []
  return assemble(`produce_${ring}`, 'raw_tracepoint', sysEnter, [
    ...onlyGetppidOf(pid),
    ...element('counters', 0), mov(8, 1), atomicFetchAdd64(0, 0, 8),
    mapOf(1, ring), mov(2, 32), mov(3, 0), call(Helper.ringReserve), ifEqual(0, 0, 'full'),
    movReg(7, 0), store64(7, 0, 8),
    call(Helper.ktime), store64(7, 8, 0),
    movReg(1, 7), add(1, 16), mov(2, 16), call(Helper.currentComm),
    ...discard,
    movReg(1, 7), mov(2, wake), call(Helper.ringSubmit), goto('out'),
    label('full'), ...element('counters', 1), mov(1, 1), atomicAdd64(0, 0, 1),
    ...leave,
  ])
}
