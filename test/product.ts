/** The product as a user gets it, built by the test itself: bin/skep.js beside dist/, in a folder of this process. */
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bundle, capturePlugin, root, staging } from '../build/bundle.mjs'
import { buildWeb } from '../build/web.mjs'

export const product = join(staging, 'product')

/** The command. */
export const skep = join(product, 'bin/skep.js')

let built: Promise<void> | undefined

/** Builds the command once for the test file; `run` also builds what `skep run` loads, `page` the page. Removed when the process ends. */
export function buildProduct({ page = false } = {}): Promise<void> {
  return built ??= build(page)
}

async function build(page: boolean): Promise<void> {
  mkdirSync(product, { recursive: true })
  cpSync(join(root, 'bin'), join(product, 'bin'), { recursive: true })
  cpSync(join(root, 'package.json'), join(product, 'package.json'))
  cpSync(join(root, 'demo'), join(product, 'demo'), { recursive: true })
  const dir = join(product, 'dist')
  await bundle({ skep: 'src/cli/main.ts' }, { dir })
  await bundle({
    hooks: 'src/register/hooks.ts', 'using-context': 'src/register/using-context.ts', capture: 'src/compiler/capture/kernel-function.ts',
  }, { dir })
  if (page && existsSync(join(root, 'web'))) await buildWeb(join(root, 'web'), join(dir, 'web'))
}

/**
 * The command as it is on a kernel that lacks these hooks: the built-in probes ask for others that no kernel has.
 * Everything else of it is the product. Its path.
 */
export async function buildForKernelWithout(hooks: readonly string[]): Promise<string> {
  const dir = join(product, `without-${hooks.length}`)
  const rename = {
    name: 'rename-hooks',
    transform(code: string, id: string) {
      if (!id.startsWith(join(root, 'src/probes/'))) return null
      return hooks.reduce((text, hook) => text.replaceAll(`tp_btf('${hook}'`, `tp_btf('no_${hook}'`), code)
    },
  }
  await bundle({ skep: 'src/cli/main.ts' }, { dir, plugins: [rename, await capturePlugin()] })
  const page = join(product, 'dist/web')
  if (existsSync(page)) cpSync(page, join(dir, 'web'), { recursive: true })
  return join(dir, 'skep.js')
}
