import * as module from 'node:module'
import type { HookData } from './hooks.ts'

export interface LoaderOptions {
  /**
   * Modules of this package that the running program already holds, by specifier ('skep', 'skep/bpf' …).
   * A program that bundles the library passes them, so that the user's files share its classes
   * instead of loading a second copy from dist.
   */
  api?: Record<string, object>
}

/** Where user code finds the modules that were passed as `api`. */
const shared = Symbol.for('skep.api')

const subpaths = ['asm', 'btf', 'spec', 'bpf', 'capture', 'plugin', 'register']

let installed = false

/**
 * Lets this process import TypeScript files with kernel functions, and 'skep' from any directory.
 * Uses module.registerHooks where Node has it (22.15, 23.5), else module.register (a thread of Node's).
 * The second and later calls do nothing.
 */
export async function installLoader({ api = {} }: LoaderOptions = {}): Promise<void> {
  if (installed) return
  installed = true
  ;(globalThis as any)[shared] = { ...(globalThis as any)[shared], ...api }
  process.setSourceMapsEnabled(true)
  const home = new URL('.', import.meta.url).href
  const data: HookData = { modules: moduleUrls(home, api), home, root: process.cwd() }
  const hooks = new URL('hooks.js', home).href
  if (typeof (module as any).registerHooks === 'function') {
    const { syncHooks } = await import(hooks) as typeof import('./hooks.ts')
    ;(module as any).registerHooks(syncHooks(data))
  } else module.register(hooks, { data })
}

function moduleUrls(home: string, api: Record<string, object>): Record<string, string> {
  const urls: Record<string, string> = {
    skep: new URL('index.js', home).href,
    // Types only; imported without `type` it still has to be a module.
    'skep/vmlinux': 'data:text/javascript,export{}',
    // The compiler's help for `using` on Nodes that do not know it.
    '@oxc-project/runtime/helpers/usingCtx': new URL('using-context.js', home).href,
  }
  for (const name of subpaths) urls[`skep/${name}`] = new URL(`${name}.js`, home).href
  for (const [specifier, exports] of Object.entries(api)) urls[specifier] = sharedModule(specifier, Object.keys(exports))
  return urls
}

/** A module that hands on what the process already has. */
function sharedModule(specifier: string, names: string[]): string {
  const lines = names.map(name => name === 'default' ? 'export default api.default' : `export const ${name} = api.${name}`)
  const source = `const api = globalThis[Symbol.for('skep.api')][${JSON.stringify(specifier)}]\n${lines.join('\n')}`
  return `data:text/javascript,${encodeURIComponent(source)}`
}
