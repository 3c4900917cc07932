import { describe, expect, test } from 'vitest'
import type { Examination, Finding } from '../agent/examination.ts'
import type { ProbeState } from '../agent/snapshot.ts'
import { statusOf } from './doctor.ts'

const probe = (state: ProbeState['state']): ProbeState => ({ name: 'p', title: '', state, hooks: [], reason: null, remedy: null })
const finding = (verdict: Finding['verdict']): Finding => ({ name: 'f', verdict, value: '', remedy: null })
const found = (parts: Partial<Examination>): Examination =>
  ({ kernel: '', distribution: '', architecture: '', machine: [], features: [], probes: [probe('on')], refusal: null, ...parts })

describe('the status for scripts', () => {
  test.each<[string, number, Partial<Examination>]>([
    ['all is there', 0, {}],
    ['a feature that the kernel is too old for costs nothing by itself', 0, { features: [finding('note')] }],
    ['a feature that cannot be told', 1, { features: [finding('lost')] }],
    ['a probe that is partly on', 1, { probes: [probe('on'), probe('partial')] }],
    ['a probe that is off', 1, { probes: [probe('on'), probe('off')] }],
    ['every probe is off', 2, { probes: [probe('off')] }],
    ['a refusal', 2, { probes: [], refusal: 'no rights' }],
  ])('%s', (_name, status, parts) => {
    expect(statusOf(found(parts))).toBe(status)
  })
})
