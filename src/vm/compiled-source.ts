import { Operation, type Code } from './code.ts'
import { STACK_BYTES } from './machine.ts'
import { successors } from './registers.ts'
import { arithmeticSource, jumpCondition } from './compiled-arithmetic.ts'

/**
 * JavaScript of one function of a program. Registers rN are the variables lN and hN, two signed 32-bit halves; instructions are
 * counted block by block.
 */
export function functionSource(code: Code, start: number, handedTo: (id: number) => number): string {
  const blocks = blocksOf(code, start)
  const index = new Map(blocks.map(({ from }, at) => [from, at]))
  const lines = blocks.map((block, at) => blockSource(code, block, at, index, handedTo))
  return `() => {
  let { u8, i8, i32, shadow32, table } = memory, left = m.left, a = 0, e = 0, x = 0, b = 0
  let l0 = 0, h0 = 0, l1 = R[2], h1 = R[3], l2 = R[4], h2 = R[5], l3 = R[6], h3 = R[7], l4 = R[8], h4 = R[9], l5 = R[10], h5 = R[11]
  let l6 = 0, h6 = 0, l7 = 0, h7 = 0, l8 = 0, h8 = 0, l9 = 0, h9 = 0
  const l10 = R[20], h10 = R[21], stack = m.stackEnd()
  for (;;) switch (b) {
${lines.join('\n')}
  }
}`
}

interface Block { from: number; /** Slots of its instructions. */ slots: number[]; next: number[] }

/** Blocks that a function reaches, in slot order. */
function blocksOf(code: Code, start: number): Block[] {
  const reached = new Set<number>()
  const leaders = new Set([start])
  const work = [start]
  while (work.length > 0) {
    const slot = work.pop()!
    if (reached.has(slot)) continue
    reached.add(slot)
    const next = successors(code, slot)
    const operation = code.words[slot * 4]!
    // After a tail call the rest may not run, and is not counted with what stands before.
    const jumps = (operation >= Operation.jeq && operation <= Operation.mayGoto) || operation === Operation.tailCall
    for (const one of next) {
      if (jumps) leaders.add(one)
      work.push(one)
    }
  }
  return [...leaders].sort((a, b) => a - b).map((from) => {
    const slots: number[] = []
    for (let slot = from; ;) {
      slots.push(slot)
      const next = successors(code, slot)
      if (next.length !== 1 || leaders.has(next[0]!)) return { from, slots, next }
      slot = next[0]!
    }
  })
}

function blockSource(code: Code, block: Block, at: number, index: ReadonlyMap<number, number>, handedTo: (id: number) => number): string {
  const last = block.slots.at(-1)!
  const [operation, d, s] = [code.words[last * 4]!, code.words[last * 4 + 1]!, code.words[last * 4 + 2]!]
  const branches = operation >= Operation.jeq && operation <= Operation.jsle32
  const out = block.slots.filter((slot) => !(slot === last && branches)).map((slot) => instructionSource(code, slot, handedTo))
  const goto = (slot: number) => (index.get(slot) === at + 1 ? '' : `b = ${index.get(slot)!}; continue`)
  const count = `if ((left -= ${block.slots.length}) < 0) { m.pc = ${last}; m.left = 0; m.outOfBudget() }`
  let end = ''
  if (branches) {
    const target = code.words[last * 4 + 3]!
    const condition = jumpCondition(operation, operand(code, d), operand(code, s))
    const over = block.next.find((next) => next !== target) ?? target
    // A block that jumps to itself is a loop of its own.
    if (target === block.from) return `case ${at}: do {\n${count}\n${out.join('\n')}\n} while (${condition})\n${goto(over)}`
    end = index.get(target) === at + 1
      ? `if (!(${condition})) { b = ${index.get(over)!}; continue }`
      : `if (${condition}) { b = ${index.get(target)!}; continue }\n${goto(over)}`
  } else if (operation === Operation.mayGoto) {
    end = `if (m.mayGoto()) { b = ${index.get(code.words[last * 4 + 3]!)!}; continue }\n${goto(block.next[0]!)}`
  } else if (operation !== Operation.exit) end = goto(block.next[0]!)
  return `case ${at}: ${count}\n${out.join('\n')}\n${end}`
}

/** A register's two halves as expressions: variables, or constants. */
export interface Operand { low: string; high: string; constant: readonly [low: number, high: number] | null }

function operand(code: Code, register: number): Operand {
  if (register <= 20) return { low: `l${register / 2}`, high: `h${register / 2}`, constant: null }
  const [low, high] = [code.registers[register]!, code.registers[register + 1]!]
  return { low: literal(low), high: literal(high), constant: [low, high] }
}

const literal = (value: number) => (value < 0 ? `(${value})` : String(value))

function instructionSource(code: Code, slot: number, handedTo: (id: number) => number): string {
  const [operation, d, s, extra] = [code.words[slot * 4]!, code.words[slot * 4 + 1]!, code.words[slot * 4 + 2]!, code.words[slot * 4 + 3]!]
  if (operation >= Operation.add && operation <= Operation.swap64) return arithmeticSource(operation, operand(code, d), operand(code, s))
  if (operation >= Operation.load8 && operation <= Operation.loadSigned32) return loadSource(operation, operand(code, d), operand(code, s), s, extra, slot)
  if (operation >= Operation.store8 && operation <= Operation.store64) return storeSource(operation, operand(code, d), operand(code, s), d, extra, slot)
  switch (operation) {
    case Operation.jump: case Operation.mayGoto: return ''
    case Operation.exit: return `R[0] = l0; R[1] = h0; m.left = left; m.pc = ${slot}; return`
    case Operation.atomic: return atomicSource(d, s, extra, slot)
    case Operation.packet:
      return `m.pc = ${slot}; ${s < 0 ? '' : save(s / 2)}loadPacket(m, R, ${s}, ${extra}, ${code.spec.code[slot * 8]!}); l0 = R[0]; h0 = R[1]`
    case Operation.call: return callSource(handedTo(extra), `m.callHelper(${extra}, R)`, slot)
    case Operation.callKernel: return callSource(0b11_1110, `m.callKernel(${extra}, R)`, slot)
    case Operation.callLocal: return callSource(0b11_1110, `m.openCall(R); F.get(${extra})(); m.closeCall(R)`, slot)
    default: return callSource(0b1110, 'if (m.tailCall(R)) return', slot)
  }
}

const save = (register: number) => `R[${register * 2}] = l${register}; R[${register * 2 + 1}] = h${register}; `

/** Arguments go through `registers`; views are taken anew, since memory may have grown. */
function callSource(mask: number, call: string, slot: number): string {
  const args = [1, 2, 3, 4, 5].filter((register) => (mask & 1 << register) !== 0).map(save).join('')
  return `m.left = left; m.pc = ${slot}; ${args}${call}; left = m.left; l0 = R[0]; h0 = R[1]
u8 = memory.u8; i8 = memory.i8; i32 = memory.i32; shadow32 = memory.shadow32; table = memory.table`
}

function atomicSource(d: number, s: number, extra: number, slot: number): string {
  const registers = [...new Set([0, d / 2, s / 2])]
  const writable = registers.filter((register) => register !== 10)
  const restore = writable.map((register) => `l${register} = R[${register * 2}]; h${register} = R[${register * 2 + 1}]`).join('; ')
  return `m.pc = ${slot}; ${registers.map(save).join('')}atomic(memory, R, ${d}, ${s}, ${extra}); ${restore}`
}

const WORD = 'u8[a] | u8[a + 1] << 8 | u8[a + 2] << 16 | u8[a + 3] << 24'
const sizes: Record<number, number> = { 90: 1, 91: 2, 92: 4, 93: 8, 94: 1, 95: 2, 96: 4, 100: 1, 101: 2, 102: 4, 103: 8 }

/** Whether an access through r10 is inside of the frame and aligned, so that its place is known now. */
const inFrame = (register: number, off: number, size: number) => register === 20 && off < 0 && off >= -STACK_BYTES && off + size <= 0 && off % size === 0 && size >= 4

function loadSource(operation: number, d: Operand, s: Operand, register: number, off: number, slot: number): string {
  const size = sizes[operation]!
  const signed = operation >= Operation.loadSigned8
  if (inFrame(register, off, size)) {
    const word = `(stack - ${-off} >> 2)`
    const set = size === 8 ? `(shadow32[x] & shadow32[x + 1]) === 0x1010101` : 'shadow32[x] === 0x1010101'
    const high = size === 8 ? 'i32[x + 1]' : signed ? `${d.low} >> 31` : '0'
    return `x = ${word}; if (!(${set})) toLoad(l10, h10, ${off}, ${size}, ${slot}); ${d.low} = i32[x]; ${d.high} = ${high}`
  }
  const value: Record<number, string> = {
    90: 'u8[a]', 91: 'u8[a] | u8[a + 1] << 8', 92: `(a & 3) === 0 ? i32[a >> 2] : ${WORD}`, 94: 'i8[a]', 95: 'u8[a] | i8[a + 1] << 8',
    96: `(a & 3) === 0 ? i32[a >> 2] : ${WORD}`,
  }
  const got = size === 8
    ? `if ((a & 3) === 0) { ${d.low} = i32[a >> 2]; ${d.high} = i32[(a >> 2) + 1] } else { ${d.low} = memory.getWord(a); ${d.high} = memory.getWord(a + 4) }`
    : `${d.low} = ${value[operation]!}; ${d.high} = ${signed ? `${d.low} >> 31` : '0'}`
  return `${place(s, off, size, slot, false)}; if (a < 0) { ${d.low} = L[0]; ${d.high} = L[1] } else { ${got} }`
}

function storeSource(operation: number, d: Operand, s: Operand, register: number, off: number, slot: number): string {
  const size = sizes[operation]!
  if (inFrame(register, off, size)) {
    return size === 8
      ? `x = (stack - ${-off} >> 2); shadow32[x] = shadow32[x + 1] = 0x1010101; i32[x] = ${s.low}; i32[x + 1] = ${s.high}`
      : `x = (stack - ${-off} >> 2); shadow32[x] = 0x1010101; i32[x] = ${s.low}`
  }
  const put: Record<number, string> = {
    1: `u8[a] = ${s.low}`, 2: `u8[a] = ${s.low}; u8[a + 1] = ${s.low} >> 8`,
    4: `if ((a & 3) === 0) i32[a >> 2] = ${s.low}; else memory.putWord(a, ${s.low})`,
    8: `if ((a & 3) === 0) { i32[a >> 2] = ${s.low}; i32[(a >> 2) + 1] = ${s.high} } else { memory.putWord(a, ${s.low}); memory.putWord(a + 4, ${s.high}) }`,
  }
  return `${place(d, off, size, slot, true)}; ${put[size]!}`
}

/** `a` = arena index. In line for plain regions (READ 1 or WRITE 2, none of SHADOWED 4, STRIDED 8, SPECIAL 16); FIRST and BASE of memory.ts. */
function place({ low, high }: Operand, off: number, size: number, slot: number, store: boolean): string {
  const plain = store ? '(table[e + 2] & 14) === 2' : '(table[e + 2] & 29) === 1'
  return `e = (${high} + 0x1000000) << 3; x = ${low} - 0x10000000 + ${literal(off)} | 0
a = x >= 0 && ${plain} && x <= table[e + 1] - ${size} ? table[e] + x : ${store ? 'toStore' : 'toLoad'}(${low}, ${high}, ${off}, ${size}, ${slot})`
}
