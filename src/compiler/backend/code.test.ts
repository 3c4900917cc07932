import { describe, expect, test } from 'vitest'
import { FunctionBuilder, pointer } from '../ir/function-builder.ts'
import { interpret, Memory } from '../ir/interpret.ts'
import type { CoreReference, IrFunction, Value } from '../ir/ir.ts'
import { validate } from '../ir/validate.ts'
import { positionOf } from '../span.ts'
import { printCode } from '../testing/print-code.ts'
import { encodeInstructions, runBytecode } from './bytecode-oracle.ts'
import { emitFunction } from './emit.ts'
import { BackendError } from './error.ts'
import { copyHelper } from './random-function.ts'
import type { Isa } from './select.ts'

function code(fn: IrFunction, isa: Isa = 3): string {
  validate(fn)
  return printCode(emitFunction(fn, { isa }).instructions)
}

/** Look up a key of one word and count. */
function counter(): IrFunction {
  const b = new FunctionBuilder('counter')
  const ctx = b.context()
  const key = b.address(b.slot(8, 'key'))
  b.store(key, 0, 4, b.load(b.load(ctx, 8, 8, { type: pointer('btf') }), 1264, 4, { signed: true, core: { kind: 'fieldByteOffset', type: 0, access: '0:1' } }))
  const found = b.call(1, 'map_lookup_elem', [b.map('counts'), key], pointer('mapValue', true))
  const [hit, miss, end] = [b.block(), b.block(), b.block()]
  b.branch(found, 'ne', b.number(0), hit, miss)
  b.at(hit)
  const value = b.refine(found)
  b.store(value, 8, 8, b.binary('add', b.load(value, 8), b.number(1)))
  b.jump(end)
  b.at(miss)
  const zero = b.address(b.slot(16, 'zero'))
  b.store(zero, 0, 8, b.number(0))
  b.store(zero, 8, 8, b.number(1))
  b.call(2, 'map_update_elem', [b.map('counts'), key, zero, b.number(1)])
  b.jump(end)
  b.at(end)
  return b.return(b.number(0))
}

describe('code', () => {
  test('a counter in a map: constants and addresses are folded, null check and use share the register', () => {
    expect(code(counter())).toMatchInlineSnapshot(`
      "0: r0 = *(u64 *)(r1 + 8)
      1: r0 = *(u32 *)(r0 + 1264)
      2: *(u32 *)(r10 - 24) = r0
      3: r1 = map ll
      5: r2 = r10
      6: r2 += -24
      7: call 1
      8: if r0 == 0 goto 13
      9: r5 = *(u64 *)(r0 + 8)
      10: r5 += 1
      11: *(u64 *)(r0 + 8) = r5
      12: goto 23
      13: *(u64 *)(r10 - 16) = 0
      14: *(u64 *)(r10 - 8) = 1
      15: r1 = map ll
      17: r2 = r10
      18: r2 += -24
      19: r3 = r10
      20: r3 += -16
      21: r4 = 1
      22: call 2
      23: r0 = 0
      24: exit"
    `)
  })

  test('values across calls: four in r6–r9, the others on the stack, loads from the context again', () => {
    const b = new FunctionBuilder('pressure')
    const ctx = b.context()
    const words = [0, 1, 2, 3, 4].map((index) => b.load(ctx, index * 8))
    const sums = words.map((word) => b.binary('add', word, b.number(3)))
    b.call(5, 'ktime_get_ns', [])
    const late = sums.reduce((sum, word) => b.binary('add', sum, word))
    expect(code(b.return(b.binary('xor', late, words[4]!)))).toMatchInlineSnapshot(`
      "0: r6 = r1
      1: r0 = *(u64 *)(r6 + 0)
      2: r5 = *(u64 *)(r6 + 8)
      3: r7 = *(u64 *)(r6 + 16)
      4: r8 = *(u64 *)(r6 + 24)
      5: r0 += 3
      6: *(u64 *)(r10 - 8) = r0
      7: r5 += 3
      8: *(u64 *)(r10 - 16) = r5
      9: r7 += 3
      10: r8 += 3
      11: r9 = *(u64 *)(r6 + 32)
      12: r9 += 3
      13: call 5
      14: r0 = *(u64 *)(r10 - 8)
      15: r5 = *(u64 *)(r10 - 16)
      16: r0 += r5
      17: r0 += r7
      18: r0 += r8
      19: r0 += r9
      20: r5 = *(u64 *)(r6 + 32)
      21: r0 ^= r5
      22: exit"
    `)
  })

  test('a surviving register is not promised twice', () => {
    const b = new FunctionBuilder('promised')
    const ctx = b.context()
    const kept = [b.load(ctx, 0), b.load(ctx, 8)]
    b.call(5, 'ktime_get_ns', [])
    const made = [b.load(ctx, 16), b.load(ctx, 24)]
    b.store(b.address(b.slot(8)), 0, 8, b.load(ctx, 32))
    const sums = made.map((word) => b.binary('add', word, b.number(1)))
    b.call(5, 'ktime_get_ns', [])
    const { stackBytes } = emitFunction(b.return([...kept, ...sums].reduce((sum, word) => b.binary('xor', sum, word))), { isa: 3 })
    expect(stackBytes).toBe(8)
  })

  test('a context that is written to is not read again', () => {
    const b = new FunctionBuilder('written')
    const ctx = b.context()
    const words = [0, 1, 2, 3, 4, 5].map((index) => b.load(ctx, index * 8))
    b.call(5, 'ktime_get_ns', [])
    for (let index = 0; index < 6; index++) b.store(ctx, index * 8, 8, b.number(0))
    const fn = b.return(words.reduce((sum, word) => b.binary('add', sum, word)))
    const environment = () => {
      const memory = new Memory()
      memory.map(0x1000n, Uint8Array.from({ length: 48 }, (_, at) => (at % 8 === 0 ? at + 1 : 0)))
      return { memory, context: 0x1000n, helpers: { 5: () => 1n } }
    }
    const { instructions, stackBytes } = emitFunction(fn, { isa: 3 })
    expect(stackBytes).toBeGreaterThan(0)
    expect(runBytecode(encodeInstructions(instructions), environment())).toBe(126n)
    expect(interpret(fn, environment())).toBe(126n)
  })

  test('a loop keeps its variables in their registers', () => {
    const b = new FunctionBuilder('loop')
    const start = b.load(b.context())
    const zero = b.number(0)
    const [index, sum] = [b.value(), b.value()]
    const [header, body, end] = [b.block(index, sum), b.block(), b.block()]
    b.jump(header, zero, start)
    b.at(header).branch(index, 'lt', b.number(10), body, end)
    b.at(body)
    const next = b.binary('add', sum, index)
    b.jump(header, b.binary('add', index, b.number(1)), next)
    b.at(end)
    expect(code(b.return(sum))).toMatchInlineSnapshot(`
      "0: r0 = *(u64 *)(r1 + 0)
      1: r5 = 0
      2: if r5 >= 10 goto 6
      3: r0 += r5
      4: r5 += 1
      5: goto 2
      6: exit"
    `)
  })

  test('sign extension: shifts before v4, one instruction then, none where nobody sees it', () => {
    const build = (use: (b: FunctionBuilder, value: Value) => Value) => {
      const b = new FunctionBuilder('signed')
      return b.return(use(b, b.load(b.context(), 4, 4, { signed: true })))
    }
    expect(code(build((_, value) => value), 3)).toBe('0: r0 = *(u32 *)(r1 + 4)\n1: r0 <<= 32\n2: r0 s>>= 32\n3: exit')
    expect(code(build((_, value) => value), 4)).toBe('0: r0 = *(s32 *)(r1 + 4)\n1: exit')
    expect(code(build((b, value) => b.extend(value, 16, false)), 3)).toBe('0: r0 = *(u32 *)(r1 + 4)\n1: r0 &= 65535\n2: exit')
  })

  test('a signed byte compared with what its sign could matter to is extended', () => {
    const compared = (constant: number, operator: 'eq' | 'slt') => {
      const b = new FunctionBuilder('compared')
      const byte = b.load(b.context(), 0, 1, { signed: true })
      const [yes, no] = [b.block(), b.block()]
      b.branch(byte, operator, b.number(constant), yes, no)
      b.at(yes).return(b.number(1))
      b.at(no)
      return code(b.return(b.number(2)))
    }
    const extension = /<<= 56\n.* s>>= 56/
    expect(compared(127, 'eq')).not.toMatch(extension)
    expect(compared(128, 'eq')).toMatch(extension)
    expect(compared(-1, 'eq')).toMatch(extension)
    expect(compared(5, 'slt')).toMatch(extension)
  })

  test('numbers extended from 32 bits only to be compared are compared in 32 bits; one that is used otherwise is not', () => {
    const compared = (use: (b: FunctionBuilder, word: Value) => Value) => {
      const b = new FunctionBuilder('compared')
      const ctx = b.context()
      const word = b.extend(b.load(ctx), 32, true)
      const other = b.load(ctx, 8, 4, { signed: true })
      const [less, more, end] = [b.block(), b.block(), b.block()]
      b.branch(word, 'slt', other, less, more)
      b.at(less)
      b.branch(word, 'sgt', b.number(-5), more, end)
      b.at(more)
      b.return(b.number(1))
      b.at(end)
      return b.return(use(b, word))
    }
    expect(code(compared((b) => b.number(0)))).toMatchInlineSnapshot(`
      "0: r0 = *(u64 *)(r1 + 0)
      1: r5 = *(u32 *)(r1 + 8)
      2: if w0 s>= w5 goto 6
      3: if w0 s> -5 goto 6
      4: r0 = 0
      5: exit
      6: r0 = 1
      7: exit"
    `)
    expect(code(compared((_, word) => word))).toMatchInlineSnapshot(`
      "0: r0 = *(u64 *)(r1 + 0)
      1: r0 <<= 32
      2: r0 s>>= 32
      3: r5 = *(u32 *)(r1 + 8)
      4: r5 <<= 32
      5: r5 s>>= 32
      6: if r0 s>= r5 goto 9
      7: if r0 s> -5 goto 9
      8: exit
      9: r0 = 1
      10: exit"
    `)
    expect(code(compared((b) => b.number(0)), 2)).toContain('s>>= 32')
  })

  test('a value wanted in four bytes and in eight is extended', () => {
    const b = new FunctionBuilder('both')
    const word = b.load(b.context(), 0, 4, { signed: true })
    b.store(b.address(b.slot(8)), 0, 4, word)
    expect(code(b.return(word))).toContain('s>>= 32')
  })

  test('constants in the shortest form', () => {
    const constant = (value: bigint) => {
      const b = new FunctionBuilder('constant')
      return code(b.return(b.number(value))).split('\n')[0]
    }
    expect(constant(-5n)).toBe('0: r0 = -5')
    expect(constant(0xffff_fff0n)).toBe('0: w0 = -16')
    expect(constant(0x1_0000_0000n)).toBe('0: r0 = 4294967296 ll')
    expect(constant(-0x8000_0001n)).toBe('0: r0 = -2147483649 ll')
  })

  test('the verifier refuses some constants: division by zero, shifts by the width', () => {
    const binary = (operator: 'div' | 'mod' | 'shl', right: number, width: 32 | 64) => {
      const b = new FunctionBuilder('edge')
      const word = b.load(b.context())
      return code(b.return(b.binary(operator, word, b.number(right), width)))
    }
    expect(binary('div', 0, 64)).toBe('0: r0 = *(u64 *)(r1 + 0)\n1: r0 = 0\n2: exit')
    expect(binary('mod', 0, 64)).toBe('0: r0 = *(u64 *)(r1 + 0)\n1: exit')
    expect(binary('mod', 0, 32)).toBe('0: r0 = *(u64 *)(r1 + 0)\n1: w0 = w0\n2: exit')
    expect(binary('shl', 65, 64)).toBe('0: r0 = *(u64 *)(r1 + 0)\n1: r0 <<= 1\n2: exit')
  })

  test('v1 has no "less than": the branch is turned round', () => {
    const b = new FunctionBuilder('less')
    const word = b.load(b.context())
    const [yes, no] = [b.block(), b.block()]
    b.branch(word, 'lt', b.number(7), yes, no)
    b.at(yes).return(b.number(1))
    b.at(no)
    const fn = b.return(b.number(2))
    expect(code(fn, 1)).toBe('0: r0 = *(u64 *)(r1 + 0)\n1: if r0 >= 7 goto 4\n2: r0 = 1\n3: exit\n4: r0 = 2\n5: exit')
    for (const isa of [1, 2, 3] as const) expect(code(fn, isa)).not.toMatch(isa === 1 ? / < / : / << /)
  })
})

const field: CoreReference = { kind: 'fieldByteOffset', type: 3, access: '0:2' }

describe('relocations', () => {
  test('an access with one stays a single instruction on its own pointer, and its slot is given', () => {
    const b = new FunctionBuilder('core')
    const ctx = b.context()
    const task = b.load(ctx, 8, 8, { type: pointer('btf') })
    const inner = b.offset(task, 100)
    const first = b.load(inner, 4, 4, { signed: true, core: field })
    const second = b.load(b.offset(task, 24, field), 8)
    const size = b.number(64, { ...field, kind: 'fieldByteSize' })
    const sum = b.binary('add', b.binary('add', first, second), size)
    const { instructions, core } = emitFunction(b.return(b.binary('add', sum, b.number(2 ** 40))), { isa: 3 })
    expect(printCode(instructions)).toMatchInlineSnapshot(`
      "0: r0 = *(u64 *)(r1 + 8)
      1: r5 = r0
      2: r5 += 100
      3: r5 = *(u32 *)(r5 + 4)
      4: r5 <<= 32
      5: r5 s>>= 32
      6: r0 += 24
      7: r0 = *(u64 *)(r0 + 8)
      8: r0 += r5
      9: r5 = 64
      10: r0 += r5
      11: r5 = 1099511627776 ll
      13: r0 += r5
      14: exit"
    `)
    expect(core.map(({ slot, reference }) => `${slot} ${reference.kind}`)).toMatchInlineSnapshot(`
      [
        "3 fieldByteOffset",
        "6 fieldByteOffset",
        "9 fieldByteSize",
      ]
    `)
  })

  test('map references are the slots of lddw', () => {
    expect(emitFunction(counter(), { isa: 3 }).maps).toMatchInlineSnapshot(`
      [
        {
          "map": "counts",
          "slot": 3,
        },
        {
          "map": "counts",
          "slot": 15,
        },
      ]
    `)
  })
})

describe('spans', () => {
  test('each instruction has one, and moves have that of what they serve', () => {
    const { instructions, spans } = emitFunction(counter(), { isa: 3 })
    expect(spans.length).toBe(instructions.length)
    const call = instructions.findIndex((instruction) => instruction.code === 0x85)
    const line = positionOf(spans[call]!).line
    // The two addresses and the addition of an offset serve the call.
    expect(spans.slice(call - 3, call).map((span) => positionOf(span).line)).toEqual([line, line, line])
  })
})

describe('the stack', () => {
  const use = (b: FunctionBuilder, size: number, name: string) => {
    const address = b.address(b.slot(size, name))
    for (let at = 0; at < size; at += 8) b.store(address, at, 8, b.number(at))
    b.call(copyHelper, 'probe_read_kernel', [address, b.number(8), address])
    return address
  }

  test('slots that are not in use at the same time share memory', () => {
    const b = new FunctionBuilder('shared')
    use(b, 200, 'first')
    use(b, 200, 'second')
    const third = use(b, 100, 'third')
    use(b, 200, 'fourth')
    const result = emitFunction(b.return(b.load(third, 16)), { isa: 3 })
    expect(result.stackBytes).toBe(304)
  })

  test('a slot used round a loop keeps its place', () => {
    const b = new FunctionBuilder('round')
    const zero = b.number(0)
    const outer = b.address(b.slot(8, 'sum'))
    b.store(outer, 0, 8, zero)
    const index = b.value()
    const [header, body, end] = [b.block(index), b.block(), b.block()]
    b.jump(header, zero)
    b.at(header).branch(index, 'lt', b.number(3), body, end)
    b.at(body)
    use(b, 64, 'inner')
    b.store(outer, 0, 8, b.binary('add', b.load(outer), b.number(5)))
    b.jump(header, b.binary('add', index, b.number(1)))
    b.at(end)
    const fn = b.return(b.load(outer))
    const result = emitFunction(fn, { isa: 3 })
    expect(result.stackBytes).toBe(72)
    const helpers = { [copyHelper]: () => 0n }
    expect(runBytecode(encodeInstructions(result.instructions), { memory: new Memory(), context: 0n, helpers })).toBe(15n)
    expect(interpret(fn, { memory: new Memory(), context: 0n, helpers })).toBe(15n)
  })

  test('a call that reads one slot and fills the next one keeps them apart, whichever is larger', () => {
    for (const sizes of [[24, 16, 8], [8, 16, 24]]) {
      const b = new FunctionBuilder('chain')
      const [first, second, third] = sizes.map((size) => b.address(b.slot(size)))
      const copy = (to: Value, from: Value) => b.call(copyHelper, 'probe_read_kernel', [to, b.number(8), from])
      b.store(first!, 0, 8, b.number(1))
      copy(second!, first!)
      copy(third!, second!)
      expect(emitFunction(b.return(b.load(third!)), { isa: 3 }).stackBytes).toBe(40)
    }
  })

  test('a slot keeps its place in blocks that only lie between its accesses', () => {
    const b = new FunctionBuilder('between')
    const word = b.load(b.context())
    const outer = b.address(b.slot(8, 'outer'))
    b.store(outer, 0, 8, word)
    const [middle, end] = [b.block(), b.block()]
    b.branch(word, 'ne', b.number(0), middle, end)
    b.at(middle)
    use(b, 64, 'inner')
    b.jump(end)
    b.at(end)
    expect(emitFunction(b.return(b.load(outer)), { isa: 3 }).stackBytes).toBe(72)
  })

  test('a slot whose address a branch chooses is kept apart', () => {
    const b = new FunctionBuilder('chosen')
    const word = b.load(b.context())
    const [one, two] = [b.address(b.slot(8, 'one')), b.address(b.slot(8, 'two'))]
    b.store(one, 0, 8, b.number(1))
    b.store(two, 0, 8, b.number(2))
    const [yes, no, end] = [b.block(), b.block(), b.block(b.value(pointer('stack')))]
    b.branch(word, 'eq', b.number(0), yes, no)
    b.at(yes).jump(end, one)
    b.at(no).jump(end, two)
    b.at(end)
    use(b, 16, 'later')
    const result = emitFunction(b.return(b.load(end.params[0]!)), { isa: 3 })
    expect(result.stackBytes).toBe(32)
  })

  test('over 512 bytes the error names the largest slots and their lines', () => {
    const b = new FunctionBuilder('deep')
    const [path, small] = [b.address(b.slot(400, 'path')), b.address(b.slot(200, 'name'))]
    b.store(path, 0, 8, b.number(0))
    b.store(small, 0, 8, b.number(0))
    const fn = b.return(b.binary('add', b.load(path), b.load(small)))
    expect(() => emitFunction(fn, { isa: 3 })).toThrow(BackendError)
    expect(() => emitFunction(fn, { isa: 3 })).toThrow(/'deep' needs 600 bytes of stack and the kernel gives 512: path \(400 bytes, built\.ts:\d+\), name \(200 bytes/)
  })
})

describe('limits', () => {
  test('signed division before v4 is refused at its place', () => {
    const b = new FunctionBuilder('signed')
    const word = b.load(b.context())
    const fn = b.return(b.binary('sdiv', word, b.number(3)))
    expect(() => emitFunction(fn, { isa: 3 })).toThrow(/built\.ts:\d+:1: SKEP-C01: signed division needs the v4 instruction set/)
    expect(code(fn, 4)).toContain('s/= 3')
  })

  test('jumps over 32767 slots are refused at their place', () => {
    const b = new FunctionBuilder('far')
    let word = b.load(b.context())
    const [header, end] = [b.block(), b.block()]
    b.jump(header)
    b.at(header)
    const long = b.block()
    b.branch(word, 'eq', b.number(0), end, long)
    b.at(long)
    for (let count = 0; count < 33_000; count++) word = b.binary('xor', word, b.number(count | 1))
    b.store(b.address(b.slot(8)), 0, 8, word)
    b.jump(end)
    b.at(end)
    const fn = b.return(b.number(1))
    expect(() => emitFunction(fn, { isa: 3 })).toThrow(/built\.ts:\d+:1: SKEP-C01: a jump over 33\d+ instructions/)
  })
})
