import { BitRows, graphOf, solveLiveness } from '../ir/cfg.ts'
import type { Block, IrFunction, Op, StackSlot, Value } from '../ir/ir.ts'
import { constantOf } from './fold.ts'
import { definitions, eachOperand, eachTerminatorOperand, edgesOf, predecessors, substitute, type Definitions } from './rewrite.ts'

/**
 * Stack memory: a load of what was stored before becomes the value itself, and stores that nobody reads go. So a
 * struct that is only filled and copied costs nothing. Slots whose address is computed with are left alone.
 */
export function simplifyStack(fn: IrFunction): boolean {
  if (fn.slots.length === 0) return false
  const stack = new Stack(fn)
  const forwarded = forwardStores(fn, stack)
  return dropDeadStores(fn, forwarded ? new Stack(fn) : stack) || forwarded
}

/** Bytes of a slot. */
interface Range { slot: StackSlot; from: number; size: number }

/** Helpers that only read what their arguments point to. */
const readers = new Set(['map_lookup_elem', 'map_update_elem', 'map_delete_elem', 'ringbuf_query', 'ringbuf_reserve', 'ringbuf_submit', 'ringbuf_discard'])

class Stack {
  readonly defined: Definitions
  /** Where the bytes of each slot begin in one row of bits; slots that are left alone have none. */
  readonly base = new Map<StackSlot, number>()
  bytes = 0

  constructor(fn: IrFunction) {
    this.defined = definitions(fn)
    const escaped = this.#escaped(fn)
    for (const slot of fn.slots) {
      if (escaped.has(slot)) continue
      this.base.set(slot, this.bytes)
      this.bytes += slot.size
    }
  }

  /** The place in a slot that a pointer stands for. */
  place(pointer: Value): { slot: StackSlot; from: number } | null {
    let offset = 0
    for (let op = this.defined[pointer.id]; op !== undefined; op = this.defined[op.pointer.id]) {
      if (op.op === 'stackAddress') return { slot: op.slot, from: op.offset + offset }
      if (op.op !== 'offset' || op.core !== undefined) return null
      offset += op.offset
    }
    return null
  }

  access(op: { pointer: Value; offset: number; size: number }): Range | null {
    const place = this.place(op.pointer)
    if (place === null || !this.base.has(place.slot)) return null
    return { slot: place.slot, from: place.from + op.offset, size: op.size }
  }

  /** What a call reads of slots, and what it may write. */
  call(op: Op & { op: 'call' }): { reads: Range[]; writes: Range[] } {
    const [reads, writes]: [Range[], Range[]] = [[], []]
    op.args.forEach((arg, index) => {
      const place = this.place(arg)
      if (place === null || !this.base.has(place.slot)) return
      const rest = place.slot.size - place.from
      if (op.name.startsWith('probe_read') && index === 0) {
        const size = constantOf(op.args[1]!, this.defined)
        writes.push({ slot: place.slot, from: place.from, size: size === null ? rest : Math.min(rest, Number(size)) })
        // A string leaves the bytes behind its end as they are.
        if (op.name.endsWith('_str') || size === null) reads.push({ slot: place.slot, from: place.from, size: rest })
        return
      }
      reads.push({ slot: place.slot, from: place.from, size: rest })
      if (!readers.has(op.name)) writes.push({ slot: place.slot, from: 0, size: place.slot.size })
    })
    return { reads, writes }
  }

  /** Slots whose address goes elsewhere than into accesses and calls. */
  #escaped(fn: IrFunction): Set<StackSlot> {
    const escaped = new Set<StackSlot>()
    const escape = (value: Value) => {
      const place = this.place(value)
      if (place !== null) escaped.add(place.slot)
    }
    for (const block of fn.blocks) {
      for (const op of block.ops) {
        switch (op.op) {
          case 'load': case 'offset': case 'call': break
          case 'store': case 'atomicAdd': escape(op.value); break
          default: eachOperand(op, escape)
        }
        if ('core' in op && op.core !== undefined && 'pointer' in op) escape(op.pointer)
      }
      eachTerminatorOperand(block.terminator, escape)
    }
    return escaped
  }
}

/** What is known to be in memory: by slot and offset, the size and the value stored. */
type Contents = Map<StackSlot, Map<number, { size: number; value: Value }>>

function forwardStores(fn: IrFunction, stack: Stack): boolean {
  const before = predecessors(fn)
  const atEnd = new Map<Block, Contents>()
  const replaced = new Map<Value, Value>()
  let changed = false
  for (const block of fn.blocks) {
    const contents = common(before.get(block)!.map(({ block: from }) => atEnd.get(from)))
    const ops: Op[] = []
    for (const op of block.ops) {
      const known = op.op === 'load' ? loadKnown(op, stack, contents) : null
      if (known === null) {
        ops.push(op)
        update(op, stack, contents)
        continue
      }
      changed = true
      if ('alias' in known) replaced.set(known.out, known.alias)
      else ops.push(known)
    }
    block.ops = ops
    atEnd.set(block, contents)
  }
  substitute(fn, replaced)
  return changed
}

/** What all blocks before agree on; nothing where one of them comes later (a loop). */
function common(states: readonly (Contents | undefined)[]): Contents {
  const result: Contents = new Map()
  const [first, ...rest] = states
  if (first === undefined || rest.includes(undefined)) return result
  for (const [slot, entries] of first) {
    const kept = new Map<number, { size: number; value: Value }>()
    for (const [offset, entry] of entries) {
      const same = rest.every((state) => {
        const other = state!.get(slot)?.get(offset)
        return other !== undefined && other.size === entry.size && other.value === entry.value
      })
      if (same) kept.set(offset, entry)
    }
    result.set(slot, kept)
  }
  return result
}

function update(op: Op, stack: Stack, contents: Contents): void {
  if (op.op === 'store' || op.op === 'atomicAdd') {
    const range = stack.access(op)
    if (range === null) return
    forget(contents, range)
    if (op.op === 'atomicAdd' || op.value.type.kind !== 'int') return
    let entries = contents.get(range.slot)
    if (entries === undefined) contents.set(range.slot, (entries = new Map()))
    entries.set(range.from, { size: range.size, value: op.value })
  } else if (op.op === 'call') for (const range of stack.call(op).writes) forget(contents, range)
}

function forget(contents: Contents, { slot, from, size }: Range): void {
  const entries = contents.get(slot)
  if (entries === undefined) return
  for (const [offset, entry] of entries) if (offset < from + size && from < offset + entry.size) entries.delete(offset)
}

/** What a load gives, if that was stored by one store of the same bytes. */
function loadKnown(op: Op & { op: 'load' }, stack: Stack, contents: Contents): Op | { alias: Value; out: Value } | null {
  const range = stack.access(op)
  const entry = range === null ? undefined : contents.get(range.slot)?.get(range.from)
  if (entry === undefined || entry.size !== op.size || op.out.type.kind !== 'int') return null
  const { out, span } = op
  const { value } = entry
  if (op.size === 8) return { alias: value, out }
  const bits = op.size * 8 as 8 | 16 | 32
  const constant = constantOf(value, stack.defined)
  if (constant !== null) return { op: 'const', out, value: BigInt.asIntN(64, op.signed ? BigInt.asIntN(bits, constant) : BigInt.asUintN(bits, constant)), span }
  return { op: 'extend', out, value, bits, signed: op.signed, span }
}

function dropDeadStores(fn: IrFunction, stack: Stack): boolean {
  if (stack.bytes === 0) return false
  const position = new Map(fn.blocks.map((block, index) => [block, index]))
  const graph = graphOf(fn.blocks.map((block) => edgesOf(block.terminator).map((edge) => position.get(edge.target)!)))
  const [used, written] = [new BitRows(fn.blocks.length, stack.bytes), new BitRows(fn.blocks.length, stack.bytes)]
  const each = ({ slot, from, size }: Range, visit: (bit: number) => void) => {
    const base = stack.base.get(slot)! + from
    for (let bit = base; bit < base + size; bit++) visit(bit)
  }
  fn.blocks.forEach((block, row) => {
    for (const op of block.ops) {
      const { reads, writes } = effects(op, stack)
      for (const range of reads) each(range, (bit) => { if (!written.has(row, bit)) used.add(row, bit) })
      for (const range of writes) each(range, (bit) => written.add(row, bit))
    }
  })
  const { liveOut } = solveLiveness(graph, stack.bytes, used, written)
  let changed = false
  const live = new BitRows(1, stack.bytes)
  fn.blocks.forEach((block, row) => {
    live.bits.set(liveOut.bits.subarray(row * live.words, (row + 1) * live.words))
    const kept: Op[] = []
    for (let at = block.ops.length - 1; at >= 0; at--) {
      const op = block.ops[at]!
      const { reads, writes } = effects(op, stack)
      if (op.op === 'store' && writes.length === 1) {
        let needed = false
        each(writes[0]!, (bit) => { needed ||= live.has(0, bit) })
        if (!needed) {
          changed = true
          continue
        }
      }
      for (const range of writes) each(range, (bit) => live.delete(0, bit))
      for (const range of reads) each(range, (bit) => live.add(0, bit))
      kept.push(op)
    }
    if (kept.length !== block.ops.length) block.ops = kept.reverse()
  })
  return changed
}

const nothing: readonly Range[] = []

/** What an operation reads and what it surely writes. */
function effects(op: Op, stack: Stack): { reads: readonly Range[]; writes: readonly Range[] } {
  switch (op.op) {
    case 'load': case 'store': case 'atomicAdd': {
      const range = stack.access(op)
      if (range === null) return { reads: nothing, writes: nothing }
      if (op.op === 'store') return { reads: nothing, writes: [range] }
      return { reads: [range], writes: nothing }
    }
    case 'call': {
      const { reads, writes } = stack.call(op)
      // Reading memory fills all bytes, with zeros when it fails; of other helpers that is not said.
      return { reads, writes: op.name.startsWith('probe_read') && !op.name.endsWith('_str') ? writes : nothing }
    }
    default: return { reads: nothing, writes: nothing }
  }
}
