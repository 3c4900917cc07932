/**
 * The loader hooks themselves, for both of Node's interfaces: `resolve` and `load` run in Node's hooks
 * thread (module.register, Node 20), `syncHooks` in the main thread (module.registerHooks, Node ≥ 22.15).
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { fileName } from '../compiler/capture/plugin.ts'
import { mayHaveKernelFunctions } from '../compiler/capture/visitor.ts'
import { transformSource } from './transform.ts'

/** What the hooks have to know; plain data, because it may cross threads. */
export interface HookData {
  /** Bare specifiers and the URLs that they stand for. */
  modules: Record<string, string>
  /** URL of the directory that skep itself is loaded from: nothing there needs transforming. */
  home: string
  /** The working directory, which file names in messages are relative to. */
  root: string
}

interface Loaded { format?: string | null | undefined; source?: unknown; shortCircuit?: boolean | undefined }
interface Resolved { url: string; format?: string | null | undefined; shortCircuit?: boolean | undefined }

let data: HookData

export function initialize(given: HookData): void {
  data = given
}

export async function resolve(specifier: string, context: object, next: (specifier: string, context: object) => Promise<Resolved>): Promise<Resolved> {
  return own(specifier) ?? next(specifier, context)
}

export async function load(url: string, context: object, next: (url: string, context: object) => Promise<Loaded>): Promise<Loaded> {
  const path = typeScriptPath(url)
  if (path !== null) return typeScript(await readFile(path, 'utf8'), path)
  const loaded = await next(url, context)
  return javaScript(url, loaded) ?? loaded
}

export function syncHooks(given: HookData) {
  data = given
  return {
    resolve: (specifier: string, context: object, next: (specifier: string, context: object) => Resolved): Resolved =>
      own(specifier) ?? next(specifier, context),
    load(url: string, context: object, next: (url: string, context: object) => Loaded): Loaded {
      const path = typeScriptPath(url)
      if (path !== null) return typeScript(readFileSync(path, 'utf8'), path)
      const loaded = next(url, context)
      return javaScript(url, loaded) ?? loaded
    },
  }
}

function own(specifier: string): Resolved | undefined {
  const url = Object.hasOwn(data.modules, specifier) ? data.modules[specifier] : undefined
  return url === undefined ? undefined : { url, format: 'module', shortCircuit: true }
}

/** The path of a TypeScript file that is the user's own; packages in node_modules ship JavaScript. */
function typeScriptPath(url: string): string | null {
  if (!url.startsWith('file:') || url.startsWith(data.home)) return null
  const path = fileURLToPath(new URL(url))
  return /\.[cm]?ts$/.test(path) && !path.includes('/node_modules/') ? path : null
}

function typeScript(code: string, path: string): Loaded {
  const format = path.endsWith('.cts') ? 'commonjs' : 'module'
  return { format, source: transformSource(code, path, fileName(path, data.root)), shortCircuit: true }
}

/** JavaScript passes as it is, unless it has kernel functions. */
function javaScript(url: string, { format, source }: Loaded): Loaded | undefined {
  if (format !== 'module' || !url.startsWith('file:') || url.startsWith(data.home) || source === null || source === undefined) return undefined
  const code = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8')
  if (!mayHaveKernelFunctions(code)) return undefined
  const path = fileURLToPath(new URL(url))
  return { format, source: transformSource(code, path, fileName(path, data.root)), shortCircuit: true }
}
