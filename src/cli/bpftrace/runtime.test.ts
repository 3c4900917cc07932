import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildBench, hasCompiler } from './testing/build.ts'
import { runTest, type RuntimeTest } from './testing/runtime.ts'

/** The public test data lie beside the checkout. */
const data = process.env.SKEP_PEER_DATA ?? fileURLToPath(new URL('../../../../shared/peer', import.meta.url))
const file = `${data}/bpftrace-runtime-tests.json`
const all: RuntimeTest[] = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []
/** Hooks that this kernel has not. */
const absent = new Set((process.env.SKEP_ABSENT_HOOKS ?? 'kprobe,fentry,hardware').split(','))
/** Without SKEP_RUNTIME_TESTS=all (or a name of a suite) only what needs no hook but the beginning and the end. */
const wanted = process.env.SKEP_RUNTIME_TESTS
const tests = all.filter(({ suite, hooks }) => !hooks.some((hook) => absent.has(hook))
  && (wanted === 'all' || wanted?.split(',').includes(suite) || (wanted === undefined && hooks.every((hook) => hook === 'begin/end'))))
/** Tests that fail, with the reason. One that begins to pass must be taken out, unless it does so only sometimes. */
const expected: { suite: string; name: string; reason: string; sometimes?: boolean }[] = JSON.parse(
  readFileSync(new URL('runtime-expected.json', import.meta.url), 'utf8'),
)
const features = new Set(['btf', 'loop', 'lookup_percpu_elem', 'get_tai_ns', 'get_func_ip', 'uprobe_refcount', 'iter'])
const can = existsSync('/sys/kernel/btf/vmlinux') && process.getuid?.() === 0

describe.skipIf(
  tests.length === 0 || !can || !hasCompiler(),
)("bpftrace's own tests (needs its public data, root, BTF and cc)", () => {
  let bench: ReturnType<typeof buildBench>
  beforeAll(() => { bench = buildBench() }, 120_000)
  afterAll(() => bench.close())

  it('passes them, but for those listed with a reason', async () => {
    const problems: string[] = []
    const counts = { passed: 0, failed: 0, skipped: 0 }
    // Tests of one suite run one after the other: they may share files.
    const suites = [...new Set(tests.map(({ suite }) => suite))].map((name) => tests.filter(({ suite }) => suite === name))
    const worker = async () => {
      for (let suite = suites.shift(); suite !== undefined; suite = suites.shift()) for (const test of suite) {
        const reason = expected.find((one) => one.suite === test.suite && one.name === test.name)
        const outcome = await runTest(
          test, { bpftrace: `${process.execPath} ${bench.executable}`, folder: bench.folder, features },
        )
        counts[outcome.status]++
        if (outcome.status === 'failed' && reason === undefined) {
          problems.push(`${test.suite}: ${test.name}: ${outcome.why}\n${outcome.output}`)
        }
        if (outcome.status === 'passed' && reason !== undefined && !reason.sometimes) {
          problems.push(`${test.suite}: ${test.name} passes now: take it out of the list`)
        }
      }
    }
    await Promise.all([worker(), worker()])
    process.stderr.write(
      `bpftrace's own tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped, of ${all.length}; ${all.length - tests.length} not asked for\n`,
    )
    expect(problems).toEqual([])
  }, 1_800_000)
})
