import { describe, expect, test } from 'vitest'
import { FunctionBuilder, pointer, u64 } from './function-builder.ts'
import type { IrFunction } from './ir.ts'
import { printFunction } from './print.ts'
import { InvalidIrError, validate } from './validate.ts'

/** if (ctx[0] == 0) x = 1 else x = 2; return x + a stack word. */
function build(change: (b: FunctionBuilder) => void = () => {}): IrFunction {
  const b = new FunctionBuilder('sample')
  const word = b.load(b.context())
  const slot = b.slot(8, 'word')
  const address = b.address(slot)
  b.store(address, 0, 8, word)
  const yes = b.block()
  const no = b.block()
  const join = b.block(b.value())
  b.branch(word, 'eq', b.number(0), yes, no)
  b.at(yes).jump(join, b.number(1))
  b.at(no).jump(join, b.number(2))
  b.at(join)
  change(b)
  const loaded = b.load(address)
  return b.return(b.binary('add', join.params[0]!, loaded))
}

function problem(fn: IrFunction): string {
  try {
    validate(fn)
  } catch (error) {
    if (error instanceof InvalidIrError) return error.message
    throw error
  }
  return 'valid'
}

describe('the validator', () => {
  test('accepts what is right, and it prints', () => {
    const fn = build()
    expect(problem(fn)).toBe('valid')
    expect(printFunction(fn)).toMatchInlineSnapshot(`
      "function sample
        $0.word: 8 bytes, aligned to 8
      b0:
        v0:*context = context
        v1:u64 = load8 [v0]
        v2:*stack = address $0.word
        store8 [v2] = v1
        v4:u64 = 0
        branch v1 == v4 ? b1 : b2
      b1:
        v5:u64 = 1
        jump b3(v5)
      b2:
        v6:u64 = 2
        jump b3(v6)
      b3(v3:u64):
        v7:u64 = load8 [v2]
        v8:u64 = add.64 v3, v7
        return v8
      "
    `)
  })

  const broken: Record<string, [(fn: IrFunction) => void, RegExp]> = {
    'a value defined twice': [(fn) => { fn.blocks[1]!.ops.push(fn.blocks[0]!.ops[1]!) }, /b1: v1:u64 = load8 \[v0\]: v1 is defined twice, in b0/],
    'a use that is not dominated': [(fn) => { fn.blocks[2]!.terminator = { ...fn.blocks[2]!.terminator, op: 'return', value: { id: 5, type: u64 } } as never }, /v5 is not defined on every path/],
    'a use before the definition in its block': [(fn) => { fn.blocks[0]!.ops.reverse() }, /sample: b0/],
    'a value from nowhere': [(fn) => { (fn.blocks[3]!.terminator as { value: unknown }).value = { id: 77, type: u64 } }, /return v77: v77 is never defined/],
    'an edge with too many arguments': [(fn) => { (fn.blocks[1]!.terminator as { edge: { args: unknown[] } }).edge.args.push(fn.blocks[0]!.ops[1] as never) }, /b3 has 1 parameters and gets 2 arguments/],
    'an argument of another kind': [(fn) => { (fn.blocks[1]!.terminator as { edge: { args: unknown[] } }).edge.args[0] = { id: 2, type: pointer('stack') } }, /v2 \(stack pointer\) does not fit parameter/],
    'a missing terminator': [(fn) => { fn.blocks[2]!.terminator = undefined as never }, /b2: it has no terminator/],
    'an edge out of the function': [(fn) => { fn.blocks.pop() }, /leads to b3, which is not in the function/],
    'an edge to the entry': [(fn) => { (fn.blocks[1]!.terminator as { edge: unknown }).edge = { target: fn.blocks[0], args: [] } }, /an edge leads to the entry/],
    'a second context': [(fn) => { fn.blocks[3]!.ops.unshift({ op: 'context', out: { id: fn.nextValue++, type: pointer('context') }, span: fn.blocks[0]!.ops[0]!.span }) }, /only there as the first operation/],
    'a stack offset outside of its slot': [(fn) => { (fn.blocks[0]!.ops[2] as { offset: number }).offset = 8 }, /offset 8 in a slot of 8 bytes/],
    'a size that does not exist': [(fn) => { (fn.blocks[0]!.ops[3] as { size: number }).size = 3 }, /accesses 3 bytes/],
    'an offset beyond 16 bits': [(fn) => { (fn.blocks[0]!.ops[3] as { offset: number }).offset = 40000 }, /offset 40000 is not within 16 bits/],
    'a number as an address': [(fn) => { (fn.blocks[0]!.ops[3] as { pointer: unknown }).pointer = { id: 1, type: u64 } }, /v1 is u64, no pointer/],
    'a value beyond nextValue': [(fn) => { fn.nextValue = 2 }, /beyond nextValue/],
  }
  for (const [name, [breakIt, message]] of Object.entries(broken)) {
    test(`refuses ${name}`, () => {
      const fn = build()
      breakIt(fn)
      expect(problem(fn)).toMatch(message)
    })
  }

  test('refuses to read what may be null, unless the kernel guards the read', () => {
    const nullable = (origin: 'mapValue' | 'btf') => build((b) => { b.load(b.call(1, 'f', [], pointer(origin, true))) })
    expect(problem(nullable('mapValue'))).toMatch(/may be null/)
    expect(problem(nullable('btf'))).toBe('valid')
  })

  test('takes zero for a null pointer', () => {
    const fn = build((b) => {
      const target = b.block(b.value(pointer('mapValue', true)))
      b.jump(target, b.number(0))
      b.at(target)
    })
    expect(problem(fn)).toBe('valid')
  })
})
