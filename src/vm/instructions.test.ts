import { describe, expect, test } from 'vitest'
import { checkProgram } from './check.ts'
import { VmRefusal } from './fault.ts'
import { contextOf, exit, families, ins, instructionCases, operands, program } from './instruction-cases.test-support.ts'
import { Bench } from './run-code.test-support.ts'

/** An instruction's form: what of offset and immediate belongs to the operation. */
function formOf(code: number, off: number, imm: number): string {
  const kind = code & 7
  const alu = kind === 4 || kind === 7
  const detail = alu && code >> 4 === 0xd ? ` ${imm}` : alu && off !== 0 ? ` off ${off}` : kind === 3
    && (code & 0xe0) === 0xc0 ? ` 0x${imm.toString(16)}` : ''
  return `0x${code.toString(16)}${detail}`
}

/** Every form that the check before running accepts. */
function allForms(): string[] {
  const forms = new Set<string>()
  for (let code = 0; code < 256; code++) {
    for (const off of [0, 1, 8, 16, 32]) {
      for (const imm of [
        0, 1, 8, 16, 24, 32, 64, 0x40, 0x41, 0x50, 0x51, 0x60, 0xa0, 0xa1, 0xe0, 0xe1, 0xf0, 0xf1, 0x100, 0x101, 0x110,
      ]) {
        try {
          checkProgram(
            program([{ ...ins(code, 0, 0, off, imm), ...(code === 0x18
              && { imm64: 0n }) }, ...Array.from({ length: 66 }, () => exit)]).code,
          )
          forms.add(formOf(code, off, imm))
        } catch (error) {
          expect(error).toBeInstanceOf(VmRefusal)
        }
      }
    }
  }
  return [...forms]
}

describe('every instruction form gives what RFC 9669 says, for all pairs of boundary values', () => {
  const cases = instructionCases()

  test('there is a case for each form that may run', () => {
    const covered = new Set(cases.flatMap(({ program: { code } }) => {
      const view = new DataView(code.buffer)
      return Array.from(
        { length: code.length / 8 },
        (_, slot) => formOf(code[slot * 8]!, view.getInt16(slot * 8 + 2, true), view.getInt32(slot * 8 + 4, true)),
      )
    }))
    const missing = allForms().filter((form) => !covered.has(form))
    // Packet loads, may_goto and calls of helpers have tests of their own.
    expect(missing).toEqual(['0x20', '0x28', '0x30', '0x40', '0x48', '0x50', '0xe5'])
  })

  test.each(families(cases))('%s', (_family, members) => {
    for (const { name, program, wanted } of members) {
      const [interpreted, compiled] = [new Bench(program, 32), new Bench(program, 32, true)]
      expect(compiled.code.compiled).not.toBeNull()
      for (const [a, b, c] of operands(name)) {
        const got = interpreted.run(contextOf(a, b, c, 0))
        const same = compiled.run(contextOf(a, b, c, 0)) === got
        if (got !== wanted(a, b, c) || !same) expect.fail(
          `${same ? '' : 'compiled, '}${name}: a=0x${a.toString(16)} b=0x${b.toString(16)} c=0x${c.toString(16)}: 0x${got.toString(16)} instead of 0x${wanted(a, b, c).toString(16)}`,
        )
      }
    }
  })
})
