import { describe, expect, test } from 'vitest'
import { FunctionBuilder, pointer } from '../ir/function-builder.ts'
import type { IrFunction } from '../ir/ir.ts'
import { printFunction } from '../ir/print.ts'
import { validate } from '../ir/validate.ts'
import { optimise } from './optimise.ts'

/** The operations on memory that are left. */
function memory(fn: IrFunction): string[] {
  validate(fn)
  optimise(fn, () => validate(fn))
  return printFunction(fn).split('\n').filter((line) => /load|store|call/.test(line)).map((line) => line.trim().replace(/v\d+/g, 'v').replace(/:[us]\d+/, ''))
}

function start(): { b: FunctionBuilder; word: ReturnType<FunctionBuilder['load']>; slot: ReturnType<FunctionBuilder['address']> } {
  const b = new FunctionBuilder('stack')
  const word = b.load(b.context())
  return { b, word, slot: b.address(b.slot(16, 'slot')) }
}

describe('stack memory', () => {
  test('what is stored and loaded again is the value, and nothing is stored then', () => {
    const { b, word, slot } = start()
    b.store(slot, 8, 8, word)
    expect(memory(b.return(b.load(slot, 8)))).toEqual(['v = load8 [v]'])
  })

  test('a narrow store cuts off: the load becomes an extension, a constant is cut off at once', () => {
    const { b, word, slot } = start()
    b.store(slot, 0, 2, word)
    b.store(slot, 4, 1, b.number(0x1ff))
    const fn = b.return(b.binary('add', b.load(slot, 0, 2, { signed: true }), b.load(slot, 4, 1)))
    expect(memory(fn)).toEqual(['v = load8 [v]'])
    expect(printFunction(fn)).toContain('extend s16')
    expect(printFunction(fn)).toContain('= 255')
  })

  test('overlapping and partial accesses stay', () => {
    const { b, word, slot } = start()
    b.store(slot, 0, 8, word)
    b.store(slot, 4, 4, b.number(7))
    expect(memory(b.return(b.load(slot, 0)))).toEqual(['v = load8 [v]', 'store8 [v] = v', 'store4 [v + 4] = v', 'v = load8 [v]'])
  })

  test('a key that a map helper reads is stored; what was stored below it is not', () => {
    const { b, word, slot } = start()
    b.store(slot, 0, 8, b.number(0))
    b.store(slot, 0, 8, word)
    const found = b.call(1, 'map_lookup_elem', [b.map('m'), slot], pointer('mapValue', true))
    b.store(slot, 8, 8, word)
    expect(memory(b.return(found))).toEqual(['v = load8 [v]', 'store8 [v] = v', 'v:*mapValue? = call map_lookup_elem#1(v, v)'])
  })

  test('what a helper may have written is loaded; it fills all bytes, so zeros before it go, but not before a string', () => {
    for (const [name, left] of [['probe_read_kernel', 0], ['probe_read_kernel_str', 1]] as const) {
      const { b, word, slot } = start()
      b.store(slot, 0, 8, b.number(0))
      b.call(113, name, [slot, b.number(8), word])
      expect(memory(b.return(b.load(slot, 0))).filter((line) => line.startsWith('store')).length).toBe(left)
    }
  })

  test('at a join both sides must have stored the same; in a loop nothing is known of what comes back', () => {
    const { b, word, slot } = start()
    const [left, right, end] = [b.block(), b.block(), b.block()]
    b.store(slot, 0, 8, word)
    b.branch(word, 'eq', b.number(0), left, right)
    b.at(left)
    b.store(slot, 8, 8, word)
    b.jump(end)
    b.at(right)
    b.store(slot, 8, 8, b.number(1))
    b.jump(end)
    b.at(end)
    const fn = b.return(b.binary('add', b.load(slot, 0), b.load(slot, 8)))
    expect(memory(fn)).toEqual(['v = load8 [v]', 'store8 [v + 8] = v', 'store8 [v + 8] = v', 'v = load8 [v + 8]'])
  })

  test('a slot whose address is computed with is left alone', () => {
    const { b, word, slot } = start()
    b.store(slot, 0, 8, word)
    const inside = b.binary('add', slot, word)
    b.store(inside, 0, 8, b.number(3))
    expect(memory(b.return(b.load(slot, 0))).filter((line) => line.includes('store8'))).toHaveLength(2)
  })
})
