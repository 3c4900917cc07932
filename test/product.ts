/** The product as a user gets it, built by the test itself: bin/skep.js beside dist/, in a folder of this process. */
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, root, staging } from '../build/bundle.mjs'
import { buildWeb } from '../build/web.mjs'

const home = join(staging, 'product')

/** The command. */
export const skep = join(home, 'bin/skep.js')

let built: Promise<void> | undefined

/** Builds the command once for the test file; `run` also builds what `skep run` loads, `page` the page. Removed when the process ends. */
export function buildProduct({ page = false } = {}): Promise<void> {
  return built ??= build(page)
}

async function build(page: boolean): Promise<void> {
  mkdirSync(home, { recursive: true })
  cpSync(join(root, 'bin'), join(home, 'bin'), { recursive: true })
  cpSync(join(root, 'package.json'), join(home, 'package.json'))
  const dir = join(home, 'dist')
  await bundle({ skep: 'src/cli/main.ts' }, { oneFile: true, dir })
  await bundle({
    hooks: 'src/register/hooks.ts', 'using-context': 'src/register/using-context.ts', capture: 'src/compiler/capture/kernel-function.ts',
  }, { dir })
  if (page && existsSync(join(root, 'web'))) await buildWeb(join(root, 'web'), join(dir, 'web'))
}
