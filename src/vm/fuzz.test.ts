import { describe, expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import type { Spec } from '../spec/spec.ts'
import { checkProgram } from './check.ts'
import { VmFault, VmRefusal } from './fault.ts'
import { ins, lddw } from './instruction-cases.test-support.ts'
import { simulate, type SimulateOptions } from './simulate.ts'

/** xorshift32. */
function random(seed: number): (below: number) => number {
  let state = Math.imul(seed + 1, 0x9e37_79b1) || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const opcodes = Array.from({ length: 256 }, (_, code) => code)
/** Opcodes that may run as they are, so that most programs get past the check. */
const likely = [
  0x07, 0x0f, 0x17, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x47, 0x57, 0x67, 0x77, 0x87, 0x97, 0xa7, 0xb7, 0xbf, 0xc7, 0x04, 0x0c, 0x34, 0x94, 0xb4, 0xbc, 0xdc, 0xd4,
  0x61, 0x69, 0x71, 0x79, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xdb, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x55, 0x65, 0xa5, 0xb5, 0xc5, 0x16, 0xa6, 0x85, 0x85, 0x85,
  0x18, 0x18, 0x95, 0x20, 0x40, 0xe5,
]

/** A program of some sense: registers that exist, small offsets, helpers and maps that are there. */
function nearlyValid(seed: number): Uint8Array {
  const next = random(seed)
  const slots = 2 + next(40)
  const bytes = new Uint8Array(slots * 8)
  const view = new DataView(bytes.buffer)
  for (let slot = 0; slot < slots; slot++) {
    const code = slot === slots - 1 ? 0x95 : likely[next(likely.length)]!
    const kind = code & 7
    const register = (code & 8) !== 0
    const [jump, alu] = [kind === 5 || kind === 6, kind === 4 || kind === 7]
    const dst = code === 0x05 || code === 0x85 || code === 0x95 || code === 0xe5 || code === 0x20 || code === 0x40 ? 0 : kind === 2 || kind === 3 ? next(11) : next(10)
    const src = kind === 1 || kind === 3 || code === 0x40 || ((alu || jump) && register && code !== 0xdc) ? next(11) : code === 0x18 && next(3) > 0 ? next(5) : code === 0x85 && next(4) === 0 ? next(3) : 0
    const off = kind === 1 || kind === 2 || kind === 3 ? next(64) - 40 : jump && code !== 0x85 && code !== 0x95 ? next(slots) - slot - 1 : 0
    const imm = code === 0xdc || code === 0xd4 ? [16, 32, 64][next(3)]! : kind === 3 ? (code === 0xc3 || code === 0xdb ? [0, 1, 0x41, 0xe1, 0xf1][next(5)]! : 0)
      : code === 0x85 ? (src === 1 ? next(slots) - slot - 1 : next(4) === 0 ? next(215) : [1, 2, 3, 5, 87, 93, 113, 131, 132, 164, 181][next(11)]!)
        : kind === 1 || code === 0x87 || (register && code !== 0x18 && code !== 0x20 && code !== 0x40) || code === 0x05 || code === 0x95 || code === 0xe5 ? 0 : next(3) === 0 ? next(2 ** 32) | 0 : next(64) - 8
    view.setUint8(slot * 8, code)
    view.setUint8(slot * 8 + 1, dst | src << 4)
    view.setInt16(slot * 8 + 2, off, true)
    view.setInt32(slot * 8 + 4, imm, true)
    if (code === 0x18) {
      if (slot + 2 >= slots) view.setUint8(slot * 8, 0xb7)
      else view.setInt32(++slot * 8 + 4, next(2) === 0 ? 0 : next(2 ** 32) | 0, true)
    }
  }
  const start = encode(prologue)
  const whole = new Uint8Array(start.length + bytes.length)
  whole.set(start)
  whole.set(bytes, start.length)
  return whole
}

/** Every register has a value: the context, a map, the stack, numbers. */
const prologue = [
  ins(0xbf, 6, 1), lddw(7, 0n, 1), ins(0x7a, 10, 0, -8, 1), ins(0x7a, 10, 0, -16, 2), ins(0xbf, 2, 10), ins(0x07, 2, 0, 0, -16), ins(0xbf, 3, 10), ins(0x07, 3, 0, 0, -8),
  ins(0xbf, 1, 7), ins(0xb7, 0, 0, 0, 3), ins(0xb7, 4, 0, 0, 0), ins(0xb7, 5, 0, 0, 7), ins(0xb7, 8, 0, 0, 5), ins(0xb7, 9, 0, 0, -1),
]

const maps: Spec['maps'] = [
  { name: 'hash', type: 'hash', keySize: 4, valueSize: 16, maxEntries: 8, flags: 0 },
  { name: 'array', type: 'array', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 },
  { name: 'ring', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096, flags: 0 },
  { name: 'queue', type: 'queue', keySize: 0, valueSize: 8, maxEntries: 4, flags: 0 },
]

function specOf(code: Uint8Array, seed: number): Spec {
  const references = []
  for (let slot = 0; slot < code.length / 8; slot++) {
    if (code[slot * 8] !== 0x18) continue
    const kind = code[slot * 8 + 1]! >> 4
    if (kind === 1 || kind === 2) references.push({ slot, map: maps[(seed + slot) % (kind === 1 ? 4 : 2)]!.name })
    slot++
  }
  return {
    name: 'fuzz', license: 'GPL', maps, btf: null,
    programs: [{ name: 'p', type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'x' }, code, maps: references, relocations: [], functions: [], lines: [] }],
  }
}

/** What became of a run: its result, or the kind of its fault. Anything else is a bug of the vm and is thrown. */
function outcome(code: Uint8Array, seed: number, options: SimulateOptions): string {
  try {
    const m = simulate(specOf(code, seed), { budget: 20_000, memory: 1 << 22, current: { pid: 1 }, ...options })
    const { result, instructions } = m.fire('p', new Uint8Array(64).fill(seed))
    expect(instructions).toBeLessThanOrEqual(20_000)
    return `0x${result.toString(16)}`
  } catch (error) {
    if (error instanceof VmFault) return `${error.kind} at ${error.place?.slot ?? error.message}`
    if (error instanceof VmRefusal) return 'refused'
    throw error
  }
}

describe('bytes of any kind neither crash nor hang the vm', () => {
  test('random bytes', () => {
    const seen = new Map<string, number>()
    for (let seed = 0; seed < 1000; seed++) {
      const next = random(seed)
      const code = Uint8Array.from({ length: next(200) }, () => opcodes[next(256)]!)
      const got = outcome(code, seed, {})
      seen.set(got, (seen.get(got) ?? 0) + 1)
    }
    expect(seen.get('refused')).toBeGreaterThan(950)
  })

  test('programs that are nearly valid: interpreter and compiled code end in the same way', () => {
    const kinds = new Map<string, number>()
    let ran = 0
    for (let seed = 0; seed < 800; seed++) {
      const code = nearlyValid(seed)
      const interpreted = outcome(code, seed, {})
      const compiled = outcome(code, seed, { compiled: true })
      // Where the budget ends a run depends on how far a block goes.
      if (!interpreted.startsWith('budget')) expect(compiled, `seed ${seed}`).toBe(interpreted)
      const kind = interpreted.startsWith('0x') ? 'result' : interpreted.split(' ')[0]!
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      if (kind !== 'refused') ran++
    }
    expect(ran).toBeGreaterThan(250)
    // The programs reach far enough to be told apart.
    const wanted = ['result', 'uninitialised-register', 'uninitialised-memory', 'out-of-bounds', 'bad-pointer', 'bad-argument', 'null-dereference']
    expect(wanted.filter((kind) => !kinds.has(kind))).toEqual([])
  })

  test('a check of random bytes gives a refusal or nothing, never another error', () => {
    for (let seed = 0; seed < 5000; seed++) {
      const next = random(seed)
      const bytes = Uint8Array.from({ length: 8 + next(64) * 8 }, () => (next(3) === 0 ? likely[next(likely.length)]! : next(12)))
      try {
        checkProgram(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(VmRefusal)
      }
    }
  })
})
