import { expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import type { Instruction } from '../asm/instruction.ts'
import { contextBytes } from './context-use.ts'

const at = (code: number, fields: Partial<Instruction> = {}): Instruction => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields })
const exit = at(0x95)
const load = (dst: number, src: number, off: number) => at(0x79, { dst, src, off })
const move = (dst: number, src: number) => at(0xbf, { dst, src })

test.each<[string, number, Instruction[]]>([
  ['nothing', 0, [at(0xb7), exit]],
  ['the third argument', 24, [load(2, 1, 16), exit]],
  ['a half of a word', 12, [at(0x61, { dst: 2, src: 1, off: 8 }), exit]],
  ['through a copy, after a call took the argument registers', 16, [move(6, 1), at(0x85, { imm: 5 }), load(0, 6, 8), exit]],
  ['not through what a call changed', 0, [at(0x85, { imm: 5 }), load(0, 1, 8), exit]],
  ['not through a register that was overwritten', 0, [at(0xb7, { dst: 1 }), load(0, 1, 8), exit]],
  ['on the path that keeps it', 40, [move(6, 1), at(0x15, { dst: 2, off: 1 }), at(0xb7, { dst: 6 }), load(0, 6, 32), exit]],
  ['past a jump over two slots', 8, [at(0x05, { off: 2 }), at(0x18, { imm64: 1n }), load(0, 1, 0), exit]],
  ['the pointer goes to memory', Infinity, [at(0x7b, { dst: 10, src: 1, off: -8 }), exit]],
  ['the pointer is moved', Infinity, [at(0x07, { dst: 1, imm: 8 }), exit]],
  ['the pointer goes to another function', Infinity, [at(0x85, { src: 1 }), exit]],
])('%s', (_name, bytes, instructions) => {
  expect(contextBytes(encode(instructions))).toBe(bytes)
})
