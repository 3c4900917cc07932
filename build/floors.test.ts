import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { checkFloors } from './floors.mjs'

const trees: string[] = []

function tree(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'skep-floors-'))
  trees.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

afterEach(() => {
  for (const root of trees.splice(0)) rmSync(root, { recursive: true, force: true })
})

/** Breaches as 'file:line rule'. */
const check = (files: Record<string, string>) => checkFloors(tree(files)).map(({ file, line, rule }) => `${file}:${line} ${rule}`)

describe('floors', () => {
  const forbidden: [string, string, string, string][] = [
    ['a value from above', 'src/compiler/x.ts', `\nimport { load } from '../bpf/program.ts'`, '2 floor'],
    ['a type from above', 'src/bpf/x.ts', `import type { Snapshot } from '../agent/snapshot.ts'`, '1 floor'],
    ['an export from above', 'src/probes/x.ts', `export { y } from '../agent/y.ts'`, '1 floor'],
    ['a dynamic import from above', 'src/agent/x.ts', `const y = () => import('../cli/y.ts')`, '1 floor'],
    ['from half a floor above', 'src/compiler/x.ts', `import '../signals/y.ts'`, '1 floor'],
    ['the library from inside', 'src/probes/x.ts', `import { hash } from 'skep'`, '1 floor'],
    ['from a folder without a floor', 'src/cli/x.ts', `import '../elsewhere/y.ts'`, '1 floor'],
    ['the page', 'src/agent/x.ts', `import '../../web/main.tsx'`, '1 floor'],
    ['the file system in a pure folder', 'src/spec/x.ts', `import { readFileSync } from 'node:fs'`, '1 pure-floor'],
    ['the network in a pure folder, in a dynamic import', 'src/btf/x.ts', `\n\nawait import('net')`, '3 pure-floor'],
    ['sys in a pure folder', 'src/compiler/x.ts', `import { syscall } from '../sys/syscall.ts'`, '1 pure-floor'],
    ['koffi above', 'src/bpf/x.ts', `import koffi from 'koffi'`, '1 ffi'],
    ['koffi through require', 'src/asm/x.ts', `const koffi = require('koffi')`, '1 ffi'],
    ['koffi as a type', 'src/agent/x.ts', `type Koffi = typeof import('koffi')`, '1 ffi'],
    ['values in the page', 'web/x.ts', `import { y } from '../src/agent/y.ts'`, '1 web'],
    ['an empty name', 'src/bpf/utils.ts', ``, '1 file-name'],
    ['an empty name of a test', 'build/misc.test.ts', ``, '1 file-name'],
  ]
  test.each(forbidden)('refuse %s', (_, file, code, expected) => {
    expect(check({ [file]: code })).toEqual([`${file}:${expected}`])
  })

  const allowed: [string, string, string][] = [
    ['what is below', 'src/agent/x.ts', `import { a } from '../bpf/a.ts'; import { b } from '../asm/b.ts'; import { c } from '../sys/c.ts'`],
    ['what is beside', 'src/spec/x.ts', `import type { Instruction } from '../asm/instruction.ts'`],
    ['its own folder', 'src/compiler/lower/x.ts', `import { a } from '../passes/a.ts'`],
    ['paths in a pure folder', 'src/compiler/x.ts', `import { relative } from 'node:path'`],
    ['files above the pure folders', 'src/bpf/x.ts', `import { readFileSync } from 'node:fs'`],
    ['koffi in sys', 'src/sys/x.ts', `import koffi from 'koffi'`],
    ['anything in tests', 'src/asm/x.test.ts', `import 'node:fs'; import '../cli/y.ts'`],
    ['types in the page', 'web/x.tsx', `import type { Snapshot } from '../src/agent/snapshot.ts'; import { h } from 'preact'`],
    ['the table of eBPF helpers', 'src/compiler/helpers.ts', `export const ktime_get_ns = 5`],
  ]
  test.each(allowed)('allow %s', (_, file, code) => {
    expect(check({ [file]: code })).toEqual([])
  })

  test('a file that does not parse is an error, not a file without imports', () => {
    expect(() => check({ 'src/asm/x.ts': 'import {' })).toThrow('src/asm/x.ts')
  })
})

describe('as a command', () => {
  const run = (root: string) => spawnSync(process.execPath, [fileURLToPath(new URL('floors.mjs', import.meta.url)), root], { encoding: 'utf8' })

  test('a breach is printed with its place and fails', () => {
    const { status, stdout } = run(tree({ 'src/btf/x.ts': `\nimport 'node:fs'` }))
    expect(stdout).toBe(`src/btf/x.ts:2: [pure-floor] 'node:fs': src/btf does no I/O and runs on any machine\n`)
    expect(status).toBe(1)
  })

  test('a long file is a warning only', () => {
    const { status, stdout } = run(tree({ 'src/btf/x.ts': '\n'.repeat(601), 'src/btf/y.ts': '\n'.repeat(600) }))
    expect(stdout).toContain('src/btf/x.ts:601: warning [long-file] 601 lines')
    expect(stdout).not.toContain('y.ts')
    expect(status).toBe(0)
  })
})
