/** Declarations of the library, by the TypeScript compiler. Type errors are the business of `npm run typecheck`. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { root, staging } from './bundle.mjs'

export async function buildTypes(target) {
  if (!existsSync(join(root, 'src/skep.ts'))) return
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  mkdirSync(staging, { recursive: true })
  const configuration = join(staging, 'tsconfig.json')
  writeFileSync(configuration, JSON.stringify({
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false, declaration: true, emitDeclarationOnly: true, noCheck: true, rootDir: join(root, 'src'), outDir: target,
    },
    include: [],
    files: ['src/skep.ts', 'src/bpf/bpf.ts', 'src/register.ts', 'src/compiler/capture/plugin.ts', 'src/compiler/capture/kernel-function.ts', 'src/agent/trace/trace.ts'].map(file => join(root, file)),
  }))
  const { status, stdout } = spawnSync(process.execPath, [join(dirname(manifest), 'bin/tsc'), '-p', configuration], { encoding: 'utf8' })
  if (!existsSync(join(target, 'skep.d.ts'))) throw new Error(`declarations were not written (tsc exit ${status}):\n${stdout}`)
}
