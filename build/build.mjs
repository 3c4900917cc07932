/** npm run build: sources → dist. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundle, dist, root, staging } from './bundle.mjs'
import { buildTypes } from './types.mjs'
import { buildWeb } from './web.mjs'

/** The library's entries: dist/<name>.js, and the subpath export that package.json gives it. */
const library = {
  index: ['src/skep.ts'],
  bpf: ['src/bpf/bpf.ts', 'src/bpf/index.ts'],
  btf: ['src/btf/btf.ts', 'src/btf/index.ts'],
  asm: ['src/asm/asm.ts', 'src/asm/index.ts'],
  spec: ['src/spec/index.ts', 'src/spec/spec.ts'],
  vm: ['src/vm/vm.ts'],
  register: ['src/register.ts'],
  hooks: ['src/register/hooks.ts'],
  'using-context': ['src/register/using-context.ts'],
  capture: ['src/compiler/capture/kernel-function.ts'],
  plugin: ['src/compiler/capture/plugin.ts'],
  trace: ['src/agent/trace/trace.ts'],
}

const started = performance.now()
const out = join(staging, 'dist')

const entries = {}
for (const [name, candidates] of Object.entries(library)) {
  const path = candidates.find(one => existsSync(join(root, one)))
  if (path === undefined) note(`no ${candidates.join(' or ')}: dist/${name}.js is left out`)
  else entries[name] = path
}
await bundle(entries, { dir: out })

if (existsSync(join(root, 'src/cli/main.ts'))) {
  await bundle({ skep: 'src/cli/main.ts' }, { dir: out })
  await bundle({ bpftrace: 'src/cli/bpftrace/start.ts' }, { oneFile: true, dir: out })
}
else note('no src/cli/main.ts: dist/skep.js is left out')

const page = await buildWeb(join(root, 'web'), join(out, 'web'))
if (!page) note('no web/main.tsx: dist/web is left out')

await buildTypes(join(out, 'types'))
put(out, dist)

const size = existsSync(join(dist, 'skep.js')) ? `, dist/skep.js ${Math.round(statSync(join(dist, 'skep.js')).size / 1024)} KiB` : ''
note(`built in ${Math.round(performance.now() - started)} ms${size}`)

/** File by file and by rename, so that whoever runs the old build meanwhile sees no half-written file. */
function put(from, to) {
  const files = new Set(list(from))
  for (const file of files) {
    mkdirSync(dirname(join(to, file)), { recursive: true })
    renameSync(join(from, file), join(to, file))
  }
  for (const file of list(to)) if (!files.has(file) && !file.startsWith('run-')) rmSync(join(to, file))
}

function list(dir) {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { recursive: true }).filter(file => statSync(join(dir, file)).isFile())
}

function note(text) {
  process.stderr.write(`build: ${text}\n`)
}
