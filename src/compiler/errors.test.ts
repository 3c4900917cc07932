import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import * as schemas from '../spec/schema.ts'
import { counterGroup } from '../signals/counter-group.ts'
import { histogram } from '../signals/histogram.ts'
import { compileModule } from './compile.ts'
import { CompileError, errorCodes } from './errors.ts'
import * as intrinsics from './language/intrinsics.ts'
import * as maps from './language/maps.ts'
import { raw_tp, tp_btf } from './language/programs.ts'
import { positionOf } from './span.ts'
import { evaluateModule } from './testing/module-text.ts'
import { smallKernel } from './testing/small-kernel.ts'
import { errorsIn, expectedIn, marksIn, type Expected } from './testing/wrong-code.ts'

/**
 * Deliberately wrong kernel functions, one file for each code. A comment below a line says what must be reported there:
 * the mark stands under the error's first character, then come the code, what is wrong, and after '|' the fix.
 * SKEP_FILL=1 writes the texts behind marks that have none.
 */
const folder = fileURLToPath(new URL('testing/wrong/', import.meta.url))

interface Case { title: string; code: string; line: number }

for (const file of readdirSync(folder).sort()) {
  const text = readFileSync(folder + file, 'utf8')
  describe(`${file.replace('.md', '')}: ${errorCodes[file.replace('.md', '') as keyof typeof errorCodes]}`, () => {
    for (const one of casesOf(text)) {
      test(`${one.title}`, () => {
        const found = errorsIn(compileText(one.code))
        if (process.env['SKEP_FILL'] === '1') return fill(file, one, found)
        expect(found).toEqual(expectedIn(one.code))
      })
    }
  })
}

test('the corpus has at least three errors of each code', () => {
  const counts = Object.fromEntries(Object.keys(errorCodes).map((code) => [code, 0]))
  for (const file of readdirSync(folder)) {
    for (const { code } of casesOf(readFileSync(folder + file, 'utf8'))) for (const { text } of expectedIn(code)) counts[text.slice(0, 8)] = (counts[text.slice(0, 8)] ?? 0) + 1
  }
  expect(Object.entries(counts).filter(([, count]) => count < 3)).toEqual([])
  expect(Object.values(counts).reduce((sum, count) => sum + count)).toBeGreaterThanOrEqual(100)
})

describe('how errors read', () => {
  test('one: place, code, the line with the mark below, the fix', () => {
    const error = compileText("export const program = tp_btf('sched_wakeup', (task) => {\n  'use bpf'\n  counts.add(task.pidd, 1)\n})")
    expect(error!.message).toBe([
      "wrong.ts:4:19: SKEP-C05: this kernel's struct task_struct has no field 'pidd'",
      '  4 |   counts.add(task.pidd, 1)',
      '    |                   ^^^^',
      "  fix: did you mean 'pid'? Where kernels differ test for it first: if ('pidd' in …)",
    ].join('\n'))
  })

  test('several: all of them, the first one being the error itself', () => {
    const error = compileText("export const program = tp_btf('sched_wakeup', (task) => {\n  'use bpf'\n  counts.add(task.a, 1)\n  counts.add(task.b, 1)\n})")!
    expect(error.code).toBe('SKEP-C05')
    expect(error.others.map(({ span }) => positionOf(span).line)).toEqual([5])
    expect(error.message.split('\n\n').map((text) => text.split('\n', 1)[0])).toEqual([
      "wrong.ts:4:19: SKEP-C05: this kernel's struct task_struct has no field 'a'", "wrong.ts:5:19: SKEP-C05: this kernel's struct task_struct has no field 'b'",
    ])
  })

  test('what follows from an error is not reported', () => {
    const error = compileText([
      'function broken(task) {', "  'use bpf'", '  return task.nothing', '}',
      "export const program = tp_btf('sched_wakeup', (task) => {", "  'use bpf'",
      '  const value = broken(task)', '  counts.add(value, broken(task))', '  const entry = stats.get(task.wrong)', '  entry.count += 1', '})',
    ].join('\n'))!
    expect([error, ...error.others].map(({ span }) => positionOf(span).line)).toEqual([4, 10])
  })
})

function casesOf(text: string): Case[] {
  return [...text.matchAll(/^## (.+)\n```ts\n([^]*?)^```$/gm)].map((match) => ({
    title: match[1]!, code: match[2]!, line: text.slice(0, match.index).split('\n').length + 2,
  }))
}

/** Compiles a module given as text; null when nothing is wrong with it. */
function compileText(code: string): CompileError | null {
  let failure: CompileError | null = null
  const compile = (module: Record<string, unknown>) => {
    try {
      compileModule(module, { btf: smallKernel(), name: 'wrong', validate: true })
    } catch (error) {
      if (!(error instanceof CompileError)) throw error
      failure ??= error
    }
  }
  compile(evaluateModule(code, 'wrong.ts', { ...schemas, ...intrinsics, ...maps, tp_btf, raw_tp, ...surroundings() }, compile))
  return failure
}

/** What the wrong functions may use without declaring it. */
function surroundings(): Record<string, unknown> {
  const { struct, u32, u64, u8, chars } = schemas
  const stat = struct({ count: u64, last: u64 }, 'stat')
  return {
    stat,
    record: struct({ pid: u32, at: u64 }, 'record'),
    counts: maps.hash(u32, u64, { name: 'counts' }),
    small: maps.hash(u8, u64, { name: 'small' }),
    names: maps.hash(u32, chars(16), { name: 'names' }),
    stats: maps.hash(u32, stat, { name: 'stats' }),
    byKey: maps.hash(struct({ cgroup: u64, cpu: u32 }, 'key'), u64, { name: 'byKey' }),
    ring: maps.ringbuf({ name: 'ring' }),
    group: counterGroup('group', { counters: { wakeups: '{wakeup}' }, by: { pid: u32 } }),
    latency: histogram('latency', { unit: 'ns', by: { pid: u32 } }),
  }
}

/** Writes what is reported behind the marks that say nothing yet. */
function fill(file: string, one: Case, found: Expected[]): void {
  const lines = readFileSync(folder + file, 'utf8').split('\n')
  const marked = expectedIn(one.code)
  const at = marksIn(one.code)
  marked.forEach(({ line, column, text }, index) => {
    const match = found.find((error) => error.line === line && error.column === column)
    if (text !== '' && process.env['SKEP_FILL_ALL'] !== '1') return
    const row = one.line + at[index]! - 1
    lines[row] = `${lines[row]!.slice(0, lines[row]!.indexOf('^') + 1)} ${match?.text ?? `?? found: ${JSON.stringify(found)}`}`
  })
  const unmarked = found.filter((error) => !marked.some(({ line, column }) => line === error.line && column === error.column))
  if (unmarked.length > 0) throw new Error(`not marked in '${one.title}': ${JSON.stringify(unmarked, null, 1)}`)
  writeFileSync(folder + file, lines.join('\n'))
}
