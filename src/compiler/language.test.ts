import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { Collection } from '../bpf/collection.ts'
import { features, has } from '../bpf/features.ts'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { readTracefs } from '../bpf/tracefs.ts'
import * as schemas from '../spec/schema.ts'
import { counter } from '../signals/counter.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { event } from '../signals/event.ts'
import { histogram } from '../signals/histogram.ts'
import { compileModule } from './compile.ts'
import { CompileError } from './errors.ts'
import * as intrinsics from './language/intrinsics.ts'
import * as maps from './language/maps.ts'
import { option } from './language/options.ts'
import { raw_tp, tp_btf, tracepoint } from './language/programs.ts'
import { user } from './language/user.ts'
import { compute } from './testing/agree.ts'
import { evaluateModule } from './testing/module-text.ts'
import { smallKernel } from './testing/small-kernel.ts'
import { errorsIn, expectedIn } from './testing/wrong-code.ts'

/** Every example of docs/language.md, on the running kernel. */
const text = readFileSync(fileURLToPath(new URL('../../docs/language.md', import.meta.url)), 'utf8')
const names = { ...schemas, ...intrinsics, ...maps, counter, counterGroup, event, histogram, option, raw_tp, tp_btf, tracepoint, user }

const sections = text.split(/^## /m).slice(1).map((section) => ({ title: section.split('\n', 1)[0]!, section }))
const blocks = sections.flatMap(({ title, section }) => [...section.matchAll(/^```ts( wrong)?\n([^]*?)^```$/gm)].map((match, index) => ({
  title: `${title}, example ${index + 1}`, wrong: match[1] !== undefined, code: match[2]!,
})))
const rows = [...text.matchAll(/^\| ([us]\d+) (-?\d+) \| ([us]\d+) (-?\d+) \| `(.+?)` \| (-?\d+) \|$/gm)].map((match) => {
  const [, left, a, right, b, expression, result] = match as unknown as [string, string, string, string, string, string, string]
  return { hook: left === right ? `two_${left}` : `mixed_${left}_${right}`, a: BigInt(a), b: BigInt(b), expression, result: BigInt(result) }
})

test('examples are found', () => {
  expect(blocks.length).toBeGreaterThan(20)
  expect(rows.length).toBeGreaterThan(15)
})

describe.runIf(has(features.kernelBtf) && has(features.tpBtf) && has(features.tracepoint))('the running kernel (features: BTF, tp_btf, tracepoints) takes', () => {
  for (const { title, code } of blocks.filter(({ wrong }) => !wrong)) {
    test(`${title}`, () => {
      const module = evaluateModule(code, 'language.md', names)
      const { spec } = compileModule(module, {
        btf: kernelBtf(), name: 'example', validate: true, tracepointFormat: (category, name) => readTracefs(`events/${category}/${name}/format`),
      })
      const collection = Collection.load(spec)
      try {
        expect([...collection.failures.values(), ...collection.mapFailures.values(), collection.btfFailure ?? null]).toEqual([null])
        expect(collection.programs.size).toBeGreaterThan(0)
      } finally {
        collection.close()
      }
    })
  }
})

describe('is refused as the document says', () => {
  for (const { title, code } of blocks.filter(({ wrong }) => wrong)) {
    test(`${title}`, () => {
      expect(errorsIn(compileWrong(code))).toEqual(expectedIn(code))
    })
  }
})

describe('arithmetic as the tables say', () => {
  for (const { hook, a, b, expression, result } of rows) {
    test(`${expression} of ${hook} ${a}, ${b}`, () => {
      const { fn } = evaluateModule(`export const fn = (a, b) => {\n  'use bpf'\n  return ${expression}\n}\nexport const zero = (b) => b`, 'language.md', names)
      expect(compute(hook, fn as (a: any, b: any) => any, a, b)).toBe(result)
    })
  }
})

function compileWrong(code: string): CompileError | null {
  try {
    compileModule(evaluateModule(code, 'language.md', names), { btf: smallKernel(), name: 'wrong', validate: true })
  } catch (error) {
    if (error instanceof CompileError) return error
    throw error
  }
  return null
}
