import { Operation, type Code } from './code.ts'

/** Sets of registers as bits: bit n is rn. */
const ALL_ARGUMENTS = 0b11_1110

/** Registers that an instruction reads; `arguments` of a helper call are those of the table, or none if it is not known. */
export function reads(code: Code, slot: number, helperArguments: (id: number) => number): number {
  const at = slot * 4
  const [operation, d, s, extra] = [code.words[at]!, code.words[at + 1]!, code.words[at + 2]!, code.words[at + 3]!]
  const dst = bit(d)
  const src = s < 0 ? 0 : bit(s)
  if (operation === Operation.exit) return 1
  if (operation === Operation.jump || operation === Operation.mayGoto || operation === Operation.callLocal) return 0
  if (operation === Operation.call) return helperArguments(extra)
  if (operation === Operation.tailCall) return 0b1110
  if (operation === Operation.callKernel) return 0
  // The packet is found through the context in r6.
  if (operation === Operation.packet) return src | 1 << 6
  if (operation === Operation.atomic) return atomicReads(extra & 0xfff, dst, src)
  if (operation >= Operation.load8 && operation <= Operation.loadSigned32) return src
  if (operation === Operation.neg || operation === Operation.neg32) return dst
  if (operation >= Operation.keep16 && operation <= Operation.swap64) return dst
  const moves = operation === Operation.mov || operation === Operation.mov32 || (operation >= Operation.movsx8
    && operation <= Operation.wide)
    || operation === Operation.movsx8w || operation === Operation.movsx16w
  // x ^ x and x - x are 0 whatever x is, but the kernel wants it to be set all the same.
  return moves ? src : dst | src
}

function atomicReads(operation: number, dst: number, src: number): number {
  if (operation === 0x100) return src
  return dst | src | (operation === 0xf1 ? 1 : 0)
}

/** Registers that an instruction sets, and those that it leaves without a value. */
export function writes(code: Code, slot: number): { set: number; lost: number } {
  const at = slot * 4
  const [operation, d, s, extra] = [code.words[at]!, code.words[at + 1]!, code.words[at + 2]!, code.words[at + 3]!]
  // It comes back only when it failed, and then without a result.
  if (operation === Operation.tailCall) return { set: 0, lost: ALL_ARGUMENTS | 1 }
  const calls = operation === Operation.call || operation === Operation.callLocal || operation === Operation.callKernel
  if (calls || operation === Operation.packet) return { set: 1, lost: ALL_ARGUMENTS }
  if (operation === Operation.atomic) {
    const kind = extra & 0xfff
    if (kind === 0x100) return { set: bit(d), lost: 0 }
    if (kind === 0xf1) return { set: 1, lost: 0 }
    return { set: (kind & 1) !== 0 ? bit(s) : 0, lost: 0 }
  }
  const jumps = operation >= Operation.jeq && operation <= Operation.mayGoto
  const stores = operation >= Operation.store8 && operation <= Operation.store64
  return { set: jumps || stores || operation === Operation.exit ? 0 : bit(d), lost: 0 }
}

function bit(register: number): number {
  return register > 20 ? 0 : 1 << (register >> 1)
}

/** Slots that may come next in the same function; calls return. */
export function successors(code: Code, slot: number): number[] {
  const operation = code.words[slot * 4]!
  const next = slot + (code.spec.code[slot * 8] === 0x18 ? 2 : 1)
  if (operation === Operation.exit) return []
  if (operation === Operation.jump) return [code.words[slot * 4 + 3]!]
  if (operation >= Operation.jeq && operation <= Operation.mayGoto) return [next, code.words[slot * 4 + 3]!]
  return [next]
}

/**
 * Whether every register is certain to hold a value wherever it is read, on every path: then no check is needed while running.
 * A function gets the arguments that all its callers have set; callbacks get theirs from the helper.
 */
export function alwaysInitialised(code: Code, helperArguments: (id: number) => number): boolean {
  const known = new Int32Array(code.slots).fill(-1)
  const work: number[] = []
  const meet = (slot: number, mask: number) => {
    if (slot >= code.slots) return
    const joined = known[slot] === -1 ? mask : known[slot]! & mask
    if (joined === known[slot]) return
    known[slot] = joined
    work.push(slot)
  }
  meet(0, code.entry)
  for (const callback of code.callbacks) meet(callback, 1 << 10 | ALL_ARGUMENTS)
  while (work.length > 0) {
    const slot = work.pop()!
    const { set, lost } = writes(code, slot)
    if (code.words[slot * 4] === Operation.callLocal) meet(code.words[slot * 4 + 3]!, 1 << 10 | (known[slot]! & ALL_ARGUMENTS))
    const after = (known[slot]! & ~lost) | set
    for (const next of successors(code, slot)) meet(next, after)
  }
  for (let slot = 0; slot < code.slots; slot++) {
    if (known[slot] === -1) continue
    if ((reads(code, slot, helperArguments) & ~known[slot]!) !== 0) return false
  }
  return true
}
