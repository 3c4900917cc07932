import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle, dist, staging } from './bundle.mjs'
import { buildWeb } from './web.mjs'

const tool = fileURLToPath(new URL('run.mjs', import.meta.url))
const dir = mkdtempSync(join(tmpdir(), 'skep-build-'))

afterAll(() => rmSync(dir, { recursive: true, force: true }))

function write(name: string, text: string): string {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}

describe('run.mjs', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [tool, ...args], { encoding: 'utf8' })
  const leftovers = () => existsSync(dist) ? readdirSync(dist).filter(name => name.startsWith('run-probe')) : []

  test('runs TypeScript with kernel functions, passes arguments and the exit code, and cleans up', () => {
    const record = fileURLToPath(new URL('../src/compiler/capture/kernel-function.ts', import.meta.url))
    const file = write('probe.ts', `import { recordOf } from ${JSON.stringify(record)}
      const by = 3, f = (n: number) => { 'use bpf'; return n * by }
      console.log(f(2), recordOf(f)!.name, process.argv.slice(2).join())\nprocess.exitCode = 7`)
    const { status, stdout, stderr } = run(file, 'a', '--b')
    expect(stderr).toBe('')
    expect(stdout).toBe('6 f a,--b\n')
    expect(status).toBe(7)
    expect(leftovers()).toEqual([])
  })

  test('a signal reaches the program', async () => {
    const file = write('probe-wait.ts', `process.on('SIGTERM', () => { console.log('stopping'); process.exit(5) })\nconsole.log('ready')\nsetInterval(() => {}, 1000)`)
    const child = spawn(process.execPath, [tool, file], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', chunk => {
      output += String(chunk)
      if (output === 'ready\n') child.kill('SIGTERM')
    })
    const code = await new Promise(resolve => child.on('exit', resolve))
    expect(output).toBe('ready\nstopping\n')
    expect(code).toBe(5)
    expect(leftovers()).toEqual([])
  })

  test('--out writes the bundle instead', () => {
    const out = join(dir, 'out/probe.js')
    const { status } = run('--out', out, write('plain.ts', `const n: number = 4\nconsole.log(n)`))
    expect(status).toBe(0)
    expect(spawnSync(process.execPath, [out], { encoding: 'utf8' }).stdout).toBe('4\n')
  })

  test('no file is a usage error', () => {
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining('usage') })
    expect(run(join(dir, 'none.ts'))).toMatchObject({ status: 2, stderr: expect.stringContaining('none.ts') })
  })
})

describe('bundles', () => {
  test('an entry and the entries beside it share one copy of a module', async () => {
    const shared = write('shared.ts', 'export class Shared {}')
    const entry = (name: string) => write(`${name}.ts`, `export { Shared } from ${JSON.stringify(shared)}`)
    const out = join(dir, 'library')
    await bundle({ one: entry('one'), two: entry('two') }, { dir: out })
    const [one, two] = await Promise.all([import(join(out, 'one.js')), import(join(out, 'two.js'))])
    expect(one.Shared).toBe(two.Shared)
  })

  test('what newer Nodes only know is lowered', async () => {
    const out = join(dir, 'lowered')
    await bundle({ entry: write('using.ts', `export const log: string[] = []\n{ using a = { [Symbol.dispose]() { log.push('closed') } } }`) }, { dir: out })
    expect(readFileSync(join(out, 'entry.js'), 'utf8')).not.toMatch(/\busing a\b/)
    expect((await import(join(out, 'entry.js'))).log).toEqual(['closed'])
  })

  test('native packages stay outside and are loaded when used', async () => {
    const out = join(dir, 'lazy')
    await bundle({ entry: write('lazy.ts', `export const parse = () => import('oxc-parser')`) }, { dir: out, oneFile: true })
    const code = readFileSync(join(out, 'entry.js'), 'utf8')
    expect(code).toContain(`import("oxc-parser")`)
    expect(code).not.toMatch(/^import .*oxc-parser/m)
  })
})

describe('the page', () => {
  // Where preact is found.
  const source = join(staging, 'web')
  const out = join(dir, 'web-out')
  const page = () => readFileSync(join(out, 'index.html'), 'utf8')

  beforeAll(async () => {
    mkdirSync(source, { recursive: true })
    writeFileSync(join(source, 'main.tsx'), `import './part.css'\nimport { render } from 'preact'
      render(<p>{'hello' as string}</p>, document.body)`)
    writeFileSync(join(source, 'part.css'), 'p { color: red }')
    writeFileSync(join(source, 'style.css'), 'body { margin: 0 }')
    writeFileSync(join(source, 'index.html'), `<html><head><link rel="stylesheet" href="/style.css"></head><body><script type="module" src="./main.tsx"></script></body></html>`)
  })

  test('is written with names that change with their content', async () => {
    expect(await buildWeb(source, out)).toBe(true)
    const script = /src="\.\/(main-[\w-]+\.js)"/.exec(page())![1]!
    const style = /href="\.\/(style-\w+\.css)"/.exec(page())![1]!
    expect(readFileSync(join(out, script), 'utf8')).toContain('hello')
    expect(readFileSync(join(out, style), 'utf8')).toBe('body { margin: 0 }\np { color: red }')
    writeFileSync(join(source, 'style.css'), 'body { margin: 1px }')
    await buildWeb(source, out)
    expect(page()).not.toContain(style)
  })

  afterAll(() => rmSync(source, { recursive: true, force: true }))

  test('is left out where there is none', async () => {
    expect(await buildWeb(join(dir, 'nothing'), out)).toBe(false)
  })
})

test('staging lies where packages are found, and is per process', () => {
  expect(staging).toContain('node_modules')
  expect(staging).toContain(String(process.pid))
})
