import { describe, expect, test } from 'vitest'
import { smallKernel } from '../compiler/testing/small-kernel.ts'
import { catalogue } from '../probes/catalogue.ts'
import { compileRecorder } from './recorder.ts'

const everything = { kind: 'all', ids: [], name: 'everything' } as const

describe('the recorder', () => {
  for (const scope of [everything, { ...everything, kind: 'pid' }, { ...everything, kind: 'cgroup' }] as const) {
    test(`compiles for the built-in probes on the small kernel, in scope '${scope.kind}'`, () => {
      const { plans, compiled, leftOut } = compileRecorder(Object.values(catalogue), { btf: smallKernel(), scope, keepText: false, version: '0' })
      expect([...leftOut]).toEqual([])
      expect(plans.length).toBe(12)
      expect(compiled.spec.programs.length).toBe(scope.kind === 'pid' ? 13 : 12)
    })
  }
})
