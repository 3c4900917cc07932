import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle, staging } from '../../build/bundle.mjs'

/** This Node, and others given as paths in SKEP_TEST_NODES, separated by colons. */
const nodes = [process.execPath, ...(process.env['SKEP_TEST_NODES'] ?? '').split(':').filter(path => path !== '')]

// Below the repository, so that the parser is found in its node_modules, as in an installed package.
const home = join(staging, 'register')
const apps = mkdtempSync(join(tmpdir(), 'skep-register-'))

beforeAll(async () => {
  write(home, {
    // Stands for the command's bundle: it holds the library itself, and passes it on.
    'host.ts': `import { installLoader } from ${JSON.stringify(new URL('install.ts', import.meta.url).pathname)}
      export class Thing {}
      const api = { Thing, make: () => new Thing() }
      await installLoader({ api: { skep: api } })
      await installLoader({ api: { skep: api } })
      const { thing, Own } = await import(process.argv[2])
      console.log(JSON.stringify({ same: Own === Thing, instance: thing instanceof Thing }))`,
    'index.ts': 'export const library = 1',
  })
  await bundle({
    register: 'src/register.ts', hooks: 'src/register/hooks.ts', 'using-context': 'src/register/using-context.ts',
    capture: 'src/compiler/capture/kernel-function.ts', index: join(home, 'index.ts'), host: join(home, 'host.ts'),
  }, { dir: home })
})

afterAll(() => {
  rmSync(apps, { recursive: true, force: true })
  rmSync(home, { recursive: true, force: true })
})

function write(dir: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), text)
  }
}

let count = 0

/** Writes the files to a directory of their own and runs the first with the loader hook. */
function run(node: string, files: Record<string, string>, args?: (dir: string) => string[]) {
  const dir = join(apps, `app${count++}`)
  write(dir, files)
  const first = Object.keys(files)[0]!
  const command = args?.(dir) ?? ['--import', pathToFileURL(join(home, 'register.js')).href, first]
  return spawnSync(node, command, { cwd: dir, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
}

const show = `const { name, file, line, column, captures } = recordOf(f)!
  console.log(JSON.stringify({ result: f(20), name, file, line, column, captures: Object.keys(captures) }))`

describe.each(nodes)('node --import skep/register with %s', node => {
  test('captures kernel functions and strips types', () => {
    const { stdout, stderr } = run(node, {
      'app.ts': `import { recordOf } from 'skep/capture'\nimport type { task_struct } from 'skep/vmlinux'\nimport { one, type Count } from './lib/one.ts'
enum Factor { two = 2 }
export const f = (n: Count): number => { 'use bpf'; return one(n) * Factor.two }\n${show}`,
      'lib/one.ts': `export type Count = number\nexport function one(n: Count): number { 'use bpf'; return n + 1 }`,
    })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ result: 42, name: 'f', file: 'app.ts', line: 5, column: 18, captures: ['one', 'Factor'] })
  })

  test('skep is this package, wherever the file lies; skep/vmlinux is types', () => {
    const { stdout, stderr } = run(node, { 'app.mts': `import { library } from 'skep'\nimport 'skep/vmlinux'\nconsole.log(library satisfies number)` })
    expect(stderr).toBe('')
    expect(stdout).toBe('1\n')
  })

  test('JavaScript with kernel functions is captured too', () => {
    const { stdout, stderr } = run(node, { 'app.mjs': `import { recordOf } from 'skep/capture'\nconst f = n => { 'use bpf'; return n }\n${show.replace('!', '')}` })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ result: 20, name: 'f', file: 'app.mjs', line: 2 })
  })

  test('stack traces show the line and column of the TypeScript', () => {
    const { stderr } = run(node, { 'app.ts': `interface Long {\n  a: number\n}\nconst f = (a: Long) => { 'use bpf'; return a }\nfunction fail(a: Long): never { const b: Long = f(a); throw new Error('x' + b.a) }\nfail({ a: 1 })` })
    expect(stderr).toContain('app.ts:5:61')
    expect(stderr).toContain('app.ts:6:1')
  })

  test('using works, also where Node does not know it', () => {
    const { stdout, stderr } = run(node, {
      'app.ts': `const handle = (name: string) => ({ [Symbol.dispose]() { console.log('close', name) }, async [Symbol.asyncDispose]() { console.log('later', name) } })
        { using a = handle('a'); using b = handle('b'); using none = null; console.log('open') }
        { await using c = handle('c'); using d = handle('d') }
        try { using e = handle('e'); throw new Error('thrown') } catch (error) { console.log((error as Error).message) }
        try { using g = { [Symbol.dispose]() { throw new Error('second') } }; throw new Error('first') }
        catch (error) { console.log((error as any).name, (error as any).error.message, (error as any).suppressed.message) }`,
    })
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toEqual(['open', 'close b', 'close a', 'close d', 'later c', 'close e', 'thrown', 'SuppressedError second first', ''])
  })

  test.each([
    ['app.ts', `const f = () => { 'use bpf' }\nconst x: = 1`, 'app.ts:2:10: Unexpected token', 'const x: = 1'],
    ['app.ts', `const y = 1\nconst x = ;`, 'app.ts:2:11: Unexpected token', 'const x = ;'],
    ['app.ts', `const f = async () => { 'use bpf' }`, 'app.ts:1:25: a kernel function cannot be async', 'fix: '],
    ['app.cts', `const f = () => { 'use bpf' }`, 'app.cts:1:1: kernel functions need an ECMAScript module', 'fix: rename'],
  ])('an error in %s is shown at its place: %s', (file, code, place, detail) => {
    const { status, stderr } = run(node, { [file]: code })
    expect(status).not.toBe(0)
    expect(stderr).toContain(place)
    expect(stderr).toContain(detail)
  })

  test('a program that holds the library shares it with the files that it loads', () => {
    const { stdout, stderr } = run(node, {
      'user.ts': `import { Thing, make } from 'skep'\nexport const thing: object = make()\nexport { Thing as Own }`,
    }, dir => [join(home, 'host.js'), pathToFileURL(join(dir, 'user.ts')).href])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ same: true, instance: true })
  })
})
