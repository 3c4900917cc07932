import { describe, expect, test } from 'vitest'
import { readVerifierLog } from './verifier-log.ts'

const trailer = 'processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n'

describe('verifier logs', () => {
  test('5.x: the line after the instruction', () => {
    const log = `0: (b7) r1 = 0\n1: (79) r0 = *(u64 *)(r1 +0)\nR1 invalid mem access 'inv'\n${trailer}`
    expect(readVerifierLog(log)).toMatchObject({ message: "R1 invalid mem access 'inv'", slot: 1 })
  })

  test('6.x: state dumps, sources and traces are passed over', () => {
    const log = [
      'func#0 @0', 'Live regs before insn:', '      0: .1........ (b7) r2 = 0', '      1: .12....... (79) r0 = *(u64 *)(r2 +0)',
      '0: R1=ctx() R10=fp0', '; const id = task.pid @ probe.ts:42', '0: (b7) r2 = 0                        ; R2=0',
      'from 0 to 1: R1=ctx() R10=fp0', '1: R1=ctx() R2=0 R10=fp0', '1: (79) r0 = *(u64 *)(r2 +0)',
      'mark_precise: frame0: last_idx 1 first_idx 0 subseq_idx -1 ', "R2 invalid mem access 'scalar'",
      'verification time 120 usec', 'stack depth 0', trailer,
    ].join('\n')
    expect(readVerifierLog(log)).toMatchObject({ message: "R2 invalid mem access 'scalar'", slot: 1 })
  })

  test('a verdict that has its cause in the line before keeps both', () => {
    const log = `7: (71) r0 = *(u8 *)(r1 +0)\ninvalid access to map value, value_size=8 off=9 size=1\n`
      + `R1 max value is outside of the allowed memory range\n${trailer}`
    expect(readVerifierLog(log)).toMatchObject({
      message: 'invalid access to map value, value_size=8 off=9 size=1; R1 max value is outside of the allowed memory range', slot: 7,
    })
  })

  test('verdicts before any instruction was walked', () => {
    expect(readVerifierLog(`unreachable insn 5\n${trailer}`)).toMatchObject({ message: 'unreachable insn 5', slot: 5 })
    expect(readVerifierLog('jump out of range from insn 3 to 90\n')).toMatchObject({ slot: 3 })
    expect(readVerifierLog('back-edge from insn 4 to 2')).toMatchObject({ message: 'back-edge from insn 4 to 2', slot: 4 })
  })

  test('7.3: the structured report', () => {
    const log = [
      '0: R1=ctx() R10=fp0', '0: (bf) r6 = r1', '1: (95) exit', 'R0 !read_ok', '', 'Verification failed: Register Type Safety: Unreadable register', '',
      'Reason:', '  R0 was not written on this path', '  before it is read.', '', 'At:', '  insn 1', '        | ^-- error: R0 is not readable',
      '  Instruction context:', '  >>> 1 | (95) exit', '', 'Causal path:', '  none kept', '', 'Suggestion:', '  Write R0 first.', '', trailer,
    ].join('\n')
    expect(readVerifierLog(log)).toEqual({
      message: 'Register Type Safety: Unreadable register. R0 was not written on this path before it is read.', slot: 1,
      reason: 'R0 was not written on this path before it is read.', suggestion: 'Write R0 first.',
    })
  })

  test('nothing useful, cut short, or nonsense: never an exception', () => {
    for (const log of ['', '\n\n', trailer, '0: (95) exit', 'Verification failed:', 'Verification failed: X\nAt:\n', '\u0000\uFFFD%d (']) {
      expect(typeof readVerifierLog(log).message).toBe('string')
    }
    expect(readVerifierLog(trailer).message).toBe('')
    expect(readVerifierLog('').slot).toBe(undefined)
  })
})
