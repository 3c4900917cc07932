import { BitRows, graphOf, type Graph } from '../ir/cfg.ts'
import type { StackSlot } from '../ir/ir.ts'
import { positionOf, type Span } from '../span.ts'
import { BackendError } from './error.ts'
import type { MachineFunction } from './machine.ts'
import { firstSlot, type Location } from './parallel-move.ts'

/** What the kernel gives one program, or one chain of calls. */
export const stackLimit = 512

/** Offsets from r10 of stack slots and spilled values. */
export interface Frame { offsetOf(slot: StackSlot): number; offsetOfSpill(location: Location): number; bytes: number }

/**
 * Lays out the stack. Slots that are never in use at the same time share memory: a slot is in use
 * between its first and its last access. Its accesses are known because addresses of the stack are
 * made where they are used; a slot whose address is computed with or passed between blocks is kept
 * apart.
 */
export function layOutFrame(fn: MachineFunction, spillSlots: number): Frame {
  const accesses = findAccesses(fn)
  const conflicts = findConflicts(fn, accesses)
  const offsets = new Map<StackSlot, number>()
  const slots = [...accesses.index.keys()].sort((a, b) => b.size - a.size || a.id - b.id)
  let bytes = 0
  for (const slot of slots) {
    const row = accesses.index.get(slot)!
    const rivals = [...offsets].filter(([other]) => conflicts.has(row, accesses.index.get(other)!))
    const end = lowestEnd(slot, rivals)
    offsets.set(slot, -end)
    bytes = Math.max(bytes, end)
  }
  const spillBase = Math.ceil(bytes / 8) * 8
  const total = spillBase + spillSlots * 8
  if (total > stackLimit) refuse(fn, accesses, total, spillSlots)
  return {
    bytes: total,
    offsetOf: (slot) => offsets.get(slot)!,
    offsetOfSpill: (location) => -(spillBase + (location - firstSlot + 1) * 8),
  }
}

/** The distance below r10 at which the slot can begin: the smallest that overlaps no rival. */
function lowestEnd(slot: StackSlot, rivals: readonly [StackSlot, number][]): number {
  const align = Math.max(8, slot.align)
  const aligned = (bytes: number) => Math.ceil(bytes / align) * align
  let end = aligned(slot.size)
  for (let moved = true; moved;) {
    moved = false
    for (const [rival, offset] of rivals) {
      if (end - slot.size >= -offset || end <= -offset - rival.size) continue
      end = aligned(-offset + slot.size)
      moved = true
    }
  }
  return end
}

interface Accesses {
  index: Map<StackSlot, number>
  /** Slots accessed at each operation of each block. */
  at: number[][][]
  /** Slots that share with none. */
  apart: Set<number>
  firstSpan: Span[]
}

function findAccesses(fn: MachineFunction): Accesses {
  const accesses: Accesses = { index: new Map(), at: [], apart: new Set(), firstSpan: [] }
  const indexOf = (slot: StackSlot, span: Span): number => {
    let index = accesses.index.get(slot)
    if (index === undefined) {
      index = accesses.index.size
      accesses.index.set(slot, index)
      accesses.firstSpan.push(span)
    }
    return index
  }
  for (const block of fn.blocks) {
    accesses.at.push(block.ops.map((op) => {
      const found: number[] = []
      for (const use of op.uses) {
        const constant = use < 0 ? fn.constants[~use]! : null
        if (constant?.kind !== 'frame') continue
        const slot = indexOf(constant.slot, op.span)
        found.push(slot)
        if (op.kind !== 'call') accesses.apart.add(slot)
      }
      if (op.kind === 'plain') for (const { slot } of op.templates) if (slot !== undefined) found.push(indexOf(slot, op.span))
      return found
    }))
  }
  return accesses
}

/** Pairs of slots in use at the same time, both ways. */
function findConflicts(fn: MachineFunction, { index, at, apart }: Accesses): BitRows {
  const count = index.size
  const conflicts = new BitRows(count, count)
  if (count < 2) return conflicts
  const graph = graphOf(fn.successors)
  const mentioned = new BitRows(fn.blocks.length, count)
  at.forEach((ops, block) => { for (const slots of ops) for (const slot of slots) mentioned.add(block, slot) })
  const before = reach(mentioned, graph.predecessors)
  const after = reach(mentioned, graph.successors)
  fn.blocks.forEach((_, block) => conflictsInBlock(block, at[block]!, before, after, conflicts))
  for (const slot of apart) {
    for (let other = 0; other < count; other++) {
      conflicts.add(slot, other)
      conflicts.add(other, slot)
    }
  }
  return conflicts
}

/** What is mentioned in some block that can be reached by `next`, not counting the block itself unless by a loop. */
function reach(mentioned: BitRows, next: Graph['successors']): BitRows {
  const result = new BitRows(next.length, mentioned.words * 32)
  for (let changed = true; changed;) {
    changed = false
    for (let block = 0; block < next.length; block++) {
      for (const other of next[block]!) {
        for (let word = 0; word < mentioned.words; word++) {
          const at = block * mentioned.words + word
          const merged = (result.bits[at]! | result.bits[other * mentioned.words + word]! | mentioned.bits[other * mentioned.words + word]!) >>> 0
          if (merged === result.bits[at]) continue
          result.bits[at] = merged
          changed = true
        }
      }
    }
  }
  return result
}

function conflictsInBlock(block: number, ops: readonly number[][], before: BitRows, after: BitRows, conflicts: BitRows): void {
  const first = new Map<number, number>()
  const last = new Map<number, number>()
  ops.forEach((slots, at) => {
    for (const slot of slots) {
      if (!first.has(slot)) first.set(slot, at)
      last.set(slot, at)
    }
  })
  // In use from `from` to `to`, operations of this block counted from 0; -1 and the length stand for its ends.
  const ranges: { slot: number; from: number; to: number }[] = []
  const { words } = before
  for (let word = 0; word < words; word++) {
    let here = before.bits[block * words + word]! | after.bits[block * words + word]!
    for (const slot of first.keys()) if (slot >>> 5 === word) here |= 1 << (slot & 31)
    for (; here !== 0; here &= here - 1) {
      const slot = word * 32 + 31 - Math.clz32(here & -here)
      const from = before.has(block, slot) ? -1 : first.get(slot)
      const to = after.has(block, slot) ? ops.length : last.get(slot)
      if (from !== undefined && to !== undefined) ranges.push({ slot, from, to })
    }
  }
  for (const a of ranges) {
    for (const b of ranges) if (a.slot !== b.slot && a.from <= b.to && b.from <= a.to) conflicts.add(a.slot, b.slot)
  }
}

function refuse(fn: MachineFunction, { index, firstSpan }: Accesses, total: number, spillSlots: number): never {
  const largest = [...index].sort(([a], [b]) => b.size - a.size).slice(0, 4)
  const named = largest.map(([slot, at]) => {
    const { file, line } = positionOf(firstSpan[at]!)
    return `${slot.name ?? 'unnamed'} (${slot.size} bytes, ${file}:${line})`
  })
  const spilled = spillSlots === 0 ? '' : `, and ${spillSlots * 8} bytes for values that found no register`
  const span = largest.length === 0 ? fn.blocks[0]!.ops[0]!.span : firstSpan[largest[0]![1]]!
  throw new BackendError('SKEP-C12', `'${fn.name}' needs ${total} bytes of stack and the kernel gives ${stackLimit}: ${named.join(', ')}${spilled}`,
    'keep large values in a map or a ring record, or make them smaller', span)
}
